"""The service as its users meet it: a backend that is added, and a queue that follows the annotators by itself."""

from __future__ import annotations

import json
import time

import pytest

from harness.local_studio import LocalStudio
from harness.ports import free_port
from harness.project import choice
from harness.service_process import until
from label_studio_crowd.access import SECRET_HEADER
from label_studio_crowd.exchange.pull import update_mirror
from label_studio_crowd.project import Project as OpenProject
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.problems import Problems
from label_studio_crowd.store.projects import Store
from label_studio_crowd.studio.client import Studio


@pytest.fixture
def project(make_project, annotators):
    ann, bob, _ = annotators
    answers = [(task, ann, "a") for task in range(6)] + [(task, bob, "b") for task in range(3)]
    return make_project([{"text": f"text {n}"} for n in range(12)], answers=answers)


def add_backend(studio, project, service, **more):
    """What the Model settings page does."""
    body = {"project": project.id, "url": service.url, "title": "crowd", **more}
    response = studio.api.post("/api/ml", json=body)
    assert response.status_code == 201, response.text
    return response.json()["id"]


def standing(service, project):
    """What the service says of a project, once it has scored it."""
    response = service.http.get(f"/api/projects/{project.id}")
    return response.json() if response.status_code == 200 and response.json()["numbers"] else None


def labels(service, project):
    found = standing(service, project)
    return found["numbers"]["labels"] if found else -1


def served(service):
    """The projects that the service keeps fresh."""
    return service.api("projects")["items"]


def runs(service, project):
    return service.api(f"projects/{project.id}/runs")["items"]


def equal_to_a_fresh_pull(service, studio, project, tmp_path):
    """Whether the mirror holds, to the byte, what a new one would."""
    fresh = Store(f"sqlite:///{tmp_path}/fresh.sqlite").project(studio.url, project.id)
    opened = OpenProject(
        number=project.id, studio=Studio(studio.url, studio.admin_token), store=fresh, settings=Settings(url=studio.url)
    )
    update_mirror(opened, full=True)
    mirror, fresh = stored(service, studio, project).mirror, fresh.mirror
    same_tasks = mirror.tasks().ids.tolist() == fresh.tasks().ids.tolist() and mirror.data() == fresh.data()
    return same_tasks and mirror.annotations() == fresh.annotations()


def test_a_backend_that_is_added_sets_the_project_up_and_follows_it(
    studio, project, plugin, serve, add_annotator, tmp_path
):
    service = serve()
    at_work = plugin(project)
    add_backend(studio, project, service)
    until(lambda: labels(service, project) == 9)
    assert at_work.info()["sampling"] == "Uncertainty sampling"
    assert len(at_work.served_queue()) == 12
    person = add_annotator()
    for expected in range(10, 14):
        task = person.next(project.id)["id"]
        assert task == next(row for row in at_work.served_queue() if row not in labelled_by(at_work, person))
        person.label(task, choice("a"))
        until(lambda: labels(service, project) == expected)  # noqa: B023
    assert equal_to_a_fresh_pull(service, studio, project, tmp_path)


def test_annotations_of_the_consensus_are_no_answers_to_a_service_at_work(
    studio, project, plugin, serve, annotators, run
):
    service = serve(LABEL_STUDIO_CROWD_POLL_SECONDS="3600")
    add_backend(studio, project, service)
    at_work = plugin(project)

    def at_rest():
        """The runs so far, once another could have begun and none has."""
        until(lambda: labels(service, project) >= 9 and standing(service, project)["state"] == "fresh")
        before = runs(service, project)
        time.sleep(3)
        return before if runs(service, project) == before else None

    def states():
        return {task: (row["overlap"], row["is_labeled"]) for task in project.tasks if (row := at_work.task(task))}

    before, queue, state = until(at_rest), at_work.served_queue(), states()
    for words, written in (([], 6), (["--undo"], 0)):
        done = run(["write-annotations", project.id, "--yes", *words], LABEL_STUDIO_CROWD_STORE=store_of(service))
        assert done.returncode == 0, done.stderr
        after = until(at_rest)
        assert 0 < len(after) - len(before) <= 6, "what we wrote is looked at, and that comes to an end"
        reports = [run.report for run in stored(service, studio, project).runs.newest(len(after) - len(before))]
        assert {report.labels for report in reports} == {9}
        assert reports[0].set_aside == ({"made from our own consensus": 6} if written else {})
        assert at_work.served_queue() == queue
        more = project.tasks[:6] if written else []
        assert states() == {task: (overlap + (task in more), done) for task, (overlap, done) in state.items()}
        before = after
    assert states() == state
    cyd = annotators[2]
    first = cyd.next(project.id)["id"]
    assert first == queue[0]
    cyd.label(first, choice("a"))
    until(lambda: labels(service, project) == 10)


def store_of(service):
    return service.environment["LABEL_STUDIO_CROWD_STORE"]


def labelled_by(at_work, person):
    tasks = at_work.api.get("/api/tasks/", params={"project": at_work.project, "fields": "all"}).json()["tasks"]
    return [task["id"] for task in tasks for row in task["annotations"] if row["completed_by"] == person.id]


def test_webhooks_tell_and_our_own_changes_wake_nobody(studio, project, serve, annotators):
    service = serve(LABEL_STUDIO_CROWD_POLL_SECONDS="3600", LABEL_STUDIO_CROWD_LONGEST_WAIT="60")
    add_backend(studio, project, service)
    # a first run that was slow leaves something to a second
    until(lambda: labels(service, project) == 9 and standing(service, project)["state"] == "fresh")
    time.sleep(1.5)
    before = runs(service, project)
    time.sleep(3)
    assert runs(service, project) == before
    _, _, cyd = annotators
    cyd.label(project.tasks[5], choice("b"))
    until(lambda: labels(service, project) == 10)  # no poll is due for an hour
    assert len(runs(service, project)) == len(before) + 1


def test_options_of_the_model_settings_are_the_projects(studio, project, plugin, serve):
    service = serve()
    add_backend(studio, project, service, extra_params=json.dumps({"target_quality": 1, "max_labels": 2}))
    until(lambda: labels(service, project) == 9)
    assert standing(service, project)["settled_by"]["labels"] == 3  # two labels each
    refused = studio.api.post(
        "/api/ml", json={"project": project.id, "url": service.url + "/", "extra_params": {"classifier": "os:system"}}
    )
    assert refused.status_code == 400


def test_a_password_keeps_strangers_out_and_the_webhook_gets_a_secret(studio, project, plugin, serve, annotators):
    secrets = {"BASIC_AUTH_USER": "crowd", "BASIC_AUTH_PASS": "pass word"}
    service = serve(**secrets)
    assert service.http.get("/api/projects", auth=("crowd", "wrong")).status_code == 401
    refused = studio.api.post("/api/ml", json={"project": project.id, "url": service.url})
    assert refused.status_code == 400
    basic = {"auth_method": "BASIC_AUTH", "basic_auth_user": "crowd", "basic_auth_pass": "pass word"}
    add_backend(studio, project, service, **basic)
    until(lambda: labels(service, project) == 9)
    (webhook,) = studio.api.get("/api/webhooks/", params={"project": project.id}).json()
    assert webhook["headers"].keys() == {SECRET_HEADER}
    assert "pass word" not in str(webhook), "every annotator can read it"
    _, _, cyd = annotators
    cyd.label(project.tasks[5], choice("b"))
    until(lambda: labels(service, project) == 10)
    log = service.log.read_text()
    assert "pass word" not in log
    assert studio.admin_token not in log
    assert webhook["headers"][SECRET_HEADER] not in log


def test_connect_registers_the_backend_and_disconnect_removes_it_for_good(studio, project, plugin, serve):
    secrets = {"BASIC_AUTH_USER": "crowd", "BASIC_AUTH_PASS": "pass word"}
    service = serve(**secrets)
    at_work = plugin(project, basic_auth_user="crowd", basic_auth_pass="pass word")
    at_work.connect(backend=service.url)
    until(lambda: labels(service, project) == 9)
    (webhook,) = studio.api.get("/api/webhooks/", params={"project": project.id}).json()
    assert webhook["headers"].keys() == {SECRET_HEADER}
    until(lambda: served(service)[0]["state"] == "fresh")
    at_work.disconnect()
    assert studio.api.get("/api/webhooks/", params={"project": project.id}).json() == []
    assert studio.api.get("/api/ml/", params={"project": project.id}).json() == []
    time.sleep(2)
    assert at_work.info()["sampling"] == "Sequential sampling"
    assert at_work.predictions() == []


def test_a_backend_that_stays_does_not_connect_a_disconnected_project_again(studio, project, plugin, serve):
    service = serve(LABEL_STUDIO_CROWD_POLL_SECONDS="1")
    at_work = plugin(project)
    add_backend(studio, project, service)
    until(lambda: labels(service, project) == 9)
    until(lambda: served(service)[0]["state"] == "fresh")
    assert f"ML backend {service.url} stays where it was added: remove it in the Model settings" in at_work.disconnect()
    studio.api.get("/api/ml/", params={"project": project.id})  # the Model page, which sets up anew at every look
    until(lambda: served(service) == [])
    assert at_work.info()["sampling"] == "Sequential sampling"
    assert at_work.info()["model_version"] in ("", None)
    assert at_work.predictions() == []
    studio.api.delete(f"/api/ml/{studio.api.get('/api/ml/', params={'project': project.id}).json()[0]['id']}")
    add_backend(studio, project, service)  # asked for again
    until(lambda: at_work.info()["sampling"] == "Uncertainty sampling")


def test_predictions_retrieved_twice_are_there_once(studio, project, plugin, serve):
    service = serve()
    at_work = plugin(project)
    add_backend(studio, project, service)
    until(lambda: labels(service, project) == 9)
    retrieve = {"project": project.id, "selectedItems": {"all": True, "excluded": []}}
    for _ in range(2):
        response = studio.api.post(f"/api/dm/actions?id=retrieve_tasks_predictions&project={project.id}", json=retrieve)
        assert response.status_code == 200, response.text
    found = [row["task"] for row in at_work.predictions() if row["model_version"] == "crowd-consensus"]
    assert sorted(found) == sorted(project.tasks)
    unsettled = {
        row["task"]: row for row in at_work.predictions() if row["result"] and row["task"] in project.tasks[6:]
    }
    assert unsettled == {}, "nobody is told what to answer"


def test_a_killed_server_finds_what_it_missed(studio, project, plugin, serve, annotators, tmp_path):
    service = serve()
    add_backend(studio, project, service)
    until(lambda: labels(service, project) == 9)
    service.kill()
    _, _, cyd = annotators
    cyd.label(project.tasks[6], choice("c"))
    studio.api.delete(f"/api/tasks/{project.tasks[11]}/")
    service.start()
    until(lambda: labels(service, project) == 10)
    assert standing(service, project)["numbers"]["tasks"] == 11
    assert equal_to_a_fresh_pull(service, studio, project, tmp_path)


def test_a_label_studio_that_is_away_is_waited_for(tmp_path, serve):
    choices = '<Choices name="label" toName="text"><Choice value="a"/></Choices>'
    config = f'<View><Text name="text" value="$text"/>{choices}</View>'
    port = free_port()
    data = tmp_path / "label-studio"
    with LocalStudio(data, port=port) as studio:
        made = studio.api.post("/api/projects/", json={"title": "away", "label_config": config}).json()["id"]
        studio.api.post(f"/api/projects/{made}/import", json=[{"data": {"text": "one"}}])
        service = serve(server=studio, LABEL_STUDIO_CROWD_POLL_SECONDS="1")
        studio.api.post("/api/ml", json={"project": made, "url": service.url})
        until(lambda: [row for row in served(service) if row["numbers"]])
    until(lambda: served(service)[0]["state"] == "away", patience=90)
    assert "does not answer" in served(service)[0]["problem"]
    assert service.http.get("/ready").status_code == 503
    with LocalStudio(data, port=port) as studio:
        studio.api.post(f"/api/projects/{made}/import", json=[{"data": {"text": "two"}}])
        until(lambda: served(service)[0]["numbers"]["tasks"] == 2, patience=90)
        assert service.http.get("/ready").status_code == 200


def test_events_that_get_lost_are_found_by_polling(studio, project, serve, annotators):
    service = serve(LABEL_STUDIO_CROWD_POLL_SECONDS="1")
    add_backend(studio, project, service)
    until(lambda: labels(service, project) == 9)
    (webhook,) = studio.api.get("/api/webhooks/", params={"project": project.id}).json()
    studio.api.delete(f"/api/webhooks/{webhook['id']}/")
    _, _, cyd = annotators
    cyd.label(project.tasks[6], choice("c"))
    until(lambda: labels(service, project) == 10)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1"])
def test_without_a_password_nobody_else_is_let_in(serve, host):
    with pytest.raises(AssertionError, match="BASIC_AUTH_USER"):
        serve("serve", "--host", host)


def stored(service, studio, project):
    """The project's part of the service's store."""
    return Store(service.environment["LABEL_STUDIO_CROWD_STORE"]).project(studio.url, project.id)


def test_the_classifier_is_trained_in_the_background_and_predicts_new_tasks(studio, project, serve, annotators):
    service = serve(
        LABEL_STUDIO_CROWD_CLASSIFIER="text",
        LABEL_STUDIO_CROWD_RETRAIN_SHARE="0.15",
        LABEL_STUDIO_CROWD_POLL_SECONDS="3600",
    )
    backend = add_backend(studio, project, service)
    until(lambda: labels(service, project) == 9)
    first = stored(service, studio, project).trainings.last("label")
    studio.api.post(f"/api/projects/{project.id}/import", json=[{"data": {"text": "text 13"}}])
    until(lambda: standing(service, project)["numbers"]["tasks"] == 13)
    completed = stored(service, studio, project).trainings.last("label")
    assert len(completed.tasks) == 13
    assert completed.training == first.training, "by the model at hand, not by a training"
    new = max(completed.tasks.tolist())
    (answer,) = service.http.post(
        "/predict", json={"tasks": [{"id": new + 1, "data": {"text": "text 1"}}], "project": project.id}
    ).json()["results"]
    assert answer["result"], "a task that no run has seen gets the model's prediction"
    _, bob, cyd = annotators
    cyd.label(project.tasks[6], choice("c"))
    until(lambda: labels(service, project) == 10)
    assert stored(service, studio, project).trainings.last("label").training == first.training
    bob.label(project.tasks[7], choice("c"))
    until(lambda: stored(service, studio, project).trainings.last("label").training != first.training)
    second = stored(service, studio, project).trainings.last("label")
    assert second.answers == 11
    until(lambda: standing(service, project)["state"] == "fresh" and standing(service, project)["training"] == "fresh")
    assert studio.api.post(f"/api/ml/{backend}/train").status_code == 200
    until(lambda: stored(service, studio, project).trainings.last("label").training != second.training)


def test_a_backend_that_is_removed_is_served_no_longer(studio, project, plugin, serve, annotators):
    service = serve(LABEL_STUDIO_CROWD_POLL_SECONDS="1")
    backend = add_backend(studio, project, service)
    until(lambda: labels(service, project) == 9)
    studio.api.delete(f"/api/ml/{backend}")
    until(lambda: served(service) == [])
    _, _, cyd = annotators
    cyd.label(project.tasks[6], choice("c"))  # its webhook stays behind in Label Studio
    until(lambda: served(service) == [])
    at_work = plugin(project)
    at_work.disconnect()
    assert at_work.info()["sampling"] == "Sequential sampling"
    assert studio.api.get("/api/webhooks/", params={"project": project.id}).json() == []


def test_options_that_are_changed_in_the_model_settings_count(studio, project, serve):
    service = serve()
    backend = add_backend(studio, project, service, extra_params={"max_labels": 2})
    until(lambda: labels(service, project) == 9)
    until(lambda: standing(service, project)["settled_by"]["labels"] == 3)
    studio.api.patch(f"/api/ml/{backend}", json={"project": project.id, "url": service.url, "extra_params": {}})
    until(lambda: standing(service, project)["settled_by"]["labels"] == 0)


NOTHING = '<View><Video name="video" value="$text"/><VideoRectangle name="box" toName="video"/></View>'
CHOICES = """<View><Text name="text" value="$text"/><Choices name="label" toName="text">
<Choice value="a"/><Choice value="b"/></Choices></View>"""


def test_a_backend_says_why_it_scores_nothing_and_rests_until_that_changes(studio, make_project, plugin, serve):
    project = make_project([{"text": f"text {number}"} for number in range(6)], NOTHING)
    service = serve(LABEL_STUDIO_CROWD_POLL_SECONDS="1")
    before = plugin(project).info()
    add_backend(studio, project, service)

    def page():
        return service.http.get(f"/projects/{project.id}").text

    until(lambda: "Nothing to score." in page())
    assert before["title"] in page()
    assert "no control that can be scored" in page()
    failed = service.log.read_text().count("no control that can be scored")
    assert failed == 1
    (state,) = [row for row in service.api("projects")["items"] if row["project"] == project.id]
    assert (state["state"], state["failures"], state["retry_at"]) == ("failed", 1, None)
    seen = stored(service, studio, project).facts.read(Problems)
    time.sleep(4)  # a project that does not rest is looked at every second
    assert stored(service, studio, project).facts.read(Problems) == seen, "nothing was tried meanwhile"
    assert service.log.read_text().count("no control that can be scored") == 1
    assert plugin(project).info()["sampling"] == before["sampling"], "and nothing was changed"
    answer = studio.api.patch(f"/api/projects/{project.id}/", json={"label_config": CHOICES})
    assert answer.status_code == 200, answer.text
    until(lambda: plugin(project).info()["sampling"] == "Uncertainty sampling")
    until(lambda: labels(service, project) == 0)
    assert "Nothing to score." not in page()
