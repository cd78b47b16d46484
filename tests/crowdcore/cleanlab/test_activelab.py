import numpy as np
import pytest

from crowdcore import (
    Crowd,
    active_learning_scores,
    activelab,
    apply_temperature,
    crowdlab,
    fit_temperature,
    majority_vote,
)


def by_hand(crowd, P):
    """ActiveLab's definition, written out."""
    K = len(crowd.classes)
    Q = apply_temperature(P, fit_temperature(crowd, P))
    answered = crowd.num_answers > 0
    result = crowdlab(crowd.select_tasks(answered), Q[answered])
    quality = np.full(len(P), np.nan)
    quality[answered] = result.quality
    average = result.annotator_weights.mean()
    scores = []
    for i in range(len(P)):
        backing = result.model_weight + result.annotator_weights[crowd.annotator[crowd.task == i]].sum()
        believed = quality[i] if answered[i] else Q[i].max()
        scores.append((believed * backing + average / K) / (backing + average))
    return np.array(scores)


@pytest.mark.parametrize("seed", range(10))
def test_the_definition_written_out(draw, seed):
    crowd, P = draw(seed, density=0.2)
    assert (crowd.num_answers == 0).any()
    assert np.allclose(activelab(crowd, P), by_hand(crowd, P), rtol=0, atol=1e-12)


def test_one_call_is_enough_for_both(draw):
    crowd, P = draw(1)
    result = crowdlab(crowd, P, calibrate_probs=True)
    assert np.array_equal(active_learning_scores(result), activelab(crowd, P))
    raw = activelab(crowd, P, calibrate_probs=False)
    assert np.array_equal(active_learning_scores(crowdlab(crowd, P)), raw)


def test_an_answer_that_agrees_makes_a_task_less_urgent():
    P = [[0.8, 0.2], [0.8, 0.2], [0.8, 0.2], [0.3, 0.7], [0.2, 0.8]]
    crowd = Crowd.from_wide([[0, -1, 0], [0, 0, 0], [-1, -1, -1], [1, 1, -1], [1, 0, 1]])
    scores = activelab(crowd, P)
    assert scores[2] < scores[0] < scores[1]


def test_without_a_model_a_task_without_answers_scores_chance():
    crowd = Crowd.from_wide([[0, 0], [1, 1], [-1, -1]], classes=range(4))
    scores = activelab(crowd)
    assert scores[2] == 0.25
    assert scores[2] == scores.min()


def test_without_any_answer_the_least_sure_prediction_comes_first():
    crowd = Crowd.from_wide(np.full((3, 2), -1), classes=[0, 1])
    P = np.array([[0.9, 0.1], [0.5, 0.5], [0.3, 0.7]])
    assert activelab(crowd, P) == pytest.approx((P.max(axis=1) + 0.5) / 2)


def test_with_single_answers_the_model_judges_them():
    crowd = Crowd.from_wide([[0, -1], [-1, 1], [-1, -1]])
    P = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]])
    assert activelab(crowd, P) == pytest.approx([(0.9 * 2 + 0.5) / 3, (0.4 * 2 + 0.5) / 3, (0.7 + 0.5) / 2])


def test_models_vote_on_a_task_without_answers(draw):
    crowd, P = draw(2, density=0.3)
    models = np.stack([P, np.roll(P, 1, axis=0), np.roll(P, 2, axis=0)])
    result = crowdlab(crowd, models)
    alone = crowd.num_answers == 0
    votes = Crowd.from_wide(models[:, alone].argmax(axis=2).T, classes=range(3))
    assert np.array_equal(result.consensus[alone], majority_vote(votes, models[:, alone].mean(axis=0)))
    share = result.posterior[alone, result.consensus[alone]]
    assert np.array_equal(result.quality[alone], share)


def test_a_known_task_needs_no_more_labels(draw):
    crowd, P = draw(3)
    known = np.full(len(P), -1)
    known[[0, 5]] = 1
    scores = activelab(crowd, P, known_labels=known)
    assert (scores[[0, 5]] == 1).all()
    assert (np.delete(scores, [0, 5]) < 1).all()


def test_the_tutorials_set_with_the_right_temperature(toy):
    """The scores in the file carry cleanlab's error; with it, the temperature is at the end of the range."""
    crowd = Crowd.from_wide(toy["labels"], classes=range(3))
    assert fit_temperature(crowd, toy["pred_probs"]) < 7.25
    at_the_end = crowdlab(crowd, apply_temperature(toy["pred_probs"], cleanlabs_temperature(crowd, toy)))
    assert np.abs(active_learning_scores(at_the_end) - toy["activelab_scores"]).max() < 1e-12


def cleanlabs_temperature(crowd, toy):
    """Fit the temperature to votes counted as cleanlab counts them: labels that occur, in the first places."""
    counts = np.zeros_like(crowd.counts)
    for i, row in enumerate(crowd.counts):
        occur = row[row > 0]
        counts[i, : len(occur)] = occur
    return fit_temperature(counts, toy["pred_probs"])
