"""Old stores become new ones, and nothing in them is lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from label_studio_crowd.connection.adoption import Adopted, Declined, Setup
from label_studio_crowd.connection.record import Record
from label_studio_crowd.estimate import Estimate
from label_studio_crowd.exchange.edits import Costs
from label_studio_crowd.exchange.publish import PendingImport
from label_studio_crowd.runs.situation import ScoredWith, Seen, Settled
from label_studio_crowd.scoring.outlook import DryRun, Forecast, History, Moment, Reliability
from label_studio_crowd.settings import Settings
from label_studio_crowd.store import migrations, tables
from label_studio_crowd.store.jobs import Job, JobProgress, Jobs, Needs
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.store.problems import Problem, Problems
from label_studio_crowd.store.projects import CreatedAt, Store
from label_studio_crowd.store.reports import RunReport
from label_studio_crowd.studio.records import Prediction, VersionState

SERVER = "http://localhost:8080"
AT = 1_800_000_000.0
"""When the old store was left."""
VERSION_3 = Path(__file__).with_name("store_of_version_3.sql")
"""A small crowd's store as its last release wrote it, with jobs in every state."""


def engine_of(store):
    return sa.create_engine(store.replace("postgresql:", "postgresql+psycopg:"))


@pytest.fixture
def old_store(store, monkeypatch):
    """A store of version 3, of each kind in turn."""
    if store.startswith("sqlite"):
        with sqlite3.connect(store.removeprefix("sqlite:///")) as connection:
            connection.executescript(VERSION_3.read_text())
        connection.close()
        return store
    with monkeypatch.context() as older:
        older.setattr(migrations, "_STEPS", migrations._STEPS[:3])
        Store(store).close()
    copy_rows(VERSION_3.read_text(), engine_of(store))
    return store


def copy_rows(dump, engine):
    lite = sqlite3.connect(":memory:")
    lite.executescript(dump)
    lite.row_factory = sqlite3.Row
    there = {row[0] for row in lite.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    with engine.begin() as connection:
        for table in (table for table in tables.METADATA.sorted_tables if table.name in there):
            rows = [dict(row) for row in lite.execute(f"SELECT * FROM {table.name}")]
            if rows:
                connection.execute(sa.insert(table).inline(), rows)  # a column of today is not asked for
    engine.dispose()
    lite.close()


@pytest.fixture
def opened(old_store):
    opened = Store(old_store)
    yield opened
    opened.close()


def test_what_was_mirrored_is_kept(opened):
    mirror = opened.project(SERVER, 7).mirror
    assert mirror.counts() == (3, 5, 1, 1)
    assert mirror.data()[1] == {"text": "It isn't a cat: 猫 ☃"}
    found = mirror.tasks()
    assert (found.ids.tolist(), found.overlap.tolist()) == ([1, 2, 3], [3, 2, 1])
    assert found.is_labeled.tolist() == [True, False, False]
    answer = '[{"from_name":"label","to_name":"text","type":"choices","value":{"choices":["%s"]}}]'
    of_first = mirror.annotations_of(1)
    assert of_first[0] == Annotation(11, 1, 5, answer % "cat", False, False, "2026-11-02T10:00:11.000000Z", 2.5)
    assert [(row.id, row.annotator, row.ground_truth) for row in of_first] == [(11, 5, 0), (12, 6, 0), (13, 8, 1)]
    of_second = mirror.annotations_of(2)
    assert [(row.annotator, row.was_cancelled, row.lead_time) for row in of_second] == [
        (5, False, 2.5),
        (0, False, None),
        (6, True, 2.5),
    ]
    assert mirror.newest() == mirror.newest_data() == "2026-11-02T10:03:00.000001Z"
    assert mirror.complete_until() is None  # all is read anew: earlier releases did not ask what annotations come from


def test_what_was_published_is_kept(opened):
    published = opened.project(SERVER, 7).published
    cat = [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["cat"]}}]
    assert published.predictions() == [
        Prediction(31, 1, "crowd-consensus", 0.75, cat),
        Prediction(32, 3, "crowd-queue-1", None, []),
    ]
    assert published.versions() == {
        "crowd-consensus": VersionState(1, "2026-11-02T11:00:00.000000Z"),
        "crowd-queue-1": VersionState(1, "2026-11-02T11:00:01.000000Z"),
    }


def test_what_was_trained_and_believed_is_kept(opened):
    project = opened.project(SERVER, 7)
    trained = project.trainings.last("label")
    assert (trained.classifier, trained.summary, trained.classes) == ("text:text", "word counts", ("cat", "dog"))
    assert (trained.answers, trained.training, trained.trained_at) == (5, "0123abcd", AT + 50)
    assert trained.newest == "2026-11-02T10:03:00.000001Z"
    assert trained.tasks.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(trained.pred_probs, [[0.75, 0.25], [0.125, 0.875], [0.5, 0.5]])
    assert project.runs.snapshot() == b"a snapshot\x00\xff"
    assert opened.snapshots_taken_at(SERVER) == {7: AT + 90}
    assert project.runs.newest(5) == [
        (AT + 100, RunReport(trigger="poll", labels=5)),
        (AT + 100, RunReport(trigger="webhook", labels=5)),
    ]


def test_facts_are_kept(opened):
    project = opened.project(SERVER, 7)
    assert project.people.names() == {5: "Ada", 6: "Bo", 8: ""}
    assert project.people.numbers(np.array([8, 0, 9])).tolist() == [3, 0, 4]
    assert project.facts.read(CreatedAt) == CreatedAt("2026-11-01T10:00:00.000000Z")


OPTIONS = {"target_quality": 0.95}


@pytest.mark.parametrize(
    "record",
    [
        Settled([1]),
        History((Moment(AT + 90, 5, 0.8, 0.6, 0.9),)),
        Setup("7.1793527200", OPTIONS, "127.0.0.1:9090"),
        Adopted(("2026-11-01T10:05:00.000000Z",), OPTIONS),
        Declined(("2026-10-01T10:05:00.000000Z",)),
        PendingImport("crowd-queue-2", 40, AT + 80.5),
        Costs(edit=0.25, bulk=7.5, delete_version=1.5),
        Problems((Problem(AT + 70, "train", "no memory", times=2), Problem(AT + 71, "rescore", "away", away=True))),
        Record(
            settings={
                "sampling": "Sequential sampling",
                "maximum_annotations": 2,
                "show_overlap_first": False,
                "model_version": "",
            },
            overlaps={"3": 4},
            options={"max_labels": 7},
            backends=("http://127.0.0.1:9090",),
            tab_made=True,
        ),
    ],
    ids=lambda record: record.fact,
)
def test_facts_are_records_now(opened, record):
    assert opened.project(SERVER, 7).facts.read(type(record)) == record


def test_what_the_last_run_left_for_pages_is_kept(opened):
    facts = opened.project(SERVER, 7).facts
    scored_with = facts.read(ScoredWith).settings
    assert (scored_with["classifier"], scored_with["max_labels"]) == ("none", 5)
    assert facts.read(Seen).project["sampling"] == "Uncertainty sampling"
    assert facts.read(Forecast) is None, "it does not say which control it is about: it is made again"
    assert facts.read(Reliability).coefficients["mean_kappa"] == Estimate(0.0)
    found = facts.read(DryRun)
    assert (found.at, found.report.dry_run, found.report.labels) == (AT + 85, True, 30)
    assert (found.report.changes.queue_version, found.report.changes.consensus_edits) == ("crowd-queue-1", 10)
    assert found.report.estimated_accuracy.low < found.report.estimated_accuracy.value


def jobs_at(opened, seconds):
    return Jobs(opened, Settings(url=SERVER, quiet_seconds=1, lease_seconds=30), clock=lambda: AT + seconds)


def test_jobs_stand_as_they_stood(opened):
    states = {(state.project, state.kind): state for state in jobs_at(opened, 5).states()}
    assert {job: state.word for job, state in states.items()} == {
        (7, "forecast"): "working",
        (7, "plan"): "failed",
        (7, "rescore"): "fresh",
        (7, "train"): "working",
        (8, "rescore"): "away",
        (9, "rescore"): "waiting",
        (10, "rescore"): "waiting",
        (11, "rescore"): "working",
    }
    assert states[7, "train"].progress == JobProgress("cross-validation", 2, 5)
    assert (states[7, "plan"].problem, states[7, "plan"].failures) == ("The token is wrong.", 1)
    assert states[7, "plan"].next_try == AT + 2
    assert states[7, "rescore"].polled_at == AT


def test_what_was_due_is_claimed(opened):
    claimed = jobs_at(opened, 6).claim_due()
    assert {(job.project, job.kind) for job in claimed} == {
        (7, "plan"),
        (8, "rescore"),
        (9, "rescore"),
        (10, "rescore"),
    }
    jobs = jobs_at(opened, 6)
    (nine,) = (jobs.begin(job) for job in claimed if job.project == 9)
    assert nine.needs == Needs.CHANGED | Needs.PULL | Needs.ASKED


@pytest.mark.parametrize(("project", "kind"), [(7, "forecast"), (10, "rescore")])
def test_messages_that_were_under_way_are_begun_once(opened, project, kind):
    """The second was given back before it was begun."""
    jobs = jobs_at(opened, 5)
    message = Job(opened.key(SERVER, project), project, kind, 1)
    assert jobs.begin(message) is not None
    assert jobs.begin(message) is None


def test_a_worker_that_was_at_a_job_may_end_it(opened):
    jobs = jobs_at(opened, 5)
    worker = Job(opened.key(SERVER, 7), 7, "train", 2, 1, Needs.CHANGED | Needs.PULL)
    assert jobs.begin(worker) is None, "it was begun"
    jobs.done(worker)
    (state,) = (state for state in jobs.states() if state.kind == "train")
    assert (state.claimed, state.wanted_since) == (False, AT), "a mark came meanwhile"


def test_a_worker_that_ended_with_the_old_release_is_noted(opened):
    jobs = jobs_at(opened, 31)
    assert 11 in {job.project for job in jobs.claim_due()}
    (state,) = (state for state in jobs.states() if state.project == 11)
    assert "worker ended" in state.problem


def test_steps_lead_to_the_tables(store):
    """A column is spelt in `tables`; what the steps made is the same on either database."""
    Store(store).close()
    engine = engine_of(store)
    stepped = schema(engine)
    assert set(stepped) == {*tables.METADATA.tables, "schema_version"}
    tables.METADATA.drop_all(engine)
    tables.METADATA.create_all(engine)
    made = schema(engine)
    engine.dispose()
    assert made == stepped


def schema(engine):
    found = sa.inspect(engine)
    return {table: described(found, table, engine.dialect) for table in found.get_table_names()}


def described(found, table, dialect):
    key = found.get_pk_constraint(table)["constrained_columns"]
    return {
        "columns": {
            row["name"]: (row["type"].compile(dialect), row["nullable"] and row["name"] not in key, row["default"])
            for row in found.get_columns(table)
        },
        "key": key,
        "unique": sorted(row["column_names"] for row in found.get_unique_constraints(table)),
        "indexes": {row["name"]: row["column_names"] for row in found.get_indexes(table)},
    }
