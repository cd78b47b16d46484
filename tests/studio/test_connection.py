"""What `connect` changes, `disconnect` puts back."""

from __future__ import annotations

import pytest

from label_studio_crowd.errors import UserError
from label_studio_crowd.mirror import Mirror

SETTINGS = ("sampling", "maximum_annotations", "show_overlap_first", "model_version", "show_collab_predictions")


@pytest.fixture
def lively(make_project, annotators, studio):
    """A project with a life of its own: three labels a task, another model's predictions, a tab, an overlap of 5."""
    ann, bob, cyd = annotators
    answers = [(task, who, "a") for task in range(4) for who in (ann, bob, cyd)]
    answers += [(task, ann, "b") for task in range(4, 8)]
    project = make_project([{"text": f"text {n}"} for n in range(12)], answers=answers)
    api = studio.api
    settings = {"maximum_annotations": 3, "sampling": "Uniform sampling", "show_overlap_first": True}
    assert api.patch(f"/api/projects/{project.id}/", json=settings).status_code == 200
    result = [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["c"]}}]
    items = [{"task": t, "result": result, "score": 0.4, "model_version": "theirs"} for t in project.tasks]
    assert api.post(f"/api/projects/{project.id}/import/predictions", json=items).json() == {"created": 12}
    assert api.patch(f"/api/projects/{project.id}/", json={"model_version": "theirs"}).status_code == 200
    api.patch(f"/api/tasks/{project.tasks[10]}/", json={"overlap": 5, "is_labeled": False})
    api.post("/api/dm/views/", json={"project": project.id, "data": {"title": "Mine"}})
    return project


def everything(at_work):
    info = at_work.info()
    theirs = [(row["id"], row["task"], row["score"], row["updated_at"]) for row in at_work.predictions()]
    tasks = [at_work.task(task) for task in at_work.tasks]
    return {
        "settings": {name: info[name] for name in SETTINGS},
        "predictions": theirs,
        "views": at_work.api.get("/api/dm/views/", params={"project": at_work.project}).json(),
        "tasks": [(row["id"], row["overlap"], row["is_labeled"], row["data"], row["meta"]) for row in tasks],
    }


def test_disconnect_puts_everything_back(lively, plugin):
    at_work = plugin(lively)
    before = everything(at_work)
    at_work.connect()
    at_work.sync()
    during = everything(at_work)
    assert during["settings"]["maximum_annotations"] == 1
    assert len(during["predictions"]) > 12
    at_work.disconnect()
    assert everything(at_work) == before


def test_disconnect_from_a_deleted_mirror(lively, plugin, tmp_path):
    at_work = plugin(lively)
    before = everything(at_work)
    at_work.connect()
    at_work.sync()
    at_work.mirror = Mirror(f"sqlite:///{tmp_path}/another.sqlite").project(at_work.settings.url, lively.id)
    at_work.disconnect()
    assert everything(at_work) == before


def test_connect_again_changes_nothing_and_keeps_the_record(lively, plugin):
    at_work = plugin(lively)
    before = everything(at_work)
    at_work.connect()
    connected = everything(at_work)
    assert at_work.connect() == []
    assert everything(at_work) == connected
    at_work.disconnect()
    assert everything(at_work) == before


def test_connect_stopped_at_each_write_can_be_undone(lively, plugin):
    at_work = plugin(lively)
    before = everything(at_work)
    for step in (1, 2):
        stop = len(at_work.writes) + step
        at_work.break_at = lambda number, when, stop=stop: (number, when) == (stop, "after")
        with pytest.raises(KeyboardInterrupt):
            at_work.connect()
        at_work.break_at = None
        at_work.disconnect()
        assert everything(at_work) == before


def test_disconnect_without_connect_changes_nothing(lively, plugin):
    at_work = plugin(lively)
    before = everything(at_work)
    with pytest.raises(UserError, match="not connected"):
        at_work.disconnect()
    assert everything(at_work) == before


def test_sync_before_connect_writes_nothing(lively, plugin):
    at_work = plugin(lively)
    with pytest.raises(UserError, match="connect --project"):
        at_work.sync()
    assert at_work.writes == []


def test_a_project_that_hides_predictions_keeps_its_version(lively, plugin, studio):
    studio.api.patch(f"/api/projects/{lively.id}/", json={"show_collab_predictions": False, "model_version": "theirs"})
    at_work = plugin(lively)
    before = everything(at_work)
    assert before["settings"]["model_version"] == "theirs"
    at_work.connect()
    assert at_work.info()["model_version"] == "theirs"
    at_work.sync()
    assert at_work.info()["model_version"].startswith("crowd-queue-")
    at_work.disconnect()
    assert everything(at_work) == before
