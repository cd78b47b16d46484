"""A classifier that judges tasks it has not learned from."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from crowdcore import Crowd
from crowdcore.learning import OutOfFold, SoftLinearDiscriminant, SoftLogisticRegression


def tasks(seed=0, N=90, K=3, d=4):
    """A crowd in which every sixth task has no answers, features, and beliefs."""
    rng = np.random.default_rng(seed)
    truth = np.arange(N) % K
    wide = np.repeat(truth[:, None], 2, axis=1)
    wide[::6] = -1
    X = np.eye(K, d)[truth] + rng.normal(scale=0.4, size=(N, d))
    beliefs = rng.dirichlet(np.full(K, 0.3), size=N) * 0.4 + 0.6 * np.eye(K)[truth]
    return Crowd.from_wide(wide, classes=range(K)), X, beliefs, truth


def judged(crowd, X, beliefs, classifier=None, **options):
    return OutOfFold(crowd, X, classifier, np.full(len(crowd.tasks), -1), **options).judge(beliefs)


@pytest.mark.parametrize("K", [2, 3])
def test_what_learns_soft_labels_learns_what_scikit_learn_does_from_repeated_tasks(K):
    crowd, X, beliefs, truth = tasks(K=K)
    found = judged(crowd, X, beliefs, SoftLogisticRegression())
    assert np.allclose(found, judged(crowd, X, beliefs, LogisticRegression(C=5 / 4, tol=1e-6)), atol=2e-3)
    assert np.mean(found.argmax(axis=1) == truth) > 0.75


@pytest.mark.parametrize("K", [2, 3])
def test_dense_features_are_judged_by_regression_and_discriminant_analysis(K):
    crowd, noise, _, truth = tasks(K=K, N=180, d=40)
    X, beliefs = noise + np.random.default_rng(1).normal(size=(K, 40))[truth], np.eye(K)[truth]
    both = [judged(crowd, X, beliefs, one) for one in (SoftLogisticRegression(), SoftLinearDiscriminant())]
    found, told = judged(crowd, X, beliefs), crowd.num_answers > 0

    def loss(P):
        return -np.vdot(beliefs[told], np.log(P[told]))

    product = np.sqrt(both[0] * both[1])
    assert loss(found) <= min(loss(both[0]), loss(product / product.sum(axis=1, keepdims=True)))
    assert not np.allclose(found, both[0])
    assert np.mean(found.argmax(axis=1) == truth) > 0.75


def test_a_classifier_that_fits_the_features_ill_does_not_count():
    rng = np.random.default_rng(0)
    far = np.arange(300) % 2 == 1  # the classes have the same mean: only how far away they are tells them apart
    angle = rng.uniform(0, 2 * np.pi, 300)
    place = np.where(far, 4.0, 1.0)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    X = np.column_stack([np.abs(place).sum(axis=1) ** 8, place])
    crowd = Crowd.from_wide(far[:, None].astype(int), classes=range(2))
    found = judged(crowd, X, np.eye(2)[far.astype(int)])
    assert np.allclose(found, judged(crowd, X, np.eye(2)[far.astype(int)], SoftLogisticRegression()))


def test_a_task_is_not_judged_by_its_own_beliefs():
    crowd, X, beliefs, _ = tasks()
    before, turned = judged(crowd, X, beliefs), beliefs.copy()
    turned[1] = beliefs[1, ::-1]
    after = judged(crowd, X, turned)
    assert np.array_equal(after[1], before[1])
    assert not np.allclose(after, before)


def test_the_only_task_with_answers_is_not_judged_by_its_own():
    crowd = Crowd.from_wide([[0, 0], [-1, -1]], classes=range(3))
    found = judged(crowd, np.eye(2), np.array([[1.0, 0, 0], [1 / 3, 1 / 3, 1 / 3]]))
    assert np.allclose(found[0], 1 / 3)
    assert found[1].argmax() == 0


def test_tasks_without_answers_are_judged_and_no_examples():
    crowd, X, beliefs, _ = tasks()
    turned = beliefs.copy()
    turned[::6] = beliefs[::6, ::-1]
    assert np.array_equal(judged(crowd, X, turned), judged(crowd, X, beliefs))


def test_known_labels_make_examples():
    crowd, X, beliefs, _ = tasks()
    none = Crowd.from_wide(np.full((90, 2), -1), classes=range(3))
    known = np.where(crowd.num_answers > 0, 0, -1)
    assert np.allclose(OutOfFold(none, X, None, known).judge(beliefs), judged(crowd, X, beliefs))


def test_the_order_of_tasks_does_not_matter():
    crowd, X, beliefs, _ = tasks()
    order = np.random.default_rng(1).permutation(90)
    assert np.allclose(
        judged(crowd.select_tasks(order), X[order], beliefs[order]), judged(crowd, X, beliefs)[order], atol=1e-6
    )


def test_judging_again_is_judging_anew():
    crowd, X, beliefs, _ = tasks()
    learner = OutOfFold(crowd, X, None, np.full(90, -1))
    learner.judge(beliefs[:, ::-1])
    assert np.allclose(learner.judge(beliefs), judged(crowd, X, beliefs), atol=2e-3)


def test_sparse_features_are_features_for_regression():
    crowd, X, beliefs, _ = tasks()
    assert np.allclose(
        judged(crowd, sparse.csr_matrix(X), beliefs, standardize=False),
        judged(crowd, X, beliefs, SoftLogisticRegression(), standardize=False), atol=1e-3,
    )  # fmt: skip


def test_nothing_is_impossible():
    crowd, X, beliefs, _ = tasks()
    beliefs = np.where(np.arange(3) == 2, 0.0, beliefs)
    found = judged(crowd, X, beliefs / beliefs.sum(axis=1, keepdims=True))
    assert (found > 0).all()
    assert found[:, 2].max() < 0.05
    assert np.allclose(found.sum(axis=1), 1)
    only = judged(crowd, X, np.tile([1.0, 0.0, 0.0], (90, 1)))
    assert (only.argmax(axis=1) == 0).all()


def test_without_examples_all_classes_are_alike():
    _, X, beliefs, _ = tasks()
    none = Crowd.from_wide(np.full((90, 2), -1), classes=range(3))
    assert np.allclose(judged(none, X, beliefs), 1 / 3)
