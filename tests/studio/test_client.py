"""The client beside Label Studio's own answers: label-studio-sdk's models must carry them as they are."""

from __future__ import annotations

import pytest

from harness.service_process import ServiceProcess
from harness.stand_in_backend import stand_in_backend
from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.records import Counts

TASKS = [{"text": f"text {n}"} for n in range(3)]
LATE = {"filter": "filter:tasks:id", "operator": "greater", "type": "Number", "value": 1}
TAB = {
    "title": "Mine",
    "columnsWidth": {'{"a": [1, null]}': 1},
    "ordering": ["tasks:id"],
    "hiddenColumns": {},
    "filters": {"conjunction": "and", "items": [LATE]},
}


@pytest.fixture
def project(make_project, annotators):
    ann, bob, _ = annotators
    return make_project(TASKS, answers=[(0, ann, "a"), (0, bob, "b"), (1, ann, "c")])


@pytest.fixture
def client(studio):
    return Studio(studio.url, studio.admin_token)


@pytest.fixture
def backend():
    """An ML backend of somebody's own."""
    with stand_in_backend("own") as running:
        yield running


def answered(studio, path, **params):
    return studio.api.get(path, params=params).json()


def test_a_look_at_the_backends_sets_none_of_them_up(studio, client, project, backend):
    client.add_backend(project.id, backend.url)
    assert backend.asked.pop() == "/setup"
    backend.asked.clear()
    found = client.backends(project.id)
    assert backend.asked == []
    listed = answered(studio, "/api/ml/", project=project.id)  # as the Model settings page does
    assert backend.asked == ["/health", "/setup"]
    assert [{**row, "updated_at": None} for row in found] == [{**row, "updated_at": None} for row in listed]


def test_rows_are_what_label_studio_answers(studio, client, project):
    assert client.project(project.id) == answered(studio, f"/api/projects/{project.id}/")
    client.create_view(project.id, TAB)
    assert studio.api.post("/api/dm/views/", json={"project": project.id, "data": TAB}).is_success
    ours, theirs = client.views(project.id)
    assert [ours, theirs] == answered(studio, "/api/dm/views/", project=project.id)
    assert ours["data"]["columnsWidth"] == TAB["columnsWidth"]
    assert ours["data"] == theirs["data"]
    assert client.user()["email"] == studio.admin_email
    assert client.version() == answered(studio, "/api/version")["release"]
    assert client.counts(project.id) == Counts(tasks=3, annotations=3, skipped=0, finished=2)


def test_a_personal_access_token_is_exchanged(studio, project):
    client = Studio(studio.url, studio.admin_pat())
    assert client.project(project.id)["id"] == project.id
    assert client.token_kind == "personal access token"
    client.update_project(project.id, description="changed")
    assert client.project(project.id)["description"] == "changed"


def test_a_prediction_is_created_changed_and_deleted(client, project):
    item = {"task": project.tasks[0], "result": [], "score": 0.123456789, "model_version": "v"}
    created = client.create_prediction(item)
    assert client.update_prediction(created, score=0.5)
    assert client.import_predictions(project.id, [{**item, "task": task} for task in project.tasks]) == 3
    assert sorted(row.score for row in client.predictions(project.id)) == [0.123456789] * 3 + [0.5]
    assert client.model_versions(project.id)["v"].count == 4
    assert client.delete_prediction(created)
    assert not client.delete_prediction(created)
    client.delete_version(project.id, "v")
    assert client.predictions(project.id) == []


def test_a_task_is_opened_and_a_tab_deleted(client, project):
    assert client.set_task(project.tasks[0], overlap=4, is_labeled=False)
    states = {row["id"]: (row["overlap"], row["is_labeled"]) for page in client.task_states(project.id) for row in page}
    assert states[project.tasks[0]] == (4, False)
    view = client.create_view(project.id, TAB)
    client.update_view(project.id, view, {**TAB, "title": "Ours"})
    assert [row["data"]["title"] for row in client.views(project.id) if row["id"] == view] == ["Ours"]
    assert client.delete_view(view)
    assert not client.delete_view(view)


def test_a_webhook_keeps_its_actions_when_it_is_secured(studio, client, project):
    hook = {"project": project.id, "url": "http://127.0.0.1:1/webhook", "send_for_all_actions": False}
    hook |= {"actions": ["ANNOTATION_CREATED"], "headers": {"X-Theirs": "1"}}
    assert studio.api.post("/api/webhooks/", json=hook).is_success
    client.secure_webhook(project.id, "http://127.0.0.1:1", {"Authorization": "Basic x"})
    assert client.webhook_headers(project.id, "http://127.0.0.1:1") == {"X-Theirs": "1", "Authorization": "Basic x"}
    client.secure_webhook(project.id, "http://127.0.0.1:2", {"Authorization": "Basic x"})
    found = answered(studio, "/api/webhooks/", project=project.id)
    assert sorted(row["actions"] for row in found) == [[], ["ANNOTATION_CREATED"]]
    client.remove_left_webhooks(project.id, "127.0.0.1:2")
    client.remove_backend(project.id, "http://127.0.0.1:1")
    assert answered(studio, "/api/webhooks/", project=project.id) == []


def test_people_are_called_as_label_studio_calls_them(studio, add_annotator):
    first, second, third, nameless = (add_annotator() for _ in range(4))
    for who, names in ((first, ("Ann", "Lee")), (second, ("Bo", "Li")), (third, ("Bo", "Li"))):
        body = dict(zip(("first_name", "last_name"), names, strict=True))
        assert studio.api.patch(f"/api/users/{who.id}/", json=body).status_code == 200
    found = Studio(studio.url, studio.admin_token).annotator_names()
    assert found[first.id] == "Ann Lee"
    assert [found[who.id] for who in (second, third)] == [f"Bo Li ({who.email})" for who in (second, third)]
    assert found[nameless.id] == nameless.email


@pytest.mark.parametrize("page", ["/projects", "/projects/1/data?tab=2", "/user/login/", "/api"])
def test_a_page_of_label_studio_is_not_its_address(studio, project, run, page):
    for words in (["look", project.id], ["doctor", project.id], ["projects"]):
        done = run(words, url=studio.url + page)
        said = " ".join((done.stdout + done.stderr).split())
        assert done.returncode in (1, 2)
        assert f"Put {studio.url} into LABEL_STUDIO_URL" in said
        assert "Traceback" not in said


def test_our_own_pages_are_not_label_studio(project, run, tmp_path):
    with ServiceProcess(tmp_path, {"LABEL_STUDIO_URL": "http://127.0.0.1:1", "LABEL_STUDIO_API_KEY": "x"}) as service:
        for words in (["look", project.id], ["doctor", project.id], ["projects"]):
            done = run(words, url=service.url)
            said = " ".join((done.stdout + done.stderr).split())
            assert done.returncode in (1, 2)
            assert f"What answers at {service.url} is not Label Studio: it answered GET /api/" in said
