"""When a classifier and a consensus have learned enough from each other."""

import numpy as np
import pytest

from crowdcore import Crowd
from crowdcore.hierarchical.refitting import MOST_REFITS, fit_with_features

N, K = 300, 3
TRUTH = np.arange(N) % K


@pytest.fixture
def crowd():
    rng = np.random.default_rng(0)
    right = rng.random((N, 4)) < 0.7
    return Crowd.from_wide(np.where(right, TRUTH[:, None], (TRUTH[:, None] + rng.integers(1, K, (N, 4))) % K))


class Classifier:
    """One that judges as it was told, whatever it learns from; the last judgement again and again."""

    def __init__(self, *judgements):
        self.judgements, self.learned_from = list(judgements), []

    def judge(self, beliefs):
        self.learned_from.append(beliefs)
        return self.judgements[min(len(self.learned_from), len(self.judgements)) - 1]


def judgement(right, seed=0):
    """Probabilities of which so many have the truth first."""
    rng = np.random.default_rng(seed)
    label = np.where(rng.random(N) < right, TRUTH, rng.integers(0, K, N))
    return 0.7 * np.eye(K)[label] + 0.1


def fitted(crowd, classifier, P=None):
    return fit_with_features(crowd, classifier, P, np.full(N, -1), 2.0)


def test_what_makes_the_answers_less_likely_is_not_used(crowd):
    good = judgement(0.95)
    classifier = Classifier(judgement(0.5), judgement(0.7), judgement(0.8), good, judgement(0.0))
    fit, P = fitted(crowd, classifier)
    assert P is good
    assert np.array_equal(fit.pred_probs.argmax(axis=1), good.argmax(axis=1))
    assert len(classifier.learned_from) == 5


def test_it_ends_when_labels_stay(crowd):
    classifier = Classifier(judgement(0.8))
    fitted(crowd, classifier)
    assert len(classifier.learned_from) == 1 + 2


def test_it_ends(crowd):
    better = [judgement(right) for right in np.linspace(0.1, 1, 10)]
    classifier = Classifier(*better)
    _, P = fitted(crowd, classifier)
    assert len(classifier.learned_from) == 1 + MOST_REFITS
    assert P is better[MOST_REFITS]


def test_it_begins_with_the_shares_of_the_votes_or_what_is_given(crowd):
    without, given = Classifier(judgement(0.8)), Classifier(judgement(0.8))
    fitted(crowd, without)
    assert np.allclose(without.learned_from[0], crowd.counts / 4)
    fitted(crowd, given, judgement(0.8))
    assert len(given.learned_from) == len(without.learned_from) - 1
