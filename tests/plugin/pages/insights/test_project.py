"""The overview of a project."""

import dataclasses
from datetime import timedelta

import numpy as np
import pytest

from harness.snapshots import BEGIN, annotation, snapshot_of
from label_studio_crowd.estimate import Estimate
from label_studio_crowd.pages import insights
from label_studio_crowd.scoring.outlook import Curve, Forecast, History, Moment
from tests.plugin.pages.insights.small_projects import (
    AT,
    CLASSES,
    CONTROL,
    DAY,
    probabilities,
    shown,
    votes,
)


def test_a_project_without_labels_says_so_instead_of_numbers():
    found = insights.project_overview(votes({}, {}), None, None)
    assert found.numbers.accuracy.value is None
    assert found.numbers.accuracy.reason
    assert found.pace is None
    assert sum(found.histogram.settled + found.histogram.unsettled) == 0
    assert (found.forecast, bool(found.forecast_reason)) == (None, True)


def test_one_annotator_tells_nothing_of_accuracy_or_quality():
    snapshot = votes({1: "a"}, {1: "b"}, {1: "a"})
    assert insights.project_numbers(snapshot).accuracy.value is None
    (row,) = insights.annotators_page(snapshot, shown(snapshot)).rows
    assert row.quality.value is None
    assert "Nobody else" in row.quality.reason
    assert insights.annotator_details(snapshot, shown(snapshot), 0).confusion is None


@pytest.mark.parametrize("model", [False, True])
def test_where_nothing_tells_how_good_labels_are_there_is_no_number(model):
    rows = [{1: "a"}, {2: "b"}] * 20
    # a model that agrees with nobody is not heard
    snapshot = votes(*rows, pred_probs=probabilities(*(["b", "a"] * 20)) if model else None)
    overview = insights.project_overview(snapshot, None, None)
    assert overview.numbers.accuracy.reason
    assert sum(overview.histogram.settled + overview.histogram.unsettled) == 0
    queue = insights.queue_page(snapshot, shown(snapshot)).rows
    assert {(row.consensus, row.quality) for row in queue} == {("a", None), ("b", None)}
    for order_by in ("quality", "agreement"):
        for row in insights.annotators_page(snapshot, shown(snapshot), order_by=order_by).rows:
            assert (row.quality.value, row.agreement, row.worst_class) == (None, None, None)
    assert insights.annotator_details(snapshot, shown(snapshot), 0).periods == ()


def test_nobody_agrees_with_a_consensus_that_is_their_own_label():
    snapshot = votes(*[{1: "a"}] * 95, *[{1: "a", 2: "b", 3: "b"}] * 5, *[{2: label, 3: label} for label in "abc" * 10])
    rows = insights.annotators_page(snapshot, shown(snapshot)).rows
    assert {row.person.key: row.agreement for row in rows} == {"1": 0.0, "2": 1.0, "3": 1.0}


def test_who_overrules_a_suspect_label_is_not_praised_for_labels_that_nobody_else_judged():
    alone = [{3: "a"}] * 20
    snapshot = votes(*[{1: k, 2: k, 3: k} for k in "ab" * 6], {1: "a", 2: "a", 3: "b"}, *alone)
    (row,) = insights.suspect_labels(snapshot, shown(snapshot)).rows
    assert row.evidence.endswith("On 6 other tasks with consensus a, this annotator was right 6 times.")


def test_of_one_other_task_the_evidence_speaks_as_of_one():
    snapshot = votes(*[{1: k, 2: k} for k in "bc" * 6], {1: "a", 2: "a", 3: "a"}, {1: "a", 2: "a", 3: "b"})
    (row,) = insights.suspect_labels(snapshot, shown(snapshot)).rows
    assert row.evidence.endswith("On 1 other task with consensus a, this annotator was right 1 time.")


def test_a_majority_is_not_said_to_be_overruled_by_those_who_are_right_less_often():
    snapshot = votes(*[{1: "a", 2: "a", 3: "b"}, {1: "b", 2: "b", 3: "b"}] * 5)
    task = int(np.flatnonzero((snapshot.labels == 3) & (snapshot.majority == 0))[0])
    consensus, quality = snapshot.consensus.copy(), np.array([0.9, 0.9, 0.6])
    consensus[task] = 1
    for better, said in ((quality, False), (1 - quality, True)):
        overruled = dataclasses.replace(snapshot, consensus=consensus, annotator_quality=better)
        (row,) = insights.overruled_majorities(overruled, shown(overruled)).rows
        assert ("of the time" in row.evidence) == said


def test_a_classifier_alone_agrees_with_nobody():
    snapshot = votes({}, {}, pred_probs=probabilities("a", "b"))
    found = insights.project_agreement(snapshot, shown(snapshot), None)
    assert (found.members, found.has_model, found.cells) == ((), False, ())


def test_crowdlabs_quality_is_not_shown_as_a_probability():
    snapshot = votes({1: "a", 2: "a"}, {1: "b", 2: "c"}, consensus="crowdlab")
    assert "CROWDLAB" in insights.project_numbers(snapshot).accuracy.reason
    rows = insights.annotators_page(snapshot, shown(snapshot)).rows
    assert all(row.quality.value is not None and row.quality.low is None for row in rows)


def test_a_quality_that_is_no_probability_is_not_called_one():
    rows = [{1: "a", 2: "a", 3: "a"}, {1: "b", 2: "c", 3: "b"}]
    for consensus, is_probability in (("hierarchical-dawid-skene", True), ("crowdlab", False)):
        snapshot = votes(*rows, consensus=consensus, target_quality=1.0)
        sentences = [row.sentence for row in insights.queue_page(snapshot, shown(snapshot)).rows]
        assert [("probability" in sentence) for sentence in sentences] == [is_probability] * 2


def test_the_overview_counts_what_is_there():
    snapshot = votes({1: "a", 2: "a", 3: "a"}, {1: "b", 2: "c"}, {4: None}, target_quality=0.9)
    found = insights.project_overview(snapshot, None, None)
    numbers = found.numbers
    assert (numbers.tasks, numbers.labelled_tasks, numbers.labels, numbers.skips) == (3, 2, 5, 1)
    assert numbers.annotators == 3
    assert numbers.queue == 3 - numbers.settled
    assert sum(count.number for count in found.settled_by) == numbers.settled
    assert sum(found.histogram.settled + found.histogram.unsettled) == 2
    assert len(found.histogram.edges) == 1 + len(found.histogram.settled) == 1 + len(found.histogram.unsettled)


@pytest.mark.parametrize(
    ("days_ago", "labels", "days", "a_day"),
    [
        ([0.1, 0.2, 0.3], 3, 1, None),  # the first label was today
        ([0.1, 0.5, 2.0], 3, 2, 1.5),
        ([0.1, 0.5, 2.9], 2, 2, 1.0),  # of whole days
        ([0.1, 6.0, 8.0, 30.0], 2, 7, 2 / 7),
        ([30.0], 0, 7, 0.0),
    ],
)
def test_the_pace_is_that_of_the_last_week(days_ago, labels, days, a_day):
    given = [
        annotation(CONTROL, number, number, 1, "a", at=BEGIN - timedelta(days=ago))
        for number, ago in enumerate(days_ago, 1)
    ]
    found = insights.project_overview(snapshot_of(given, 5, CLASSES, taken_at=AT), None, None)
    assert found.pace == insights.Pace(labels, days, a_day)


FORECAST = Forecast(
    labels=4,
    circumstances={},
    control="",
    needed=Estimate(10.0, 5.0, 20.0),
    queue=Curve(further_labels=(0, 10), mean=(0.8, 0.9), low=(0.7, 0.8), high=(0.9, 1.0)),
    random=Curve(further_labels=(0, 10), mean=(0.8, 0.85), low=(0.7, 0.8), high=(0.9, 0.9)),
)


def test_labels_given_since_the_forecast_are_not_needed_any_more():
    snapshot = votes({1: "a", 2: "b"}, {1: "b", 2: "c"}, {1: "a", 2: "c"}, taken_at=AT + DAY + 1)
    found = insights.project_overview(snapshot, None, FORECAST)
    needed = found.labels_needed
    assert (needed.value, needed.low, needed.high) == (8.0, 3.0, 18.0)
    assert found.days_needed == pytest.approx(8 / 6)
    assert found.forecast.queue.mean == (0.8, 0.9)
    assert found.forecast_reason == ""


def test_each_task_that_waits_needs_a_label_however_old_the_forecast_is():
    snapshot = votes(*[{1: "a", 2: "b", 3: "c"}] * 6)
    needed = insights.project_overview(snapshot, None, FORECAST).labels_needed
    assert (needed.value, needed.low, needed.high) == (6.0, 6.0, 6.0)


def test_a_finished_project_needs_no_labels_whatever_was_forecast():
    snapshot = votes({1: "a", 2: "a", 3: "a"}, {1: "b", 2: "b", 3: "b"}, target_quality=0.1)
    assert insights.project_overview(snapshot, None, FORECAST).labels_needed.value == 0


def test_where_all_is_settled_nobody_is_told_why_there_is_no_forecast():
    snapshot = votes({1: "a", 2: "a", 3: "a"}, target_quality=0.1)
    found = insights.project_overview(snapshot, None, Forecast(3, {}, reason="One alone.", control=""))
    assert (found.labels_needed.value, found.forecast, found.forecast_reason) == (0, None, "")


def test_why_there_is_no_forecast_is_passed_on():
    found = insights.project_overview(votes({1: "a"}), None, Forecast(1, {}, reason="One alone.", control=""))
    assert found.labels_needed.reason == found.forecast_reason == "One alone."


def test_the_history_is_shown_as_it_was_kept():
    found = insights.project_overview(votes({1: "a"}), History((Moment(1.5, 10, 0.8, 0.7, 0.9),)), None)
    assert found.history == (Moment(1.5, 10, 0.8, 0.7, 0.9),)
