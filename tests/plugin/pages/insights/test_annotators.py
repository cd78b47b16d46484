"""Annotators, all and one by one."""

import numpy as np
import pytest
from hypothesis import given, settings

from harness.snapshots import annotation, control_of, made_up, snapshot_of
from label_studio_crowd.pages import insights
from tests.plugin.pages.insights.small_projects import (
    CLASSES,
    CONTROL,
    labelled_in_turn,
    probabilities,
    shown,
    snapshots,
    votes,
)


def test_annotators_can_be_ordered_by_each_figure_and_the_unknown_come_last():
    snapshot, _ = made_up(300, 20, 1500, 4, seed=3)
    people = shown(snapshot)
    figures = {
        "quality": lambda row: row.quality.value,
        "agreement": lambda row: row.agreement,
        "labels": lambda row: row.labels,
        "seconds": lambda row: row.seconds,
        "trend": lambda row: row.trend and row.trend.change,
    }
    for order_by, figure in figures.items():
        for descending in (False, True):
            rows = insights.annotators_page(snapshot, people, order_by=order_by, descending=descending).rows
            values = [figure(row) for row in rows]
            known = [value for value in values if value is not None]
            assert known == sorted(known, reverse=descending), order_by
            assert values[: len(known)] == known
            assert known


def test_pseudonyms_are_ordered_as_numbers_and_names_as_words():
    snapshot = votes(*({who: "a", who + 1: "a"} for who in range(1, 12)))
    hidden = insights.annotators_page(snapshot, shown(snapshot, hidden=True), order_by="name").rows
    assert [row.person.name for row in hidden] == [f"annotator {number}" for number in range(1, 13)]
    names = {1: "beta", 2: "Alpha", 3: "gamma"}
    rows = insights.annotators_page(snapshot, shown(snapshot, names), order_by="name").rows
    assert [row.person.name for row in rows][:3] == ["Alpha", "beta", "gamma"]


def test_pseudonyms_are_the_snapshots():
    snapshot = votes({4: "a", 7: "a", 9: "b"}, pseudonym=[3, 1, 12])
    people = shown(snapshot, hidden=True)
    assert [person.name for person in people.everybody] == ["annotator 3", "annotator 1", "annotator 12"]
    assert [people.row(person.key) for person in people.everybody] == [0, 1, 2]
    assert (people.row("a2"), people.row("7")) == (None, 1)
    rows = insights.annotators_page(snapshot, people, order_by="name").rows
    assert [row.person.key for row in rows] == ["a1", "a3", "a12"]
    members = insights.project_agreement(snapshot, people, None).members
    assert [person.key for person in members] == ["a1", "a3", "a12"]


@pytest.mark.parametrize("hidden", [False, True])
def test_deleted_users_are_named_as_what_they_are(hidden):
    snapshot = votes({0: "a", 4: "a"}, {0: "b", 4: "b"})
    people = shown(snapshot, {4: "Ada"}, hidden=hidden)
    assert [person.name for person in people.everybody] == ["deleted users", "annotator 1" if hidden else "Ada"]
    for row, person in enumerate(people.everybody):
        assert people.row(person.key) == row
        assert insights.annotator_details(snapshot, people, row).are_deleted == (row == 0)


def test_figures_of_an_annotator():
    snapshot = votes(
        {1: "a", 2: "a", 3: "a"}, {1: "b", 2: "b", 3: "a"}, {1: "a", 2: "a"}, pred_probs=probabilities(*"aba")
    )
    row = insights.annotators_page(snapshot, shown(snapshot), order_by="labels").rows[0]
    assert (row.person.key, row.labels, row.agreement, row.seconds, row.worst_class) == ("3", 2, 0.5, 3.0, "a")
    assert row.share == 2 / 8
    assert row.quality.low < row.quality.value < row.quality.high
    assert row.trend is None  # too few labels


def test_who_gets_worse_and_who_gets_better_is_found():
    changing = {3: (0.95, 0.6), 5: (0.6, 0.95)}

    def accuracy(task, who):
        at_first, at_last = changing.get(who, (0.85, 0.85))
        return at_first + (at_last - at_first) * task / 1200

    snapshot = labelled_in_turn(accuracy)
    rows = insights.annotators_page(snapshot, shown(snapshot), order_by="trend").rows
    assert [row.person.key for row in rows if row.trend.is_real] == ["4", "6"]
    assert rows[0].trend.change < -0.15
    assert rows[-1].trend.change > 0.15


def test_who_stays_as_good_is_left_alone():
    flagged = []
    for seed in range(4):
        snapshot, truth = made_up(2000, 40, 9000, 4, seed=seed)
        steady = truth.accuracy_at_first == truth.accuracy_at_last
        rows = insights.annotators_page(snapshot, shown(snapshot), 1, 1000).rows
        flagged += [row.trend.is_real for row in rows if row.trend and steady[int(row.person.key) - 101]]
    assert len(flagged) > 100
    assert np.mean(flagged) < 0.04


def test_tasks_that_become_harder_are_nobodys_decline():
    snapshot = labelled_in_turn(lambda task, who: 0.95 if task < 600 else 0.6)
    rows = insights.annotators_page(snapshot, shown(snapshot)).rows
    assert all(row.trend is not None and abs(row.trend.change) < 0.12 for row in rows)
    assert sum(row.trend.is_real for row in rows) == 0
    first, *_, last = insights.annotator_details(snapshot, shown(snapshot), 0).periods
    assert first.quality.value - last.quality.value > 0.15  # the tasks did become harder


@settings(max_examples=40, deadline=None)
@given(snapshots())
def test_the_worst_class_is_the_worst_column_of_the_confusion_matrix(snapshot):
    people = shown(snapshot)
    for row in range(len(snapshot.annotators)):
        details = insights.annotator_details(snapshot, people, row)
        if details.confusion is None:
            assert details.row.worst_class is None
            continue
        counts = np.array(details.confusion.counts)
        given, right = counts.sum(axis=0), counts.diagonal()
        wrong = {label: 1 - r / n for label, r, n in zip(details.confusion.classes, right, given, strict=True) if n}
        worst = details.row.worst_class
        assert (worst is None) == (max(wrong.values()) == 0)
        assert worst is None or wrong[worst] == pytest.approx(max(wrong.values()))


def test_labels_that_nobody_else_judged_do_not_hide_the_worst_class():
    both, alone = [{1: "a", 2: "b", 3: "b"}] * 4 + [{1: "c", 2: "c", 3: "c"}] * 3, [{1: "a"}] * 40
    snapshot = votes(*both, {1: "c", 2: "a", 3: "a"}, *[{2: k, 3: k} for k in "abc" * 10], *alone)
    assert insights.annotators_page(snapshot, shown(snapshot)).rows[0].worst_class == "a"


def test_a_confusion_matrix_counts_labels_by_consensus():
    rows = [{1: "a", 2: "a", 3: "a"}, {1: "b", 2: "b", 3: "b"}] * 4 + [{1: "a", 2: "a", 3: "b"}, {3: "c"}]
    snapshot = votes(*rows)
    confusion = insights.annotator_details(snapshot, shown(snapshot), 2).confusion
    assert confusion.classes == ("a", "b")  # nobody else has a say on the last task
    assert confusion.counts == ((4, 1), (0, 4))
    assert confusion.shares == ((0.8, 0.2), (0.0, 1.0))
    assert confusion.left_out == 0


def test_a_large_confusion_matrix_shows_the_classes_with_most_labels():
    classes = tuple(f"{number:02d}" for number in range(60))
    _, control = control_of(classes)
    given = [(task + 1, who, label) for task, label in enumerate(classes * 2) for who in (1, 2)]
    given += [(121, 1, "59"), (121, 2, "59")]
    annotations = [annotation(control, n, task, who, label) for n, (task, who, label) in enumerate(given)]
    snapshot = snapshot_of(annotations, 121, classes)
    confusion = insights.annotator_details(snapshot, shown(snapshot), 0).confusion
    assert len(confusion.classes) == 40
    assert confusion.left_out == 20
    assert confusion.classes[-1] == "59"


def test_periods_are_of_labels_one_after_the_other_and_their_intervals_cover():
    covered = []
    for seed in range(3):
        snapshot, truth = made_up(2000, 40, 9000, 4, seed=seed)
        for row, who in enumerate(snapshot.annotators - 101):
            periods = insights.annotator_details(snapshot, shown(snapshot), row).periods
            labels = int(snapshot.annotator_labels[row])
            assert len(periods) == (min(10, labels // 5) if labels >= 10 else 0)
            if not periods:
                continue
            assert [period.first for period in periods] == [1] + [period.last + 1 for period in periods[:-1]]
            assert periods[-1].last == labels
            if truth.accuracy_at_first[who] == truth.accuracy_at_last[who]:
                accuracy = truth.accuracy_at_first[who]
                covered += [period.quality.low <= accuracy <= period.quality.high for period in periods]
    assert 0.85 < np.mean(covered) < 0.97


def test_examples_to_teach_from_show_different_mistakes_first():
    rows = [{1: k, 2: k, 3: k} for k in "abc" * 10]
    rows += [{1: "a", 2: "a", 3: "b"}] * 3 + [{1: "b", 2: "b", 3: "c"}] * 2
    snapshot = votes(*rows, pred_probs=probabilities(*"abc" * 10, *"aaabb"))
    mistakes = insights.annotator_details(snapshot, shown(snapshot), 2).mistakes
    assert [(row.consensus, row.label) for row in mistakes[:2]] in (
        [("a", "b"), ("b", "c")],
        [("b", "c"), ("a", "b")],
    )
    assert len(mistakes) == 5
    assert {row.person.key for row in mistakes} == {"3"}


def test_speed_is_told_beside_everybodys():
    annotations = [annotation(CONTROL, n, n, 1, "a", seconds=float(n)) for n in range(1, 6)]
    annotations += [annotation(CONTROL, 10 + n, n, 2, "a", seconds=11.0) for n in range(1, 6)]
    annotations += [annotation(CONTROL, 20, 6, 3, "a")]
    snapshot = snapshot_of(annotations, 6, CLASSES)
    speed = insights.annotator_details(snapshot, shown(snapshot), 0).speed
    assert (speed.fast, speed.median, speed.slow, speed.everybody) == (2.0, 3.0, 4.0, 8.0)
    assert insights.annotator_details(snapshot, shown(snapshot), 2).speed is None


@pytest.mark.parametrize("key", ["", "a", "0", "a0", "a4", "-1", "4", "1.0", "²", "9" * 30, "a" + "9" * 30, "x"])
def test_a_key_of_nobody_is_nobodys(key):
    assert shown(votes({1: "a", 2: "a", 3: "a"})).row(key) is None
