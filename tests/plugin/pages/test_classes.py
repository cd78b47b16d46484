"""The classes on the overview: how common each is, and what it is mistaken for."""

import dataclasses
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings

from harness.snapshots import annotation, control_of, made_up, snapshot_of
from label_studio_crowd.pages import insights
from label_studio_crowd.pages.insights.classes import most_mixed_up
from tests.plugin.pages.insights.small_projects import snapshots, votes
from tests.plugin.pages.test_report import cells, of


@settings(max_examples=60, deadline=None)
@given(snapshots())
def test_classes_are_counted(snapshot):
    found = insights.project_classes(snapshot)
    crowd, names = snapshot.crowd, snapshot.classes
    tasks = Counter(label for row in range(len(snapshot.tasks)) if (label := snapshot.label(row)) is not None)
    said = [
        (names[snapshot.consensus[task]], names[label])
        for task, label in zip(crowd.task.tolist(), crowd.label.tolist(), strict=True)
        if snapshot.judged[task]
    ]
    if not said:
        assert found is None
        return
    agreed = [row for row in found.rows if row.tasks]
    assert {row.label: row.tasks for row in agreed} == tasks
    assert [row.tasks for row in found.rows] == [
        *sorted(tasks.values(), reverse=True),
        *[0] * (3 - len(found.unused) - len(agreed)),
    ]
    assert sum(row.share for row in found.rows) == pytest.approx(1)
    given = Counter(names[label] for label in crowd.label.tolist())
    assert {row.label: row.given for row in found.rows} == {row.label: given[row.label] for row in found.rows}
    assert set(found.unused) == set(names) - set(given) - set(tasks)
    for row in agreed:
        labels = Counter(label for truth, label in said if truth == row.label)
        assert (row.labels, row.right) == (sum(labels.values()), labels.pop(row.label, 0))
        assert (row.taken_for is None) == (not labels)
        if labels:
            assert row.taken_for.number == labels[row.taken_for.what] == max(labels.values())


def test_the_accuracies_of_the_classes_are_that_of_the_project():
    snapshot, _ = made_up(300, 20, 1500, 4, seed=3)
    rows = insights.project_classes(snapshot).rows
    mean = np.average([row.accuracy for row in rows], weights=[row.tasks for row in rows])
    assert mean == pytest.approx(snapshot.accuracy.value)


def test_known_truths_are_left_out_of_the_expected_accuracy():
    _, control = control_of("abc")
    given = [annotation(control, 2 * task + who, task, who, "a") for task in range(1, 9) for who in (1, 2)]
    given.append(annotation(control, 99, 8, 7, "b", truth=True))
    snapshot = snapshot_of(given, 8, trust_ground_truth=True)
    found = {row.label: row for row in insights.project_classes(snapshot).rows}
    assert found["b"].accuracy is None
    assert 0 < found["a"].accuracy < 1
    assert (found["b"].labels, found["b"].right, found["b"].taken_for) == (2, 0, insights.Count("a", 2))


@pytest.mark.parametrize("rows", [[], [{}], [{1: "a"}, {1: "b"}], [{1: "a"}, {2: "b"}]])
def test_where_nothing_can_be_compared_there_are_no_numbers(tmp_path, rows):
    snapshot = votes(*rows)
    assert insights.project_classes(snapshot) is None
    said = cells(of(tmp_path, snapshot))
    assert said["Most often mistaken for"] == 0
    assert any("No task has labels of two annotators" in cell or "Nobody has labelled" in cell for cell in said)


def test_scores_are_not_shown_as_expected_accuracy(tmp_path):
    rows = [{1: "a", 2: "a", 3: "b"}, {1: "b", 2: "b"}] * 5
    for consensus, shown in (("hierarchical-dawid-skene", True), ("crowdlab", False)):
        snapshot = votes(*rows, consensus=consensus)
        assert all((row.accuracy is not None) == shown for row in insights.project_classes(snapshot).rows)
        assert (cells(of(tmp_path, snapshot))["Expected accuracy"] > 0) == shown


def test_of_many_classes_the_commonest_are_shown(tmp_path):
    classes = tuple(f"class {number:02d}" for number in range(20))
    _, control = control_of(classes)
    tasks = [number for number in range(20) for _ in range(1 + number % 5)]
    given = [
        annotation(control, 2 * task + who, task + 1, who + 1, classes[number])
        for task, number in enumerate(tasks)
        for who in (0, 1)
    ]
    snapshot = snapshot_of(given, len(tasks), classes)
    found = insights.project_classes(snapshot)
    assert len(found.rows) == 12
    assert found.left_out == 8
    assert [row.tasks for row in found.rows] == [5] * 4 + [4] * 4 + [3] * 4
    assert any("the 12 most common of 20 classes" in cell for cell in cells(of(tmp_path, snapshot)))


def test_thousands_of_classes_take_no_table_of_all_pairs():
    snapshot = votes(*[{1: "a", 2: "a", 3: "b"}, {1: "b", 2: "b"}, {1: "c", 2: "c"}] * 5)
    names = tuple(f"class {number}" for number in range(3000))
    codes = np.array([1000, 2999, 2000])
    large = dataclasses.replace(
        snapshot, classes=names, consensus=codes[snapshot.consensus], answer_label=codes[snapshot.answer_label]
    )
    tracemalloc.start()
    found, mixed = insights.project_classes(large), most_mixed_up(large)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert {row.label for row in found.rows} == {"class 1000", "class 2999", "class 2000"}
    assert (mixed.classes, mixed.number) == (("class 1000", "class 2999"), 5)
    assert peak < 2_000_000


def test_a_class_that_no_task_has_is_shown_with_what_its_tasks_are_instead(tmp_path):
    rows = [{1: "a", 2: "a", 3: "a", 4: "c"}] * 6 + [{1: "b", 2: "b", 3: "b", 5: "c"}] * 2
    snapshot = votes(*rows)
    found = {row.label: row for row in insights.project_classes(snapshot).rows}
    assert (found["c"].tasks, found["c"].given, found["c"].instead) == (0, 8, insights.Count("a", 6))
    assert found["a"].instead is None
    assert insights.unheard_classes(snapshot) == (insights.Count("c", 8),)
    said = cells(of(tmp_path, snapshot))
    assert any("no task has it; the consensus is mostly a" in cell for cell in said)


def test_a_class_that_one_annotator_alone_gives_is_theirs_to_explain():
    assert insights.unheard_classes(votes(*[{1: "a", 2: "a", 3: "a", 4: "c"}] * 8)) == ()


def test_a_class_that_nobody_gives_is_named(tmp_path):
    snapshot = votes(*[{1: "a", 2: "a"}] * 6)
    assert insights.project_classes(snapshot).unused == ("b", "c")
    assert any("Nobody gave b, c." in cell for cell in cells(of(tmp_path, snapshot)))


PAIR = """<View><Text name="one" value="$one"/><Text name="two" value="$two"/>
<Pairwise name="label" toName="one,two"/></View>"""


@pytest.mark.parametrize("places", [{"label_config": PAIR}, {"own_labels": (("x", "y", "z"),)}])
def test_where_classes_are_places_nobody_is_told_to_explain_them(places):
    mixed = votes(*[{1: "a", 2: "a", 3: "b"}, {1: "b", 2: "b", 3: "a"}] * 9)
    unheard = votes(*[{1: "a", 2: "a", 3: "a", 4: "c", 5: "c"}] * 8)
    assert most_mixed_up(mixed) is not None
    assert insights.unheard_classes(unheard)
    assert most_mixed_up(dataclasses.replace(mixed, **places)) is None
    assert insights.unheard_classes(dataclasses.replace(unheard, **places)) == ()
