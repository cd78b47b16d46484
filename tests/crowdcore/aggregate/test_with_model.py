"""Methods that are given a model's probabilities or features, on cases whose result can be worked out."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from crowdcore import Crowd, majority_vote
from crowdcore.aggregate import (
    CROWDLAB,
    ActiveLabelCleaning,
    Agreement,
    DawidSkene,
    EmpiricalBayes,
    FeatureEM,
    LabelQualityScore,
    ModelAlone,
    SharedWeight,
)
from tests.crowdcore.aggregate.every_method import as_crowd, crowds, evidence

law = settings(max_examples=25, deadline=None)


@law
@given(crowds())
def test_one_more_annotator_is_one_more_column(case):
    wide, K, rng = case
    added = rng.integers(-1, K, size=len(wide))
    crowd = as_crowd(wide, range(K)).with_annotator("bot", added)
    expected = as_crowd(np.column_stack([wide, added]), range(K))
    for name in ("tasks", "classes", "indptr", "annotator", "label", "counts"):
        assert np.array_equal(getattr(crowd, name), getattr(expected, name))
    assert crowd.annotators.tolist() == [*range(wide.shape[1]), "bot"]


def test_active_label_cleaning_by_hand():
    crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, 1, -1]])
    P = np.array([[0.2, 0.8], [0.1, 0.9], [0.5, 0.5]])
    fitted = ActiveLabelCleaning().fit(crowd, P)
    cross = [-(2 * np.log(0.2) + np.log(0.8)) / 3, -np.log(0.9), np.log(2)]
    entropy = -(P * np.log(P)).sum(axis=1)
    scores = (cross - entropy) / np.log(2)
    assert np.allclose(fitted.scores_, scores)
    assert np.allclose(fitted.quality_, np.exp(-scores - 1))
    assert fitted.codes_[:2].tolist() == [0, 1]
    assert fitted.scores_.argmax() == 0  # a sure model against the majority


def test_active_label_cleaning_bears_probabilities_of_zero():
    fitted = ActiveLabelCleaning().fit(Crowd.from_wide([[0, 0]], classes=[0, 1]), [[0.0, 1.0]])
    assert fitted.scores_.tolist() == pytest.approx([np.log(1e6) / np.log(2)])
    assert 0 < fitted.quality_[0] < 1e-8


def test_the_majoritys_label_is_judged_by_the_votes_or_by_the_model():
    crowd = Crowd.from_wide([[0, 0, 1], [0, 1, -1]])
    P = [[0.3, 0.7], [0.4, 0.6]]
    votes, model = Agreement().fit(crowd, P), LabelQualityScore().fit(crowd, P)
    assert votes.codes_.tolist() == model.codes_.tolist() == [0, 1]  # the model breaks the tie
    assert votes.quality_.tolist() == pytest.approx([2 / 3, 1 / 2])
    assert model.quality_.tolist() == pytest.approx([0.3, 0.6])
    assert LabelQualityScore(score="normalized_margin").fit(crowd, P).quality_.tolist() == pytest.approx([0.3, 0.6])
    assert np.allclose(votes.skills_, [1 / 2, 1, 0])  # of the first: on two tasks; agreed on one
    assert np.allclose(model.skills_, [(0.3 + 0.4) / 2, (0.3 + 0.6) / 2, 0.7])
    assert np.array_equal(votes.codes_, majority_vote(crowd, P))


def test_the_model_alone_does_not_hear_the_annotators():
    P = [[0.3, 0.7], [0.4, 0.6]]
    fitted = ModelAlone().fit(Crowd.from_wide([[0, 0, 0], [0, 0, 0]], classes=[0, 1]), P)
    assert fitted.codes_.tolist() == [1, 1]
    assert fitted.quality_.tolist() == pytest.approx([0.7, 0.6])


@law
@given(crowds())
def test_empirical_bayes_is_bayes_rule(case):
    wide, K, rng = case
    crowd, P = as_crowd(wide, range(K)), rng.dirichlet(np.ones(K), size=len(wide))
    fitted = EmpiricalBayes(confusion_prior=0.5).fit(crowd, P)
    joint = np.array(P)
    for i, j in np.argwhere(wide >= 0):
        joint[i] *= fitted.confusion_[j, :, wide[i, j]]
    assert np.allclose(fitted.probas_, joint / joint.sum(axis=1, keepdims=True), rtol=0, atol=1e-6)
    assert np.array_equal(fitted.confusion_, DawidSkene(confusion_prior=0.5).fit(crowd).confusion_)


def test_no_class_is_beyond_all_answers():
    crowd = Crowd.from_wide([[0] * 8] * 9 + [[1] * 8] * 10)
    P = np.array([[0.99, 0.01]] * 9 + [[0.01, 0.99]] * 9 + [[1.0, 0.0]])
    assert EmpiricalBayes(confusion_prior=0.1).fit(crowd, P).codes_[-1] == 1


def test_shared_weight_by_hand():
    crowd = Crowd.from_wide([[0, 0, 1], [1, 1, -1], [0, -1, -1]])
    P = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    fitted = SharedWeight().fit(crowd, P)
    a = np.array([(1 + 1) / 3, (1 + 1) / 3, 0 / 2])  # agreement with the others
    model, annotators = 1 / 2, 4 / 5  # against the majority, on the tasks with two answers
    w = model / (model + annotators)
    assert fitted.model_weight_ == pytest.approx(w)
    said = np.array([[a[0] + a[1] + (1 - a[2]), (1 - a[0]) + (1 - a[1]) + a[2]], [2 - a[0] - a[1], a[0] + a[1]]])
    mean = np.vstack([said / [[3], [2]], [[a[0], 1 - a[0]]]])
    n = np.sqrt([3, 2, 1])[:, None]
    expected = w * n.mean() * P + (1 - w) * n * mean
    assert np.allclose(fitted.probas_, expected / expected.sum(axis=1, keepdims=True))


def test_without_two_answers_anywhere_the_model_is_believed():
    crowd = Crowd.from_wide([[0, -1], [-1, 1]])
    P = [[0.4, 0.6], [0.3, 0.7]]
    for method in (SharedWeight(), CROWDLAB()):
        assert np.allclose(method.fit(crowd, P).probas_, P)


@pytest.fixture
def moons():
    """Answers of three in four right, and features that tell the classes apart."""
    rng = np.random.default_rng(0)
    truth = np.arange(300) % 2
    X = np.column_stack([truth + rng.normal(scale=0.4, size=300), rng.normal(size=300)])
    wide = np.where(rng.random((300, 4)) < 0.75, truth[:, None], 1 - truth[:, None])
    wide[rng.random((300, 4)) < 0.3] = -1
    return Crowd.from_wide(wide, classes=[0, 1]), X, truth


def test_features_mend_what_the_votes_get_wrong(moons):
    crowd, X, truth = moons
    votes = np.mean(majority_vote(crowd) == truth)
    fitted = FeatureEM().fit(crowd, X)
    assert np.mean(fitted.codes_ == truth) > votes + 0.05
    silent = crowd.num_answers == 0
    assert silent.any()
    assert np.allclose(fitted.probas_[silent], fitted.pred_probs_[silent])


def test_noise_for_features_does_not_spoil_the_votes(moons):
    crowd, X, truth = moons
    noise = np.random.default_rng(1).normal(size=X.shape)
    plain, noisy = DawidSkene(confusion_prior=1.0).fit(crowd), FeatureEM().fit(crowd, noise)
    answered = crowd.num_answers > 0
    assert np.mean((noisy.codes_ == truth)[answered]) > np.mean((plain.codes_ == truth)[answered]) - 0.05


def test_sparse_features_are_features(moons):
    crowd, X, _ = moons
    X = np.abs(X)
    dense = FeatureEM(standardize=False).fit(crowd, X)
    assert np.allclose(FeatureEM(standardize=False).fit(crowd, sparse.csr_matrix(X)).probas_, dense.probas_, atol=1e-4)


def test_a_frame_of_features_is_put_into_the_crowds_order(moons):
    crowd, X, _ = moons
    frame = pd.DataFrame(X).sample(frac=1, random_state=0)
    assert np.allclose(FeatureEM(n_iter=2).fit(crowd, frame).probas_, FeatureEM(n_iter=2).fit(crowd, X).probas_)


@pytest.mark.parametrize(
    "classifier", [LogisticRegression(C=2.5), make_pipeline(PolynomialFeatures(2), LogisticRegression(C=1.0))], ids=repr
)
def test_any_classifier_with_weights_and_probabilities_will_do(moons, classifier):
    crowd, X, truth = moons
    fitted = FeatureEM(classifier).fit(crowd, X)
    assert np.mean(fitted.codes_ == truth) > 0.9
    assert not hasattr(classifier, "classes_")  # it is cloned


def test_a_class_that_only_one_fold_knows_is_possible():
    crowd = Crowd.from_wide([[0, 0]] * 6 + [[1, 1]] * 5 + [[2, 2]])
    X = evidence(12, 3)[1] + np.repeat([0.0, 4.0, 8.0], [6, 5, 1])[:, None]
    fitted = FeatureEM().fit(crowd, X)
    assert fitted.codes_[-1] == 2
    assert np.isfinite(fitted.probas_).all()


def test_one_fold_judges_what_it_has_learned_from(moons):
    crowd, X, _ = moons
    apart, within = FeatureEM().fit(crowd, X), FeatureEM(n_folds=1).fit(crowd, X)
    told = majority_vote(crowd)
    agreed = [np.mean(fitted.pred_probs_.argmax(axis=1) == told) for fitted in (apart, within)]
    assert agreed[1] >= agreed[0]


def test_every_annotators_confusion_leans_on_that_of_all(moons):
    crowd, X, _ = moons
    free, bound = FeatureEM(strength=0.1).fit(crowd, X), FeatureEM(strength=1e6).fit(crowd, X)
    assert np.ptp(bound.confusion_, axis=0).max() < 1e-3
    assert np.ptp(free.confusion_, axis=0).max() > 0.02
