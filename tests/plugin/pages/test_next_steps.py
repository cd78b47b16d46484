"""What the overview says to do next."""

import dataclasses
import re
from collections import Counter
from html import unescape

import numpy as np
import pytest
from hypothesis import given, settings

from harness.snapshots import made_up
from label_studio_crowd.pages import insights
from label_studio_crowd.store.reports import RunReport
from tests.plugin.pages.insights.small_projects import (
    CLASSES,
    labelled_in_turn,
    outweighed,
    probabilities,
    shown,
    snapshots,
    votes,
)
from tests.plugin.pages.test_report import of

GOOD = [{1: k, 2: k, 3: k} for k in "abc" * 10]
NEXT = {"a": "b", "b": "c", "c": "a"}
NAMES = {number: f"person {number}" for number in range(1, 20)}


def steps(snapshot, names=NAMES):
    return insights.next_steps(snapshot, shown(snapshot, names))


def lines(tmp_path, snapshot):
    """Return what to do next, as a reader sees it."""
    (section,) = re.findall(r'<section class="steps".*?</section>', of(tmp_path, snapshot), re.DOTALL)
    found = re.findall(r"<li>(.*?)</li>", section, re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", "", line)).split()) for line in found]


# ---------------------------------------------------------------------- whom to train


def test_who_is_surely_worse_is_to_be_trained_and_who_costs_most_comes_first():
    rows = [{**row, 8: NEXT[row[1]]} for row in GOOD] + [{1: k, 2: k, 9: NEXT[k]} for k in "abc" * 5]
    found = steps(votes(*rows))
    assert [one.person.name for one in found.train] == ["person 8", "person 9"]
    assert found.more_to_train == 0
    assert all(one.quality < found.usual for one in found.train)


def test_the_class_of_most_of_their_mistakes_is_named_and_no_other():
    only_a = [{**row, 8: "b" if row[1] == "a" else row[1]} for row in GOOD * 2]
    assert [one.wrong_on for one in steps(votes(*only_a)).train] == ["a"]
    everything = [{**row, 8: NEXT[row[1]]} for row in GOOD]
    assert [one.wrong_on for one in steps(votes(*everything)).train] == [None]
    mostly_a = [{1: k, 2: k, 3: k, 8: k if at % 2 else NEXT[k]} for k in "abc" for at in range(50 if k == "a" else 10)]
    assert [one.wrong_on for one in steps(votes(*mostly_a)).train] == [None]  # half of each class


def test_of_many_to_train_three_are_named():
    rows = [
        {**dict.fromkeys(range(1, 8), k), **{who: CLASSES[(task + who) % 3] for who in (10, 11, 13, 14, 16)}}
        for task, k in enumerate("abc" * 20)
    ]
    found = steps(votes(*rows))
    assert (len(found.train), found.more_to_train) == (3, 2)


@pytest.mark.parametrize("seed", range(4))
def test_nobody_is_to_be_trained_among_equals(seed):
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(300):
        who, k = rng.choice(12, 4, replace=False) + 1, int(rng.integers(3))
        rows.append({int(j): CLASSES[k if rng.random() < 0.85 else (k + rng.integers(1, 3)) % 3] for j in who})
    assert steps(votes(*rows)).train == ()


@pytest.mark.parametrize(("points", "named"), [(4, 0), (6, 1)])
def test_who_is_hardly_worse_is_not_to_be_trained_however_sure_that_is(points, named):
    quality = 0.9 - np.array([0, 0, 1.5 * points / 100])  # usual is a third of it below .9
    snapshot = dataclasses.replace(votes(*GOOD), annotator_quality=quality, quality_high=quality + 0.001)
    assert len(steps(snapshot).train) == named


def test_deleted_users_are_not_to_be_trained():
    rows = [{**row, 0: NEXT[row[1]]} for row in GOOD]
    assert steps(votes(*rows)).train == ()


def test_scores_that_are_no_probabilities_name_nobody():
    rows = [{**row, 8: NEXT[row[1]]} for row in GOOD]
    assert steps(votes(*rows, consensus="crowdlab")).train == ()


def test_who_gets_worse_is_named():
    found = steps(labelled_in_turn(lambda task, who: 0.9 - (0.5 * task / 1200 if who == 3 else 0)))
    assert [one.person.name for one in found.worse] == ["person 4"]
    assert found.worse[0].change < -0.15


def test_of_hundreds_who_stay_as_good_nobody_is_said_to_get_worse():
    for seed in range(3):
        snapshot, truth = made_up(4000, 200, 20_000, 4, seed=seed)
        who = {person.name: row for row, person in enumerate(shown(snapshot).everybody)}
        at = [int(snapshot.annotators[who[one.person.name]]) - 101 for one in steps(snapshot, ()).worse]
        assert at
        assert (truth.accuracy_at_last < truth.accuracy_at_first)[at].all()


# ---------------------------------------------------------------------- what to check, and what comes


@settings(max_examples=40, deadline=None)
@given(snapshots())
def test_what_is_counted_is_what_the_pages_show(snapshot):
    people, found = shown(snapshot), steps(snapshot)
    wrong = insights.suspect_labels(snapshot, people, 1, 1000)
    assert found.suspects == wrong.total
    assert found.almost_surely_wrong == sum(row.probability < 0.01 for row in wrong.rows)
    assert found.overruled == insights.overruled_majorities(snapshot, people).total
    assert found.model_disagrees == insights.model_disagreements(snapshot, people).total
    queue = insights.queue_page(snapshot, people, 1, 1000).rows
    assert {waiting.why: waiting.number for waiting in found.queue} == Counter(row.why for row in queue)
    assert found.queued + found.later == np.count_nonzero(snapshot.settled_by == 0)
    assert [waiting.number for waiting in found.queue] == sorted((one.number for one in found.queue), reverse=True)


@settings(max_examples=40, deadline=None)
@given(snapshots())
def test_the_reason_of_each_task_fits_what_was_said_of_it(snapshot):
    for row in insights.queue_page(snapshot, shown(snapshot), 1, 1000).rows:
        said = [vote.label for vote in row.votes]
        expected = (
            {"new"}
            if not said
            else {"model disagrees"}
            if snapshot.model_disagrees[snapshot.row(row.task)]
            else {"disagreement"}
            if len(said) > 1
            else {"model doubts"}
            if row.guess and row.guess.label != said[0] and snapshot.hears_model
            else {"weak annotator", "one label" if row.labels == 1 else "not sure enough"}
        )
        assert row.why in expected


def test_classes_that_are_mixed_up_are_named_with_both_directions():
    rows = [*GOOD, *[{1: "a", 2: "a", 3: "b"}] * 4, *[{1: "b", 2: "b", 3: "a"}] * 3, {1: "c", 2: "c", 3: "a"}]
    found = steps(votes(*rows)).mixed_up
    assert (found.classes, found.number) == (("a", "b"), 7)
    assert found.labels == 3 * (20 + 7)


def test_mistakes_that_are_rare_are_not_worth_explaining():
    assert steps(votes(*GOOD * 2, *[{1: "a", 2: "a", 3: "b"}] * 4)).mixed_up is None
    assert steps(votes(*GOOD * 10, *[{1: "a", 2: "a", 3: "b"}] * 5)).mixed_up is None
    assert steps(votes(*GOOD[:6], *[{1: "a", 2: "a", 3: "b"}] * 4)).mixed_up is None


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "Import tasks"),
        ([{}, {}], "Label All Tasks"),
        ([{1: "a"}, {1: "b"}, {}], "second annotator"),
        ([{1: "a"}, {2: "b"}, {}], "Let two annotators label the same tasks"),
        ([{1: "a", 2: "a"}, {}], ""),
    ],
)
def test_what_is_missing_before_anything_can_be_said_comes_first(rows, says):
    found = steps(votes(*rows))
    assert says in found.first
    assert bool(found.first) == bool(says)
    if says:
        assert (found.train, found.worse, found.mixed_up, found.suspects, found.overruled) == ((), (), None, 0, 0)


# ---------------------------------------------------------------------- the words


def test_each_step_is_a_line(tmp_path):
    rows = [{**row, 8: NEXT[row[1]]} for row in GOOD] + [{1: "a", 2: "b"}, {}, {}]
    train, explain, check, label = lines(tmp_path, votes(*rows))
    assert re.fullmatch(r"Train user 8 \(\d+\s%\): their labels are right less often than usual \(\d+\s%\)\.", train)
    assert re.fullmatch(r"Explain how “a” and “b” differ: \d+ of \d+ labels confuse the two\.", explain)
    assert re.fullmatch(r"Check 3\d labels that are probably wrong( \(\d+ almost certainly\))?\.", check)
    assert label == "Label 3 tasks in the queue: 2 new and 1 where annotators disagree."


def test_tasks_where_the_model_disagrees_are_to_be_looked_at(tmp_path):
    said = lines(tmp_path, outweighed("a"))
    assert "Look at 1 task: the classifier contradicts every annotator; it needs one more label." in said
    assert "Label 1 task in the queue: 1 where the model disagrees with all annotators." in said


def test_the_pages_list_the_tasks_where_the_model_disagrees(tmp_path):
    html = of(tmp_path, outweighed("a", "a", max_labels=2))
    (row,) = re.findall(r'<tr id="disagrees-13">.*?</tr>', html, re.DOTALL)
    said = " ".join(unescape(re.sub(r"<[^>]+>", " ", row)).split())
    assert re.search(r"\bc (> )?\d+ % a 2 say a\. The classifier says c \(> 99 %\)\. .*limit reached$", said)
    assert '<a href="#model-disagrees">1 task</a>' in html
    assert "disagrees-" not in of(tmp_path, votes(*GOOD))


@pytest.mark.parametrize(("probability", "says"), [(0.03, ""), (0.003, " (1 almost certainly)")])
def test_wrong_for_almost_certain_is_said_of_the_surest_only(tmp_path, probability, says):
    snapshot = votes(*GOOD, {1: "a", 2: "a", 3: "b"})
    (wrong,) = np.flatnonzero(snapshot.answer_label != snapshot.consensus[snapshot.crowd.task])
    quality = snapshot.answer_quality.copy()
    quality[wrong] = probability
    said = lines(tmp_path, dataclasses.replace(snapshot, answer_quality=quality))
    assert said[0] == f"Check 1 label that is probably wrong{says}."


def test_a_model_that_agrees_by_chance_overrules_nobody_where_no_labels_can_be_compared(tmp_path):
    rng = np.random.default_rng(7)  # here the consensus itself would follow the model
    said = rng.choice(CLASSES, 60, p=[0.6, 0.2, 0.2]).tolist()
    rows = [{1 + task % 5: label} for task, label in enumerate(said)]
    snapshot = votes(*rows, pred_probs=probabilities(*rng.choice(CLASSES, 60), sure=0.9))
    assert [snapshot.label(row) for row in range(60)] == said
    first, label = lines(tmp_path, snapshot)
    assert first.startswith("Let two annotators label the same tasks")
    assert label == "Label 60 tasks in the queue: 60 with one label."
    assert {row.quality.value for row in insights.annotators_page(snapshot, shown(snapshot)).rows} == {None}
    told = dict(insights.scored_with(snapshot, RunReport(classifier="text: chosen.")))
    assert told["Classifier"] == "text: chosen. It has no influence at present: the labels do not confirm it."


def test_a_model_that_is_not_heard_is_no_reason_and_no_evidence(tmp_path):
    rng = np.random.default_rng(2)
    rows = [*GOOD * 3, *[{1: "a", 2: "b"}] * 5, *[{1: "a"}] * 5]
    snapshot = votes(*rows, target_quality=1.0, pred_probs=probabilities(*rng.choice(CLASSES, len(rows)), sure=0.97))
    assert not snapshot.hears_model
    people = shown(snapshot)
    queue, wrong = insights.queue_page(snapshot, people, 1, 100).rows, insights.suspect_labels(snapshot, people).rows
    assert {row.why for row in queue} == {"disagreement", "one label", "not sure enough"}
    assert all(row.guess for row in queue)
    assert not any("classifier" in row.sentence for row in queue)
    assert not any("classifier" in row.evidence for row in wrong)


def test_before_the_first_label_a_model_is_heard():
    snapshot = votes({}, {}, pred_probs=probabilities("a", "b"))
    assert [row.sentence for row in insights.queue_page(snapshot, shown(snapshot)).rows] == [
        "Nobody has labelled it yet. The classifier says a (80 %).",
        "Nobody has labelled it yet. The classifier says b (80 %).",
    ]


def test_one_task_comes_later(tmp_path):
    snapshot = dataclasses.replace(votes({}, {}, *GOOD), queue=np.array([2]))
    assert lines(tmp_path, snapshot)[-1] == "Label 1 task in the queue: 1 new; 1 more comes later."


def test_a_project_with_nothing_to_do_says_so(tmp_path):
    assert lines(tmp_path, votes(*GOOD)) == ["All tasks are settled, and no label is likely to be wrong."]


def test_tasks_that_no_queue_has_are_not_called_settled(tmp_path):
    snapshot = dataclasses.replace(votes({}, {}, *GOOD), queue=np.empty(0, np.int64))
    assert lines(tmp_path, snapshot)[-1] == "2 tasks are not settled, but the queue is empty."
    behind = dataclasses.replace(votes({}, {}, {}, *GOOD), queue=np.array([2]))
    assert lines(tmp_path, behind)[-1] == "Label 1 task in the queue: 1 new; 2 more come later."


def test_a_project_without_tasks_says_so_and_nothing_else(tmp_path):
    snapshot = votes()
    assert lines(tmp_path, snapshot) == ["Import tasks in Label Studio: the project has none yet."]
    html = of(tmp_path, snapshot)
    assert "The project has no tasks yet." in html
    assert "Every task is settled" not in html
