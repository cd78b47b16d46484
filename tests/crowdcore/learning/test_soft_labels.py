"""Logistic regression on soft labels against scikit-learn's on repeated rows."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from crowdcore.learning.soft_labels import SoftLogisticRegression


def examples(seed, K, N=80, d=6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, d)), rng.dirichlet(np.full(K, 0.5), size=N)


def repeated(X, T, C):
    """scikit-learn's regression, each row once for each class, with weights."""
    row, label = np.nonzero(T)
    dense = X.toarray() if sparse.issparse(X) else X
    return LogisticRegression(C=C, tol=1e-6, max_iter=2000).fit(dense[row], label, sample_weight=T[row, label])


@pytest.mark.parametrize("K", [2, 3, 7])
@pytest.mark.parametrize("C", [0.05, 2.0])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_it_is_scikit_learns_with_repeated_rows(K, C, kind):
    X, T = examples(K, K)
    X, T = kind(np.where(np.abs(X) > 0.5, X, 0.0)), np.where(T > 0.05, T, 0.0)
    ours, theirs = SoftLogisticRegression(C).fit(X, T), repeated(X, T, C)
    assert np.allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-3)
    assert np.allclose(ours.coef_[:, :-1], theirs.coef_, atol=5e-3)


def test_hard_labels_are_labels():
    X, T = examples(0, 4)
    label = T.argmax(axis=1)
    ours, theirs = SoftLogisticRegression(1.0).fit(X, np.eye(4)[label]), LogisticRegression(tol=1e-6).fit(X, label)
    assert np.allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-3)


@pytest.mark.parametrize("K", [2, 4])
def test_where_it_starts_does_not_matter(K):
    X, T = examples(1, K)
    cold = SoftLogisticRegression(1.0).fit(X, T)
    warm = SoftLogisticRegression(1.0).fit(X, T[::-1]).fit(X, T)
    assert np.allclose(cold.predict_proba(X), warm.predict_proba(X), atol=2e-3)


@pytest.mark.parametrize("K", [2, 3])
def test_far_away_it_is_sure_and_finite(K):
    X, T = examples(2, K)
    chances = SoftLogisticRegression(1.0).fit(X, T).predict_proba(1e6 * X)
    assert np.isfinite(chances).all()
    assert np.allclose(chances.sum(axis=1), 1)
