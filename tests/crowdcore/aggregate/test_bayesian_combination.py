"""IBCC and EBCC, against the authors' algorithm in plain numpy and their published figures."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import digamma, gammaln, logsumexp

from crowdcore import Crowd
from crowdcore.aggregate import EBCC, IBCC
from crowdcore.aggregate.classes.colours import colours, draw_shares
from tests.crowdcore.aggregate.every_method import crowds

law = settings(max_examples=15, deadline=None)


def reference(crowd, in_classes, n_iter, a_pi=0.1, alpha=1.0, a_v=4.0, b_v=1.0):
    """Do what the authors' ebcc.py does (Li, Rubinstein & Cohn 2019), from these shares of the subtypes."""
    said = np.zeros((len(crowd.tasks), len(crowd.annotators), len(crowd.classes)))
    said[crowd.task, crowd.annotator, crowd.label] = 1
    K, G = in_classes.shape[1:]
    beta = np.eye(K)[:, None] * (a_v - b_v) + b_v
    rho = in_classes * (crowd.counts / crowd.num_answers[:, None])[:, :, None]
    for _ in range(n_iter):
        eta, nu = a_pi / G + rho.sum(axis=0), alpha + rho.sum(axis=(0, 2))
        mu = beta + np.einsum("ijl,ikm->jkml", said, rho)
        log_tau, log_pi, log_v = (digamma(p) - digamma(p.sum(axis=-1, keepdims=True)) for p in (nu, eta, mu))
        joint = log_tau[:, None] + log_pi + np.einsum("ijl,jkml->ikm", said, log_v)
        rho = np.exp(joint - logsumexp(joint, axis=(1, 2), keepdims=True))
    bound = logsumexp(joint, axis=(1, 2)).sum() - divergence(nu, alpha) - divergence(eta, a_pi / G)
    return rho.sum(axis=2), bound - divergence(mu, beta)


def divergence(p, q):
    """Return the Kullback-Leibler divergence of Dirichlet distributions."""
    q = np.broadcast_to(q, p.shape)
    constants = [gammaln(x.sum(axis=-1)).sum() - gammaln(x).sum() for x in (p, q)]
    return constants[0] - constants[1] + ((p - q) * (digamma(p) - digamma(p.sum(axis=-1, keepdims=True)))).sum()


@st.composite
def answered(draw):
    """A crowd in which every task has an answer."""
    wide, K, rng = draw(crowds())
    wide[:, 0] = np.where(wide[:, 0] < 0, rng.integers(K, size=len(wide)), wide[:, 0])
    return Crowd.from_wide(wide, classes=range(K))


@law
@given(answered(), st.sampled_from([1, 2, 10]))
def test_ibcc_is_the_authors(crowd, n_iter):
    fitted = IBCC(n_iter=n_iter, tol=-np.inf).fit(crowd)
    probas, bound = reference(crowd, np.ones((*crowd.counts.shape, 1)), n_iter)
    assert np.allclose(fitted.probas_, probas, rtol=0, atol=1e-6)
    assert fitted.objective_ == pytest.approx(bound, abs=1e-6)


@law
@given(answered(), st.sampled_from([1, 2, 10]), st.integers(2, 4), st.integers(0, 5))
def test_ebcc_is_the_best_of_the_authors_runs_from_its_starts(crowd, n_iter, n_subtypes, seed):
    options = {"n_subtypes": n_subtypes, "n_iter": n_iter, "tol": -np.inf}
    fitted = EBCC(n_restarts=3, seed=seed, **options).fit(crowd)
    unknown = np.full(len(crowd.tasks), -1)
    first = np.zeros((*crowd.counts.shape, n_subtypes))
    first[:, :, 0] = 1
    drawn = [draw_shares(*colours(crowd, unknown), n_subtypes, seed + start) for start in (1, 2)]
    runs = [reference(crowd, start, n_iter) for start in (first, *drawn)]
    assert fitted.objective_ == pytest.approx(max(bound for _, bound in runs), abs=1e-5)
    near = [probas for probas, bound in runs if bound > fitted.objective_ - 1e-5]
    assert min(np.abs(fitted.probas_ - probas).max() for probas in near) < 1e-6


@law
@given(crowds())
def test_with_one_subtype_ebcc_is_ibcc(case):
    crowd = Crowd.from_wide(case[0], classes=range(case[1]))
    one, fitted = IBCC().fit(crowd), EBCC(n_subtypes=1).fit(crowd)
    assert np.allclose(fitted.probas_, one.probas_, rtol=0, atol=1e-9)
    assert fitted.objective_ == pytest.approx(one.objective_)
    assert np.allclose(fitted.confusion_, one.confusion_, rtol=0, atol=1e-9)


@law
@given(crowds())
def test_confusion_is_the_prior_and_what_the_posteriors_say_of_the_answers(case):
    wide, K, _ = case
    crowd = Crowd.from_wide(wide, classes=range(K))
    fitted = IBCC(right_prior=3.0, wrong_prior=0.5).fit(crowd)
    expected = np.tile(0.5 + 2.5 * np.eye(K), (wide.shape[1], 1, 1))
    np.add.at(expected.transpose(0, 2, 1), (crowd.annotator, crowd.label), fitted.probas_[crowd.task])
    assert np.allclose(fitted.confusion_, expected / expected.sum(axis=2, keepdims=True), rtol=0, atol=1e-9)
    several = EBCC().fit(crowd).confusion_
    assert np.allclose(several.sum(axis=2), 1)
    assert (several > 0).all()


@law
@given(crowds(), st.booleans())
def test_known_labels_are_held_in_all_subtypes(case, one_known):
    wide, K, rng = case
    known = np.where(rng.random(len(wide)) < 0.3, rng.integers(K, size=len(wide)), -1)
    known[1:] = -1 if one_known else known[1:]
    told = known >= 0
    for method in (IBCC(), EBCC(n_restarts=2, n_subtypes=3)):
        fitted = method.fit(Crowd.from_wide(wide, classes=range(K)), known)
        assert np.allclose(fitted.probas_[told], np.eye(K)[known[told]], rtol=0, atol=1e-12)


@law
@given(crowds())
def test_colours_do_not_depend_on_ids_or_their_order(case):
    wide, K, rng = case
    rows, columns, classes = (rng.permutation(size) for size in (*wide.shape, K))
    known = np.where(rng.random(len(wide)) < 0.2, rng.integers(K, size=len(wide)), -1)
    again = np.argsort(classes)
    a = colours(Crowd.from_wide(wide, classes=range(K)), known)
    other = Crowd.from_wide(wide[rows][:, columns], classes=classes)
    b = colours(other, np.where(known >= 0, again[known], -1)[rows])
    assert np.array_equal(a[0][rows], b[0])
    assert np.array_equal(a[1][classes], b[1])


def test_tasks_have_the_same_colour_if_they_have_the_same_answers(generated):
    crowd = generated(300, 15, 3)
    wide = np.full((300, 15), -1)
    wide[crowd.task, crowd.annotator] = crowd.label
    twice = Crowd.from_wide(np.vstack([wide, wide]), classes=range(3))
    tasks, classes = colours(twice, np.full(600, -1))
    assert np.array_equal(tasks[:300], tasks[300:])
    assert len(np.unique(tasks)) == len(np.unique(wide, axis=0))
    assert len(np.unique(classes)) == 3
    told, _ = colours(twice, np.where(np.arange(600) == 0, 1, -1))
    assert told[0] != told[300]


def test_shares_are_drawn_evenly():
    shares = draw_shares(np.arange(4000, dtype=np.uint64), np.arange(3, dtype=np.uint64), 5, seed=0)
    assert np.allclose(shares.sum(axis=2), 1)
    assert np.allclose(shares.mean(axis=0), 1 / 5, atol=0.015)  # five standard errors
    assert np.allclose(shares.std(axis=0), np.sqrt(4 / 25 / 6), atol=0.015)  # of a flat Dirichlet distribution
    assert np.abs(np.corrcoef(shares.reshape(4000, 15), rowvar=False)[:5, 5:]).max() < 0.08
    assert not np.allclose(shares, draw_shares(np.arange(4000, dtype=np.uint64), np.arange(3, dtype=np.uint64), 5, 1))


@pytest.mark.parametrize("method", [IBCC(), EBCC()], ids=repr)
def test_whole_runs_do_not_depend_on_the_order_of_anything(generated, method):
    crowd = generated(300, 12, 3)
    wide = np.full((300, 12), -1)
    wide[crowd.task, crowd.annotator] = crowd.label
    rng = np.random.default_rng(0)
    rows, columns, classes = (rng.permutation(size) for size in (300, 12, 3))
    a = method.fit(crowd).probas_
    b = method.fit(Crowd.from_wide(wide[rows][:, columns], classes=classes)).probas_
    assert np.allclose(a[rows][:, classes], b, rtol=0, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_subtypes_show_who_errs_together(seed):
    """Three of seven annotators mostly repeat each other: each class has tasks where they are right, and others."""
    rng = np.random.default_rng(seed)
    truth, right = rng.integers(2, size=500), rng.random((500, 7)) < 0.8
    alone = Crowd.from_wide(np.where(right, truth[:, None], 1 - truth[:, None]))
    right[:, :3] = (rng.random((500, 3)) < 0.95) == (rng.random(500) < 0.7)[:, None]
    together = Crowd.from_wide(np.where(right, truth[:, None], 1 - truth[:, None]))
    assert (EBCC().fit(alone).subtype_shares_[:, 0] > 0.99).all()
    fitted, independent = EBCC().fit(together), IBCC().fit(together)
    assert fitted.subtype_shares_[:, 1].max() > 0.2
    assert fitted.objective_ > independent.objective_ + 20
    assert np.allclose(fitted.subtype_shares_.sum(axis=1), 1)


PUBLISHED = [
    (IBCC(), "adult", 0.744745),
    (IBCC(), "bluebird", 0.888889),
    (IBCC(), "cf", 0.883333),
    (IBCC(), "sp", 0.914983),
    (IBCC(), "trec", 0.705495),
    (IBCC(), "zencrowd-in", 0.769608),
    (EBCC(), "bluebird", 0.861111),
    (EBCC(), "cf", 0.883333),
    (EBCC(), "zencrowd-in", 0.780882),
]


@pytest.mark.parametrize(("method", "name", "accuracy"), PUBLISHED)
def test_the_authors_accuracies(shared, method, name, accuracy):
    """Of github.com/yuan-li/truth-inference-at-scale; there repeated answers count, and EBCC has 40 starts."""
    folder = shared / "crowds" / name
    answers = pd.read_csv(folder / "answers.csv").drop_duplicates(["task", "annotator"])
    truth = pd.read_csv(folder / "truth.csv").set_index("task")["truth"]
    fitted = method.fit(answers)
    found = pd.Series(fitted.labels_, index=fitted.crowd_.tasks)[truth.index]
    assert np.mean(found == truth) == pytest.approx(accuracy, abs=0.003)
