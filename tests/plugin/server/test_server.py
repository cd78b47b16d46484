import asyncio
import base64
import json
import logging
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
import sqlalchemy as sa
import uvicorn
from fastapi.openapi.models import OpenAPI

from label_studio_crowd.access import SECRET_HEADER, webhook_secret
from label_studio_crowd.connection.adoption import Setup
from label_studio_crowd.estimate import Estimate
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.server.application import create_application, listen
from label_studio_crowd.server.guards import OPEN
from label_studio_crowd.service.backend import Backend
from label_studio_crowd.settings import Settings, load
from label_studio_crowd.store.database import now
from label_studio_crowd.store.reports import RunReport
from label_studio_crowd.store.tables import runs

PAYLOADS = Path(__file__).parents[1] / "payloads"
STUDIO = "http://127.0.0.1:9"
USER, PASSWORD = "crowd", "a password: with, ünicode"
CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="label" toName="text">'
    '<Choice value="a"/><Choice value="b"/><Choice value="c"/></Choices></View>'
)
AT = "2026-01-01T00:00:00.500000Z"


def payload(name):
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def annotation(number, annotator, label="a", **changes):
    result = [{"id": "r", "from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [label]}}]
    return {
        "id": number,
        "completed_by": annotator,
        "result": result,
        "updated_at": AT,
        "was_cancelled": False,
        "ground_truth": False,
        "lead_time": 1.5,
        **changes,
    }


def task(number, *annotations):
    return {
        "id": number,
        "data": {"text": f"t{number}"},
        "overlap": 1,
        "is_labeled": bool(annotations),
        "updated_at": AT,
        "annotations": list(annotations),
    }


def believed(**changes):
    """Six tasks: settled by quality, unsure, without labels, of known truth, unsure, and skipped."""
    nan = np.nan
    fields = {
        "taken_at": 1_800_000_000.0,
        "title": "animals",
        "label_config": CONFIG,
        "control": "label",
        "show_consensus": False,
        "training": "",
        "hears_model": True,
        "target_quality": 0.8,
        "accuracy": Estimate(0.9, 0.7, 0.95),
        "calibrated": True,
        "classes": ("a", "b", "c"),
        "prior": np.array([0.5, 0.3, 0.2]),
        "tasks": np.array([1, 2, 3, 4, 5, 6]),
        "labels": np.array([2, 1, 0, 0, 3, 0]),
        "skips": np.array([0, 0, 0, 0, 0, 2]),
        "annotations": np.array([2, 1, 0, 1, 3, 2]),
        "consensus": np.array([0, 1, 2, 1, 0, -1]),
        "quality": np.array([0.9, 0.4, 0.5, 1.0, 0.6, nan]),
        "priority": np.array([0.9, 0.3, 0.1, 1.0, 0.5, nan]),
        "settled_by": np.array([2, 0, 0, 1, 0, 4]),
        "judged": np.array([True, False, False, True, True, False]),
        "majority": np.array([0, 1, -1, -1, 0, -1]),
        "predicted": np.full(6, -1),
        "predicted_probability": np.full(6, nan),
        "queue": np.array([3, 2, 5]),
        "annotators": np.array([0, 5, 6]),
        "pseudonym": np.array([0, 1, 2]),
        "annotator_quality": np.array([0.7, nan, 0.4]),
        "quality_low": np.array([0.5, nan, 0.2]),
        "quality_high": np.array([0.9, nan, 0.6]),
        "agreement": np.array([1.0, nan, 0.5]),
        "annotator_labels": np.array([2, 0, 4]),
        "worst_class": np.array([-1, -1, 2]),
        "answer_annotator": np.array([0, 2, 2, 0, 1, 2]),
        "answer_label": np.array([0, 0, 1, 0, 1, 0]),
        "answer_quality": np.array([0.9, 0.9, 0.4, 0.6, 0.2, 0.6]),
        "answer_at": np.array([1, 2, 3, 4, 5, 6]),
        "answer_seconds": np.array([1.5, 2.5, nan, 1.5, 1.5, 1.5]),
    }
    return Snapshot(**{**fields, **changes})


def opened(folder, **settings):
    return Backend(load(url=STUDIO, store=f"sqlite:///{folder}/mirror.sqlite", model_dir=folder / "models", **settings))


def guarded(folder, **settings):
    return opened(folder, basic_auth_user=USER, basic_auth_pass=PASSWORD, **settings)


def seed(backend, project=1):
    """Let a project have had a run."""
    stored = backend.store.project(STUDIO, project)
    stored.mirror.apply(
        [
            task(1, annotation(11, 5), annotation(12, 6)),
            task(2, annotation(21, None, "b")),
            task(3),
            task(4, annotation(41, 5, "b", ground_truth=True)),
            task(5, annotation(51, 5), annotation(52, 6, "b"), annotation(53, 7)),
            task(6, annotation(61, 5, was_cancelled=True, result=[]), annotation(62, 6, result=[{"value": 1}])),
        ]
    )
    stored.people.keep_names([], {5: "Ada", 6: "Bo"})
    snapshot = believed()
    stored.runs.keep_snapshot(snapshot.to_bytes(), snapshot.taken_at)
    stored.runs.add(
        RunReport(tasks=6, labels=6, classifier="none", seconds={"pull": 0.5, "score": 0.1}, warnings=("w",))
    )
    backend.jobs.mark(project)
    return stored


@contextmanager
def running(backend):
    """Serve on a port of its own, and give a client that knows the password."""
    app = create_application(backend)
    config = uvicorn.Config(app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with listen("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with httpx.Client(base_url=address, auth=httpx.BasicAuth(USER, PASSWORD), timeout=20) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()
            backend.close()


@pytest.fixture
def backend(tmp_path):
    return guarded(tmp_path)


@pytest.fixture
def client(backend):
    with running(backend) as client:
        yield client


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """A server that has no project, for requests that leave it so."""
    backend = guarded(tmp_path_factory.mktemp("untouched"))
    with running(backend) as client:
        yield client
        assert backend.jobs.states() == []


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    """A server that has project 1, with a run, and project 7, without; for requests that only read."""
    backend = guarded(tmp_path_factory.mktemp("seeded"))
    seed(backend)
    backend.jobs.mark(7)
    with running(backend) as client:
        yield client


def post(client, path, sent):
    """Send what httpx would not: lone surrogates."""
    return client.post(path, content=json.dumps(sent), headers={"Content-Type": "application/json"})


def all_routes():
    """Every (method, path) that there is, with numbers for what is in braces."""
    app = create_application(SimpleNamespace(settings=Settings(url=STUDIO)))

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
    app = create_application(SimpleNamespace(settings=Settings(url=STUDIO)), loopback_only=True)

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
    app = create_application(SimpleNamespace(settings=settings))  # nothing else is touched
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
    secret = {SECRET_HEADER: webhook_secret(backend.settings)}
    assert httpx.post(url, json=event, headers=secret).status_code == 200
    assert httpx.post(f"{client.base_url}/setup", json={"project": 1}, headers=secret).status_code == 401


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


# ---------------------------------------------------------------------- setup


def asked(project="1.1795211437", **more):
    sent = {"project": project, "schema": CONFIG, "hostname": "http://evil.example", "access_token": "a-token"}
    return {**sent, **more}


@pytest.mark.parametrize(
    "given", [{"target_quality": 0.9}, '{"target_quality": 0.9}', "", "  ", None, {}, "{}", "null"]
)
def test_setup_takes_options(client, backend, given):
    answer = client.post("/setup", json=asked(extra_params=given))
    assert answer.status_code == 200
    assert answer.json() == {"model_version": "crowd-consensus"}
    options = {"target_quality": 0.9} if given and "0.9" in str(given) else {}
    stored = backend.project(1).facts.read(Setup)
    assert stored == Setup("1.1795211437", options, client.base_url.netloc.decode())
    (state,) = backend.jobs.states()
    assert (state.project, state.kind, state.word) == (1, "rescore", "waiting")
    assert client.get("/api/projects/1").json()["numbers"] is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("garbage", "extra_params"),
        ([1], "extra_params"),
        (7, "extra_params"),
        ("[1]", "extra_params"),
        ({"target_qualty": 0.9}, "target_qualty"),
        ({"target_quality": 7}, "target_quality"),
        ({"target_quality": "\ud800"}, "target_quality"),
        ({"max_labels": "many"}, "max_labels"),
        ({"max_labels": 10**30}, "max_labels"),
        (f'{{"max_labels": {10**30}}}', "max_labels"),
        ('{"retrain_share": Infinity}', ""),
        ({"min_labels": 9}, "min_labels"),
        ({"classifier": "os:system"}, "classifier"),
        ({"classifier": " my.code : factory"}, "classifier"),
        ({"api_key": "x"}, "api_key"),
        ({"store": "sqlite:////etc/passwd"}, "store"),
        ("[" * 5000, "extra_params"),
    ],
)
def test_setup_refuses_what_is_no_option(untouched, given, words):
    answer = post(untouched, "/setup", asked(extra_params=given))
    assert answer.status_code == 400
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    "project", [None, "", "x", "0", "-1", -1, 0, 1.5, True, [], {}, "1" * 30, 2**70, "\u0661", "\ud800"]
)
def test_setup_refuses_what_is_no_project(untouched, project):
    answer = post(untouched, "/setup", asked(project))
    assert answer.status_code == 400
    assert "project" in answer.json()["detail"]


# ---------------------------------------------------------------------- predict


def test_predictions_before_any_run(client):
    version = client.post("/setup", json=asked()).json()["model_version"]
    for project in ("1.1795211437", 1, "2.5", None):
        tasks = [{"id": 7, "data": {}}, {"id": "x"}, {}, {"id": 2**70}, {"id": True}]
        results = client.post("/predict", json={"tasks": tasks, "project": project}).json()["results"]
        assert len(results) == len(tasks)
        assert all(
            row["result"] == [] and row["model_version"] == version and 0 <= row["score"] <= 1 for row in results
        )
    assert client.post("/predict", json={"tasks": []}).json() == {"results": []}


def test_predictions_are_what_the_last_run_believed(client, backend):
    seed(backend)
    sent = {
        "project": "1.1",
        "tasks": [{"id": number, "data": {}} for number in (2, 1, 99, 4, 6)],
        "label_config": CONFIG,
    }
    results = client.post("/predict", json=sent).json()["results"]
    labels = [row["result"][0]["value"]["choices"] if row["result"] else None for row in results]
    assert labels == [None, ["a"], None, ["b"], None]
    assert [row["score"] for row in results] == [0.4, 0.9, 0.5, 1.0, 0.5]
    assert {row["model_version"] for row in results} == {"crowd-consensus"}


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "tasks"),
        ({"tasks": None}, "tasks"),
        ({"tasks": {"id": 1}}, "tasks"),
        ({"tasks": [{}, {}, {}, 5]}, "tasks[3]"),
        ({"tasks": [], "project": "x"}, "project"),
    ],
)
def test_predict_says_what_is_wrong(untouched, sent, words):
    answer = untouched.post("/predict", json=sent)
    assert answer.status_code == 400
    assert words in answer.json()["detail"]


def test_too_many_tasks_are_refused(tmp_path):
    with running(guarded(tmp_path, max_tasks=3)) as client:
        assert client.post("/predict", json={"tasks": [{}] * 3}).status_code == 200
        answer = client.post("/predict", json={"tasks": [{}] * 4})
        assert answer.status_code == 413
        assert "4 tasks; at most 3 are allowed" in answer.json()["detail"]


# ---------------------------------------------------------------------- webhook


def test_a_submit_is_in_the_mirror_at_once(client, backend):
    stored, event = backend.store.project(STUDIO, 1), payload("annotation_created")
    event["task"]["data"]["text"] = "with \ud800, which SQLite's Label Studio stores"
    assert post(client, "/webhook", event).status_code == 422
    event = payload("annotation_created")
    assert client.post("/webhook", json=event).json() == {"status": "applied"}
    (row,) = stored.mirror.annotations_of(1)
    assert (row.id, row.annotator, row.was_cancelled) == (2, 1, 0)
    assert backend.jobs.states()[0].word == "waiting"


@pytest.mark.parametrize(
    ("name", "status", "annotations"),
    [
        ("annotation_created_skip", None, None),
        ("annotation_updated", None, None),
        ("annotation_updated_deleted_user", None, None),
        ("annotations_created", "marked", None),
        ("annotations_deleted", "marked", None),
        ("tasks_created", "marked", None),
        ("tasks_deleted", "applied", None),
        ("project_updated", "marked", None),
        ("start_training", "marked", None),
        ("no_payload", "ignored", None),
    ],
)
def test_every_kind_of_event_is_taken(client, backend, name, status, annotations):
    event = payload(name)
    project = event.get("project", {}).get("id", 1)
    seed(backend, project)
    answer = client.post("/webhook", json=event)
    assert answer.status_code == 200
    assert answer.json()["status"] == status or status is None
    stored = backend.project(project)
    told = event.get("annotation") or []
    for one in told if isinstance(told, list) else [told]:
        assert one["id"] in [row.id for row in stored.mirror.annotations_of(one["task"])]
    if name == "tasks_deleted":
        assert not stored.mirror.data([row["id"] for row in event["tasks"]])
    if name == "annotations_deleted":
        gone = {row["id"] for row in event["annotations"]}
        assert not gone & {row.id for row in stored.mirror.annotations()}
    if name == "start_training":
        assert {state.kind for state in backend.jobs.states()} == {"rescore", "train"}


def test_unknown_events_are_fine(untouched):
    assert untouched.post("/webhook", json={"action": "COMMENT_CREATED", "comment": 1}).json() == {"status": "ignored"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"action": None}, "action"),
        ({"action": 5}, "action"),
        ({"project": "x"}, "project"),
        ({"project": {"id": -1}}, "project.id"),
        ({"annotation": 5}, "annotation"),
        ({"annotation": [{}]}, "annotation[0]."),
        ({"task": {"id": 1, "data": []}}, "task.data"),
    ],
)
def test_malformed_events_are_refused_by_name(untouched, change, field):
    answer = untouched.post("/webhook", json={**payload("annotation_created"), **change})
    assert answer.status_code == 422
    assert field in answer.json()["detail"]


def test_one_task_twice_in_one_event(client, backend):
    event = payload("annotations_created")
    task, annotation = event["task"][0], event["annotation"][0]
    event["task"] = [task, task]
    event["annotation"] = [annotation, {**annotation, "id": annotation["id"] + 1}]
    assert client.post("/webhook", json=event).status_code == 200
    assert len(backend.project(event["project"]["id"]).mirror.annotations_of(annotation["task"])) == 2


def test_a_store_that_fails_is_a_503_and_one_line(client, backend, monkeypatch, caplog):
    def broken(_):
        raise sa.exc.OperationalError("INSERT", {"result": "confidential"}, Exception("disk I/O error\nconfidential"))

    monkeypatch.setattr(backend, "take", broken)
    answer = client.post("/webhook", json=payload("annotation_created"))
    assert answer.status_code == 503
    assert "confidential" not in answer.text
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert lines == ["The store fails (disk I/O error)."]
    assert 'webhooks_total{kind="annotations",result="failed"} 1.0' in client.get("/metrics").text


def test_a_defect_is_a_500_that_tells_nothing(client, backend, monkeypatch, caplog):
    words = "".join(("confi", "dential"))  # the log shows lines of code, such as the next but one

    def broken(_):
        raise ValueError(words)

    monkeypatch.setattr(backend, "take", broken)
    answer = client.post("/webhook", json=payload("annotation_created"))
    assert answer.status_code == 500
    assert answer.json() == {"detail": "Something is wrong here: the server's log says where."}
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert line.startswith("/webhook failed with ValueError:")
    assert "in broken" in line
    assert words not in line


def test_nothing_secret_is_logged(client, backend, caplog):
    caplog.set_level(logging.DEBUG)
    seed(backend)
    confidential = "a-confidential-label"
    event = payload("annotation_created")
    event["annotation"]["result"][0]["value"]["choices"] = [confidential]
    event["task"]["data"] = {"text": confidential}
    malformed = {**event, "annotation": confidential}
    for path, body in (
        ("/webhook", event),
        ("/webhook", malformed),
        ("/webhook", {**event, "project": confidential}),
        ("/setup", asked(extra_params={confidential: 1})),
        ("/setup", asked(extra_params={"control": 5, "title": confidential})),
        ("/setup", asked(confidential)),
        ("/setup", asked()),
        ("/predict", {"tasks": [{"id": 1, "data": {"text": confidential}}, confidential]}),
        ("/predict", {"tasks": [{"id": 1, "data": {"text": confidential}}], "params": {"password": "a-token"}}),
    ):
        client.post(path, json=body)
    client.post("/webhook", content=b'{"a-confidential-label', headers={"Content-Type": "application/json"})
    client.get("/api/projects/1/tasks/1", params={"x": "a-token"}, auth=("crowd", "a-wrong-password"))
    others = ("httpx", "httpcore", "asyncio", "uvicorn.access")  # the client's, and what `serve` has switched off
    ours = [record for record in caplog.records if not record.name.startswith(others)]
    text = "\n".join(logging.Formatter().format(record) for record in ours)
    encoded = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    secrets = (confidential, "a-token", "an-invented-token", PASSWORD, encoded, "a-wrong-password")
    secrets = (*secrets, webhook_secret(backend.settings))
    assert not [line for line in text.splitlines() if any(secret in line for secret in secrets)]


# ---------------------------------------------------------------------- readiness and metrics


def test_ready_says_what_does_not_answer(client, backend, monkeypatch):
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert answer.json() == {"store": "ok", "label_studio": f"ConnectError at {STUDIO}"}
    monkeypatch.setattr(backend, "studio_problem", lambda: None)
    assert client.get("/ready").status_code == 503  # as it was a moment ago
    time.sleep(2.1)
    assert client.get("/ready").json() == {"store": "ok", "label_studio": "ok"}


def test_metrics(client, backend):
    seed(backend)
    client.post("/webhook", json=payload("annotation_created"))
    client.post("/webhook", json={"action": 5})
    client.post("/predict", json={"tasks": [{}, {}], "project": 1})
    client.get("/api/projects/1/tasks/1")
    text = client.get("/metrics").text
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    ours = {name.removeprefix("label_studio_crowd_"): float(value) for name, value in lines.items()}
    assert ours['webhooks_total{kind="annotations",result="marked"}'] == 1
    assert ours['webhooks_total{kind="malformed",result="refused"}'] == 1
    assert ours["predictions_total"] == 2
    assert ours["store_up"] == 1
    assert ours['projects{state="waiting"}'] == 1
    assert ours['failures{kind="rescore",project="1"}'] == 0
    assert ours['tasks{project="1"}'] == 6
    assert ours['settled_tasks{project="1"}'] == 3
    assert ours['labels{project="1"}'] == 6
    assert ours['queue_tasks{project="1"}'] == 3
    assert ours['run_seconds{project="1",stage="pull"}'] == 0.5
    assert 0 <= ours['seconds_since_run{project="1"}'] < 60
    assert ours['request_seconds_count{route="/api/projects/{project}/tasks/{task}",status="200"}'] == 1
    assert "animals" not in text
    assert "Ada" not in text


def test_metrics_of_a_store_that_fails(client, backend, monkeypatch):
    def broken():
        raise sa.exc.OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(backend.jobs, "states", broken)
    text = client.get("/metrics").text
    assert "label_studio_crowd_store_up 0.0" in text
    assert client.get("/api/projects").status_code == 503


def test_two_applications_in_one_process(tmp_path):
    one, two = guarded(tmp_path), guarded(tmp_path)
    create_application(one)
    create_application(two)


# ---------------------------------------------------------------------- the JSON API


def test_projects(client, backend):
    assert client.get("/api/projects").json() == {"total": 0, "limit": 100, "offset": 0, "items": []}
    seed(backend)
    backend.jobs.mark(7)
    listed = client.get("/api/projects").json()
    assert [row["project"] for row in listed["items"]] == [1, 7]
    assert client.get("/api/projects", params={"limit": 1, "offset": 1}).json()["items"] == listed["items"][1:]
    shown = client.get("/api/projects/1").json()
    assert shown["numbers"] == {
        "tasks": 6,
        "labelled_tasks": 3,
        "labels": 6,
        "skips": 2,
        "annotators": 2,
        "settled_tasks": 3,
        "queue": 3,
        "mean_consensus_quality": pytest.approx((0.9 + 0.4 + 1 + 0.6) / 4),
    }
    assert shown["state"] == "waiting"
    assert shown["url"] == f"{STUDIO}/projects/1/data"
    assert shown["settled_by"] == {"truth": 1, "quality": 1, "labels": 0, "skips": 1}
    assert [row["label"] for row in shown["classes"]] == ["a", "b", "c"]
    assert shown["warnings"] == ["w"]
    never_ran = client.get("/api/projects/7").json()
    assert (never_ran["state"], never_ran["numbers"], never_ran["title"]) == ("waiting", None, None)


def test_a_failed_run_is_told(client, backend):
    seed(backend)
    backend.jobs.mark(1, at_once=True)
    (job,) = backend.jobs.claim_due()
    backend.jobs.failed(backend.jobs.begin(job), "The token is wrong.")
    shown = client.get("/api/projects/1").json()
    assert (shown["state"], shown["problem"], shown["failures"]) == ("failed", "The token is wrong.", 1)
    assert shown["retry_at"] > shown["wanted_since"]
    backend.jobs.mark(1, at_once=True)
    backend.jobs.claim_due()
    shown = client.get("/api/projects/1").json()
    assert (shown["state"], shown["problem"], shown["retry_at"]) == ("working", "The token is wrong.", None)


def test_a_label_studio_that_is_away_is_told(client, backend):
    seed(backend)
    backend.jobs.mark(1, at_once=True)
    (job,) = backend.jobs.claim_due()
    backend.jobs.failed(backend.jobs.begin(job), "Label Studio does not answer.", away=True)
    shown = client.get("/api/projects/1").json()
    assert (shown["state"], shown["problem"], shown["failures"]) == ("away", "Label Studio does not answer.", 1)
    metrics = client.get("/metrics").text
    assert 'label_studio_crowd_projects{state="away"} 1.0' in metrics
    assert 'label_studio_crowd_projects{state="failed"} 0.0' in metrics


@pytest.mark.parametrize("path", ["", "/queue", "/tasks", "/tasks/1", "/annotators", "/runs"])
def test_what_is_not_served_is_not_found(seeded, path):
    answer = seeded.get(f"/api/projects/3{path}")
    assert answer.status_code == 404
    assert "Project 3 is not served (served: 1, 7)" in answer.json()["detail"]
    answer = seeded.get(f"/api/projects/7{path}")
    assert answer.status_code == (200 if path in ("", "/runs") else 404)
    assert seeded.get(f"/api/projects/{2**63}{path}").status_code == 422
    assert seeded.get(f"/api/projects/x{path}").json()["detail"].startswith("project: ")


def test_the_queue(seeded):
    queue = seeded.get("/api/projects/1/queue").json()
    assert [(row["place"], row["task"]) for row in queue["items"]] == [(1, 3), (2, 2), (3, 5)]
    assert queue["items"][0] == {
        "task": 3,
        "labels": 0,
        "skips": 0,
        "consensus": None,
        "quality": None,
        "priority": 0.1,
        "settled": False,
        "settled_by": None,
        "place": 1,
        "url": f"{STUDIO}/projects/1/data?task=3",
    }
    second = seeded.get("/api/projects/1/queue", params={"limit": 1, "offset": 1}).json()
    assert (second["total"], [row["task"] for row in second["items"]]) == (3, [2])


@pytest.mark.parametrize(
    ("query", "tasks"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"limit": 2, "offset": 3}, [4, 5]),
        ({"offset": 50}, []),
        ({"direction": "descending"}, [6, 5, 4, 3, 2, 1]),
        ({"settled": True}, [1, 4, 6]),
        ({"settled": False, "labelled": False}, [3]),
        ({"labelled": True}, [1, 2, 5]),
        ({"min_quality": 0.6}, [1, 4, 5]),
        ({"max_quality": 0.6}, [2, 5]),
        ({"min_quality": 0.5, "max_quality": 0.95}, [1, 5]),
        ({"order_by": "quality"}, [2, 5, 1, 4, 3, 6]),
        ({"order_by": "quality", "direction": "descending"}, [4, 1, 5, 2, 3, 6]),
        ({"order_by": "priority", "limit": 3}, [3, 2, 5]),
    ],
)
def test_tasks(seeded, query, tasks):
    found = seeded.get("/api/projects/1/tasks", params=query).json()
    assert [row["task"] for row in found["items"]] == tasks


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 1001},
        {"offset": -1},
        {"min_quality": "nan"},
        {"max_quality": 2},
        {"order_by": "x"},
        {"direction": "up"},
        {"settled": "x"},
    ],
)
def test_what_cannot_be_asked_is_named(seeded, query):
    answer = seeded.get("/api/projects/1/tasks", params=query)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(next(iter(query)))


def test_one_task(client, backend):
    stored = seed(backend)
    shown = client.get("/api/projects/1/tasks/5").json()
    assert shown["believed"]["consensus"] == "a"
    assert [(row["id"], row["name"], row["label"]) for row in shown["annotations"]] == [
        (51, "Ada", "a"),
        (52, "Bo", "b"),
        (53, "user 7", "a"),
    ]
    assert client.get("/api/projects/1/tasks/2").json()["annotations"][0]["name"] == "deleted users"
    skipped, strange = client.get("/api/projects/1/tasks/6").json()["annotations"]
    assert (skipped["skipped"], skipped["label"]) == (True, None)
    assert (strange["skipped"], strange["label"]) == (False, None)
    assert client.get("/api/projects/1/tasks/99").status_code == 404
    stored.mirror.apply([task(99, annotation(991, 5))])
    shown = client.get("/api/projects/1/tasks/99").json()
    assert (shown["believed"], shown["annotations"][0]["label"]) == (None, "a")


def test_annotators(seeded):
    found = seeded.get("/api/projects/1/annotators").json()
    assert [(row["annotator"], row["name"], row["quality"], row["worst_class"]) for row in found["items"]] == [
        (6, "Bo", 0.4, "c"),
        (0, "deleted users", 0.7, None),
        (5, "Ada", None, None),
    ]
    assert seeded.get("/api/projects/1/annotators", params={"offset": 2}).json()["items"] == found["items"][2:]


def test_runs(client, backend):
    stored = seed(backend)
    with backend.store.writing() as connection:
        report = '{"tasks": 7, "of": "another release"}'
        connection.execute(sa.insert(runs).values(project=stored.key, finished_at=now(), report=report))
    newest, first = client.get("/api/projects/1/runs").json()["items"]
    assert (newest["tasks"], newest["seconds"], newest["trained"]) == (7, {}, None)
    assert (first["tasks"], first["seconds"]) == (6, {"pull": 0.5, "score": 0.1})
    assert client.get("/api/projects/1/runs", params={"offset": 1}).json()["items"] == [first]


def test_ten_thousand_tasks_answer_at_once(client, backend):
    stored, rng, n = seed(backend), np.random.default_rng(0), 10_000
    large = believed(
        taken_at=1_900_000_000.0,
        tasks=np.arange(1, n + 1),
        labels=rng.integers(0, 4, n),
        skips=np.zeros(n, np.int64),
        annotations=np.ones(n, np.int64),
        consensus=rng.integers(0, 3, n),
        quality=rng.random(n),
        priority=rng.random(n),
        settled_by=rng.integers(0, 5, n),
        queue=rng.permutation(n)[:500] + 1,
    )
    stored.runs.keep_snapshot(large.to_bytes(), large.taken_at)
    query = {"settled": False, "min_quality": 0.2, "order_by": "priority", "direction": "descending"}
    took = []
    for _ in range(10):
        began = time.perf_counter()
        assert len(client.get("/api/projects/1/tasks", params=query).json()["items"]) == 100
        took.append(time.perf_counter() - began)
    assert min(took) < 0.05  # 5 ms on an idle machine


def test_the_description_is_valid(untouched):
    described = untouched.get("/openapi.json").json()
    OpenAPI.model_validate(described)
    operations = {path: operation for path, row in described["paths"].items() for operation in row.values()}
    assert all(operation.get("description") for operation in operations.values())
    names = [operation["operationId"] for row in described["paths"].values() for operation in row.values()]
    assert len(names) == len(set(names))
    assert described["paths"]["/health"]["get"]["security"] == []
    assert described["paths"]["/predict"]["post"]["security"] == [{"password": []}]


# ---------------------------------------------------------------------- the process


def post_event(port):
    with suppress(httpx.TransportError):
        auth = httpx.BasicAuth(USER, PASSWORD)
        httpx.post(f"http://127.0.0.1:{port}/webhook", json=payload("annotation_created"), auth=auth, timeout=30)


@contextmanager
def locked(store):
    """Hold the SQLite file, as a long write does."""
    with sqlite3.connect(store, isolation_level=None) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


@pytest.mark.parametrize(("how", "busy"), [(signal.SIGTERM, False), (signal.SIGINT, False), (signal.SIGTERM, True)])
def test_the_process_ends_when_told(tmp_path, how, busy):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment = {
        **os.environ,
        "LABEL_STUDIO_URL": STUDIO,
        "LABEL_STUDIO_API_KEY": "a-token",
        "LABEL_STUDIO_CROWD_STORE": f"sqlite:///{tmp_path}/mirror.sqlite",
        "BASIC_AUTH_USER": USER,
        "BASIC_AUTH_PASS": PASSWORD,
    }
    command = [sys.executable, "-m", "label_studio_crowd", "serve", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        try:
            for _ in range(300):
                try:
                    if httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.1)
            second = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path, timeout=30)
            assert second.returncode == 2
            assert "cannot listen on 127.0.0.1" in second.stderr
            with locked(tmp_path / "mirror.sqlite") if busy else nullcontext():
                waiting = threading.Thread(target=post_event, args=(port,))
                if busy:
                    waiting.start()
                    time.sleep(0.5)
                process.send_signal(how)
                _, log = process.communicate(timeout=12)
        finally:
            process.kill()
    assert process.returncode == 0, log
    assert "Traceback" not in log
    assert PASSWORD not in log
