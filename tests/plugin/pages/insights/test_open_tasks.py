"""The queue, and labels that are suspect."""

from dataclasses import replace

import numpy as np
import pytest

from harness.snapshots import annotation, snapshot_of
from label_studio_crowd.pages import insights
from tests.plugin.pages.insights.small_projects import CLASSES, CONTROL, outweighed, probabilities, shown, votes

# ---------------------------------------------------------------------- the queue


def test_each_task_of_the_queue_says_why_it_is_there():
    agreed = [{1: "a", 2: "a", 3: "a"}, {1: "b", 2: "b", 3: "b"}, {1: "c", 2: "c", 3: "c"}] * 10
    weak = [{1: "a", 2: "a", 9: "b"}, {1: "b", 2: "b", 9: "c"}] * 10  # 9 is always wrong
    rows = [{}, {1: "a", 2: "b"}, {1: "a", 2: "a"}, {9: "a"}, {1: "c"}, {1: "b", 2: "b"}, {8: None}]
    guesses = ["a", "a", "b", "a", "c", "b", "c"]
    snapshot = votes(
        *rows,
        *agreed,
        *weak,
        pred_probs=np.concatenate([probabilities(*guesses, sure=0.6), probabilities(*"abc" * 10, *"ab" * 10)]),
        target_quality=1.0,
    )
    found = {row.task: row for row in insights.queue_page(snapshot, shown(snapshot), 1, 1000).rows}
    reasons = [found[task].why for task in range(1, 8)]
    assert reasons == [
        "new",
        "disagreement",
        "model doubts",
        "weak annotator",
        "one label",
        "not sure enough",
        "new",
    ]
    assert found[1].sentence == "Nobody has labelled it yet. The classifier says a (60 %)."
    assert found[2].sentence.startswith("1 says a, 1 says b. The consensus is right with a probability of ")
    assert found[3].sentence == "2 say a. The classifier says b (60 %)."
    assert found[7].sentence.endswith("1 skipped it.")
    assert (found[1].consensus, found[1].quality) == (None, None)


def test_where_there_are_several_controls_the_reason_is_that_of_the_doubtful_one():
    several = {"all_controls": (CONTROL.name, "names"), "held_by": np.array([1, 0, 1])}
    sure, torn = {1: "a", 2: "a"}, {1: "b", 2: "c"}
    own = replace(votes(sure, torn, sure, target_quality=1.0), **several)
    other = replace(votes(torn, sure, {}, target_quality=1.0), control="names", **several)
    whole = replace(own, others=(other,))
    found = {row.task: row for row in insights.queue_page(own, shown(own), whole=whole).rows}
    assert [found[task].why for task in (1, 2, 3)] == ["disagreement", "disagreement", "new"]
    assert found[1].sentence.startswith("“names”: 1 says b, 1 says c.")
    assert found[2].sentence.startswith(f"“{CONTROL.name}”: 1 says b, 1 says c.")
    assert found[3].sentence.startswith("“names”: Nobody")
    assert found[1].consensus == "a"
    steps = insights.next_steps(own, shown(own), whole)
    assert {waiting.why: waiting.number for waiting in steps.queue} == {"disagreement": 2, "new": 1}


def test_the_queue_is_in_the_order_in_which_it_is_served():
    snapshot = votes({1: "a", 2: "b"}, {}, {1: "a"}, {1: "b", 2: "b"})
    rows = insights.queue_page(snapshot, shown(snapshot)).rows
    assert [row.task for row in rows] == snapshot.queue.tolist()
    assert [row.place for row in rows] == list(range(1, len(rows) + 1))
    assert [row.priority for row in rows] == sorted(row.priority for row in rows)


def test_votes_name_who_said_what_the_most_frequent_first():
    snapshot = votes({1: "b", 2: "a", 3: "b"}, target_quality=1.0)
    (row,) = insights.queue_page(snapshot, shown(snapshot, {1: "Ada", 2: "Bo", 3: "Cy"})).rows
    assert [(vote.label, [person.name for person in vote.people]) for vote in row.votes] == [
        ("b", ["Ada", "Cy"]),
        ("a", ["Bo"]),
    ]


# ---------------------------------------------------------------------- where the model disagrees


@pytest.mark.parametrize(("labels", "tally"), [("a", "1 says a"), ("aa", "2 say a"), ("aab", "2 say a, 1 says b")])
def test_where_the_model_outweighs_all_annotators_it_disagrees(labels, tally):
    snapshot = outweighed(*labels)
    (row,) = [row for row in insights.queue_page(snapshot, shown(snapshot)).rows if row.task == 13]
    assert (row.why, row.consensus) == ("model disagrees", "c")
    assert row.sentence == f"{tally}. The classifier says c (> 99 %)."
    assert row.quality > 0.5
    (found,) = insights.model_disagreements(snapshot, shown(snapshot)).rows
    assert (found.task, found.consensus, found.majority, found.state) == (13, "c", "a", "waits for a label")
    assert found.evidence == row.sentence


def test_a_label_that_the_model_outweighs_is_suspect():
    snapshot = outweighed("a")
    assert (13, "a", "c") in {
        (row.task, row.label, row.consensus) for row in insights.suspect_labels(snapshot, shown(snapshot), 1, 99).rows
    }


def test_each_consensus_that_differs_from_the_majority_is_on_one_list():
    snapshot = outweighed("a")
    assert insights.model_disagreements(snapshot, shown(snapshot)).total == 1
    assert 13 not in {row.task for row in insights.overruled_majorities(snapshot, shown(snapshot)).rows}


def test_with_the_most_labels_a_task_is_closed_and_the_model_still_disagrees():
    snapshot = outweighed("a", "a", max_labels=2)
    assert 13 not in snapshot.queue
    (found,) = insights.model_disagreements(snapshot, shown(snapshot)).rows
    assert (found.task, found.state) == (13, "label limit reached")


# ---------------------------------------------------------------------- suspects


def test_a_suspect_label_comes_with_its_evidence():
    rows = [{1: "a", 2: "a", 3: "a"}, {1: "b", 2: "b", 3: "b"}] * 6 + [{1: "a", 2: "a", 3: "b"}]
    guesses = "ab" * 6 + "a"
    snapshot = votes(*rows, pred_probs=probabilities(*guesses))
    (row,) = insights.suspect_labels(snapshot, shown(snapshot, {3: "Cy"})).rows
    assert (row.task, row.person.name, row.label, row.consensus) == (13, "Cy", "b", "a")
    assert row.evidence == (
        "Of the others, 2 say a. The classifier says a (80 %). "
        "On 6 other tasks with consensus a, this annotator was right 6 times."
    )


def test_against_a_known_truth_a_label_is_wrong_for_certain():
    annotations = [annotation(CONTROL, n, 1, n, "b") for n in (1, 2, 3)]
    annotations.append(annotation(CONTROL, 9, 1, 7, "a", truth=True))
    snapshot = snapshot_of(annotations, 1, CLASSES, trust_ground_truth=True)
    suspects = insights.suspect_labels(snapshot, shown(snapshot)).rows
    assert [(row.is_known, row.consensus, row.probability) for row in suspects] == [(True, "a", 0.0)] * 3
    (overruled,) = insights.overruled_majorities(snapshot, shown(snapshot)).rows
    assert (overruled.majority, overruled.consensus, overruled.is_known) == ("b", "a", True)
    assert overruled.evidence == "It is known to be a. 3 say b."


def test_the_majority_is_overruled_by_those_who_are_right_more_often():
    wrong = {"a": "b", "b": "c", "c": "a"}
    rows = [{1: k, 2: k, 3: k, 8: wrong[k], 9: wrong[wrong[k]]} for k in "abc" * 12] + [{1: "a", 8: "b", 9: "b"}]
    snapshot = votes(*rows, pred_probs=probabilities(*"abc" * 12, "a"))
    (row,) = insights.overruled_majorities(snapshot, shown(snapshot)).rows
    assert (row.task, row.consensus, row.majority) == (37, "a", "b")
    assert row.evidence.startswith("2 say b, 1 says a. The classifier says a (80 %). Those who say a are right ")
