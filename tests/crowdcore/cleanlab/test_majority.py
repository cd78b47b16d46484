"""Cleanlab's rule for ties, which only its own wing follows."""

import numpy as np
import pytest

from crowdcore import Crowd, crowdlab
from crowdcore.cleanlab.majority import vote
from crowdcore.cleanlab_api import get_majority_vote_label


def by_votes(crowd, seed=0):
    return vote(crowd, np.empty((0, *crowd.counts.shape)), seed)


def test_first_the_model_breaks_a_tie():
    crowd = Crowd.from_wide([[0, 1], [0, 1], [0, 0]])
    P = [[0.3, 0.7], [0.6, 0.4], [0.1, 0.9]]
    assert vote(crowd, np.array([P]))[0].tolist() == [1, 0, 0]


def test_then_the_rarer_class_wins():
    crowd = Crowd.from_wide([[0, 1], [0, 0], [0, -1]])
    assert by_votes(crowd)[0][0] == 1
    assert vote(crowd, np.full((1, 3, 2), 0.5))[0][0] == 1
    assert crowdlab(crowd, consensus_method="majority_vote").consensus[0] == 1


def test_then_the_better_annotators_win():
    # both classes are chosen seven times; the first annotator is right elsewhere, the second is not
    wide = [[0, 1, -1, -1], [1, 0, 1, 1], [0, 1, 0, 0], [1, -1, 1, -1], [0, -1, -1, 0]]
    crowd = Crowd.from_wide(wide)
    assert crowd.counts.sum(axis=0).tolist() == [7, 7]
    labels, random = by_votes(crowd)
    assert labels[0] == 0
    assert not random.any()


def test_last_comes_chance_and_the_seed_decides_it():
    crowd = Crowd.from_wide(np.tile([0, 1], (200, 1)))
    labels, random = by_votes(crowd)
    assert random.all()
    assert 60 < labels.sum() < 140
    assert (by_votes(crowd, seed=3)[0] == by_votes(crowd, seed=3)[0]).all()
    assert (by_votes(crowd, seed=3)[0] != by_votes(crowd, seed=4)[0]).any()


def test_all_tied_is_a_case_and_not_a_crash(theirs):
    labels = np.array([[0.0, 1.0], [1.0, 0.0]])
    with pytest.raises(ValueError, match="cannot be empty"):
        theirs.get_majority_vote_label(labels)
    assert set(get_majority_vote_label(labels)) <= {0, 1}


def test_a_task_without_answers():
    crowd = Crowd.from_wide([[0, 0], [-1, -1]], classes=[0, 1, 2])
    assert by_votes(crowd)[0].tolist() == [0, -1]
    assert vote(crowd, np.array([[[0, 0, 1], [0.2, 0.2, 0.6]]]))[0].tolist() == [0, 2]


def test_the_tutorials_majority_vote(toy):
    crowd = Crowd.from_wide(toy["labels"], classes=range(3))
    assert np.mean(by_votes(crowd)[0] == toy["truth"]) == pytest.approx(0.858108, abs=5e-7)
