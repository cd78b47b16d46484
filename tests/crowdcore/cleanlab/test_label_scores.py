import numpy as np
import pytest

from crowdcore.cleanlab.label_scores import adjusted, class_thresholds, label_scores

P = np.array([[0.7, 0.2, 0.1], [0.1, 0.45, 0.45], [1.0, 0.0, 0.0]])
ROW, LABEL = np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, 0, 1])


def test_self_confidence_is_the_probability():
    assert label_scores(P, ROW, LABEL, "self_confidence").tolist() == [0.7, 0.2, 0.45, 1.0, 0.0]


def test_normalized_margin_compares_with_the_largest_other():
    assert label_scores(P, ROW, LABEL, "normalized_margin") == pytest.approx([0.75, 0.25, 0.5, 1.0, 0.0])


def test_confidence_weighted_entropy_is_one_for_certainty_and_zero_for_the_impossible():
    scores = label_scores(P, ROW, LABEL, "confidence_weighted_entropy")
    e = -sum(p * np.log(p) for p in P[0]) / np.log(3) / np.array([0.7, 0.2])
    assert scores[:2] == pytest.approx(np.log(e + 1) / e)
    assert scores[3:].tolist() == [1.0, 0.0]


def test_cleanlab_scores_certainty_zero(parity):
    score = parity.rank.get_confidence_weighted_entropy_for_each_label
    assert score(np.array([0]), np.array([[1.0, 0.0]])).tolist() == [0.0]


@pytest.mark.parametrize("score", ["self_confidence", "normalized_margin", "confidence_weighted_entropy"])
def test_a_lone_class_is_certain(score):
    assert label_scores(np.ones((2, 1)), np.arange(2), np.zeros(2, int), score).tolist() == [1, 1]


def test_adjusting_makes_classes_comparable_within_a_group():
    group = np.array([0, 0, 0, 1, 1])
    thresholds = class_thresholds(P, ROW, LABEL, group, 2)
    assert thresholds[0] == pytest.approx([0.7, 0.325, 2])  # the last class is never used
    assert thresholds[1] == pytest.approx([1.0, 2e-6, 2])
    moved = adjusted(P[ROW], thresholds[group])
    assert moved[0] == pytest.approx(np.array([2.0, 1.875, 0.1]) / 3.975)
    assert moved.sum(axis=1) == pytest.approx(np.ones(5))
