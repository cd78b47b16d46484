"""Label Studio's own routes: what it sends, and what it is answered."""

import base64
import logging
from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from label_studio_crowd.connection.adoption import Setup
from tests.plugin.server.serving import CONFIG, PASSWORD, USER, believed, guarded, payload, post, running, seed

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


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("annotation_created", "marked"),
        ("annotation_created_skip", "marked"),
        ("annotation_updated", "marked"),
        ("annotation_updated_deleted_user", "marked"),
        ("annotations_created", "marked"),
        ("annotations_deleted", "marked"),
        ("tasks_created", "marked"),
        ("tasks_deleted", "marked"),
        ("project_updated", "marked"),
        ("start_training", "marked"),
        ("no_payload", "ignored"),
    ],
)
def test_every_kind_of_event_is_a_hint_and_changes_nothing_else(client, backend, name, status):
    event = payload(name)
    project = event.get("project", {}).get("id", 1)
    mirror = seed(backend, project).mirror
    before = mirror.annotations(), mirror.data(), mirror.counts()
    answer = client.post("/webhook", json=event)
    assert (answer.status_code, answer.json()) == (200, {"status": status})
    assert (mirror.annotations(), mirror.data(), mirror.counts()) == before
    kinds = {"rescore", "train"} if name == "start_training" else {"rescore"}
    assert {(state.kind, state.word) for state in backend.jobs.states()} == {(kind, "waiting") for kind in kinds}


@pytest.mark.parametrize("served", [True, False])
def test_the_end_of_a_project_is_looked_up(client, backend, served):
    if served:
        seed(backend)
    event = {"action": "PROJECT_DELETED", "project": {"id": 1}}
    assert client.post("/webhook", json=event).json() == {"status": "marked" if served else "ignored"}
    assert backend.jobs.serves(1) == served


def test_unknown_events_are_fine(untouched):
    assert untouched.post("/webhook", json={"action": "COMMENT_CREATED", "comment": 1}).json() == {"status": "ignored"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"action": None}, "action"),
        ({"action": 5}, "action"),
        ({"project": "x"}, "project"),
        ({"project": {"id": -1}}, "project.id"),
    ],
)
def test_malformed_events_are_refused_by_name(untouched, change, field):
    answer = untouched.post("/webhook", json={**payload("annotation_created"), **change})
    assert answer.status_code == 422
    assert field in answer.json()["detail"]


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
    backend.see_to_secret()
    secrets = (*secrets, backend.secret)
    assert not [line for line in text.splitlines() if any(secret in line for secret in secrets)]


def test_a_prediction_has_the_consensus_of_every_control_but_those_left_out(client, backend):
    stored = seed(backend)
    stars = believed(
        control="stars",
        kind="ordered",
        classes=("1", "2", "3"),
        quality=np.array([0.7, 0.4, 0.5, 1.0, 0.6, np.nan]),
        left_out=np.arange(6) == 3,
    )
    config = CONFIG.replace("</View>", '<Rating name="stars" toName="text" maxRating="3"/></View>')
    parts = [
        believed(label_config=config, left_out=np.zeros(6, bool)),
        replace(stars, label_config=config),
    ]
    snapshot = replace(parts[0], others=(parts[1],), taken_at=1_800_000_001.0)
    stored.runs.keep_snapshot(snapshot.to_bytes(), snapshot.taken_at)
    tasks = [{"id": number, "data": {}} for number in (1, 2, 4)]
    given = client.post("/predict", json={"project": "1.1", "tasks": tasks}).json()["results"]
    assert [[item["value"] for item in row["result"]] for row in given] == [
        [{"choices": ["a"]}, {"rating": 1}],
        [],
        [{"choices": ["b"]}],
    ]
    assert [row["score"] for row in given] == [0.7, 0.4, 1.0]
