"""Publishing again, and publishing that was stopped."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from harness.project import choice
from label_studio_crowd.connection.doctor import examine
from label_studio_crowd.exchange.edits import Costs, Edits
from label_studio_crowd.exchange.plan import Plan
from label_studio_crowd.exchange.publish import PendingImport, carry_out, observe
from label_studio_crowd.runs.rescore import rescore
from label_studio_crowd.scoring import memory
from label_studio_crowd.service.worker import how_to
from label_studio_crowd.store.jobs import Needs
from label_studio_crowd.studio.records import Prediction
from label_studio_crowd.studio.versions import is_ours


@pytest.fixture
def crowded(make_project, annotators):
    ann, bob, _ = annotators
    answers = [(task, ann, "a") for task in range(5)] + [(task, bob, "b") for task in range(2, 4)]
    return make_project([{"text": f"text {number}"} for number in range(12)], answers=answers)


def test_a_second_sync_writes_nothing(crowded, plugin):
    at_work = plugin(crowded)
    at_work.connect()
    at_work.sync()
    before, state = len(at_work.writes), at_work.state()
    run = at_work.sync()
    assert not run.plan
    assert at_work.sync(full=True).plan.counts().queue_create == 0
    assert len(at_work.writes) == before
    assert at_work.state() == state


def test_a_dry_run_writes_nothing(crowded, plugin):
    at_work = plugin(crowded)
    assert at_work.sync(dry_run=True).plan
    assert at_work.writes == []
    assert at_work.predictions() == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_publish_stopped_at_each_step_ends_in_the_same_state(make_project, annotators, plugin, moment):
    """The first publication, broken off before or after each of its writes; then one run as usual."""
    ann, bob, _ = annotators
    project = make_project(
        [{"text": f"text {n}"} for n in range(5)], answers=[(0, ann, "a"), (1, ann, "a"), (1, bob, "b")]
    )
    at_work = plugin(project)
    at_work.connect()
    at_work.sync()
    expected = at_work.state()
    step, stopped = 0, True
    while stopped:
        at_work.disconnect()
        at_work.connect()
        step += 1
        stop = len(at_work.writes) + step
        at_work.break_at = lambda number, when, stop=stop: (number, when) == (stop, moment)
        try:
            at_work.sync()
            stopped = False
        except KeyboardInterrupt:
            if moment == "before":
                _forget_the_wait(at_work)
        at_work.break_at = None
        at_work.sync()
        assert at_work.state() == expected, f"stopped {moment} write {step}"
    assert step > 5  # two tasks opened, the queue, the switch, the consensus


def _forget_the_wait(at_work) -> None:
    """Spare the test the half minute for which an import that never arrived is waited for."""
    if pending := at_work.store.facts.read(PendingImport):
        at_work.store.facts.write(replace(pending, at=pending.at - 3600))


def test_an_import_is_not_waited_for_by_a_clock_that_was_put_back(crowded, plugin):
    at_work, waited = plugin(crowded), [0.0]
    at_work.connect()
    an_hour_ahead = PendingImport("crowd-queue-1", 1, time.time() + 3600)  # when it was begun, as it seemed then
    at_work.store.facts.write(an_hour_ahead)
    observe(at_work.opened, sleep=lambda seconds: waited.append(waited.pop() + seconds), clock=lambda: waited[-1])
    assert 0 < waited[-1] <= 31


def test_what_a_killed_worker_sent_is_done_late_and_found_by_the_next_run(crowded, plugin, annotators):
    at_work = plugin(crowded)
    at_work.connect()
    at_work.sync()
    sent = [dict(row) for row in at_work.predictions() if is_ours(row["model_version"])]
    fields = ("task", "result", "score", "model_version")

    def arrives(*_):  # while its successor writes
        while sent:
            row = sent.pop()
            at_work.api.post("/api/predictions/", json={name: row[name] for name in fields}).raise_for_status()
        return False

    annotators[2].label(crowded.tasks[8], [_choice("b")])
    at_work.break_at = arrives
    at_work.sync()
    assert not sent

    def doubled():
        held = [(row["task"], row["model_version"]) for row in at_work.predictions()]
        return len(held) - len(set(held))

    assert doubled()
    at_work.store.mirror.set_complete_until("2998-01-01T00:00:00.000000Z")  # nobody labels: a pull finds nothing
    rescore(at_work.opened, how_to(Needs.PULL, at_work.settings))  # a poll
    assert not doubled()


def test_a_mended_queue_stopped_after_each_step_is_never_empty(make_project, annotators, plugin, add_annotator):
    crowded = make_project([{"text": f"text {n}"} for n in range(6)], answers=[(0, annotators[0], "a")])
    at_work = plugin(crowded)
    at_work.connect()
    at_work.sync()
    person = add_annotator()
    step = 0
    while True:
        served = person.next(crowded.id)
        if served is None:
            break
        person.label(served["id"], [_choice("b")])
        step += 1
        stop = len(at_work.writes) + step
        at_work.break_at = lambda number, when, stop=stop: (number, when) == (stop, "after")
        try:
            at_work.sync()
        except KeyboardInterrupt:
            assert at_work.served_queue()
        at_work.break_at = None
        run = at_work.sync()
        assert at_work.served_queue() == list(run.plan.queue)
        versions = {row["model_version"] for row in at_work.predictions()}
        assert len(versions) <= 2
        tasks = [(row["model_version"], row["task"]) for row in at_work.predictions()]
        assert len(tasks) == len(set(tasks))
    assert step == 6


def _choice(label):
    return {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [label]}}


def test_killed_processes_leave_no_duplicate(make_project, annotators, plugin, studio, tmp_path):
    """The command itself, killed by SIGKILL at random moments, imports under way included."""
    ann, bob, _ = annotators
    answers = [(task, ann, "a") for task in range(60)] + [(task, bob, "b") for task in range(30)]
    project = make_project([{"text": f"text {number}"} for number in range(400)], answers=answers)
    at_work = plugin(project)
    at_work.connect()
    command = [sys.executable, "-m", "label_studio_crowd", "sync", "--project", str(project.id)]
    command += ["--url", studio.url, "--store", f"sqlite:///{tmp_path}/mirror.sqlite", "--classifier", "none"]
    environment = {"LABEL_STUDIO_API_KEY": studio.admin_token, "PATH": "/usr/bin:/bin"}
    chance = random.Random(0)
    killed = 0
    for _ in range(8):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(chance.uniform(0.8, 5.0))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.communicate()
    assert killed
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert not at_work.sync().plan
    rows = [(row["model_version"], row["task"]) for row in at_work.predictions()]
    assert len(rows) == len(set(rows))
    assert len({version for version, _ in rows}) == 2
    assert len(at_work.served_queue()) == 400
    assert all(not at_work.task(task)["is_labeled"] for task in project.tasks[:5])


def test_duplicates_are_removed(crowded, plugin):
    at_work = plugin(crowded)
    at_work.connect()
    at_work.sync()
    state = at_work.state()
    version = at_work.info()["model_version"]
    for name in (version, "crowd-consensus"):
        row = next(row for row in at_work.predictions() if row["model_version"] == name)
        copy = {field: row[field] for field in ("task", "result", "score", "model_version")}
        assert at_work.api.post("/api/predictions/", json=copy).status_code == 201
    assert at_work.state() != state
    at_work.sync()
    assert at_work.state() == state


def test_what_the_import_drops_without_a_word_is_created_one_by_one(crowded, plugin):
    at_work = plugin(crowded)
    at_work.connect()
    at_work.sync()
    good = {"task": crowded.tasks[0], "result": [], "score": 0.5, "model_version": "crowd-queue-9"}
    edits = Edits("crowd-queue-9", ({**good}, {**good, "task": crowded.tasks[1], "score": 1.5}), bulk=True)
    carry_out(Plan((), (), edits, "crowd-queue-9", (), Edits("crowd-consensus"), (), 0, 0), at_work.opened)
    assert at_work.info()["model_version"] == "crowd-queue-9"
    written = [row["task"] for row in at_work.predictions() if row["model_version"] == "crowd-queue-9"]
    assert sorted(written) == sorted(crowded.tasks[:2])


def test_an_owner_who_chose_another_version_is_set_right(crowded, plugin):
    at_work = plugin(crowded)
    at_work.connect()
    at_work.sync()
    queue = at_work.served_queue()
    at_work.api.patch(f"/api/projects/{crowded.id}/", json={"model_version": "crowd-consensus"})
    run = at_work.sync()
    assert run.plan.switch_to
    assert at_work.served_queue() == queue


def test_a_run_and_doctor_say_where_memory_becomes_dear(crowded, plugin, monkeypatch):
    at_work = plugin(crowded)
    at_work.connect()

    def said():
        warned = any("GB of memory" in warning for warning in at_work.sync().warnings)
        checks = list(examine(at_work.opened))
        return warned, any("GB of memory" in check.what and "--classifier none" in check.mend for check in checks)

    assert said() == (False, False)
    monkeypatch.setattr(memory, "_MUCH_MEMORY", 1)
    assert said() == (True, True)


def test_the_classes_of_the_config_may_change(crowded, plugin, annotators):
    at_work = plugin(crowded)
    at_work.connect()
    at_work.sync()
    config = at_work.info()["label_config"].replace('<Choice value="b"/>', '<Choice value="d"/>')
    assert at_work.api.patch(f"/api/projects/{crowded.id}/", json={"label_config": config}).status_code == 200
    run = at_work.sync()
    assert run.scores.answers.outside_config == (), "one person alone gave it"
    assert any("set aside" in warning for warning in run.warnings)
    annotators[2].label(crowded.tasks[2], [_choice("b")])  # Label Studio's API takes any label
    run = at_work.sync()
    assert run.scores.answers.outside_config == ("b",)
    assert any("does not offer" in warning for warning in run.warnings)
    consensus = [row for row in at_work.predictions() if row["model_version"] == "crowd-consensus"]
    assert {row["result"][0]["value"]["choices"][0] for row in consensus} <= {"a"}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_new_queue_stopped_at_each_step_leaves_one_to_serve(make_project, annotators, plugin, moment):
    """Where edits are dear, the queue is imported as a new version; the old one serves until the switch."""
    project = make_project([{"text": f"text {n}"} for n in range(5)], answers=[(0, annotators[0], "a")])
    at_work = plugin(project)
    at_work.connect()
    at_work.sync()
    step, stopped = 0, True
    while stopped:
        at_work.store.facts.write(Costs(edit=100.0, bulk=1.0, delete_version=1.0))
        for row in at_work.predictions():  # as if all scores had moved
            if row["result"] == []:
                at_work.store.published.put(Prediction(row["id"], row["task"], row["model_version"], 0.99, []))
        version = at_work.info()["model_version"]
        step += 1
        stop = len(at_work.writes) + step
        at_work.break_at = lambda number, when, stop=stop: (number, when) == (stop, moment)
        try:
            at_work.sync()
            stopped = False
            assert at_work.info()["model_version"] != version
        except KeyboardInterrupt:
            if moment == "before":
                _forget_the_wait(at_work)
        at_work.break_at = None
        assert len(at_work.served_queue()) == 5
        at_work.sync()
        assert len({row["model_version"] for row in at_work.predictions()}) == 2
        assert at_work.served_queue() == list(at_work.sync().plan.queue)
    assert step > 3  # import, switch, delete


def test_a_task_that_is_deleted_during_a_run_does_not_keep_the_others_from_being_queued(crowded, plugin):
    at_work = plugin(crowded)
    at_work.connect()
    gone = crowded.tasks[9]

    def delete_once(number, when):
        if when == "before" and at_work.requests[-1][1].endswith("/import/predictions"):
            at_work.api.delete(f"/api/tasks/{gone}/")
        return False

    at_work.break_at = delete_once
    at_work.sync()
    assert sorted(at_work.served_queue()) == sorted(set(crowded.tasks) - {gone})


def test_a_change_that_label_studio_made_and_nobody_noted_is_found(crowded, plugin, annotators):
    *_, cyd = annotators
    at_work = plugin(crowded)
    at_work.connect()
    at_work.sync()
    before = at_work.state()["queue"]
    annotation = cyd.label(crowded.tasks[8], choice("b"))
    at_work.break_at = lambda number, when: when == "after" and at_work.requests[-1][1].startswith("/api/predictions/")
    with pytest.raises(KeyboardInterrupt):
        at_work.sync()
    at_work.break_at = None
    cyd.api.delete(f"/api/annotations/{annotation}/")
    at_work.sync()
    assert at_work.state()["queue"] == before


def test_runs_with_no_time_at_all_come_to_the_same_in_the_end(crowded, plugin):
    at_work = plugin(crowded, longest_wait=0)
    at_work.connect()
    runs = 0
    while (run := rescore(at_work.opened, how_to(Needs.PULL, at_work.settings))) is not None:
        runs += 1
        assert runs < 40, "they make no progress"
    assert runs > 3
    assert run is None
    state, writes = at_work.state(), len(at_work.writes)
    assert not at_work.sync().plan
    assert len(at_work.writes) == writes
    assert at_work.state() == state
