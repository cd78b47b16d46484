"""Confusion matrices and accuracies hold the truth as often as their intervals say."""

import numpy as np
import pytest
from scipy.stats import beta

from crowdcore import Crowd, crowdlab
from crowdcore.aggregate import DawidSkene, MajorityVote
from crowdcore.identify import credible_confusions, honeypot_scores
from crowdcore.simulation import independent_confusion


def ordinary(seed, n_tasks, n_annotators, n_classes, **options):
    """A crowd whose annotators are right with chances that are Beta(8, 3), and wrong in a way of their own."""
    rng = np.random.default_rng(seed)
    right = rng.beta(8, 3, size=(n_annotators, n_classes))
    matrices = np.empty((n_annotators, n_classes, n_classes))
    for j, k in np.ndindex(n_annotators, n_classes):
        wrong = rng.dirichlet(np.ones(n_classes - 1)) * (1 - right[j, k])
        matrices[j, k] = np.insert(wrong, k, right[j, k])
    return independent_confusion(n_tasks, n_annotators, n_classes, confusions=matrices, seed=seed, **options)


def held(found, made):
    """Shares of the accuracies, and of the entries of confusion matrices, within their intervals."""
    accuracy = made.annotator_accuracy
    return [
        np.mean((found.accuracy_low <= accuracy) & (accuracy <= found.accuracy_high)),
        np.mean((found.low <= made.confusions) & (made.confusions <= found.high)),
    ]


SHAPES = [(300, 30, 3, 5), (300, 60, 4, 4), (400, 25, 2, 4), (200, 5, 4, 5)]


def by_truth(made):
    return made.truth


def by_half_the_truth(made):
    return np.where(np.arange(len(made.truth)) % 2, made.truth, -1)


def by_dawid_skene(made):
    K = len(made.crowd.classes)
    return DawidSkene(confusion_prior=np.eye(K) + 1 / K).fit(made.crowd)


@pytest.mark.parametrize("truth", [by_truth, by_half_the_truth, by_dawid_skene])
@pytest.mark.parametrize("shape", SHAPES)
def test_intervals_of_90_percent_hold_the_accuracy_in_about_as_many_cases(shape, truth):
    *sizes, per_task = shape
    crowds = [ordinary(seed, *sizes, answers_per_task=per_task) for seed in range(max(15, 300 // sizes[1]))]
    accuracy, entries = np.mean([held(credible_confusions(made.crowd, truth(made)), made) for made in crowds], axis=0)
    assert 0.85 <= accuracy <= (0.95 if truth is not by_half_the_truth else 0.97)  # of few answers rather too wide
    assert 0.82 <= entries <= 0.95


def test_intervals_are_wider_where_the_truth_is_only_estimated():
    made = ordinary(1, 400, 25, 2, answers_per_task=3)
    known = credible_confusions(made.crowd, made.truth)
    estimated = credible_confusions(made.crowd, by_dawid_skene(made))
    assert np.mean(estimated.accuracy_high - estimated.accuracy_low) > 1.2 * np.mean(
        known.accuracy_high - known.accuracy_low
    )


def test_with_known_truth_and_a_given_strength_everything_is_dirichlet():
    crowd = Crowd.from_wide([["a", "a"], ["a", "b"], ["b", "b"], ["b", None]])
    found = credible_confusions(crowd, {0: "a", 1: "a", 2: "b"}, strength=4, coverage=0.8)
    assert found.counts.tolist() == [[[2, 0], [0, 1]], [[1, 1], [0, 1]]]
    pooled = np.array([[3.5, 1.5], [0.5, 2.5]]) / [[5], [3]]
    alpha = found.counts + 4 * pooled
    rest = alpha[:, :, ::-1]
    assert np.allclose(found.mean, alpha / (alpha + rest))
    assert np.allclose(found.low, beta.ppf(0.1, alpha, rest))
    assert np.allclose(found.high, beta.ppf(0.9, alpha, rest))
    right, share = np.array([3, 2]), 5.5 / 7
    assert np.allclose(found.accuracy, (right + 4 * share) / 7)
    assert np.allclose(found.accuracy_low, beta.ppf(0.1, right + 4 * share, 3 - right + 4 * (1 - share)))
    assert found.num_judged.tolist() == [3, 3]


def test_few_answers_are_drawn_to_the_others_and_many_speak_for_themselves():
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=400)
    wide = np.where(rng.random((400, 12)) < rng.beta(8, 2, size=12), truth[:, None], 1 - truth[:, None])
    wide = np.column_stack([wide, 1 - truth, np.where(np.arange(400) < 3, 1 - truth, -1)])
    found = credible_confusions(Crowd.from_wide(wide), truth)
    others = found.accuracy[:12].mean()
    assert found.accuracy[12] < 0.02
    assert 0.1 < found.accuracy[13] < others
    assert found.accuracy_high[13] - found.accuracy_low[13] > 5 * (found.accuracy_high[12] - found.accuracy_low[12])


def test_all_ways_to_tell_the_truth_are_the_same():
    made = ordinary(3, 60, 6, 3)
    crowd = made.crowd
    expected = credible_confusions(crowd, made.truth).to_frame()
    posterior = np.eye(3)[made.truth]
    fitted = DawidSkene(n_iter=1).fit(crowd)
    fitted.probas_ = posterior
    for truth in (posterior, fitted, dict(enumerate(made.truth.tolist())), crowdlab(crowd, known_labels=made.truth)):
        assert credible_confusions(crowd, truth).to_frame().equals(expected)
    assert credible_confusions(crowd.to_long(), made.truth).to_frame().equals(expected)


def test_the_order_of_rows_and_the_names_of_annotators_do_not_matter():
    made = ordinary(4, 80, 7, 3, answers_per_task=3)
    frame, truth = made.crowd.to_long(), dict(enumerate(made.truth.tolist()))
    names = dict(enumerate("gcebfad"))
    a = credible_confusions(frame, truth).to_frame()
    b = credible_confusions(frame.sample(frac=1, random_state=0).replace({"annotator": names}), truth).to_frame()
    assert np.allclose(a.to_numpy(), b.loc[list(names.values())].to_numpy(), rtol=0, atol=1e-6)


def test_whoever_cannot_be_judged_has_no_figures():
    crowd = Crowd.from_wide([[0, 1, None], [None, 1, None]])
    found = credible_confusions(crowd, [0, -1])
    assert np.isnan(found.accuracy).tolist() == [False, False, True]
    assert np.isnan(found.mean).all(axis=(1, 2)).tolist() == [False, False, True]
    assert credible_confusions(crowd, [-1, -1]).to_frame()["accuracy"].isna().all()


def test_a_single_class_is_certain():
    found = credible_confusions(Crowd.from_wide([[5, 5], [5, 5]]), [0, 0])
    assert found.mean.ravel().tolist() == found.low.ravel().tolist() == found.high.ravel().tolist() == [1, 1]


def test_the_frame_of_confusions_has_a_row_for_each_entry():
    crowd = Crowd.from_wide([["a", "b"], ["b", "b"]])
    found = credible_confusions(crowd, [0, 1])
    frame = found.confusions_frame()
    assert list(frame.index.names) == ["annotator", "truth", "label"]
    assert frame.loc[(1, "a", "b"), "chance"] == found.mean[1, 0, 1]
    assert frame["count"].sum() == 4


CROWD = Crowd.from_wide([[0, 1], [1, 1]])
BAD = [
    (DawidSkene(), {}, "This DawidSkene is not fitted. Call fit"),
    (None, {}, "truth is None; pass a fitted aggregator"),
    ([0], {}, r"known_labels has shape \(1,\)"),
    ({3: 0}, {}, "task 3 is not among the 2 tasks"),
    ([[0.5, 0.5]], {}, r"shape \(1, 2\); expected \(2, 2\)"),
    ([0, 1], {"coverage": 0}, "coverage is 0; it must lie between 0 and 1"),
    ([0, 1], {"strength": 0}, "strength is 0; it must be a number of answers above 0"),
    (MajorityVote().fit(Crowd.from_wide([[0, 1]])), {}, r"shape \(1, 2\); expected \(2, 2\)"),
]


@pytest.mark.parametrize(("truth", "options", "message"), BAD)
def test_an_error_says_what_was_found_and_what_is_allowed(truth, options, message):
    with pytest.raises(ValueError, match=message):
        credible_confusions(CROWD, truth, **options)


def test_honeypots_by_hand():
    crowd = Crowd.from_wide([["a", "a", None, None], ["b", "a", None, "a"], ["a", "a", "a", None]])
    found = honeypot_scores(crowd, {0: "a", 1: "b"})
    assert found.num_honeypots.tolist() == [2, 2, 0, 1]
    assert found.num_right.tolist() == [2, 1, 0, 0]
    assert found.accuracy[[0, 1, 3]].tolist() == [1, 0.5, 0]
    assert found.high[0] == 1
    assert found.low[3] == 0
    assert found.low[1] == pytest.approx(beta.ppf(0.05, 1.5, 1.5))
    assert found.above_chance[1] == pytest.approx(0.5)
    assert found.to_frame().iloc[2, 2:].isna().all()


def test_honeypots_tell_who_guesses():
    made = independent_confusion(400, 2, 4, confusions=[np.full((4, 4), 0.25), np.eye(4) * 0.6 + 0.1], seed=0)
    guesser, able = honeypot_scores(made.crowd, np.where(np.arange(400) < 100, made.truth, -1)).above_chance
    assert able > 0.999
    assert guesser < 0.95


def test_honeypot_intervals_hold_the_accuracy():
    found, true = [], []
    for seed in range(20):
        made = ordinary(seed, 25, 30, 3)
        found.append(honeypot_scores(made.crowd, made.truth))
        true.append(made.annotator_accuracy)
    inside = [np.mean((one.low <= p) & (p <= one.high)) for one, p in zip(found, true, strict=True)]
    assert 0.85 <= np.mean(inside) <= 0.95
