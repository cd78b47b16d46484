import numpy as np
import pytest

from crowdcore import Crowd, majority_vote
from crowdcore.votes.majority import vote


def test_the_label_given_most_often_wins():
    crowd = Crowd.from_wide([[0, 0, 1], [2, 1, 2], [1, -1, -1]])
    assert majority_vote(crowd).tolist() == [0, 2, 1]


def test_first_the_model_breaks_a_tie():
    crowd = Crowd.from_wide([[0, 1], [0, 1], [0, 0]])
    P = [[0.3, 0.7], [0.6, 0.4], [0.1, 0.9]]
    assert majority_vote(crowd, P).tolist() == [1, 0, 0]


def test_the_model_chooses_only_among_the_tied_labels():
    crowd = Crowd.from_wide([[0, 1], [2, 2]])
    assert majority_vote(crowd, [[0.1, 0.2, 0.7], [0, 0, 1]])[0] == 1


def test_then_the_rarer_class_wins():
    crowd = Crowd.from_wide([[0, 1], [0, 0], [0, -1]])
    assert majority_vote(crowd)[0] == 1
    assert majority_vote(crowd, np.full((3, 2), 0.5))[0] == 1


def test_then_the_better_annotators_win():
    # both classes are chosen seven times; the first annotator is right elsewhere, the second is not
    wide = [[0, 1, -1, -1], [1, 0, 1, 1], [0, 1, 0, 0], [1, -1, 1, -1], [0, -1, -1, 0]]
    crowd = Crowd.from_wide(wide)
    assert crowd.counts.sum(axis=0).tolist() == [7, 7]
    labels, random = vote(crowd, np.empty((0, *crowd.counts.shape)), 0)
    assert labels[0] == 0
    assert not random.any()


def test_last_comes_chance_and_the_seed_decides_it():
    crowd = Crowd.from_wide(np.tile([0, 1], (200, 1)))
    labels, random = vote(crowd, np.empty((0, *crowd.counts.shape)), 0)
    assert random.all()
    assert 60 < labels.sum() < 140
    assert (majority_vote(crowd, seed=3) == majority_vote(crowd, seed=3)).all()
    assert (majority_vote(crowd, seed=3) != majority_vote(crowd, seed=4)).any()


def test_chance_leaves_the_global_generator_alone():
    crowd = Crowd.from_wide([[0, 1], [0, 1]])
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the legacy state is what is tested
    majority_vote(crowd)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_all_tied_is_a_case_and_not_a_crash(theirs):
    labels = np.array([[0.0, 1.0], [1.0, 0.0]])
    with pytest.raises(ValueError, match="cannot be empty"):
        theirs.get_majority_vote_label(labels)
    assert set(majority_vote(Crowd.from_wide(labels))) <= {0, 1}


def test_a_task_without_answers():
    crowd = Crowd.from_wide([[0, 0], [-1, -1]], classes=[0, 1, 2])
    assert majority_vote(crowd).tolist() == [0, -1]
    assert majority_vote(crowd, [[0, 0, 1], [0.2, 0.2, 0.6]]).tolist() == [0, 2]


def test_an_ensemble_breaks_ties_by_its_mean():
    crowd = Crowd.from_wide([[0, 1]])
    assert majority_vote(crowd, [[[0.4, 0.6]], [[0.8, 0.2]]]).tolist() == [0]


def test_the_tutorials_majority_vote(toy):
    crowd = Crowd.from_wide(toy["labels"], classes=range(3))
    assert np.mean(majority_vote(crowd) == toy["truth"]) == pytest.approx(0.858108, abs=5e-7)
