import numpy as np
import pytest

from crowdcore import Crowd, crowdlab
from crowdcore.votes.majority import tally_answers

NOTHING = np.full(9, -1)


def test_agreement_is_the_share_of_the_other_annotators_that_agree():
    crowd = Crowd.from_wide([[0, 0, 1], [1, 1, -1], [0, -1, 0]])
    # the first: 1 of 2 others, 1 of 1, 1 of 1
    assert tally_answers(crowd, NOTHING[:3])[1].agreement == pytest.approx([3 / 4, 2 / 3, 1 / 3])


def test_who_shares_no_task_gets_the_mean_of_those_who_do():
    crowd = Crowd.from_wide([[0, 0, -1, -1], [0, 1, -1, -1], [-1, -1, 1, -1]])
    assert tally_answers(crowd, NOTHING[:3])[1].agreement == pytest.approx([0.5] * 4)
    crowd = Crowd.from_wide([[0, -1], [-1, 1]])
    assert np.isnan(tally_answers(crowd, NOTHING[:2])[1].agreement).all()


def test_a_known_truth_is_one_more_answer():
    crowd = Crowd.from_wide([[0, 0], [1, -1]], classes=[0, 1])
    assert tally_answers(crowd, np.array([1, 1]))[1].agreement == pytest.approx([2 / 3, 1 / 2])


def worst(wide, P=None, **options):
    return crowdlab(Crowd.from_wide(wide), P, **options).annotators.worst_class.tolist()


def test_the_worst_class_is_the_one_most_often_wrong_when_given():
    wide = [[0, 0, 0], [1, 0, 0], [1, 1, 1], [1, 2, 2], [2, 2, 2], [0, -1, -1]]
    assert worst(wide)[0] == 1


def test_ties_for_the_worst_class_go_to_the_one_given_most_often():
    assert worst([[0, 0, 0], [1, 1, 1], [1, 1, 1]]) == [1, 1, 1]


def test_then_to_the_one_given_to_tasks_of_higher_quality():
    P = [[0.6, 0.4], [0.1, 0.9]]
    assert worst([[0, 0], [1, 1]], P) == [1, 1]
    assert worst([[0, 0], [1, 1]], [[0.9, 0.1], [0.4, 0.6]]) == [0, 0]


def test_then_to_the_first():
    assert worst([[0, 0], [1, 1]]) == [0, 0]


def test_the_tutorials_annotators(toy):
    crowd = Crowd.from_codes(
        *(np.nonzero(toy["labels"] >= 0)),
        toy["labels"][toy["labels"] >= 0],
        tasks=range(len(toy["labels"])),
        annotators=toy["annotator_ids"],
        classes=range(3),
    )
    frame = crowdlab(crowd, toy["pred_probs"]).annotators_frame()
    printed = {
        "A0050": 0.244981,
        "A0047": 0.295979,
        "A0049": 0.324197,
        "A0046": 0.355316,
        "A0048": 0.439732,
        "A0031": 0.523205,
        "A0034": 0.535313,
        "A0021": 0.606999,
        "A0015": 0.609526,
        "A0011": 0.621103,
    }
    assert frame["quality"].head(10).round(6).to_dict() == printed
    assert list(frame.index[:10]) == list(printed)
