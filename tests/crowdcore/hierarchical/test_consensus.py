"""The hierarchical Dawid-Skene model: what a user would notice, laws, and the figures on crowds with truth."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.metrics import average_precision_score

from crowdcore import Crowd, crowdlab, majority_vote
from crowdcore.aggregate import DawidSkene
from crowdcore.hierarchical.confidence import confidence_scores, least_confidence
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
from crowdcore.simulation import independent_confusion
from tests.crowdcore.drawn_crowds import crowds

ROOT = Path(__file__).parents[3]
law = settings(max_examples=40, deadline=None)
LOOSE = 1e-6
REFIT, READ_ALIKE = 0.25, 0.2
"""How far a refit may lower a quality (of 35,000 trials .20 at most, in one of 2,000 more than .02), and how far a
model's probabilities may differ that is read as before."""


def close(a, b):
    return np.allclose(a, b, rtol=0, atol=1e-9)


def alike(a, b):
    return np.allclose(a, b, rtol=0, atol=LOOSE)


def outcome(wide, P, num_classes, classes=None):
    classes = range(num_classes) if classes is None else classes
    return hierarchical_dawid_skene(Crowd.from_wide(wide, classes=classes), P)


@law
@given(crowds(), st.booleans())
def test_everything_is_a_probability(case, with_model):
    wide, P, _ = case
    result = outcome(wide, P if with_model else None, P.shape[1])
    assert np.allclose(result.posterior.sum(axis=1), 1)
    assert np.allclose(result.confusion().sum(axis=2), 1)
    low, high = result.quality_interval.T
    for values in (result.posterior, result.quality, result.label_quality, result.confidence, low, high):
        assert ((values >= 0) & (values <= 1)).all()
    assert (low <= high).all()


@law
@given(crowds())
def test_the_order_of_tasks_does_not_matter(case):
    wide, P, rng = case
    order = rng.permutation(len(wide))
    a, b = outcome(wide, P, P.shape[1]), outcome(wide[order], P[order], P.shape[1])
    assert alike(a.posterior[order], b.posterior)
    assert alike(a.annotators.quality, b.annotators.quality)
    assert alike(a.confidence[order], b.confidence)


@law
@given(crowds())
def test_the_order_of_annotators_does_not_matter(case):
    wide, P, rng = case
    order = rng.permutation(wide.shape[1])
    a, b = outcome(wide, P, P.shape[1]), outcome(wide[:, order], P, P.shape[1])
    assert alike(a.posterior, b.posterior)
    assert alike(a.annotators.quality[order], b.annotators.quality)
    assert alike(a.confusion(order), b.confusion())


@law
@given(crowds())
def test_the_order_of_classes_does_not_matter(case):
    wide, P, rng = case
    order = rng.permutation(P.shape[1])
    a, b = outcome(wide, P, P.shape[1]), outcome(wide, P[:, order], P.shape[1], classes=order)
    assert alike(a.posterior[:, order], b.posterior)
    assert alike(a.annotators.quality, b.annotators.quality)
    assert alike(a.confusion()[:, order][:, :, order], b.confusion())


@law
@given(crowds())
def test_a_task_without_answers_has_the_tempered_model(case):
    wide, P, _ = case
    wide[0] = -1
    result = outcome(wide, P, P.shape[1])
    if result.pred_probs is None:  # the model was left out
        assert close(result.posterior[0], result.class_prior)
    else:
        tempered = result.pred_probs[0] ** result.model_exponent
        assert close(result.posterior[0], tempered / tempered.sum())


@law
@given(crowds())
def test_a_known_label_is_the_consensus(case):
    wide, P, rng = case
    known = np.where(rng.random(len(wide)) < 0.4, P.argmin(axis=1), -1)
    crowd = Crowd.from_wide(wide, classes=range(P.shape[1]))
    result = hierarchical_dawid_skene(crowd, P, known_labels=known)
    told = known >= 0
    assert np.array_equal(result.consensus[told], known[told])
    assert (result.quality[told] == 1).all()
    assert (confidence_scores(result)[told] == 1).all()
    assert np.array_equal(result.known, told)


@law
@given(crowds())
def test_mixing_never_changes_the_consensus(case):
    wide, P, _ = case
    result = outcome(wide, P, P.shape[1])
    assert close(result.posterior.max(axis=1), result.quality)


@st.composite
def crowds_better_than_chance(draw):
    """A wide matrix with at least ten answers of each annotator, a model's probabilities, and a generator."""
    N, M, K = draw(st.integers(20, 50)), draw(st.integers(3, 8)), draw(st.integers(2, 5))
    answered, sharpness = draw(st.sampled_from([0.5, 0.7, 0.9])), draw(st.sampled_from([0.0, 1.0, 3.0]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth, knows = rng.integers(K, size=N), rng.uniform(0.4, 0.95, size=M)
    wide = np.where(rng.random((N, M)) < knows, truth[:, None], rng.integers(K, size=(N, M)))
    chance = rng.random((N, M))
    chance[0, 0] = 1  # at least one task can have another answer
    wide[chance > np.maximum(answered, np.sort(chance, axis=0)[9])] = -1
    return wide, softmax(rng.normal(size=(N, K)) + sharpness * np.eye(K)[truth], axis=1), rng


def read_alike(one, other):
    """Whether a model is left out of both fits, or heard in both and with about the same probabilities."""
    if one is None or other is None:
        return one is other
    return np.abs(one - other).max() < READ_ALIKE


@law
@given(crowds_better_than_chance(), st.booleans())
def test_one_more_answer_that_agrees_hardly_lowers_the_quality(case, with_model):
    wide, P, rng = case
    before = outcome(wide, P if with_model else None, P.shape[1])
    task = rng.choice(np.flatnonzero((wide < 0).any(axis=1) & (before.consensus >= 0)))
    label = before.consensus[task]
    wide[task, rng.choice(np.flatnonzero(wide[task] < 0))] = label
    after = outcome(wide, P if with_model else None, P.shape[1])
    assume(read_alike(before.pred_probs, after.pred_probs))
    assert after.posterior[task, label] >= before.quality[task] - REFIT


def test_where_all_agree_they_are_believed():
    labels = np.arange(60) % 3
    result = outcome(np.repeat(labels[:, None], 4, axis=1), None, 3)
    assert np.array_equal(result.consensus, labels)
    assert (result.quality > 0.98).all()
    assert (result.quality_interval[:, 0] > 0.9).all()


def test_without_answers_the_model_is_all_there_is():
    P = np.random.default_rng(0).dirichlet(np.ones(3), size=8)
    result = outcome(np.full((8, 2), -1), P, 3)
    assert close(result.posterior, P)
    assert np.isnan(result.agreement).all()
    assert close(result.annotators.quality, 2 / 3)  # halfway between chance and certainty


def test_without_answers_or_model_there_is_no_consensus():
    result = outcome(np.array([[0, 0], [1, 1], [1, 1], [-1, -1]]), None, 2)
    assert result.consensus[3] == -1
    assert result.labels[3] is None
    assert result.confidence[3] == 0.5
    assert result.posterior[3].argmax() == 1


@pytest.mark.parametrize("shape", [(0, 2, 3), (5, 0, 2), (6, 1, 3), (6, 3, 1)])
def test_small_crowds_are_no_error(shape):
    N, M, K = shape
    wide = np.arange(N * M).reshape(N, M) % K
    crowd = Crowd.from_codes(
        *np.nonzero(wide >= 0), wide.ravel(), tasks=range(N), annotators=range(M), classes=range(K)
    )
    for P in (None, np.full((N, K), 1 / K)):
        result = hierarchical_dawid_skene(crowd, P)
        assert result.posterior.shape == (N, K)
        assert len(result.annotators_frame()) == M


def test_probabilities_with_zeros_can_be_overruled(draw):
    crowd, P = draw(seed=3, N=400, M=6, density=0.8)
    wrong = np.where(np.arange(400) % 2, P.argmax(axis=1), P.argmin(axis=1))
    result = hierarchical_dawid_skene(crowd, np.eye(3)[wrong])
    assert np.mean(result.consensus == majority_vote(crowd)) > 0.85


def drawn(seed, N=1500, M=40, K=3, votes=4, copied=0.0):
    """A crowd some of whose answers are copied from a task's first, its truth, skills, and a model."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(K, size=N)
    skill = rng.beta(6, 3, size=M)
    annotator = rng.permuted(np.tile(np.arange(M), (N, 1)), axis=1)[:, :votes]
    wrong = (truth[:, None] + rng.integers(1, K, size=annotator.shape)) % K
    said = np.where(rng.random(annotator.shape) < skill[annotator], truth[:, None], wrong)
    said = np.where(rng.random(annotator.shape) < copied, said[:, :1], said)
    crowd = Crowd.from_codes(
        np.repeat(np.arange(N), votes), annotator.ravel(), said.ravel(),
        tasks=range(N), annotators=range(M), classes=range(K),
    )  # fmt: skip
    P = np.full((N, K), 0.1)
    P[np.arange(N), np.where(rng.random(N) < 0.8, truth, rng.integers(K, size=N))] = 0.8
    return crowd, truth, skill, P


def test_intervals_hold_what_they_promise():
    held = []
    for seed in range(3):
        crowd, _, skill, P = drawn(seed)
        low, high = hierarchical_dawid_skene(crowd, P).quality_interval.T
        held.append(np.mean((skill >= low) & (skill <= high)))
    assert np.mean(held) >= 0.95


def test_an_annotator_of_few_answers_has_a_wide_interval():
    crowd, _, _, P = drawn(0)
    one = Crowd.from_codes(
        np.append(crowd.task, 0), np.append(crowd.annotator, 40), np.append(crowd.label, 0),
        tasks=range(1500), annotators=range(42), classes=range(3),
    )  # fmt: skip
    low, high = hierarchical_dawid_skene(one, P).quality_interval.T
    assert (high - low)[40:].min() > 3 * (high - low)[:40].max() / 2


def test_a_model_that_knows_nothing_is_not_listened_to():
    crowd, truth, _, _ = drawn(1)
    noise = np.random.default_rng(0).dirichlet(np.ones(3), size=1500)
    result, alone = hierarchical_dawid_skene(crowd, noise), hierarchical_dawid_skene(crowd)
    assert result.model_exponent < 0.1
    assert np.mean(result.consensus == truth) > np.mean(alone.consensus == truth) - 0.005


def test_a_model_whose_columns_are_mixed_up_is_not_listened_to():
    crowd, truth, _, P = drawn(1)
    result = hierarchical_dawid_skene(crowd, P[:, [1, 2, 0]])
    assert np.mean(result.consensus == truth) > 0.85


@pytest.mark.parametrize("num_tasks", [6, 20])
def test_a_model_that_says_the_opposite_does_not_turn_answers_that_stand_alone_around(num_tasks):
    said = np.arange(num_tasks) % 2
    answers = np.full((num_tasks, 3), -1)
    answers[np.arange(num_tasks), np.arange(num_tasks) % 3] = said
    P = np.where(said[:, None] == [0, 1], 0.4, 0.6)
    result = outcome(answers, P, 2)
    assert result.consensus.tolist() == said.tolist()
    assert result.model_exponent == 0


def test_an_overconfident_model_is_tempered():
    crowd, _, _, P = drawn(2)
    calm = hierarchical_dawid_skene(crowd, P)
    sharp = P**3 / (P**3).sum(axis=1, keepdims=True)
    loud = hierarchical_dawid_skene(crowd, sharp)
    assert loud.model_exponent == pytest.approx(calm.model_exponent / 3, rel=0.05)
    assert np.abs(calm.posterior - loud.posterior).mean() < 0.001


def test_the_exponent_can_be_bounded():
    crowd, _, _, P = drawn(2)
    shy = P**0.2 / (P**0.2).sum(axis=1, keepdims=True)
    assert 1 < hierarchical_dawid_skene(crowd, shy).model_exponent <= 2
    assert hierarchical_dawid_skene(crowd, shy, most_exponent=1).model_exponent <= 1
    with pytest.raises(ValueError, match="most_exponent is -1; it must be"):
        hierarchical_dawid_skene(crowd, shy, most_exponent=-1)
    with pytest.raises(ValueError, match="most_exponent is '2'; it must be"):
        hierarchical_dawid_skene(crowd, shy, most_exponent="2")


def test_a_model_that_takes_rare_classes_for_common_does_no_harm():
    shares = np.array([0.9, 0.05, 0.05])
    made = independent_confusion(
        300, 10, 3, answers_per_task=3, class_shares=shares, confusions=np.tile(np.eye(3) * 0.85 + 0.05, (10, 1, 1))
    )
    logits = np.random.default_rng(0).normal(np.eye(3)[made.truth])
    found = hierarchical_dawid_skene(made.crowd, softmax(logits, axis=1))
    assert np.mean(found.consensus == made.truth) > 0.97


def test_a_model_of_random_probabilities_is_left_out():
    made = independent_confusion(
        300, 10, 3, answers_per_task=3, class_shares=[0.9, 0.05, 0.05],
        confusions=np.tile(np.eye(3) * 0.85 + 0.05, (10, 1, 1)),
    )  # fmt: skip
    found = hierarchical_dawid_skene(made.crowd, np.random.default_rng(0).dirichlet(np.ones(3), 300))
    alone = hierarchical_dawid_skene(made.crowd)
    assert (found.consensus == alone.consensus).all()
    assert found.model_exponent == found.model_weight == 0
    assert found.pred_probs is None


def test_errors_made_together_convince_less():
    apart, together = (hierarchical_dawid_skene(crowd, P) for crowd, _, _, P in (drawn(3), drawn(3, copied=0.5)))
    assert apart.correlation < 0.03 < 0.06 < together.correlation


def test_calibration_is_better_than_crowdlabs():
    for copied in (0.0, 0.3):
        crowd, truth, _, P = drawn(4, copied=copied)
        ours, theirs = hierarchical_dawid_skene(crowd, P), crowdlab(crowd, P)
        assert nll(ours.posterior, truth) < nll(theirs.posterior, truth)
        assert ece(ours, truth) < ece(theirs, truth)


def test_an_ensemble_is_its_mean(draw):
    crowd, P = draw()
    other = P[::-1]
    assert close(
        hierarchical_dawid_skene(crowd, np.stack([P, other])).posterior,
        hierarchical_dawid_skene(crowd, (P + other) / 2).posterior,
    )


def test_many_annotators_are_held_sparsely():
    rng = np.random.default_rng(0)
    N, M, K = 300, 4000, 40
    truth = rng.integers(K, size=N)
    task = np.repeat(np.arange(N), 3)
    annotator = rng.integers(M, size=N)[:, None] + [0, 1, 2]
    crowd = Crowd.from_codes(
        task, annotator.ravel() % M, np.where(rng.random(3 * N) < 0.8, truth[task], 0),
        tasks=range(N), annotators=range(M), classes=range(K),
    )  # fmt: skip
    result = hierarchical_dawid_skene(crowd)
    assert len(result.confusions.counts) <= 3 * N
    assert np.mean(result.consensus == truth) >= 0.88
    two = result.confusion([7, 3, 7])
    assert np.allclose(two.sum(axis=2), 1)
    assert np.array_equal(two[0], two[2])


def test_frames_have_crowdlabs_columns_and_an_interval():
    crowd = Crowd.from_wide([["a", "a", "b"], ["b", "b", "b"], ["a", None, "a"]])
    ours, theirs = hierarchical_dawid_skene(crowd), crowdlab(crowd)
    assert list(ours.to_frame()) == list(theirs.to_frame())
    assert list(ours.labels_frame()) == list(theirs.labels_frame())
    frame = ours.annotators_frame()
    assert list(frame.drop(columns=["low", "high"])) == list(theirs.annotators_frame())
    assert ((frame.low <= frame.quality) & (frame.quality <= frame.high)).all()
    assert np.array_equal(ours.num_answers, theirs.num_answers)


def test_activelab_can_stand_on_it(draw):
    from crowdcore import active_learning_scores

    crowd, P = draw()
    scores = active_learning_scores(hierarchical_dawid_skene(crowd, P))
    assert ((scores >= 0) & (scores <= 1)).all()


def test_features_teach_a_classifier():
    crowd, truth, _, _ = drawn(5, N=400, votes=2)
    features = np.eye(3)[truth] + np.random.default_rng(0).normal(scale=0.5, size=(400, 3))
    alone, taught = hierarchical_dawid_skene(crowd), hierarchical_dawid_skene(crowd, features=features)
    assert np.mean(taught.consensus == truth) > np.mean(alone.consensus == truth) + 0.05
    assert taught.pred_probs.shape == (400, 3)
    assert np.mean(taught.pred_probs.argmax(axis=1) == truth) > 0.8


def test_features_reach_tasks_without_answers():
    crowd, truth, _, _ = drawn(6, N=400)
    half = Crowd.from_codes(
        crowd.task[:800], crowd.annotator[:800], crowd.label[:800],
        tasks=range(400), annotators=range(40), classes=range(3),
    )  # fmt: skip
    features = np.eye(3)[truth] + np.random.default_rng(0).normal(scale=0.3, size=(400, 3))
    result = hierarchical_dawid_skene(half, features=features)
    assert np.mean(result.consensus[200:] == truth[200:]) > 0.9


def test_features_that_do_not_fit_are_refused(draw):
    crowd, _ = draw()
    with pytest.raises(ValueError, match=r"features have shape \(3, 2\); expected \(40, d\)"):
        hierarchical_dawid_skene(crowd, features=np.ones((3, 2)))


def test_least_confidence_ranks_all_tasks_on_one_scale():
    wide = [["a", "a", "a"], ["a", "b", None], [None, None, None], ["b", "b", "b"]]
    crowd = Crowd.from_wide(wide * 10)
    P = [[0.8, 0.2], [0.5, 0.5], [0.7, 0.3], [0.3, 0.7]] * 10
    scores = least_confidence(crowd, P)
    assert scores[1] < scores[2] < min(scores[0], scores[3])
    assert least_confidence(crowd)[2] == 0.5


def nll(posterior, truth):
    return -np.mean(np.log(np.maximum(posterior[np.arange(len(truth)), truth], 1e-12)))


def ece(result, truth):
    right = result.consensus == truth
    bins = np.minimum((result.quality * 15).astype(int), 14)
    return sum(
        np.mean(bins == b) * abs(result.quality[bins == b].mean() - right[bins == b].mean()) for b in np.unique(bins)
    )


def auprc(result, truth, pred_probs):
    """Average precision of low quality against error, both of the majority's labels."""
    labels = majority_vote(result.crowd, pred_probs)
    return average_precision_score(labels != truth, -result.posterior[np.arange(len(labels)), labels])


def shared_file(*names):
    path = ROOT.parent.joinpath("shared", "data", *names)
    if not path.exists():
        pytest.skip(f"the data are not there: {path}")
    return path


def test_toy(toy):
    crowd = Crowd.from_wide(toy["labels"], classes=range(3))
    result = hierarchical_dawid_skene(crowd, toy["pred_probs"])
    assert np.mean(result.consensus == toy["truth"]) >= 0.99
    assert nll(result.posterior, toy["truth"]) < 0.05


def test_cifar_like_hard():
    given = np.load(shared_file("cifar10h-hard", "c10h_semisynth_hard.npz"))
    P = np.load(shared_file("cifar10h-hard", "cifar10_test_pyx.npy"))
    truth = given["truth"].astype(int)
    crowd = Crowd.from_wide(given["labels"], classes=range(10))
    result = hierarchical_dawid_skene(crowd, P)
    assert np.mean(result.consensus == truth) >= 0.968
    assert auprc(result, truth, P) >= 0.82
    assert ece(result, truth) <= 0.012
    assert nll(result.posterior, truth) <= nll(crowdlab(crowd, P).posterior, truth) / 2


def test_labelme_with_features():
    answers = np.loadtxt(shared_file("labelme", "answers.txt")).astype(int)
    features = np.load(shared_file("labelme", "LabelMe_VGG_avg_train.npy"))
    truth = np.loadtxt(shared_file("labelme", "LabelMe_Z_train.txt")).astype(int)
    result = hierarchical_dawid_skene(Crowd.from_wide(answers, classes=range(8)), features=features)
    assert np.mean(result.consensus == truth) >= 0.89
    assert auprc(result, truth, None) >= 0.78


@pytest.mark.parametrize("name", ["dog", "face-sentiment"])
def test_crowds_without_a_model(name):
    import pandas as pd

    frame = pd.read_csv(shared_file(name, "answer.csv")).drop_duplicates(["question", "worker"], keep="last")
    truth = pd.read_csv(shared_file(name, "truth.csv")).set_index("question")["truth"]
    crowd = Crowd.from_long(frame, task="question", annotator="worker", label="answer")
    result = hierarchical_dawid_skene(crowd)
    known = np.isin(crowd.tasks, truth.index)
    expected = truth[crowd.tasks[known]].to_numpy()

    def accuracy(labels):
        return np.mean(labels[known] == expected)

    best = max(accuracy(crowd.classes[majority_vote(crowd)]), accuracy(DawidSkene().fit_predict(crowd)))
    assert accuracy(result.labels) >= best - 0.005
    codes = np.searchsorted(crowd.classes, expected)
    assert nll(result.posterior[known], codes) < nll(crowdlab(crowd).posterior[known], codes)


def test_rare_classes_are_expected_to_be_rare_if_that_is_said():
    """One task in 33 has the class; three answers each, wrong once in five where it is there, once in 100 elsewhere."""
    rng = np.random.default_rng(0)
    truth = (rng.random(4000) < 0.03).astype(int)
    right = rng.random((4000, 3)) < np.where(truth, 0.8, 0.99)[:, None]
    crowd = Crowd.from_wide(np.where(right, truth[:, None], 1 - truth[:, None]), classes=range(2))
    alike, told = hierarchical_dawid_skene(crowd), hierarchical_dawid_skene(crowd, expected_shares=[0.97, 0.03])
    assert (told.consensus == truth).mean() >= (alike.consensus == truth).mean()
    assert abs(told.class_prior[1] - 0.03) < 0.01 < abs(alike.class_prior[1] - 0.03)
    same = hierarchical_dawid_skene(crowd, expected_shares=[0.5, 0.5])
    assert np.array_equal(same.posterior, alike.posterior)


@pytest.mark.parametrize("shares", [[1.0], [0.5, 0.6], [1.0, 0.0], [0.5, np.nan]])
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(ValueError, match=r"expected_shares is .*expected 2 numbers more than 0"):
        hierarchical_dawid_skene(Crowd.from_wide([[0, 1]]), expected_shares=shares)
