"""What must hold for every crowd and every aggregator."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from crowdcore import Crowd
from crowdcore.aggregate import (
    EBCC,
    GLAD,
    IBCC,
    MACE,
    DawidSkene,
    DawidSkeneClust,
    FastDawidSkene,
    OneCoinDawidSkene,
    run_method,
)
from tests.crowdcore.aggregate.every_method import WAYS, base, crowds, crowds_for, evidence, fit

law = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# with a few iterations: near a saddle EM blows rounding up, until orders do differ
OPTIONS = {
    "mace": {"n_restarts": 1, "n_iter": 5},
    "dawid-skene": {"n_iter": 5},
    "fast-dawid-skene": {"n_iter": 5},
    "one-coin-dawid-skene": {"n_iter": 5},
    "wds": {"n_iter": 5},
    "glad": {"n_iter": 3},
    "ibcc": {"n_iter": 5},
    "ebcc": {"n_iter": 5, "n_restarts": 2},
    "dawid-skene-clust": {"n_iter": 3, "n_restarts": 1, "n_clusters": 1},
    "kos": {"n_iter": 5},
    "mmsr": {"n_iter": 5},
    "zero-based-skill": {"n_iter": 5},
    "iwmv": {"n_iter": 5},
    "empirical-bayes": {"n_iter": 5},
    "feature-em": {"n_iter": 2, "classifier": LogisticRegression(C=1.0, tol=1e-8, max_iter=1000)},
    "hierarchical-dawid-skene": {"classifier": LogisticRegression(C=1.0, tol=1e-8, max_iter=1000)},
}
CLIMBING = [
    DawidSkene(), DawidSkene(confusion_prior=0.5, class_prior=1.0), FastDawidSkene(), OneCoinDawidSkene(),
    OneCoinDawidSkene(right_prior=2, wrong_prior=1), GLAD(), MACE(n_restarts=2), MACE(n_restarts=2, method="em"),
    DawidSkeneClust(n_restarts=1), DawidSkeneClust(n_clusters=3, n_restarts=1),
    IBCC(tol=-np.inf, n_iter=50), IBCC(right_prior=0.5, wrong_prior=0.1, class_prior=3.0), EBCC(n_restarts=2),
    EBCC(n_restarts=3, n_subtypes=2, subtype_prior=5.0),
]  # fmt: skip
# twice as much of the same: priors and bounds count for less, memberships are surer, a message hears its own echo
NOT_LINEAR = {
    "glad", "mace", "ibcc", "ebcc", "dawid-skene-clust", "kos", "mmsr", "feature-em", "hierarchical-dawid-skene",
}  # fmt: skip
# but for the floor under the chances of labels that were given, which matters where all else is impossible
NEARLY_LINEAR = {"dawid-skene", "fast-dawid-skene", "one-coin-dawid-skene", "wds", "empirical-bayes"}


def fitted(name, crowd, P, X):
    return fit(name, crowd, P, X, **OPTIONS.get(base(name), {}))


def close(a, b):
    return np.allclose(a, b, rtol=0, atol=1e-6, equal_nan=True)


@st.composite
def cases(draw, name):
    """A wide matrix, its number of classes, a generator, and a model's probabilities and features."""
    wide, K, rng = draw(crowds_for(name))
    return wide, K, rng, *evidence(len(wide), K, seed=rng.integers(2**32))


@pytest.mark.parametrize("name", WAYS)
@law
@given(data=st.data())
def test_probabilities_are_probabilities(name, data):
    wide, K, _, P, X = data.draw(cases(name))
    found = fitted(name, Crowd.from_wide(wide, classes=range(K)), P, X)
    assert np.allclose(found.probas_.sum(axis=1), 1, rtol=0, atol=1e-12)
    assert (found.probas_ >= 0).all()
    assert (found.probas_ <= 1 + 1e-12).all()
    labelled = found.codes_ >= 0
    assert np.array_equal(np.isnan(found.quality_), ~labelled)
    assert ((found.quality_[labelled] >= 0) & (found.quality_[labelled] <= 1 + 1e-12)).all()


@pytest.mark.parametrize("name", WAYS)
@law
@given(data=st.data())
def test_names_and_order_of_tasks_do_not_matter(name, data):
    wide, K, rng, P, X = data.draw(cases(name))
    order = rng.permutation(len(wide))
    a = fitted(name, Crowd.from_wide(wide, classes=range(K)), P, X)
    b = fitted(name, Crowd.from_wide(wide[order], classes=range(K)), P[order], X[order])
    assert close(a.probas_[order], b.probas_)
    assert close(a.quality_[order], b.quality_)


@pytest.mark.parametrize("name", WAYS)
@law
@given(data=st.data())
def test_names_and_order_of_annotators_do_not_matter(name, data):
    wide, K, rng, P, X = data.draw(cases(name))
    order = rng.permutation(wide.shape[1])
    a = fitted(name, Crowd.from_wide(wide, classes=range(K)), P, X)
    b = fitted(name, Crowd.from_wide(wide[:, order], classes=range(K)), P, X)
    assert close(a.probas_, b.probas_)
    for what in ("skills_", "confusion_"):
        if hasattr(a, what):
            assert np.allclose(getattr(a, what)[order], getattr(b, what), rtol=0, atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("name", WAYS)
@law
@given(data=st.data())
def test_names_and_order_of_classes_do_not_matter(name, data):
    wide, K, rng, P, X = data.draw(cases(name))
    order = rng.permutation(K)
    a = fitted(name, Crowd.from_wide(wide, classes=range(K)), P, X)
    b = fitted(name, Crowd.from_wide(wide, classes=order), P[:, order], X)
    assert close(a.probas_[:, order], b.probas_)
    assert close(a.quality_, b.quality_)


@pytest.mark.parametrize("name", [name for name in WAYS if base(name) not in NOT_LINEAR | NEARLY_LINEAR])
@law
@given(data=st.data())
def test_having_every_task_twice_keeps_the_posteriors(name, data):
    wide, K, _, P, X = data.draw(cases(name))
    once, twice = fit(name, Crowd.from_wide(wide, classes=range(K)), P, X), _doubled(name, wide, K, P, X)
    assert close(twice.probas_, np.vstack([once.probas_, once.probas_]))
    assert close(twice.quality_, np.tile(once.quality_, 2))


@pytest.mark.parametrize("name", [name for name in WAYS if base(name) in NEARLY_LINEAR])
@pytest.mark.parametrize("seed", range(3))
def test_having_every_task_of_a_usual_crowd_twice_keeps_the_posteriors(generated, name, seed):
    crowd = generated(60, 6, 3, seed)
    wide = np.full((60, 6), -1)
    wide[crowd.task, crowd.annotator] = crowd.label
    P, X = evidence(60, 3)
    once, twice = fit(name, crowd, P, X), _doubled(name, wide, 3, P, X)
    assert close(twice.probas_, np.vstack([once.probas_, once.probas_]))


def _doubled(name, wide, K, P, X):
    crowd = Crowd.from_wide(np.vstack([wide, wide]), classes=range(K))
    return fit(name, crowd, np.vstack([P, P]), np.vstack([X, X]))


# these rate an annotator by tasks, whoever is right on them
NOT_RATING = {"active-label-cleaning"}


@pytest.mark.parametrize("name", [name for name in WAYS if name not in NOT_RATING])
@law
@given(
    num_classes=st.integers(2, 4),
    num_others=st.integers(3, 5),
    agreeing=st.integers(1, 10),
    opposing=st.integers(1, 10),
    seed=st.integers(0, 2**32 - 1),
)
def test_who_agrees_with_everybody_is_not_rated_below_who_agrees_with_nobody(
    name, num_classes, num_others, agreeing, opposing, seed
):
    K = 2 if WAYS[name].binary else num_classes
    rng = np.random.default_rng(seed)
    truth = rng.integers(K, size=agreeing + opposing + 5)
    truth[:K] = range(K)
    wide = np.full((len(truth), num_others + 2), -1)
    wide[:, 1:-1] = truth[:, None]
    with_first, with_last = np.split(rng.permutation(len(truth))[: agreeing + opposing], [agreeing])
    wide[with_first, 0] = truth[with_first]
    wide[with_last, -1] = (truth[with_last] + rng.integers(1, K, size=opposing)) % K
    P, X = evidence(len(truth), K, seed)
    P = P / 3
    P[np.arange(len(truth)), truth] += 2 / 3  # the model agrees with the first, too
    found = run_method(WAYS[name], Crowd.from_wide(wide, classes=range(K)), pred_probs=P, features=X)
    skill = found.annotators_frame()["skill"].to_numpy()
    assert skill[0] >= skill[num_others + 1] - 1e-9


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
