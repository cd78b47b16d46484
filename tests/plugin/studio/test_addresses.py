"""What is said of an address at which nobody answers as a Label Studio: the advice follows the reason."""

import json
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.failures import StudioError


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"release": "1.23.2"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def listening(context=None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.handle_error = lambda *_: None  # whoever does not trust us breaks off
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Make certificates that their owners signed: `certificate(name)` is a file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificates")

    def make(name):
        key, file = folder / "key.pem", folder / f"{name}.pem"
        new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", file, "-days", "2"]
        told = ["-subj", "/CN=studio", "-addext", f"subjectAltName={name}"]
        subprocess.run([*new, *told], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file, key)
        return file, context

    return make


def said_of(url):
    with pytest.raises(StudioError) as error:
        Studio(url, "0123", patience=5).version()
    return str(error.value)


def test_a_certificate_of_ones_own(certificate, monkeypatch):
    file, context = certificate("IP:127.0.0.1")
    with listening(context) as port:
        said = said_of(f"https://127.0.0.1:{port}")
        assert "set SSL_CERT_FILE" in said
        assert "start it" not in said
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        assert Studio(f"https://127.0.0.1:{port}", "0123").version() == "1.23.2"


def test_a_certificate_for_another_name(certificate, monkeypatch):
    file, context = certificate("DNS:elsewhere.example.com")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with listening(context) as port:
        assert "is for another name" in said_of(f"https://127.0.0.1:{port}")


def test_http_where_https_is_spoken_and_the_other_way_round(certificate):
    with listening() as port:
        assert "write http:// instead of https://" in said_of(f"https://127.0.0.1:{port}")
    _, context = certificate("IP:127.0.0.1")
    with listening(context) as port:
        assert "write https:// instead of http://" in said_of(f"http://127.0.0.1:{port}")


def test_nobody_there():
    assert "start it, or correct LABEL_STUDIO_URL" in said_of("http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("code", "reason", "advice"),
    [
        (socket.EAI_NONAME, "Name or service not known", "there is no such host; correct"),
        (socket.EAI_AGAIN, "Temporary failure in name resolution", "check the network, or correct"),
    ],
)
def test_a_host_without_an_address(code, reason, advice, monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(code, reason)

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert advice in said_of("http://no-such-host.invalid")
