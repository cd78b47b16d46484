"""How commands end when something is wrong: the exit code, and the message, as text and as JSON."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

ON_A_PROJECT = [
    ["doctor", "3"],
    ["look", "3"],
    ["connect", "3"],
    ["sync", "3"],
    ["watch", "3"],
    ["status", "3"],
    ["export", "3", "--out", "labels.csv"],
    ["write-annotations", "3"],
    ["report", "3", "--out", "report.html"],
    ["disconnect", "3"],
    ["projects"],
]
WITH_JSON = [words for words in ON_A_PROJECT if words[0] in ("doctor", "sync", "status", "projects")]


class Silent(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def plain_http():
    """The port of a server that speaks HTTP without TLS."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def a_token(monkeypatch):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "0" * 40)


def at(url):
    return ["--url", url, "--store", "sqlite:///store.sqlite"]


@pytest.fixture
def no_names(monkeypatch):
    """Name servers that know no host, also where there are none."""

    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)


@pytest.mark.parametrize("words", [words for words in ON_A_PROJECT if words[0] != "watch"], ids=lambda words: words[0])
def test_an_address_where_the_connection_is_refused_may_be_right(words, run):
    code, _, err = run(*words, *at("http://127.0.0.1:9"))
    assert (code, "start it" in err) == (3, True)


@pytest.mark.parametrize("words", ON_A_PROJECT, ids=lambda words: words[0])
class TestAnAddress:
    def test_of_an_unknown_host_has_to_be_corrected(self, words, run, no_names):
        code, _, err = run(*words, *at("http://no-such-host.invalid"))
        assert (code, "correct LABEL_STUDIO_URL" in err) == (2, True)

    def test_with_the_wrong_scheme_has_to_be_corrected(self, words, run, plain_http):
        code, _, err = run(*words, *at(f"https://127.0.0.1:{plain_http}"))
        assert (code, "write http:// instead of https://" in err) == (2, True)


@pytest.mark.parametrize("words", WITH_JSON, ids=lambda words: words[0])
@pytest.mark.parametrize(("url", "may_pass"), [("http://127.0.0.1:9", True), ("https://127.0.0.1:PLAIN", False)])
def test_an_error_as_json_has_one_shape(words, url, may_pass, run, plain_http):
    code, out, err = run(*words, "--json", *at(url.replace("PLAIN", str(plain_http))))
    found = json.loads(out)
    assert (code, found["may_pass"], err) == (3 if may_pass else 2, may_pass, "")
    assert found.keys() == {"error", "may_pass"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["status", "abc"], "Found 'abc' as PROJECT: write a whole number, such as 3."),
        (["status", "0"], "Found project 0: projects have numbers from 1"),
        (["watch", "3", "--every", "0"], "Found '0' as --every: write a number, 0.1 or more."),
        (
            ["export", "3", "--min-quality", "2", "--out", "a"],
            "Found '2' as --min-quality: write a number from 0",
        ),
        (["sync", "3", "--target-quality", "high"], "Found 'high' as --target-quality: write a number, such as"),
        (["train", "a", "-o", "b", "--milestones", "x"], "Found 'x' as --milestones: write a whole number, 1 or more."),
        (
            ["export", "3", "--format", "xml", "--out", "a"],
            "Found 'xml' as --format: write one of tables, label",
        ),
        (["export", "3"], "--out is missing: give it, as in `label-studio-crowd export 3 --out labels.csv`."),
        (["compare"], "ANSWERS is missing: give it, as in `label-studio-crowd compare answers.csv"),
        (["export", "3", "--out"], "--out needs a value after it."),
        (["status", "3", "--full=3"], "There is no option --full."),
        (["status", "3", "--josn"], "There is no option --josn. Did you mean --json?"),
        (["sync", "3", "--full=yes"], "--full takes no value"),
        (["status", "3", "now"], "Found 'now', which is too much: leave it out"),
        (["statsu", "3"], "There is no command 'statsu'. Did you mean status?"),
        (["--verison"], "There is no option --verison. Did you mean --version?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_words_that_nobody_knows_are_answered_in_plain_words(words, said, run):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith(f"label-studio-crowd: {said}")
    assert len(err.splitlines()) == 1
    code, out, err = run(*words[:1], "--json", *words[1:])
    if words[0] in ("status", "compare", "sync"):
        assert said in json.loads(out)["error"]
    assert (code, json.loads(out)["may_pass"], err) == (2, False, "")
