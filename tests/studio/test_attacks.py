"""What somebody who labels can do to the service with what Label Studio shows to everybody, and what comes of it."""

from __future__ import annotations

import base64
import time

import httpx
import pytest

from harness.project import choice
from harness.service_process import until
from harness.stand_in_backend import stand_in_backend
from label_studio_crowd.connection.doctor import examine
from label_studio_crowd.store.jobs import Jobs, Needs
from label_studio_crowd.store.projects import Store

PASSWORD = {"BASIC_AUTH_USER": "me", "BASIC_AUTH_PASS": "a secret"}
NEVER = {"LABEL_STUDIO_CROWD_POLL_SECONDS": "3600"}


@pytest.fixture
def project(make_project, annotators):
    ann, bob, _ = annotators
    answers = [(task, ann, "a") for task in range(6)] + [(task, bob, "a") for task in range(3)]
    return make_project([{"text": f"text {n}"} for n in range(12)], answers=answers)


def connected(studio, project, service):
    access = {"auth_method": "BASIC_AUTH", "basic_auth_user": "me", "basic_auth_pass": "a secret"}
    body = {"project": project.id, "url": service.url, "title": "crowd", **access}
    assert studio.api.post("/api/ml", json=body).status_code == 201
    until(lambda: hook_headers(studio, project))
    until(lambda: standing(service, project)["state"] == "fresh")


def hook_headers(studio, project):
    """The headers of the project's webhook, which Label Studio shows to everybody."""
    (hook,) = studio.api.get("/api/webhooks/", params={"project": project.id}).json()
    return hook["headers"]


def standing(service, project):
    response = service.http.get(f"/api/projects/{project.id}")
    return response.json() if response.status_code == 200 and response.json()["numbers"] else {"state": None}


def stored(service, studio, project):
    return Store(service.environment["LABEL_STUDIO_CROWD_STORE"]).project(studio.url, project.id)


def send(service, studio, project, **event):
    """Send an event as Label Studio would, with what every annotator can read."""
    info = studio.api.get(f"/api/projects/{project.id}/").json()
    body = {"project": info, **event}
    return httpx.post(f"{service.url}/webhook", json=body, headers=hook_headers(studio, project))


def test_a_forged_event_rewrites_nobodys_answer(studio, project, serve, annotators):
    service = serve(**PASSWORD, **NEVER)
    connected(studio, project, service)
    task = studio.api.get(f"/api/tasks/{project.tasks[0]}/").json()
    theirs = {**task["annotations"][0], "result": choice("c"), "updated_at": "2999-01-01T00:00:00.000000Z"}
    told = {**task, "annotations": [], "updated_at": "2999-01-01T00:00:00.000000Z"}
    send(service, studio, project, action="ANNOTATION_UPDATED", annotation=theirs, task=told).raise_for_status()
    assert '"c"' not in "".join(row.result for row in stored(service, studio, project).mirror.annotations())
    annotators[2].label(project.tasks[8], choice("a"))
    until(lambda: standing(service, project)["numbers"]["labels"] == 10)
    until(lambda: standing(service, project)["state"] == "fresh")
    found = {row.id: row for row in stored(service, studio, project).mirror.annotations()}
    assert '"c"' not in "".join(row.result for row in found.values())
    assert len(found) == 10
    assert max(row.updated_at for row in found.values()) < "2900"


def test_what_a_mirror_holds_that_is_not_there_is_found_by_a_sweep(studio, project, plugin):
    at_work = plugin(project)
    at_work.connect()
    at_work.sync()
    mirror = at_work.store.mirror
    task = studio.api.get(f"/api/tasks/{project.tasks[0]}/").json()
    (theirs, _), told = task["annotations"], {"updated_at": "2999-01-01T00:00:00.000000Z"}
    mirror.apply([{**task, "annotations": [{**theirs, **told, "result": choice("c")}, task["annotations"][1]]}])
    for sweep, found in ((False, 0), (True, 1)):
        mirror.set_complete_until("2998-01-01T00:00:00.000000Z")  # a pull of changes finds nothing
        assert at_work.sync(sweep=sweep).pulled.changed == found
    assert {row.result.count('"c"') for row in mirror.annotations()} == {0}


def test_a_forged_end_of_a_project_is_not_its_end(studio, project, serve, annotators):
    service = serve(**PASSWORD, **NEVER)
    connected(studio, project, service)
    assert send(service, studio, project, action="PROJECT_DELETED").status_code == 200
    time.sleep(1)
    until(lambda: standing(service, project)["state"] == "fresh")
    annotators[2].label(project.tasks[8], choice("a"))
    until(lambda: standing(service, project)["numbers"]["labels"] == 10)


def test_a_deleted_tab_is_said_where_people_look_and_connect_mends_it(studio, project, plugin, serve, annotators):
    service = serve(LABEL_STUDIO_CROWD_POLL_SECONDS="1")
    assert studio.api.post("/api/ml", json={"project": project.id, "url": service.url}).status_code == 201
    until(lambda: standing(service, project)["state"] == "fresh")
    at_work = plugin(project)
    at_work.store = stored(service, studio, project)
    for view in at_work.studio.views(project.id):
        if view["data"]["title"] == "Crowd: next tasks":
            at_work.studio.delete_view(view["id"])
    until(lambda: standing(service, project)["state"] == "failed")
    assert "was deleted" in service.http.get(f"/projects/{project.id}", headers={"Accept": "text/html"}).text
    assert "tab 'Crowd: next tasks' was deleted" in service.log.read_text()
    at_work.connect()
    Jobs(at_work.store.store, at_work.settings).mark(project.id, needs=Needs.CHANGED | Needs.PULL)
    annotators[2].label(project.tasks[8], choice("a"))
    until(lambda: standing(service, project)["numbers"]["labels"] == 10)


@pytest.fixture
def listener():
    """Somebody else's server, which Label Studio accepts as an ML backend."""
    with stand_in_backend("crowd-consensus") as running:
        yield running


def test_an_address_that_somebody_changed_is_noticed(studio, project, plugin, serve, listener):
    service = serve(**PASSWORD, LABEL_STUDIO_CROWD_POLL_SECONDS="1")
    connected(studio, project, service)
    secret = hook_headers(studio, project)
    (backend,) = studio.api.get("/api/ml", params={"project": project.id}).json()
    url = listener.url
    kept = {
        "auth_method": "BASIC_AUTH",
        "basic_auth_user": "me",
        "basic_auth_pass": "",
    }  # the password stays what it is
    changed = {"project": project.id, "title": "crowd", "url": url, **kept}
    studio.api.patch(f"/api/ml/{backend['id']}", json=changed).raise_for_status()
    sent = base64.b64encode(b"me:a secret").decode()
    assert f"Basic {sent}" in listener.passwords
    until(lambda: url in str(service.api(f"projects/{project.id}")["warnings"]))
    assert f"{url}, at which this service was never reached" in service.log.read_text()
    at_work = plugin(project)
    at_work.store = stored(service, studio, project)
    assert any(url in check.what and "BASIC_AUTH_PASS" in check.what for check in examine(at_work.opened))
    hooks = studio.api.get("/api/webhooks/", params={"project": project.id}).json()
    assert [hook["headers"] for hook in hooks if hook["url"].startswith(url) and hook["headers"] == secret] == []
    studio.api.patch(f"/api/ml/{backend['id']}", json={**changed, "url": service.url}).raise_for_status()
    until(lambda: url not in str(service.api(f"projects/{project.id}")["warnings"]))
