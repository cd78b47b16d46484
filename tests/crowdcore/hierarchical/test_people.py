"""Annotators who are no people, such as models that answer every task, are judged by people first."""

import numpy as np
import pytest

from crowdcore import Crowd, hierarchical_dawid_skene


def crowd_and_truth(seed, says):
    """Two of fifteen people answer each of 200 tasks, right in seven of ten; a sixteenth annotator answers all."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(4, size=200)
    wrong = (truth[:, None] + rng.integers(1, 4, size=(200, 15))) % 4
    wide = np.where(rng.random((200, 15)) < 0.7, truth[:, None], wrong)
    wide[rng.random(wide.shape).argsort(axis=1).argsort(axis=1) >= 2] = -1
    return Crowd.from_wide(np.column_stack([wide, says(rng, truth)]), classes=range(4)), truth


PEOPLE = np.arange(16) < 15


def accuracies(says):
    """How right the consensus is: of people alone, with the sixteenth judged by people, and with it as one of them."""
    found = []
    for seed in range(8):
        crowd, truth = crowd_and_truth(seed, says)
        alone = hierarchical_dawid_skene(crowd.select_answers(PEOPLE[crowd.annotator]))
        results = alone, hierarchical_dawid_skene(crowd, people=PEOPLE), hierarchical_dawid_skene(crowd)
        found.append([(one.consensus == truth).mean() for one in results])
    return np.mean(found, axis=0)


def test_one_that_always_says_the_same_does_not_make_its_class_the_usual_one():
    alone, judged, as_one = accuracies(lambda rng, truth: np.zeros(200, np.int64))
    assert judged > alone - 0.05
    assert judged > as_one


def test_a_good_one_helps():
    alone, judged, _ = accuracies(lambda rng, truth: np.where(rng.random(200) < 0.95, truth, (truth + 1) % 4))
    assert judged > alone + 0.1


def test_people_alone_are_everybody():
    crowd, _ = crowd_and_truth(1, lambda rng, truth: truth)
    one, other = hierarchical_dawid_skene(crowd), hierarchical_dawid_skene(crowd, people=np.ones(16, bool))
    np.testing.assert_array_equal(one.posterior, other.posterior)
    with pytest.raises(ValueError, match="people must have True or False for each of the 16 annotators"):
        hierarchical_dawid_skene(crowd, people=[True])
