"""Who is let in, and with what."""

import asyncio
import base64
import json
import logging
import socket
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from label_studio_crowd.access import SECRET_HEADER, Guesses
from label_studio_crowd.server.application import create_application
from label_studio_crowd.server.guards import OPEN
from label_studio_crowd.settings import Settings
from tests.plugin.server.serving import (
    PASSWORD,
    STUDIO,
    USER,
    guarded,
    opened,
    payload,
    running,
)


def all_routes():
    """Every (method, path) that there is, with numbers for what is in braces."""
    app = create_application(SimpleNamespace(settings=Settings(url=STUDIO), secret=""))

    def walk(routes):
        for route in routes:
            inner = getattr(route, "original_router", None)
            if inner is not None:
                yield from walk(inner.routes)
            else:
                path = route.path.replace("{project}", "1").replace("{task}", "1")
                yield from ((method, path) for method in route.methods)

    return sorted(set(walk(app.routes)))


ROUTES = all_routes()


# ---------------------------------------------------------------------- who is let in


def test_every_route_is_known():
    paths = {path for _, path in ROUTES}
    assert {"/", "/health", "/ready", "/setup", "/predict", "/webhook", "/versions", "/metrics", "/projects"} <= paths
    assert len([path for path in paths if path.startswith("/api/")]) == 7


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:9090", 200),
        ("127.0.0.1", 200),
        ("[::1]:9090", 200),
        ("evil.example:9090", 421),
        ("localhost.evil.example", 421),
        ("", 421),
        ("[", 421),
    ],
)
def test_without_a_password_another_name_that_leads_here_is_refused(host, status):
    app = create_application(SimpleNamespace(settings=Settings(url=STUDIO), secret=""), loopback_only=True)

    async def answer():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://here") as client:
            return await client.get("/health", headers={"Host": host})

    found = asyncio.run(answer())
    assert found.status_code == status
    if status == 421:
        assert "set BASIC_AUTH_USER" in found.json()["detail"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_the_password_is_asked_for(method, path):
    settings = Settings(url=STUDIO, basic_auth_user=USER, basic_auth_pass=PASSWORD)
    app = create_application(SimpleNamespace(settings=settings, secret=""))  # nothing else is touched
    half = base64.b64encode(f"{USER}:".encode()).decode()
    wrong = [{}] + [
        {"Authorization": it.encode()} for it in ("Basic eDp5", "Basic ", "Basic é", f"Basic {half}", "Bearer x")
    ]

    async def answers():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://here") as client:
            return [await client.request(method, path, headers=headers) for headers in wrong]

    for answer in asyncio.run(answers()):
        assert answer.status_code == (200 if path in OPEN else 401)
        if answer.status_code == 401:
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")
            assert method == "HEAD" or answer.json() == {"detail": "The name or the password is missing or wrong."}


def test_the_password_opens(untouched):
    for path in ("/openapi.json", "/projects", "/metrics", "/versions", "/api/projects"):
        assert untouched.get(path).status_code == 200
    assert untouched.get("/versions").json() == {"versions": ["crowd-consensus"]}
    assert untouched.get("/none").status_code == 404
    assert untouched.get("/none", auth=("", "")).status_code == 401


def test_health_is_open_and_tells_who_it_is(untouched):
    for path in ("/", "/health"):
        answer = httpx.get(f"{untouched.base_url}{path}")
        assert answer.json() == {"status": "UP", "model_class": "label-studio-crowd", "version": "0.1.0"}
    assert untouched.get("/health/").status_code == 404  # no redirect


def test_a_kept_connection_is_answered_at_once(untouched):
    took = []
    for _ in range(20):
        began = time.perf_counter()
        untouched.get("/health")
        took.append(time.perf_counter() - began)
    assert min(took[1:]) < 0.02  # 40 ms, every time, where small packets are held back


def test_webhooks_need_the_password_or_the_secret(client, backend):
    event, url = payload("annotation_created"), f"{client.base_url}/webhook"
    assert client.post("/webhook", json=event).status_code == 200
    assert httpx.post(url, json=event).status_code == 401
    assert httpx.post(url, json=event, headers={SECRET_HEADER: "wrong"}).status_code == 401
    backend.see_to_secret()
    secret = {SECRET_HEADER: backend.secret}
    assert httpx.post(url, json=event, headers=secret).status_code == 200
    assert httpx.post(f"{client.base_url}/setup", json={"project": 1}, headers=secret).status_code == 401


def test_the_secret_of_webhooks_is_random_and_kept(tmp_path):
    first, again, other = guarded(tmp_path / "one"), guarded(tmp_path / "one"), guarded(tmp_path / "two")
    for backend in (first, again, other):
        backend.see_to_secret()
    assert first.secret == again.secret != other.secret, "with the same password"
    assert len(first.secret) > 40
    Path(tmp_path / "one" / "mirror.sqlite").unlink()  # under the running server
    first.see_to_secret()
    assert guarded(tmp_path / "one").secret == first.secret


def test_who_guesses_the_password_is_slowed_down(tmp_path):
    with running(guarded(tmp_path)) as client:
        url = f"{client.base_url}/versions"
        assert [httpx.get(url, auth=(USER, f"guess {n}")).status_code for n in range(12)] == [401] * 10 + [429] * 2
        answer = client.get("/versions")
        assert answer.status_code == 429, "a right guess is not told from a wrong one"
        assert 0 < int(answer.headers["Retry-After"]) <= 60
        assert client.get("/health").status_code == 200
        guess = client.post("/webhook", json=payload("no_payload"))
        assert guess.status_code == 429, "no other route tells either"


def test_guesses_of_others_do_not_keep_out_who_knows_the_password():
    time = [0.0]
    guesses = Guesses(clock=lambda: time[0])
    guesses.note("home", right=True)
    for n in range(100):
        guesses.note(f"bot {n}", right=False)
    assert guesses.seconds_to_wait("home") == 0
    assert guesses.seconds_to_wait("bot 200") == 60
    time[0] = 60.0
    assert guesses.seconds_to_wait("bot 200") == 0


def test_without_a_password_everybody_is_let_in(tmp_path):
    with running(opened(tmp_path)) as client:
        assert httpx.get(f"{client.base_url}/api/projects").status_code == 200


def test_a_secret_alone_guards_webhooks(tmp_path):
    with running(opened(tmp_path, webhook_secret="s")) as client:
        event, url = payload("no_payload"), f"{client.base_url}/webhook"
        assert httpx.post(url, json=event).status_code == 401
        assert httpx.post(url, json=event, headers={SECRET_HEADER: "s"}).status_code == 200


# ---------------------------------------------------------------------- bodies


def raw(client, text):
    """Send bytes as they are, and return the status of the answer."""
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=10) as connection:
        connection.sendall(text)
        return int(connection.recv(4096).split()[1])


def test_large_bodies_are_refused(tmp_path):
    secret = base64.b64encode(f"{USER}:{PASSWORD}".encode())
    with running(guarded(tmp_path, max_body_mb=0.01)) as client:
        fits = json.dumps({"action": "X", "more": "x" * 9_000}).encode()
        large = json.dumps({"action": "X", "more": "x" * 11_000}).encode()
        kind = {"Content-Type": "application/json"}
        assert client.post("/webhook", content=fits, headers=kind).status_code == 200
        answer = client.post("/webhook", content=large, headers=kind)
        assert answer.status_code == 413
        assert "max_body_mb" in answer.json()["detail"]
        in_chunks = (large[at : at + 1000] for at in range(0, len(large), 1000))
        answer = client.post("/webhook", content=in_chunks, headers=kind)
        assert answer.status_code == 413
        assert "max_body_mb" in answer.json()["detail"]
        in_chunks = (fits[at : at + 1000] for at in range(0, len(fits), 1000))
        assert client.post("/webhook", content=in_chunks, headers=kind).status_code == 200
        # nothing is awaited of a body that says itself that it is too large
        head = (
            b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999999999999\r\n"
        )
        assert raw(client, head + b"Authorization: Basic " + secret + b"\r\n\r\n") == 413
        assert raw(client, head.replace(b"999999999999", b"9999") + b"\r\n") == 401
        assert raw(client, head.replace(b"999999999999", b"-1") + b"\r\n") == 400


@pytest.mark.parametrize(("path", "status"), [("/webhook", 413), ("/none", 404), ("/health", 405), ("/setup", 401)])
def test_an_endless_body_is_cut_off(tmp_path, path, status):
    with running(guarded(tmp_path, max_body_mb=0.1)) as client:
        sent = 0

        def endless():
            nonlocal sent
            while sent < 1_000_000_000:
                sent += 10_000
                yield b" " * 10_000

        headers = {"Content-Type": "application/json"}
        with suppress(httpx.TransportError):  # the server hung up while more was sent
            auth = ("", "") if status == 401 else client.auth
            assert client.post(path, content=endless(), headers=headers, auth=auth).status_code == status
        assert sent < 100_000_000


def test_a_body_that_ends_early_harms_nobody(client, backend, caplog):
    secret = base64.b64encode(f"{USER}:{PASSWORD}".encode())
    head = b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(head + b"Authorization: Basic " + secret + b'\r\n\r\n{"action"')
    assert client.get("/api/projects").status_code == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "character 0"),
        (b"{", "line 1, column 2 (character 1)"),
        (b'{"action": }', "character 11"),
        (b"[]", "a list"),
        (b"null", "null"),
        (b"3", "a number"),
        (b'"x"', "a string"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "too many digits"),
    ],
)
@pytest.mark.parametrize("path", ["/setup", "/predict", "/webhook"])
def test_what_is_no_object_is_refused_in_words(untouched, path, body, words):
    answer = untouched.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert words in answer.json()["detail"]


@pytest.mark.parametrize("depth", [200, 300, 900, 1000, 1020, 2000])
def test_deep_nesting_crashes_nothing(client, depth):
    deep = "[" * depth + "]" * depth
    for path, body in (
        ("/setup", f'{{"project": {deep}}}'),
        ("/setup", f'{{"project": 1, "extra_params": {deep}}}'),
        ("/setup", f'{{"project": 1, "extra_params": {{"control": {deep}}}}}'),
        ("/predict", f'{{"tasks": [{{"id": {deep}, "data": {deep}}}]}}'),
        ("/webhook", f'{{"action": {deep}}}'),
        (
            "/webhook",
            f'{{"action": "TASKS_CREATED", "project": {{"id": 1}}, "tasks": [{{"id": 1, "data": {{"a": {deep}}}}}]}}',
        ),
    ):
        answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (200, 400, 422), (path, answer.text)


def test_other_content_types_are_refused(untouched):
    # what a page in a browser can send anywhere without being asked
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        assert untouched.post("/webhook", content=b"{}", headers={"Content-Type": kind}).status_code == 415
    assert untouched.post("/webhook", content=b"{}").status_code == 415
    kind = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert untouched.post("/webhook", content=b'{"action": "X"}', headers=kind).status_code == 200
