"""The consensus of classes that have an order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdcore import Crowd, hierarchical_dawid_skene
from crowdcore.kinds import ordered
from tests.crowdcore.hierarchical.test_consensus import crowds

law = settings(max_examples=30)


def draw_degrees(K=5, N=300, M=12, each=3, seed=0):
    """A crowd that errs to the classes beside the true one, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(K, size=N)
    wide = np.full((N, M), -1)
    for i in range(N):
        who = rng.choice(M, each, replace=False)
        wide[i, who] = np.clip(truth[i] + rng.choice([-1, 0, 1], each, p=[0.2, 0.6, 0.2]), 0, K - 1)
    return Crowd.from_wide(wide, classes=range(K)), truth


@law
@given(crowds())
def test_what_is_believed_of_annotators_is_hierarchical_dawid_skenes_to_the_last_bit(case):
    wide, P, _ = case
    crowd = Crowd.from_wide(wide, classes=range(P.shape[1]))
    for model in (None, P):
        believed, result = hierarchical_dawid_skene(crowd, model), ordered(crowd, model)
        for name in ("quality_interval", "annotator_weights", "class_prior", "known"):
            assert np.array_equal(getattr(result, name), getattr(believed, name)), name
        assert np.array_equal(result.annotators.quality, believed.annotators.quality)


def test_few_answers_are_believed_by_how_near_they_are():
    crowd, truth = draw_degrees(N=100, M=8)
    believed, result = hierarchical_dawid_skene(crowd), ordered(crowd)
    assert np.abs(result.consensus - truth).mean() < np.abs(believed.consensus - truth).mean()
    assert result.posterior.sum(axis=1) == pytest.approx(1)
    many, _ = draw_degrees(N=8000, M=8)
    assert ordered(many).posterior == pytest.approx(hierarchical_dawid_skene(many).posterior, abs=0.01)


@law
@given(crowds())
def test_the_consensus_is_the_median_of_the_posterior(case):
    wide, P, _ = case
    result = ordered(Crowd.from_wide(wide, classes=range(P.shape[1])), P)
    below = result.posterior.cumsum(axis=1)
    there = np.flatnonzero(result.consensus >= 0)  # a model that says nothing is left out
    at = there, result.consensus[there]
    assert (below[at] >= 0.5 - 1e-6).all()
    assert (below[at] - result.posterior[at] <= 0.5 + 1e-6).all()
    assert (result.within_one >= result.quality - 1e-9).all()
    assert (result.within_one <= 1).all()


@law
@given(crowds())
def test_classes_from_the_other_end_are_the_same(case):
    wide, P, _ = case
    K = P.shape[1]
    one = ordered(Crowd.from_wide(wide, classes=range(K)), P)
    other = ordered(Crowd.from_wide(np.where(wide < 0, -1, K - 1 - wide), classes=range(K)), P[:, ::-1])
    tied = np.isclose(one.posterior.cumsum(axis=1), 0.5).any(axis=1)  # two classes are the median: the lower is taken
    clear = ~tied & (one.consensus >= 0)
    assert np.array_equal(one.consensus[clear], K - 1 - other.consensus[clear])


def test_it_is_nearer_to_the_truth_than_the_most_probable_class():
    crowd, truth = draw_degrees()
    believed, result = hierarchical_dawid_skene(crowd), ordered(crowd)
    assert np.abs(result.consensus - truth).mean() <= np.abs(believed.consensus - truth).mean()
    assert result.within_one.mean() == pytest.approx((np.abs(result.consensus - truth) <= 1).mean(), abs=0.1)


def test_without_answers_there_is_no_class_and_known_ones_stay():
    crowd = Crowd.from_wide([[0, 4, None], [None, None, None], [2, 2, 2]], classes=range(5))
    result = ordered(crowd, known_labels=[4, -1, -1])
    assert result.labels.tolist() == [4, None, 2]
    assert result.quality[0] == 1
    assert np.isfinite(result.within_one).all()
    assert result.distance.tolist() == [4, 0, 0, 0, 0]
    empty = ordered(Crowd.from_codes([], [], [], tasks="ab", annotators="x", classes=range(3)))
    assert empty.labels.tolist() == [None, None]


@given(st.integers(1, 3))
@settings(max_examples=3)
def test_what_is_wrong_is_said_as_for_classes(K):
    crowd = Crowd.from_wide([[0] * 3], classes=range(K))
    with pytest.raises(ValueError, match="pred_probs has shape"):
        ordered(crowd, np.ones((1, K + 1)))
