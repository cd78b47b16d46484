from types import SimpleNamespace

import pytest

from label_studio_crowd.connection.adopt import BackendRemovedError
from label_studio_crowd.connection.record import NotConnectedError
from label_studio_crowd.errors import UserError
from label_studio_crowd.pages.insights import past_runs
from label_studio_crowd.service import worker as worker_module
from label_studio_crowd.service.backend import Backend
from label_studio_crowd.service.worker import Worker
from label_studio_crowd.settings import load
from label_studio_crowd.store.jobs import JobProgress, Jobs
from label_studio_crowd.store.problems import Problems
from label_studio_crowd.store.projects import Store

PROJECT = 7


@pytest.fixture
def settings(tmp_path):
    return load(url="http://127.0.0.1:9", api_key="x" * 40, store=f"sqlite:///{tmp_path}/mirror.sqlite")


@pytest.fixture
def stored(settings):
    store = Store(settings.store)
    yield store.project(settings.url, PROJECT)
    store.close()


@pytest.fixture
def jobs(stored, settings):
    return Jobs(stored.store, settings)


def work(jobs, settings, kind):
    jobs.mark(PROJECT, kind, at_once=True)
    (job,) = [job for job in jobs.claim_due() if job.kind == kind]
    Worker(settings).work(job)
    return next(state for state in jobs.states() if state.kind == kind)


def run_with(**given):
    """Return a run as far as a worker looks at it."""
    crowd, none = SimpleNamespace(tasks=[]), SimpleNamespace(sum=int)
    scores = SimpleNamespace(answers=SimpleNamespace(crowd=crowd), controls=(), num_labels=none, settled=none)
    plan = SimpleNamespace(queue=())
    defaults = {"outlook_due": False, "left": 0, "outdated": False}
    return SimpleNamespace(scores=scores, plan=plan, seconds={}, **{**defaults, **given})


def test_a_forecast_is_made_and_the_job_done(jobs, settings, monkeypatch):
    made = []
    monkeypatch.setattr(worker_module, "look_ahead", lambda project: made.append(project.number))
    assert work(jobs, settings, "forecast").word == "fresh"
    assert made == [PROJECT]


@pytest.mark.parametrize("due", [True, False])
def test_a_run_asks_for_a_forecast_where_one_is_due(jobs, settings, monkeypatch, due):
    monkeypatch.setattr(worker_module, "adopt", lambda *_, **__: None)
    monkeypatch.setattr(worker_module, "update_names", lambda *_, **__: None)
    monkeypatch.setattr(
        worker_module, "rescore", lambda *_, **__: run_with(outlook_due=due, project=SimpleNamespace(number=PROJECT))
    )
    assert work(jobs, settings, "rescore").word == "fresh"
    assert [state.word for state in jobs.states() if state.kind == "forecast"] == ["waiting"] * due


@pytest.mark.parametrize(("kind", "function"), [("rescore", "rescore"), ("train", "retrain"), ("plan", "rescore")])
def test_progress_is_there_while_a_job_is_under_way(jobs, settings, monkeypatch, kind, function):
    seen = []

    def run(project, *_):
        project.progress("reading tasks", 3, 10)
        seen.extend(state.progress for state in jobs.states())
        raise UserError("That is enough.")

    monkeypatch.setattr(worker_module, "adopt", lambda *_, **__: None)
    monkeypatch.setattr(worker_module, function, run)
    assert work(jobs, settings, kind).progress is None
    assert seen == [JobProgress("reading tasks", 3, 10)]


@pytest.mark.parametrize("kind", ["rescore", "train", "plan", "forecast"])
def test_a_label_studio_that_does_not_answer_is_waited_for(jobs, settings, stored, kind):
    found = work(jobs, settings, kind)  # nobody listens at its address
    assert (found.word, found.failures) == ("away", 1)
    assert "Label Studio does not answer at http://127.0.0.1:9" in found.problem
    assert found.retry_at > 0
    (told,) = past_runs([], stored.facts.read(Problems))
    assert (told.is_away, told.problem) == (True, found.problem)


def test_a_defect_is_a_failure(jobs, settings, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(worker_module, "retrain", fail)
    assert work(jobs, settings, "train").word == "failed"


def test_why_a_job_failed_is_kept_for_the_page_of_runs(jobs, settings, stored, monkeypatch):
    def fail(*_, **__):
        raise UserError("Out of paper \0.")

    monkeypatch.setattr(worker_module, "retrain", fail)
    for _ in range(2):
        assert work(jobs, settings, "train").word == "failed"
    (problem,) = stored.facts.read(Problems).rows
    assert (problem.kind, problem.problem, problem.times) == ("train", "Out of paper  .", 2)
    assert not problem.away


@pytest.mark.parametrize("found", [NotConnectedError, BackendRemovedError])
def test_a_backend_that_is_added_while_a_run_finds_none_is_looked_for_again(jobs, settings, monkeypatch, found):
    backend = Backend(settings)

    def add():
        backend.setup(PROJECT, {"max_labels": 2}, "crowd:9090", "7.1795211437")

    def see_to_it(*_, **__):
        add()  # Label Studio tries a backend before it adds it; this is the second time, after that
        raise found("There was none when I looked.")

    add()
    monkeypatch.setattr(worker_module, "adopt", see_to_it)
    assert work(jobs, settings, "rescore").word == "waiting"
    monkeypatch.setattr(worker_module, "adopt", lambda *_, **__: None)
    monkeypatch.setattr(worker_module, "update_names", lambda *_, **__: None)
    monkeypatch.setattr(worker_module, "rescore", lambda *_, **__: None)
    assert work(jobs, settings, "rescore").word == "fresh"
    backend.close()
