"""Linear discriminant analysis on soft labels against scikit-learn's, and its laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from crowdcore.learning import SoftLinearDiscriminant, SoftLogisticRegression


def examples(seed, K, N=60, d=5):
    """Features of classes that lie apart, and how far each example is of each."""
    rng = np.random.default_rng(seed)
    truth = np.arange(N) % K
    X = rng.normal(size=(N, d)) + rng.normal(size=(K, d))[truth]
    return X, 0.6 * np.eye(K)[truth] + 0.4 * rng.dirichlet(np.full(K, 0.5), size=N)


@pytest.mark.parametrize("K", [2, 5])
@pytest.mark.parametrize("shrinkage", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("d", [4, 90])  # fewer features than examples, and more
def test_of_as_many_sure_labels_of_each_class_it_is_scikit_learns(K, shrinkage, d):
    X, label = examples(K, K, d=d)[0] + 3, np.arange(60) % K
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(X, label)
    ours = SoftLinearDiscriminant(shrinkage, temperature=1).fit(X, np.eye(K)[label])
    assert np.allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-9)


@pytest.mark.parametrize("d", [4, 90])
def test_a_mean_of_few_examples_is_known_to_be_too_long(d):
    rng, size = np.random.default_rng(0), np.array([40, 15, 5])
    label = np.repeat(np.arange(3), size)
    X = rng.normal(size=(60, d)) + rng.normal(size=(3, d))[label]
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.5, store_covariance=True).fit(X, label)
    within = sum(np.cov(X[label == k].T, bias=True) * size[k] / 60 for k in range(3))
    shrunk = within / 2 + np.trace(within) / d / 2 * np.eye(d)
    logits = theirs.decision_function(X) + np.trace(np.linalg.solve(shrunk, within)) / 2 / size
    ours = SoftLinearDiscriminant(0.5, temperature=1).fit(X, np.eye(3)[label])
    assert np.allclose(ours.predict_proba(X), softmax(logits, axis=1), atol=1e-9)


@given(st.integers(0, 10**6), st.integers(2, 5))
@settings(max_examples=20, deadline=None)
def test_classes_and_examples_in_another_order_give_the_same(seed, K):
    X, T = examples(seed, K)
    rng = np.random.default_rng(seed)
    order, classes = rng.permutation(len(X)), rng.permutation(K)
    found = SoftLinearDiscriminant().fit(X, T).predict_proba(X)
    assert np.allclose(SoftLinearDiscriminant().fit(X[order], T[order]).predict_proba(X), found, atol=1e-8)
    assert np.allclose(SoftLinearDiscriminant().fit(X, T[:, classes]).predict_proba(X), found[:, classes], atol=1e-8)


@given(st.integers(0, 10**6), st.floats(1e-3, 1e3))
@settings(max_examples=20, deadline=None)
def test_neither_the_unit_of_weights_nor_of_features_matters(seed, unit):
    X, T = examples(seed, 3)
    found = SoftLinearDiscriminant().fit(X, T).predict_proba(X)
    assert np.allclose(SoftLinearDiscriminant().fit(X, unit * T).predict_proba(X), found, atol=1e-8)
    assert np.allclose(SoftLinearDiscriminant().fit(unit * X - 7, T).predict_proba(unit * X - 7), found, atol=1e-6)


@pytest.mark.parametrize("X", [np.zeros((6, 2)), np.eye(2)[[0, 1, 0, 1, 0, 1]]], ids=["all alike", "alike in a class"])
def test_features_without_spread_are_no_failure(X):
    T = np.eye(2)[[0, 1, 0, 1, 0, 1]]
    found = SoftLinearDiscriminant().fit(X, T).predict_proba(X)
    assert np.allclose(found.sum(axis=1), 1)
    assert np.allclose(found, 0.5) if not X.any() else (found.argmax(axis=1) == T.argmax(axis=1)).all()


def test_errors_that_many_share_are_seen_through():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 600)
    X = rng.normal(size=(600, 40)) + rng.normal(scale=0.7, size=(3, 40))[truth]
    said = np.where((truth == 0) & (rng.random(600) < 0.45), 1, truth)  # nearly half of one class is called another
    T = np.eye(3)[said]

    def right(kind):
        return np.mean(kind.fit(X[:300], T[:300]).predict_proba(X[300:]).argmax(axis=1) == truth[300:])

    assert right(SoftLinearDiscriminant()) > right(SoftLogisticRegression()) + 0.03
