import re
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from harness.snapshots import control_of
from label_studio_crowd.commands import display
from label_studio_crowd.connection.record import QUEUE_SETTINGS
from label_studio_crowd.estimate import Estimate
from label_studio_crowd.exchange.publish import Published
from label_studio_crowd.exchange.pull import Pulled
from label_studio_crowd.files import tables as export
from label_studio_crowd.pages import insights
from label_studio_crowd.pages.insights import People, past_runs, project_overview
from label_studio_crowd.project import Project, ScoredProject
from label_studio_crowd.runs import look_ahead
from label_studio_crowd.runs import rescore as rescoring
from label_studio_crowd.runs.rescore import How
from label_studio_crowd.runs.situation import Seen
from label_studio_crowd.scoring.outlook import Forecast, History, Reliability
from label_studio_crowd.scoring.probabilities import AtHand
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.server.tables import annotators_of
from label_studio_crowd.service.worker import how_to
from label_studio_crowd.settings import load
from label_studio_crowd.store.jobs import Needs
from label_studio_crowd.store.projects import Store
from label_studio_crowd.store.trainings import Probabilities

CLASSES = ("a", "b")
CONFIG, CONTROL = control_of(CLASSES)
INFO = {**QUEUE_SETTINGS, "title": "made up", "label_config": CONFIG, "skip_queue": "REQUEUE_FOR_OTHERS"}
INFO["model_version"] = ""


class NoStudio:
    """A Label Studio that is asked for nothing."""

    def seconds_waited(self):
        return 0.0


def task_with(number, labels):
    annotations = [
        {
            "id": 100 * number + who,
            "completed_by": who,
            "result": CONTROL.write(label),
            "updated_at": f"2026-01-01T00:{number:02d}:{who:02d}Z",
            "was_cancelled": False,
            "ground_truth": False,
            "lead_time": 2.0,
        }
        for who, label in labels.items()
    ]
    return {
        "id": number,
        "data": {"text": f"text {number}"},
        "overlap": 1,
        "is_labeled": False,
        "updated_at": "2026-01-01T01:00:00Z",
        "annotations": annotations,
    }


@pytest.fixture
def stored(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/mirror.sqlite")
    yield store.project("http://studio", 1)
    store.close()


@pytest.fixture
def rescored(stored, monkeypatch):
    """Return what rescores a connected project, without a Label Studio; tasks are put into the mirror."""
    configured, info = load(classifier="none"), dict(INFO)
    project = Project(number=1, studio=NoStudio(), store=stored, settings=configured)

    def look(project, *, connected=True):
        return ScoredProject.of(project, configured, info, (CONTROL,))

    monkeypatch.setattr(rescoring, "look", look)
    monkeypatch.setattr(look_ahead, "look", look)
    monkeypatch.setattr(rescoring, "update_mirror", lambda *_, **__: Pulled(1, 0, False))
    monkeypatch.setattr(rescoring, "sweep", lambda *_: Pulled(0, 0, False))
    monkeypatch.setattr(rescoring, "observe", lambda *_, **__: [])
    monkeypatch.setattr(rescoring, "carry_out", lambda *_, **__: Published([], 0))

    def rescore(tasks, *, command=False, needs=Needs.CHANGED | Needs.PULL, **how):
        stored.mirror.apply(tasks)
        run = rescoring.rescore(project, How(**how) if command else how_to(needs, configured))
        if run is not None and not command:
            info["model_version"] = run.plan.switch_to or info["model_version"]
        return run

    rescore.project = project
    return rescore


TASKS = [task_with(n, {1: "a", 2: "a", 3: "b" if n < 4 else "a"}) for n in range(1, 11)] + [task_with(11, {})]


def test_a_run_leaves_what_pages_show(rescored, stored):
    run = rescored(TASKS)
    snapshot = Snapshot.from_bytes(stored.runs.snapshot())
    assert snapshot.accuracy == run.accuracy
    assert snapshot.target_quality == rescored.project.settings.target
    assert snapshot.answer_seconds.tolist() == [2.0] * 30
    (moment,) = stored.facts.read(History).moments
    assert moment == (snapshot.taken_at, 30, run.accuracy.value, run.accuracy.low, run.accuracy.high)
    (shown,) = past_runs(stored.runs.newest(10), None)
    assert (shown.accuracy, shown.labels, shown.trigger) == (run.accuracy, 30, "a change in Label Studio")
    assert isinstance(run.accuracy, Estimate)


@pytest.mark.parametrize(
    ("given", "trigger"),
    [
        ({"needs": Needs.CHANGED | Needs.PULL}, "a change in Label Studio"),
        ({"needs": Needs.PULL}, "a check for changes"),
        ({"needs": Needs.PULL | Needs.SWEEP}, "a full check"),
        ({"command": True}, "a command"),
        ({"needs": Needs.CHANGED | Needs.PULL | Needs.ASKED}, "a click"),
        ({"needs": Needs.CHANGED | Needs.TRAINED}, "training"),
    ],
)
def test_a_run_says_what_set_it_off(rescored, stored, given, trigger):
    rescored(TASKS, **given)
    assert past_runs(stored.runs.newest(1), None)[0].trigger == trigger


def test_the_outlook_follows_a_run_and_is_due_again_when_labels_have_grown(rescored, stored):
    assert rescored(TASKS).outlook_due
    look_ahead.look_ahead(rescored.project)
    assert stored.facts.read(Forecast).labels == stored.facts.read(Reliability).labels == 30
    snapshot = Snapshot.from_bytes(stored.runs.snapshot())
    found = project_overview(snapshot, stored.facts.read(History), stored.facts.read(Forecast))
    assert found.labels_needed.value >= 2  # a task without labels needs two
    assert not rescored(TASKS).outlook_due
    assert rescored([task_with(11, {1: "a"})]).outlook_due


def test_who_runs_no_service_has_the_outlook_made_when_it_is_looked_at(rescored, stored):
    def look():
        made.clear()
        look_ahead.look_ahead_if_due(rescored.project, INFO, Snapshot.from_bytes(stored.runs.snapshot()))

    made = []
    write = stored.facts.write
    stored.facts.write = lambda record: (made.append(type(record)), write(record))
    rescored(TASKS, command=True)
    look()
    assert made == [Reliability, Forecast]
    assert stored.facts.read(Forecast).labels == 30
    look()
    assert made == []
    rescored([task_with(11, {1: "a"})], command=True)
    assert stored.facts.read(Forecast).labels == 30
    look()
    assert stored.facts.read(Forecast).labels == 31


def test_after_an_upgrade_a_quiet_project_is_scored_once_more(rescored, stored, monkeypatch):
    monkeypatch.setattr(rescoring, "update_mirror", lambda *_, **__: Pulled(0, 0, False))
    monkeypatch.setattr(rescoring, "is_as_published", lambda *_: True)
    assert rescored(TASKS) is not None
    assert rescored([], needs=Needs.PULL) is None
    stored.facts.write(replace(stored.facts.read(Seen), snapshot=1))
    assert rescored([], needs=Needs.PULL) is not None


@pytest.mark.parametrize("trains", ["missing", "outdated"])
def test_a_service_finds_out_what_a_run_would_change_without_training(rescored, stored, monkeypatch, trains):
    rescored(TASKS, command=True)
    trained, probabilities = [], stored.trainings.last(CONTROL.name)
    monkeypatch.setattr(rescoring, "at_hand", lambda *_, **__: [AtHand(probabilities, True)])
    monkeypatch.setattr(rescoring, "train_anew", lambda *_, **__: trained.append(1) or (probabilities,))
    run = rescored([], command=True, dry_run=True, trains=trains)
    assert run.trained == bool(trained) == (trains == "outdated")


def test_a_dry_run_leaves_nothing(rescored, stored):
    run = rescored(TASKS, command=True, dry_run=True)
    assert run.report().estimated_accuracy.value == pytest.approx(run.accuracy.value)
    assert (stored.runs.snapshot(), stored.facts.read(History), stored.runs.last()) == (None, None, None)
    assert not run.outlook_due


def test_agreement_is_the_same_wherever_it_is_told(rescored, stored):
    alone = [task_with(n, {4: "a"}) for n in range(12, 20)] + [task_with(n, {3: "b"}) for n in range(20, 30)]
    run = rescored(TASKS + alone)
    snapshot = Snapshot.from_bytes(stored.runs.snapshot())
    expected = {1: 1.0, 2: 1.0, 3: 0.7, 4: None}  # nobody else has a say on what 4 labelled, and on 10 labels of 3
    pages = insights.annotators_page(snapshot, People(snapshot, {})).rows
    assert {int(row.person.key): row.agreement for row in pages} == pytest.approx(expected)
    api = annotators_of(snapshot, {}, slice(None))
    assert {row.annotator: row.agreement for row in api} == pytest.approx(expected)
    exported = export.tables(snapshot, {}).annotators
    told = exported.set_index("annotator")["agreement_with_consensus"]
    assert {who: None if np.isnan(share) else share for who, share in told.items()} == pytest.approx(expected)
    # nor does anything tell how good annotator 4 is
    assert [row.person.key for row in pages if row.quality.value is None] == ["4"]
    assert [row.annotator for row in api if row.quality is None] == [4]
    assert exported.annotator[exported.quality.isna()].tolist() == [4]
    console = Console(width=200, record=True, file=StringIO())
    display.show_annotators(console, run.scores, {})
    shown = re.findall(r"user (\d) .*?│.*?│.*?│ +(\S+) │", console.export_text())
    assert dict(shown) == {"1": "1.000", "2": "1.000", "3": "0.700", "4": "-"}


def test_what_is_exported_is_what_the_run_believed(rescored, stored):
    run = rescored(TASKS)
    result = run.scores.result
    exported = export.tables(Snapshot.from_bytes(stored.runs.snapshot()), {1: "Ada"}, {1: {"text": "one"}})
    tasks = exported.tasks
    assert tasks.task.tolist() == list(range(1, 12))
    assert tasks.consensus[:10].tolist() == result.labels[:10].tolist()
    assert tasks.consensus.isna().tolist() == [False] * 10 + [True]
    np.testing.assert_allclose(tasks.quality, [*result.quality[:10], np.nan], rtol=1e-6)  # seven digits are written
    np.testing.assert_allclose(tasks.agreement, result.agreement, rtol=1e-6)
    assert tasks.set_index("task").queue_position[list(run.plan.queue)].tolist() == list(
        range(1, len(run.plan.queue) + 1)
    )
    assert tasks["data.text"].dropna().tolist() == ["one"]
    assert exported.annotators.set_index("annotator").name[1] == "Ada"
    whole = run.scores.result.labels_frame()
    told = exported.answers.drop(columns=["name", "is_model"])
    assert told.columns.tolist() == whole.columns.tolist()
    assert told.drop(columns="quality").equals(whole.drop(columns="quality"))
    assert not exported.answers.is_model.any()
    np.testing.assert_allclose(exported.answers.quality, whole.quality, rtol=1e-6)


def test_how_long_a_label_takes_is_the_same_wherever_it_is_told(rescored, stored):
    task = task_with(1, {1: "a", 2: "a"})
    earlier = {**task["annotations"][0], "id": 99, "updated_at": "2025-01-01T00:00:00Z", "lead_time": 500.0}
    empty = {**task["annotations"][1], "id": 98, "completed_by": 3, "result": [], "lead_time": 500.0}
    rescored([{**task, "annotations": [*task["annotations"], earlier, empty]}])
    snapshot = Snapshot.from_bytes(stored.runs.snapshot())
    exported = export.tables(snapshot, {}).annotators
    assert dict(zip(exported.annotator, exported.median_seconds, strict=True)) == {1: 2.0, 2: 2.0}
    pages = insights.annotators_page(snapshot, People(snapshot, {})).rows
    assert {row.person.key: row.seconds for row in pages} == {"1": 2.0, "2": 2.0}


@pytest.mark.parametrize(("heard", "says"), [(True, "only the classifier shows"), (False, "it is not known")])
def test_who_tells_how_good_annotators_are_is_said_without_second_labels(rescored, monkeypatch, heard, says):
    labels, tasks = "ab" * 10, np.arange(1, 21)
    right = np.where(tasks[:, None] % 2 == [1, 0], 0.9, 0.1)
    pred_probs = right if heard else np.where((tasks % 3 == 0)[:, None], right, right[:, ::-1])
    known = Probabilities(CONTROL.name, "none", "", CLASSES, tasks, pred_probs, 20, "")
    monkeypatch.setattr(rescoring, "at_hand", lambda *_, **__: [AtHand(known, False)])
    run = rescored([task_with(n, {5: label}) for n, label in enumerate(labels, 1)])
    assert [says in warning for warning in run.warnings] == [True]


def test_a_label_that_the_classifier_has_not_judged_is_no_agreement(rescored, stored, monkeypatch):
    labels, seen = "ab" * 10, np.arange(1, 20)
    pred_probs = np.where(seen[:, None] % 2 == [1, 0], 0.9, 0.1)
    known = Probabilities(CONTROL.name, "none", "", CLASSES, seen, pred_probs, 19, "")
    monkeypatch.setattr(rescoring, "at_hand", lambda *_, **__: [AtHand(known, False)])
    rescored([task_with(n, {5 if n < 20 else 6: label}) for n, label in enumerate(labels, 1)])  # task 20 has just come
    snapshot = Snapshot.from_bytes(stored.runs.snapshot())
    assert snapshot.judged.tolist() == [True] * 19 + [False]
    np.testing.assert_array_equal(snapshot.agreement, [1, np.nan])


def test_pseudonyms_stay_when_somebody_comes_before_them(rescored, stored):
    def hidden():
        people = People(Snapshot.from_bytes(stored.runs.snapshot()), {}, hidden=True)
        return [person.name for person in people.everybody]

    rescored([task_with(1, {5: "a", 7: "a"})])
    assert hidden() == ["annotator 1", "annotator 2"]
    rescored([task_with(2, {4: "a"})], command=True, dry_run=True)
    rescored([task_with(3, {3: "b"})])
    assert hidden() == ["annotator 3", "annotator 4", "annotator 1", "annotator 2"]


def test_names_of_the_mirrors_annotators_are_those_of_the_snapshot(rescored, stored):
    rescored(TASKS)
    snapshot = Snapshot.from_bytes(stored.runs.snapshot())
    assert [person.name for person in People(snapshot, {1: "Ada"}).everybody] == ["Ada", "user 2", "user 3"]
    assert np.array_equal(snapshot.annotators, [1, 2, 3])
