"""Known answers by task, for every kind; and what is not answered."""

import pandas as pd
import pytest

from crowdcore.kinds import AnswerTable, label_sets, numbers, rankings, regions, texts
from crowdcore.kinds.region import Box, Region

ONE, OTHER = (Region(Box(0, 0, 4, 4), "a"),), (Region(Box(5, 5, 4, 4), "b"),)
KINDS = [
    (numbers, 1.0, 2.0),
    (label_sets, frozenset("a"), frozenset("b")),
    (texts, "the cat", "a dog"),
    (rankings, ("a", "b"), ("b", "a")),
    (regions, ONE, OTHER),
]


def table(one, other, *, tasks=("x", "y")):
    return AnswerTable.from_codes([0, 0, 1, 1], [0, 1, 0, 1], [one, one, other, other], tasks=tasks, annotators="vw")


@pytest.mark.parametrize(("consensus", "one", "other"), KINDS)
@pytest.mark.parametrize("form", [dict, pd.Series])
def test_known_answers_are_told_by_task(consensus, one, other, form):
    known = form({"y": other, "x": one})
    found = consensus(table(one, other), known=known)
    told = list(found.consensus.tolist())
    assert found.quality.tolist() == [1.0, 1.0]
    assert told == consensus(table(one, other), known=[one, other]).consensus.tolist()
    assert consensus(table(one, other), known=form({"y": other})).known.tolist() == [False, True]


@pytest.mark.parametrize(("consensus", "one", "other"), KINDS)
@pytest.mark.parametrize("known", ["xy", {"z": None}, 5, [None]])
def test_what_is_no_answer_by_task_is_refused(consensus, one, other, known):
    with pytest.raises(ValueError, match="known has"):
        consensus(table(one, other), known=known)


@pytest.mark.parametrize(("consensus", "one", "other"), KINDS)
def test_a_frame_is_no_table_of_answers(consensus, one, other):
    with pytest.raises(TypeError, match=r"are a DataFrame; pass an AnswerTable, .*from_long"):
        consensus(table(one, other).to_long())


@pytest.mark.parametrize(("known", "found"), [(["b", "a"], ("b", "a")), ({"x": ["b", "a"]}, {"x": ("b", "a")})])
def test_a_known_ranking_comes_back_as_others_do(known, found):
    answer = {"x": ("a", "b")} if isinstance(known, dict) else ("a", "b")
    assert rankings(table(answer, answer), known=[known, None]).consensus[0] == found


@pytest.mark.parametrize(("consensus", "one", "other"), KINDS)
def test_a_task_without_answers_has_no_consensus_and_quality_0(consensus, one, other):
    found = consensus(table(one, other, tasks=("x", "y", "z")))
    assert found.quality[2] == 0.0
    assert found.quality[0] > 0.0


@pytest.mark.parametrize(("consensus", "one", "other"), KINDS)
def test_a_table_without_tasks_is_fine(consensus, one, other):
    found = consensus(AnswerTable.from_codes([], [], [], tasks=[], annotators=["v"]))
    assert len(found.quality) == 0


def test_other_answers_are_as_many():
    with pytest.raises(ValueError, match="Found 1 answers for the 4"):
        table(1.0, 2.0).with_values([1.0])


def test_an_item_that_is_none_has_one_place():
    with pytest.raises(ValueError, match="None more than once"):
        rankings(AnswerTable.from_codes([0], [0], [("a", None, None)], tasks="t", annotators="v"))


@pytest.mark.parametrize("threshold", [float("nan"), -1, 2, "x", True])
def test_a_threshold_of_regions_is_a_share(threshold):
    with pytest.raises(ValueError, match="threshold is"):
        regions(table(ONE, OTHER), threshold=threshold)
