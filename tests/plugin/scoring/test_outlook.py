import numpy as np
import pytest

from harness.snapshots import annotation, control_of, snapshot_of
from label_studio_crowd.estimate import Estimate
from label_studio_crowd.pages.insights import project_agreement, project_overview
from label_studio_crowd.pages.insights.figures import People
from label_studio_crowd.scoring.outlook import (
    Forecast,
    History,
    Reliability,
    add_to_history,
    is_outlook_due,
    renew_outlook,
)
from label_studio_crowd.scoring.reading import read_answers
from label_studio_crowd.scoring.scores import score
from label_studio_crowd.store.problems import Problems, add_problem
from label_studio_crowd.store.projects import Store

CLASSES = ("a", "b", "c")
_, CONTROL = control_of(CLASSES)


@pytest.fixture
def stored(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/mirror.sqlite")
    yield store.project("http://studio", 1)
    store.close()


def crowd_of(num_tasks=60, num_annotators=6, each=3, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=num_tasks)
    annotations = []
    for task in range(num_tasks):
        for who in rng.choice(num_annotators, each, replace=False):
            label = truth[task] if rng.random() < 0.8 else rng.integers(3)
            annotations.append(annotation(CONTROL, len(annotations), task + 1, int(who) + 1, CLASSES[label]))
    return annotations


def scores_of(annotations, num_tasks, *, target_quality=0.95, **given):
    answers = read_answers(np.arange(1, num_tasks + 1), annotations, CONTROL)
    return score(answers, None, target_quality=target_quality, max_labels=6, **given)


def renewed(stored, annotations, num_tasks, **given):
    scores = scores_of(annotations, num_tasks, **given)
    renew_outlook(stored.facts, scores, {}, without=lambda labels: scores)
    return stored.facts.read(Forecast), stored.facts.read(Reliability)


def test_the_history_grows_with_the_logarithm_of_the_labels_and_ends_with_the_newest(stored):
    for labels in range(1, 3001, 3):
        add_to_history(stored.facts, float(labels), labels, Estimate(0.5 + labels / 10_000, 0.4, 0.9))
    rows = stored.facts.read(History).moments
    assert rows[0][:2] == (1.0, 1)
    assert rows[-1] == (2998.0, 2998, 0.5 + 0.2998, 0.4, 0.9)
    labels = np.array([row.labels for row in rows])
    assert (np.diff(labels) > 0).all()
    assert 150 < len(rows) < np.log(3000) / np.log(1.02)
    assert (labels[2:-1] <= np.maximum(1.02 * labels[1:-2], labels[1:-2] + 3) + 3).all()


def test_without_an_estimate_nothing_is_recorded(stored):
    add_to_history(stored.facts, 1.0, 5, Estimate.unknown("One alone."))
    assert stored.facts.read(History) is None


def test_the_same_failure_again_and_again_is_one_record(stored):
    for kind, problem in [("rescore", "away"), ("rescore", "away"), ("train", "away"), ("rescore", "away")]:
        add_problem(stored.facts, kind, problem)
    found = [(row.kind, row.problem, row.times) for row in stored.facts.read(Problems).rows]
    assert found == [("rescore", "away", 2), ("train", "away", 1), ("rescore", "away", 1)]
    for number in range(100):
        add_problem(stored.facts, "rescore", f"problem {number}")
    rows = stored.facts.read(Problems).rows
    assert len(rows) == 50
    assert rows[-1].problem == "problem 99"


def test_the_outlook_is_due_when_labels_grow_by_two_per_cent_or_settings_change(stored):
    assert is_outlook_due(stored.facts, 0, {"target_quality": 0.9})
    stored.facts.write(Forecast(labels=1000, circumstances={"target_quality": 0.9}, reason="none", control=""))
    due = [
        labels
        for labels in (979, 990, 1000, 1019, 1021)
        if is_outlook_due(stored.facts, labels, {"target_quality": 0.9})
    ]
    assert due == [979, 1021]
    assert is_outlook_due(stored.facts, 1000, {"target_quality": 0.8})


def test_pages_show_what_was_found(stored):
    annotations = crowd_of()
    forecast, reliability = renewed(stored, annotations, 80)
    snapshot = snapshot_of(annotations, 80, CLASSES, target_quality=0.95, max_labels=6)
    found = project_overview(snapshot, None, forecast)
    curves = found.forecast.queue, found.forecast.random
    for curve in curves:
        assert curve.further_labels[0] == 0
        assert len({len(values) for values in vars(curve).values()}) == 1
        assert all(np.less_equal(curve.low, curve.mean))
        assert all(np.less_equal(curve.mean, curve.high))
    assert curves[0].further_labels[-1] == curves[1].further_labels[-1]
    assert curves[0].mean[-1] > curves[0].mean[0]
    # twenty tasks have no label yet, so at least as many are needed
    assert 20 <= found.labels_needed.low <= found.labels_needed.value <= found.labels_needed.high
    agreement = project_agreement(snapshot, People(snapshot, {}), reliability)
    assert agreement.labels == 180
    assert agreement.alpha.low < agreement.alpha.value < agreement.alpha.high
    assert 0.3 < agreement.fleiss_kappa.value < 0.9
    assert 0.3 < agreement.mean_kappa.value < 0.9


@pytest.mark.parametrize(("min_labels", "least"), [(1, 40), (None, 80), (3, 120)])
def test_labels_that_a_task_has_to_have_are_needed_whatever_its_quality(stored, min_labels, least):
    annotations = crowd_of(60, 6, each=3)  # forty more tasks have none
    forecast, _ = renewed(stored, annotations, 100, target_quality=0.5, min_labels=min_labels)
    assert least <= forecast.needed.value < least + 40


@pytest.mark.parametrize(
    ("annotations", "given", "reason"),
    [
        ([], {}, "no answers"),
        ([annotation(CONTROL, n, n, 1, "a") for n in range(1, 4)], {}, "one annotator"),
        (crowd_of(10), {"consensus": "crowdlab"}, "CROWDLAB"),
    ],
)
def test_where_nothing_can_be_forecast_it_says_why(stored, annotations, given, reason):
    forecast, _ = renewed(stored, annotations, 10, **given)
    assert reason in forecast.reason


def test_coefficients_that_are_none_say_why(stored):
    def reasons(annotations):
        coefficients = renewed(stored, annotations, 3)[1].coefficients
        return {found.reason for found in coefficients.values()}

    assert reasons([annotation(CONTROL, n, n, n, "a") for n in range(1, 4)]) == {
        "No task has labels by two annotators."
    }
    same = [annotation(CONTROL, 10 * n + who, n, who, "a") for n in range(1, 4) for who in (1, 2)]
    assert reasons(same) == {"All labels compared are the same, so agreement cannot be separated from chance."}
