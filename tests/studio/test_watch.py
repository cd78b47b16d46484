"""Watching a project by polling, through what happens to Label Studio meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from harness.local_studio import LocalStudio
from harness.project import Project, choice
from label_studio_crowd.runs.watch import rounds as watch
from label_studio_crowd.studio.failures import StudioError


@pytest.fixture
def project(make_project, annotators):
    ann, bob, _ = annotators
    answers = [(task, ann, "a") for task in range(4)] + [(task, bob, "b") for task in range(2)]
    return make_project([{"text": f"text {n}"} for n in range(8)], answers=answers)


def test_the_queue_follows_the_annotators(project, plugin, add_annotator, studio, tmp_path):
    at_work = plugin(project)
    at_work.connect()
    command = [sys.executable, "-m", "label_studio_crowd", "watch", "-p", str(project.id), "--every", "0.3", "--json"]
    environment = {
        "LABEL_STUDIO_URL": studio.url,
        "LABEL_STUDIO_API_KEY": studio.admin_token,
        "LABEL_STUDIO_CROWD_STORE": f"sqlite:///{tmp_path}/mirror.sqlite",
        "LABEL_STUDIO_CROWD_CLASSIFIER": "none",
        "PATH": "/usr/bin:/bin",
    }
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        labels = json.loads(process.stdout.readline())["labels"]
        assert labels == 6
        person = add_annotator()
        for expected in range(7, 10):
            task = person.next(project.id)["id"]
            assert task == next(row for row in at_work.served_queue() if row not in labelled_by(at_work, person))
            person.label(task, choice("a"))
            while labels != expected:
                labels = json.loads(process.stdout.readline())["labels"]
        refused = subprocess.run(
            [*command[:3], "sync", "-p", str(project.id)], env=environment, capture_output=True, text=True
        )
        assert refused.returncode == 3
        assert "Another run is working on this project" in refused.stderr
    finally:
        process.terminate()
        process.communicate()


def labelled_by(at_work, person):
    return [row.task for row in at_work.store.mirror.annotations() if row.annotator == person.id]


def test_a_label_studio_that_is_restarted_is_found_again(tmp_path, plugin):
    choices = '<Choices name="label" toName="text"><Choice value="a"/></Choices>'
    config = f'<View><Text name="text" value="$text"/>{choices}</View>'
    with LocalStudio(tmp_path / "data") as studio:
        made = studio.api.post("/api/projects/", json={"title": "restarted", "label_config": config}).json()["id"]
        studio.api.post(f"/api/projects/{made}/import", json=[{"data": {"text": "one"}}])
        at_work = plugin(Project(made, []), server=studio)
        at_work.connect()
        port = int(studio.url.rsplit(":")[-1])
        pauses = []
        rounds = watch(at_work.opened, every=7, sleep=pauses.append)
        assert next(rounds).run.plan.queue
    stopped = next(rounds)
    assert stopped.run is None
    assert "does not answer" in str(stopped.problem)
    next(rounds)
    with LocalStudio(tmp_path / "data", port=port) as studio:
        studio.api.post(f"/api/projects/{made}/import", json=[{"data": {"text": "two"}}])
        found = next(rounds)
        assert len(found.run.plan.queue) == 2
        next(rounds)
    assert pauses == [7, 7, 14, 7]


def test_what_waiting_does_not_mend_ends_it(project, plugin):
    at_work = plugin(project)
    at_work.connect()
    rounds = watch(at_work.opened, sleep=lambda _: None)
    next(rounds)
    at_work.api.delete(f"/api/projects/{project.id}/")
    with pytest.raises(StudioError, match="does not exist"):
        next(rounds)


def test_what_changed_without_a_trace_is_swept(project, plugin):
    at_work = plugin(project)
    at_work.connect()
    times = iter([0.0, 1.0, 3601.0, 3601.0, 3602.0])
    rounds = watch(at_work.opened, sleep=lambda _: None, clock=lambda: next(times))
    next(rounds)
    at_work.store.mirror.set_states([(task, 1, True) for task in at_work.tasks[4:6]])
    next(rounds)
    assert not at_work.store.mirror.tasks().is_labeled[4:6].any()
