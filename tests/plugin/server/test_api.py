"""The JSON API."""

import dataclasses
import time

import numpy as np
import pytest
import sqlalchemy as sa
from fastapi.openapi.models import OpenAPI

from label_studio_crowd.scoring.outlook import NOT_YET
from label_studio_crowd.scoring.snapshot import stored_snapshot
from label_studio_crowd.store.database import now
from label_studio_crowd.store.tables import runs
from tests.plugin.server.serving import CONFIG, STUDIO, annotation, believed, seed, task


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
        "models": 0,
        "settled_tasks": 3,
        "queue": 3,
        "mean_consensus_quality": pytest.approx((0.9 + 0.4 + 1 + 0.6) / 4),
        "estimated_quality": {"value": 0.9, "low": 0.7, "high": 0.95, "reason": ""},
        "labels_needed": {"value": None, "low": None, "high": None, "reason": NOT_YET},
    }
    assert shown["state"] == "waiting"
    assert shown["url"] == f"{STUDIO}/projects/1/data"
    assert shown["settled_by"] == {"truth": 1, "quality": 1, "labels": 0, "skips": 1}
    assert shown["model_disagrees"] == 1
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
        "model_answers": 0,
        "skips": 0,
        "consensus": None,
        "quality": None,
        "priority": 0.1,
        "settled": False,
        "settled_by": None,
        "model_disagrees": False,
        "crowdlab": None,
        "crowdlab_quality": None,
        "activelab": None,
        "place": 1,
        "url": f"{STUDIO}/projects/1/data?task=3",
    }
    assert [(row["model_disagrees"], row["consensus"]) for row in queue["items"]] == [
        (False, None),
        (True, "c"),
        (False, "a"),
    ]
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
        ({"model_disagrees": True}, [2]),
        ({"model_disagrees": False, "labelled": True}, [1, 5]),
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


def test_the_second_opinion(client, backend):
    stored = seed(backend)
    known = stored_snapshot(stored)
    codes, quality = np.array([0, 1, -1, 0, 1, 1]), np.linspace(0.5, 0.9, 6)
    asked = dataclasses.replace(known, crowdlab=codes, crowdlab_quality=quality, activelab=quality / 2, taken_at=2e9)
    stored.runs.keep_snapshot(asked.to_bytes(), asked.taken_at)
    rows = {row["task"]: row for row in client.get("/api/projects/1/tasks").json()["items"]}
    differs = [row["task"] for row in rows.values() if row["labels"] and row["crowdlab"] != row["consensus"]]
    assert rows[5]["crowdlab"] == "b"
    assert rows[5]["crowdlab_quality"] == pytest.approx(quality[4])
    assert rows[3]["crowdlab"] is None
    assert rows[3]["activelab"] == pytest.approx(quality[2] / 2)
    found = client.get("/api/projects/1/tasks", params={"crowdlab_differs": True}).json()["items"]
    assert [row["task"] for row in found] == differs != []
    assert client.get("/api/projects/1").json()["crowdlab_differs"] == len(differs)


def test_annotators(seeded):
    found = seeded.get("/api/projects/1/annotators").json()
    assert [(row["annotator"], row["name"], row["quality"], row["mostly_wrong_on"]) for row in found["items"]] == [
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
        model_disagrees=np.zeros(n, np.bool_),
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


def test_annotations_are_read_in_their_kind_and_shown_in_words(client, backend):
    stored = seed(backend)
    sets = believed(
        label_config=CONFIG.replace('toName="text">', 'toName="text" choice="multiple">'),
        kind="set",
        classes=("a", "a, b", "b"),
        values=('["a"]', '["a","b"]', '["b"]'),
        taken_at=1_800_000_001.0,
    )
    both = annotation(11, 5)
    both["result"][0]["value"]["choices"] = ["a", "b"]
    stored.mirror.apply([task(1, both, annotation(12, 6, result=[{"value": 1}]))])
    stored.runs.keep_snapshot(sets.to_bytes(), sets.taken_at)
    shown = client.get("/api/projects/1/tasks/1").json()
    assert [row["label"] for row in shown["annotations"]] == ["a, b", None]
