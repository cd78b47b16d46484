"""Marks and claims: when a project is due, who has it, and that nothing is lost."""

from __future__ import annotations

import threading
import time

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from harness.service_process import until
from label_studio_crowd.settings import Settings
from label_studio_crowd.store import migrations
from label_studio_crowd.store.job_progress import kept_progress
from label_studio_crowd.store.jobs import Job, JobProgress, Jobs, Needs
from label_studio_crowd.store.projects import Store

PROJECT = 3


class Clock:
    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def jobs(store, clock):
    opened = Store(store)
    settings = Settings(quiet_seconds=1, longest_wait=10, lease_seconds=30, poll_seconds=60, sweep_seconds=3600)
    yield Jobs(opened, settings, clock=clock)
    opened.close()


def begun(jobs):
    (claimed,) = jobs.claim_due()
    job = jobs.begin(claimed)
    assert job is not None
    return job


def state(jobs, kind="rescore"):
    return next(row for row in jobs.states() if row.kind == kind)


def test_many_events_lead_to_one_run_after_a_quiet_moment(jobs, clock):
    for _ in range(5):
        jobs.mark(PROJECT)
        clock.now += 0.5
        assert jobs.claim_due() == []
    clock.now += 0.5
    job = begun(jobs)
    assert (job.project, job.kind) == (PROJECT, "rescore")
    assert job.needs == Needs.CHANGED | Needs.PULL, "it was not served before: anything may have happened"
    jobs.done(job)
    clock.now += 100
    assert jobs.claim_due() == []
    assert state(jobs).word == "fresh"
    jobs.mark(PROJECT, at_once=True)
    assert begun(jobs).needs == Needs.CHANGED


def test_events_without_a_pause_are_not_waited_out(jobs, clock):
    began = clock.now
    while not jobs.claim_due():
        jobs.mark(PROJECT)
        clock.now += 0.5
    assert clock.now - began == pytest.approx(10, abs=0.5)


def test_what_comes_during_a_run_leads_to_one_more_that_pulls(jobs, clock):
    jobs.mark(PROJECT, at_once=True)
    job = begun(jobs)
    jobs.mark(PROJECT)
    jobs.mark(PROJECT)
    clock.now += 20
    assert jobs.claim_due() == [], "one run at a time"
    jobs.done(job)
    assert begun(jobs).needs == Needs.CHANGED | Needs.PULL


def test_a_worker_that_dies_is_followed_by_another(jobs, clock):
    jobs.mark(PROJECT, at_once=True)
    dead = begun(jobs)
    clock.now += 29
    assert jobs.claim_due() == []
    clock.now += 2
    alive = begun(jobs)
    jobs.done(dead)  # it was only slow: it must not end what is the other's
    assert state(jobs).wanted_since is not None
    jobs.done(alive)
    assert state(jobs).wanted_since is None


def test_a_worker_that_lives_keeps_its_claim(store):
    opened = Store(store)
    jobs = Jobs(opened, Settings(quiet_seconds=0, lease_seconds=1))
    jobs.mark(PROJECT, at_once=True)
    with jobs.kept(begun(jobs)):
        time.sleep(1.5)
        assert jobs.claim_due() == []
    assert len(until(jobs.claim_due)) == 1
    opened.close()


@pytest.mark.parametrize("end", ["done", "failed", "postpone"])
def test_a_job_that_has_ended_is_not_begun_again_by_a_renewal(store, end):
    opened = Store(store)
    jobs = Jobs(opened, Settings(quiet_seconds=0, lease_seconds=0.3))
    jobs.mark(PROJECT, "forecast", at_once=True)
    job = begun(jobs)
    with jobs.kept(job):
        getattr(jobs, end)(job, *["a reason"] * (end == "failed"))
        time.sleep(0.5)  # renewals come
    shown = state(jobs, "forecast")
    assert not shown.claimed
    assert shown.word == {"done": "fresh", "failed": "failed", "postpone": "waiting"}[end]
    opened.close()


def test_a_message_that_comes_twice_is_begun_once(jobs):
    jobs.mark(PROJECT, at_once=True)
    (claimed,) = jobs.claim_due()
    assert jobs.begin(claimed) is not None
    assert jobs.begin(claimed) is None


def test_a_message_that_comes_late_is_as_good_as_the_newer_one_and_begun_once(jobs, clock):
    jobs.mark(PROJECT, at_once=True)
    (late,) = jobs.claim_due()
    clock.now += 31
    (newer,) = jobs.claim_due()
    job = jobs.begin(late)
    assert jobs.begin(newer) is None
    jobs.done(job)
    assert jobs.begin(late) is None
    assert state(jobs).wanted_since is None


def test_projects_that_wait_long_in_a_queue_get_their_turn(jobs, clock):
    """With one worker and a queue in which messages wait longer than a lease."""
    for project in range(1, 21):
        jobs.mark(project, at_once=True)
    queue, ran = [], []
    while len(set(ran)) < 20:
        assert len(ran) < 60, "some never get their turn"
        queue += jobs.claim_due()
        job = jobs.begin(queue.pop(0))
        if job is not None:
            clock.now += 5
            ran.append(job.project)
            jobs.done(job)
            jobs.mark(job.project, at_once=True)


def test_a_job_that_kills_its_workers_is_told_and_tried_less_and_less_often(jobs, clock):
    jobs.mark(PROJECT, at_once=True)
    tries = 0
    for _ in range(1200):
        clock.now += 1
        for claimed in jobs.claim_due():
            assert jobs.begin(claimed) is not None  # and dies
            tries += 1
    assert 4 <= tries <= 10
    assert "worker ended" in state(jobs).problem
    clock.now += 400
    jobs.done(begun(jobs))
    assert state(jobs).problem is None


def test_what_a_run_brings_about_by_itself_does_not_lead_to_another(jobs):
    jobs.mark(PROJECT, at_once=True)
    job = begun(jobs)
    jobs.mark(PROJECT, unless_claimed=True)
    jobs.done(job)
    assert state(jobs).wanted_since is None
    jobs.mark(PROJECT, unless_claimed=True)
    assert state(jobs).wanted_since is not None


def test_a_sweep_is_done_once_however_much_comes_meanwhile(jobs):
    jobs.mark(PROJECT, needs=Needs.PULL | Needs.SWEEP, at_once=True)
    job = begun(jobs)
    jobs.mark(PROJECT)
    jobs.done(job)
    jobs.mark(PROJECT, at_once=True)
    assert begun(jobs).needs == Needs.CHANGED | Needs.PULL


def test_a_project_is_not_dropped_when_something_came_meanwhile(jobs):
    jobs.mark(PROJECT, at_once=True)
    job = begun(jobs)
    jobs.mark(PROJECT)
    jobs.drop_unless_marked(job)
    assert jobs.serves(PROJECT)
    jobs.mark(PROJECT, at_once=True)
    jobs.drop_unless_marked(begun(jobs))
    assert not jobs.serves(PROJECT)


def test_a_project_is_not_dropped_by_a_worker_that_has_lost_the_job(jobs, clock):
    jobs.mark(PROJECT, at_once=True)
    slow = begun(jobs)
    clock.now += 31
    other = begun(jobs)
    jobs.drop_unless_marked(slow)
    assert state(jobs).claimed
    jobs.done(other)
    assert jobs.serves(PROJECT)


def test_a_mark_that_is_being_made_keeps_a_project(jobs):
    jobs.mark(PROJECT, at_once=True)
    job = begun(jobs)
    dropping = threading.Thread(target=jobs.drop_unless_marked, args=(job,))
    with jobs._store.writing() as connection:
        jobs.mark_in(connection, job.key, "rescore", Needs.PULL)
        dropping.start()
        dropping.join(0.3)  # it waits for the mark
    dropping.join()
    assert state(jobs).word == "waiting"


def test_a_clock_that_was_ahead_stops_nothing(jobs, clock):
    clock.now += 86_400
    jobs.mark(PROJECT, at_once=True)
    jobs.failed(begun(jobs), "a reason")
    clock.now += 10
    begun(jobs)
    clock.now -= 86_400
    assert len(jobs.claim_due()) == 1


def test_who_asks_for_it_does_not_wait_for_the_pause_after_a_failure(jobs):
    jobs.mark(PROJECT, at_once=True)
    for _ in range(3):
        jobs.failed(begun(jobs), "the token is wrong")
        assert jobs.claim_due() == []
        assert state(jobs).next_try > 1_000_000
        jobs.mark(PROJECT, at_once=True)
        assert state(jobs).next_try is None


def test_any_reason_can_be_stored(jobs):
    jobs.mark(PROJECT, at_once=True)
    jobs.failed(begun(jobs), "bad \0 and \ud800 " + "x" * 5000)
    assert state(jobs).problem.startswith("bad   and ? x")


def test_failures_are_tried_again_after_longer_and_longer_pauses(jobs, clock):
    jobs.mark(PROJECT, at_once=True)
    pauses = []
    for _ in range(10):
        pauses.append(jobs.failed(begun(jobs), "Label Studio does not answer"))
        assert jobs.claim_due() == []
        assert state(jobs).word == "failed"
        assert state(jobs).problem == "Label Studio does not answer"
        clock.now += pauses[-1]
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    jobs.done(begun(jobs))
    assert state(jobs).problem is None
    assert state(jobs).failures == 0


def test_a_label_studio_that_is_away_is_no_failure_but_paused_for_like_one(jobs, clock):
    jobs.mark(PROJECT, at_once=True)
    told, pauses = [], []
    for away in (True, True, False, True):
        pauses.append(jobs.failed(begun(jobs), "a reason", away=away))
        told.append(state(jobs).word)
        clock.now += pauses[-1]
    assert told == ["away", "away", "failed", "away"]
    assert pauses == [2, 4, 8, 16]
    begun(jobs)  # and its worker dies
    clock.now += 31
    jobs.claim_due()
    assert not state(jobs).away
    clock.now += 300
    jobs.done(begun(jobs))
    assert state(jobs).word == "fresh"


def test_progress_is_kept_once_a_second_while_somebody_is_at_the_job(jobs):
    jobs.mark(PROJECT, at_once=True)
    job = begun(jobs)
    seconds = iter([0.0, 0.0, 0.5, 1.0, 1.0])
    progress = kept_progress(jobs, job, clock=lambda: next(seconds))
    seen = []
    for done in (1, 2, 3):
        progress("reading tasks", done, 3)
        seen.append(state(jobs).progress)
    assert seen == [JobProgress("reading tasks", done, 3) for done in (1, 1, 3)]
    jobs.failed(job, "a reason")
    assert state(jobs).progress is None


def test_a_job_goes_on_where_its_progress_cannot_be_kept(jobs, monkeypatch):
    def fail(*_):
        raise sa.exc.OperationalError("UPDATE", {}, Exception("the store is away"))

    jobs.mark(PROJECT, at_once=True)
    job = begun(jobs)
    progress = kept_progress(jobs, job)
    monkeypatch.setattr(jobs, "note_progress", fail)
    progress("cross-validation", 1, 3)
    jobs.done(job)
    assert state(jobs).word == "fresh"


def test_each_job_of_a_project_has_its_own_progress(jobs):
    jobs.mark(PROJECT, at_once=True)
    jobs.mark(PROJECT, "train", at_once=True)
    rescore, train = (jobs.begin(job) for job in sorted(jobs.claim_due(), key=lambda job: job.kind))
    kept_progress(jobs, rescore)("reading tasks", 1, 3)
    kept_progress(jobs, train)("cross-validation", 2, 5)
    jobs.done(train)
    assert state(jobs).progress == JobProgress("reading tasks", 1, 3)
    assert state(jobs, "train").progress is None


def test_progress_of_a_worker_that_died_is_not_that_of_the_next(jobs, clock):
    jobs.mark(PROJECT, at_once=True)
    dead = kept_progress(jobs, begun(jobs), clock=clock)
    dead("reading tasks", 2, 3)
    clock.now += 31
    assert state(jobs).progress is None
    alive = begun(jobs)
    assert state(jobs).progress is None
    dead("reading tasks", 3, 3)  # it was only slow
    assert state(jobs).progress is None
    kept_progress(jobs, alive, clock=clock)("reading tasks", 1, 3)
    assert state(jobs).progress == JobProgress("reading tasks", 1, 3)


def test_jobs_of_an_older_store_go_on(store, monkeypatch):
    with monkeypatch.context() as older:
        older.setattr(migrations, "_STEPS", migrations._STEPS[:2])
        before = Store(store)
        with before.writing() as connection:
            connection.exec_driver_sql("INSERT INTO projects (id, server, project) VALUES (1, 'http://studio', 3)")
            connection.exec_driver_sql(
                "INSERT INTO jobs (project, kind, generation, needs, wanted_since, wanted_last, claim, claimed_until, "
                "retry_at, failures, problem, polled_at, swept_at) "
                "VALUES (1, 'rescore', 1, 1, 5.0, 5.0, 0, 0, 0, 2, 'a reason', 0, 0)"
            )
        before.close()
    opened = Store(store)
    jobs = Jobs(opened, Settings(url="http://studio"))
    assert (state(jobs).word, state(jobs).problem) == ("failed", "a reason")
    jobs.done(begun(jobs))
    assert state(jobs).word == "fresh"
    opened.close()


def test_projects_are_looked_at_from_time_to_time(jobs, clock):
    jobs.mark(PROJECT, at_once=True)
    jobs.done(begun(jobs))
    clock.now += 45
    jobs.mark_polls()
    assert jobs.claim_due() == []
    clock.now += 15
    jobs.mark_polls()
    looked = begun(jobs)
    assert looked.needs == Needs.PULL
    clock.now += 20
    jobs.mark_polls()
    jobs.done(looked)
    assert state(jobs).wanted_since is None, "a look that takes long does not lead to another"
    clock.now += 3600
    jobs.mark_polls()
    assert begun(jobs).needs == Needs.PULL | Needs.SWEEP


def test_training_and_rescoring_go_side_by_side(jobs):
    jobs.mark(PROJECT, at_once=True)
    jobs.mark(PROJECT, "train", at_once=True)
    assert {job.kind for job in jobs.claim_due()} == {"rescore", "train"}


def test_a_queue_that_runs_dry_is_not_kept_waiting(jobs, clock):
    jobs.mark(PROJECT)
    ((key, project),) = jobs.waiting()
    assert project == PROJECT
    jobs.hurry(key)
    assert len(jobs.claim_due()) == 1


def test_a_server_keeps_to_its_own_projects(jobs, clock, store):
    jobs.mark(PROJECT, at_once=True)
    opened = Store(store)
    others = Jobs(opened, Settings(url="http://elsewhere"), clock=clock)
    assert others.claim_due() == []
    assert others.states() == []
    others.mark_all(Needs.PULL)
    others.drop(PROJECT)
    assert len(jobs.claim_due()) == 1
    opened.close()


def test_two_schedulers_claim_a_job_once(store, clock):
    opened = Store(store)
    jobs = Jobs(opened, Settings(), clock=clock)
    for project in range(1, 31):
        jobs.mark(project, at_once=True)
    claimed: list[Job] = []
    start = threading.Barrier(4)

    def claim():
        start.wait()
        claimed.extend(jobs.claim_due())

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(job.project for job in claimed) == list(range(1, 31))
    opened.close()


@given(st.lists(st.sampled_from(["mark", "claim", "begin", "done", "fail", "die", "wait"]), max_size=40))
def test_no_event_is_lost_whatever_happens(tmp_path_factory, steps):
    opened = Store(f"sqlite:///{tmp_path_factory.mktemp('jobs')}/store.sqlite")
    clock = Clock()
    jobs = Jobs(opened, Settings(), clock=clock)
    marked = seen = 0
    claimed, running = None, None
    for step in steps:
        clock.now += 0.1
        if step == "mark":
            jobs.mark(PROJECT)
            marked += 1
        elif step == "claim":
            claimed = next(iter(jobs.claim_due()), claimed)
        elif step == "begin" and claimed and not running and (job := jobs.begin(claimed)):
            running = (job, marked)
        elif step == "done" and running:
            before = state(jobs).wanted_since
            jobs.done(running[0])
            if before is not None and state(jobs).wanted_since is None:
                seen = running[1]
            running = None
        elif step == "fail" and running:
            jobs.failed(running[0], "a reason")
            running = None
        elif step == "die":
            running = None
        else:
            clock.now += 400
    if marked > seen:
        clock.now += 400
        job = begun(jobs)
        jobs.done(job)
        assert state(jobs).wanted_since is None
    opened.close()


def test_what_cannot_succeed_rests_until_it_is_marked_or_swept(jobs, clock):
    jobs.mark(PROJECT, at_once=True)
    jobs.rest(begun(jobs), "Nothing to score.")
    assert (state(jobs).word, state(jobs).rests, state(jobs).problem) == ("failed", True, "Nothing to score.")
    clock.now += 600
    jobs.mark_polls()
    assert jobs.claim_due() == []
    jobs.mark(PROJECT, at_once=True)
    job = begun(jobs)
    assert not state(jobs).rests
    jobs.mark(PROJECT)  # while it is under way
    jobs.rest(job, "Nothing to score.")
    clock.now += 20
    jobs.rest(begun(jobs), "Nothing to score.")
    clock.now += 3600
    jobs.mark_polls()
    jobs.done(begun(jobs))
    assert state(jobs).word == "fresh"
