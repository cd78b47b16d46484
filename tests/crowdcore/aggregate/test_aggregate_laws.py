"""What must hold for every crowd and every aggregator."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdcore import Crowd, aggregate
from crowdcore.aggregate import GLAD, MACE, DawidSkene, DawidSkeneClust, FastDawidSkene, OneCoinDawidSkene

law = settings(max_examples=25, deadline=None)
NAMES = [name for name in aggregate.__all__ if name != "Aggregator"]
# with a few iterations: near a saddle EM blows rounding up, until orders do differ
OPTIONS = {
    "MACE": {"n_restarts": 1, "n_iter": 5},
    "DawidSkene": {"n_iter": 5},
    "FastDawidSkene": {"n_iter": 5},
    "OneCoinDawidSkene": {"n_iter": 5},
    "WDS": {"n_iter": 5},
    "GLAD": {"n_iter": 3},
    "DawidSkeneClust": {"n_iter": 3, "n_restarts": 1, "n_clusters": 1},
    "KOS": {"n_iter": 5},
    "MMSR": {"n_iter": 5},
    "ZeroBasedSkill": {"n_iter": 5},
    "IWMV": {"n_iter": 5},
}
CLIMBING = [
    DawidSkene(), DawidSkene(confusion_prior=0.5, class_prior=1.0), FastDawidSkene(), OneCoinDawidSkene(),
    OneCoinDawidSkene(right_prior=2, wrong_prior=1), GLAD(), MACE(n_restarts=2), MACE(n_restarts=2, method="em"),
    DawidSkeneClust(n_restarts=1), DawidSkeneClust(n_clusters=3, n_restarts=1),
]  # fmt: skip


@st.composite
def crowds(draw):
    """A wide matrix (-1 for no answer), the number of classes, and a generator."""
    N, M, K = draw(st.integers(1, 25)), draw(st.integers(1, 7)), draw(st.integers(2, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    wide = rng.integers(K, size=(N, M))
    if draw(st.booleans()):  # most agree
        wide = np.where(rng.random((N, M)) < 0.8, np.arange(N)[:, None] % K, wide)
    wide[rng.random((N, M)) < draw(st.sampled_from([0.0, 0.3, 0.8]))] = -1
    return wide, K, rng


def aggregated(name, wide, classes):
    method = getattr(aggregate, name)(**OPTIONS.get(name, {}))
    return method.fit(Crowd.from_wide(wide, classes=classes))


def prepared(name, case):
    wide, _, rng = case
    return (np.where(wide > 1, wide % 2, wide), 2, rng) if name == "KOS" else case


def close(a, b):
    return np.allclose(a, b, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
@law
@given(crowds())
def test_probabilities_are_probabilities(name, case):
    wide, K, _ = prepared(name, case)
    fitted = aggregated(name, wide, range(K))
    assert np.allclose(fitted.probas_.sum(axis=1), 1, rtol=0, atol=1e-12)
    assert (fitted.probas_ >= 0).all()
    assert (fitted.probas_ <= 1 + 1e-12).all()


@pytest.mark.parametrize("name", NAMES)
@law
@given(crowds())
def test_the_order_of_tasks_does_not_matter(name, case):
    wide, K, rng = prepared(name, case)
    order = rng.permutation(len(wide))
    a, b = aggregated(name, wide, range(K)), aggregated(name, wide[order], range(K))
    assert close(a.probas_[order], b.probas_)


@pytest.mark.parametrize("name", NAMES)
@law
@given(crowds())
def test_the_order_of_annotators_does_not_matter(name, case):
    wide, K, rng = prepared(name, case)
    order = rng.permutation(wide.shape[1])
    a, b = aggregated(name, wide, range(K)), aggregated(name, wide[:, order], range(K))
    assert close(a.probas_, b.probas_)
    for result in ("skills_", "confusion_"):
        if hasattr(a, result):
            assert np.allclose(getattr(a, result)[order], getattr(b, result), rtol=0, atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("name", NAMES)
@law
@given(crowds())
def test_the_order_of_classes_does_not_matter(name, case):
    wide, K, rng = prepared(name, case)
    order = rng.permutation(K)
    a, b = aggregated(name, wide, range(K)), aggregated(name, wide, order)
    assert close(a.probas_[:, order], b.probas_)


@pytest.mark.parametrize("method", CLIMBING, ids=repr)
@law
@given(crowds())
def test_the_objective_never_falls(method, case):
    wide, K, _ = case
    fitted = method.fit(Crowd.from_wide(wide, classes=range(K)))
    steps = np.diff(fitted.history_)
    # as far as rounding, and the floor under the chances of labels that were given, allow
    assert (steps >= -1e-7 * (1 + np.abs(fitted.history_[1:]))).all()
    assert fitted.objective_ == fitted.history_[-1]
    assert len(fitted.history_) == fitted.n_iter_


@law
@given(crowds())
def test_the_bound_of_dawid_skene_is_the_likelihood_when_it_has_converged(case):
    wide, K, _ = case
    crowd = Crowd.from_wide(wide, classes=range(K))
    fitted = DawidSkene(tol=-np.inf, n_iter=2000).fit(crowd)
    answers = np.zeros((*wide.shape, K))
    answers[crowd.task, crowd.annotator, crowd.label] = 1
    chances = np.log(np.maximum(fitted.confusion_, 1e-300))
    joint = np.log(fitted.prior_) + np.einsum("iml,mkl->ik", answers, chances)
    joint = joint[crowd.num_answers > 0]
    top = joint.max(axis=1, initial=-np.inf)
    likelihood = (top + np.log(np.exp(joint - top[:, None]).sum(axis=1))).sum()
    assert fitted.objective_ <= likelihood + 1e-6
    assert abs(fitted.objective_ - likelihood) < 1e-2 * (1 + abs(likelihood))


RATING = ["MajorityVote", "Wawa", "ZeroBasedSkill", "IWMV", "OneCoinDawidSkene", "GLAD", "MMSR"]


@pytest.mark.parametrize("name", RATING)
@pytest.mark.parametrize("seed", range(5))
def test_who_agrees_with_everybody_is_not_rated_below_who_agrees_with_nobody(name, seed):
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=30)
    wide = np.column_stack([truth, np.tile(truth[:, None], 3), (truth + 1 + rng.integers(2, size=30)) % 3])
    skills = getattr(aggregate, name)().fit(Crowd.from_wide(wide)).skills_
    assert skills[0] > skills[-1]


def test_duplicating_all_tasks_keeps_their_posteriors(generated):
    crowd = generated(60, 6, 3)
    wide = np.full((60, 6), -1)
    wide[crowd.task, crowd.annotator] = crowd.label
    for method in (DawidSkene(), OneCoinDawidSkene(), FastDawidSkene()):
        once = method.fit_predict_proba(Crowd.from_wide(wide, classes=range(3)))
        twice = method.fit_predict_proba(Crowd.from_wide(np.vstack([wide, wide]), classes=range(3)))
        assert close(twice[:60], once)
        assert close(twice[60:], once)
