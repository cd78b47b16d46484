"""Readiness and metrics."""

import time

import pytest
import sqlalchemy as sa

from label_studio_crowd.estimate import Estimate
from label_studio_crowd.scoring.outlook import Forecast
from label_studio_crowd.store.database import now
from label_studio_crowd.store.worker_life import WorkerSeen, saying_alive
from tests.plugin.server.serving import STUDIO, guarded, payload, running, seed


def test_ready_says_what_does_not_answer(client, backend, monkeypatch):
    answer = client.get("/ready")
    assert answer.status_code == 503
    found = {"store": "ok", "label_studio": f"ConnectError at {STUDIO}", "worker": "no worker has been seen yet"}
    assert answer.json() == found
    monkeypatch.setattr(backend, "studio_problem", lambda: None)
    saying_alive(backend.store)()
    assert client.get("/ready").status_code == 503  # as it was a moment ago
    time.sleep(2.1)
    assert client.get("/ready").json() == {"store": "ok", "label_studio": "ok", "worker": "ok"}


@pytest.mark.parametrize("at", [-31, 3600])
def test_a_worker_that_was_not_seen_lately_does_not_live(backend, at):
    backend.store.shared.write(WorkerSeen(now() + at))
    assert "no worker has been seen for" in backend.worker_problem()


def test_metrics(client, backend):
    seed(backend)
    needed = Forecast(6, {}, needed=Estimate(40.0, 20.0, 60.0), control="")
    backend.store.project(STUDIO, 1).facts.write(needed)
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
    assert ours['estimated_quality{project="1"}'] == 0.9
    assert ours['labels_needed{project="1"}'] == 40
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
    with running(guarded(tmp_path / "one")) as one, running(guarded(tmp_path / "two")) as two:
        one.post("/webhook", json=payload("annotation_created"))
        counted = 'label_studio_crowd_webhooks_total{kind="annotations",result="marked"} 1.0'
        assert [counted in client.get("/metrics").text for client in (one, two)] == [True, False]
