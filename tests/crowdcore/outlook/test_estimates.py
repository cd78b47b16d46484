"""Estimated accuracies: intervals that hold the truth, known labels that mend them, and reasons instead of numbers."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdcore import Crowd, hierarchical_dawid_skene
from crowdcore.hierarchical.accuracies import credible_accuracies
from crowdcore.outlook.beliefs import form_beliefs
from crowdcore.outlook.estimates import annotator_intervals, estimate_accuracy

ROOT = Path(__file__).parents[3]
law = settings(max_examples=40, deadline=None)


def drawn(seed, *, together=0.0, model=True, N=400, M=20, K=3, votes=3):
    """A crowd, its truth, how often each annotator is right, and a model or None.

    On the share `together` of the tasks most annotators give the same wrong label.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(K, size=N)
    skill = rng.beta(6, 3, size=M)
    annotator = rng.permuted(np.tile(np.arange(M), (N, 1)), axis=1)[:, :votes]
    wrong = (truth[:, None] + rng.integers(1, K, size=annotator.shape)) % K
    said = np.where(rng.random(annotator.shape) < skill[annotator], truth[:, None], wrong)
    misled = (rng.random(N) < together)[:, None] & (rng.random(annotator.shape) < 0.7)
    said = np.where(misled, ((truth + 1) % K)[:, None], said)
    crowd = Crowd.from_codes(
        np.repeat(np.arange(N), votes), annotator.ravel(), said.ravel(),
        tasks=range(N), annotators=range(M), classes=range(K),
    )  # fmt: skip
    P = np.full((N, K), 0.2 / (K - 1))
    P[np.arange(N), np.where(rng.random(N) < 0.75, truth, rng.integers(K, size=N))] = 0.8
    right = (1 - together) * skill + together * 0.3 * skill
    return crowd, truth, right, P if model else None


def shared_file(*names):
    path = ROOT.parent.joinpath("shared", "data", *names)
    if not path.exists():
        pytest.skip(f"the data are not there: {path}")
    return path


def test_intervals_hold_the_accuracy():
    held = []
    for seed in range(40):
        crowd, truth, _, P = drawn(seed, together=(seed % 4) * 0.08, model=seed % 8 < 4, votes=2 + seed % 3)
        result = hierarchical_dawid_skene(crowd, P)
        found = estimate_accuracy(result)
        held.append(found.low <= np.mean(result.consensus == truth) <= found.high)
    assert np.mean(held) >= 0.85


def test_intervals_are_not_so_wide_that_they_say_nothing():
    crowd, _, _, P = drawn(0)
    found = estimate_accuracy(hierarchical_dawid_skene(crowd, P))
    assert found.high - found.low < 0.25


def test_the_estimate_is_the_mean_quality_of_tasks_with_answers():
    crowd, _, _, P = drawn(1)
    half = Crowd.from_codes(
        crowd.task[:600], crowd.annotator[:600], crowd.label[:600],
        tasks=range(400), annotators=range(20), classes=range(3),
    )  # fmt: skip
    result = hierarchical_dawid_skene(half, P)
    found = estimate_accuracy(result)
    assert found.accuracy == pytest.approx(result.quality[:200].mean())
    assert (found.num_tasks, found.num_known, found.reason) == (200, 0, None)


@law
@given(st.integers(0, 2**32 - 1), st.integers(0, 60), st.booleans())
def test_low_accuracy_high_in_this_order_at_every_level(seed, num_known, with_model):
    crowd, truth, _, P = drawn(seed, N=80, M=8, model=with_model)
    known = np.where(np.arange(80) < num_known, truth, -1)
    result = hierarchical_dawid_skene(crowd, P, known_labels=known)
    before = 1.0, 0.0
    for level in (0.5, 0.9, 0.99):
        found = estimate_accuracy(result, level=level)
        assert 0 <= found.low <= found.accuracy <= found.high <= 1
        assert found.low <= before[0]
        assert found.high >= before[1]
        before = found.low, found.high


def test_more_answers_alone_do_not_make_it_sure():
    widths = []
    for N in (400, 6400):
        crowd, _, _, P = drawn(2, N=N)
        found = estimate_accuracy(hierarchical_dawid_skene(crowd, P))
        widths.append(found.high - found.low)
    assert widths[1] > 0.7 * widths[0]


def test_known_labels_make_it_sure():
    held, errors, widths = [], [], []
    for seed in range(12):
        crowd, truth, _, _ = drawn(seed, together=0.25, N=1500, M=30, votes=4)
        for number in (0, 300):
            known = np.full(1500, -1)
            told = np.random.default_rng(seed).permutation(1500)[:number]
            known[told] = truth[told]
            result = hierarchical_dawid_skene(crowd, known_labels=known)
            found = estimate_accuracy(result)
            true = np.mean((result.consensus == truth)[known < 0])
            held.append(found.low <= true <= found.high)
            errors.append(abs(found.accuracy - true))
            widths.append(found.high - found.low)
    assert np.mean(held[1::2]) >= 0.8
    assert np.mean(errors[1::2]) < 0.5 * np.mean(errors[::2])
    assert np.max(widths[1::2]) < 0.6 * np.min(widths[::2])


def test_a_single_known_label_hardly_matters():
    crowd, truth, _, P = drawn(3)
    plain = estimate_accuracy(hierarchical_dawid_skene(crowd, P))
    known = np.where(np.arange(400) == 0, truth, -1)
    one = estimate_accuracy(hierarchical_dawid_skene(crowd, P, known_labels=known))
    assert one.num_known == 1
    assert [one.low, one.high] == pytest.approx([plain.low, plain.high], abs=0.05)


@pytest.mark.parametrize(
    ("wide", "model", "known", "reason"),
    [
        ([[None, None], [None, None]], None, None, "There are no answers yet."),
        ([["a", None], ["b", None]], None, None, "Only one annotator has answered, and there is no model"),
        ([["a", None], [None, "b"]], None, None, "No task has answers from two annotators, and there is no model"),
        ([["a", "a"], ["b", "b"]], None, [0, 1], "The labels of all tasks with answers are known."),
    ],
)
def test_where_the_data_cannot_say_there_is_a_reason(wide, model, known, reason):
    crowd = Crowd.from_wide(wide, classes=["a", "b"])
    found = estimate_accuracy(hierarchical_dawid_skene(crowd, model, known_labels=known))
    assert found.reason.startswith(reason)
    assert found.accuracy is found.low is found.high is None


def test_a_model_or_known_labels_can_speak_for_a_single_annotator():
    crowd = Crowd.from_codes(range(6), [0] * 6, [0, 1, 0, 1, 0, 1], tasks=range(6), annotators=["ann"], classes=[0, 1])
    P = [[0.9, 0.1], [0.2, 0.8]] * 3
    assert estimate_accuracy(hierarchical_dawid_skene(crowd, P)).reason is None
    assert estimate_accuracy(hierarchical_dawid_skene(crowd, known_labels=[0, 1, -1, -1, -1, -1])).reason is None


@pytest.mark.parametrize("against", ["permuted", "random", "agreeing"])
def test_without_overlap_a_model_that_contradicts_everybody_tells_nothing(against):
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=300)
    said = np.where(rng.random(300) < 0.9, truth, (truth + 1) % 3)
    model = {"permuted": (truth + 1) % 3, "random": rng.integers(3, size=300), "agreeing": truth}[against]
    crowd = Crowd.from_codes(
        range(300), np.arange(300) % 5, said, tasks=range(300), annotators=range(5), classes=range(3)
    )
    found = estimate_accuracy(hierarchical_dawid_skene(crowd, np.full((300, 3), 0.1) + 0.7 * np.eye(3)[model]))
    if against == "agreeing":
        assert found.accuracy > 0.85
    else:
        assert found.reason.startswith("No task has answers from two annotators, and the model ")


@pytest.mark.parametrize("level", [0, 1, -0.5, 90])
def test_a_level_that_is_none_is_refused(level):
    result = hierarchical_dawid_skene(drawn(0)[0])
    for estimate in (estimate_accuracy, annotator_intervals):
        with pytest.raises(ValueError, match=f"level is {level}; it must be between 0 and 1"):
            estimate(result, level=level)


def test_annotators_intervals_hold_their_accuracy():
    held = []
    for seed in range(20):
        crowd, _, right, P = drawn(seed, together=(seed % 3) * 0.1, model=seed % 2 > 0, M=25)
        low, high = annotator_intervals(hierarchical_dawid_skene(crowd, P)).T
        held.append(np.mean((low <= right) & (right <= high)))
    assert 0.85 <= np.mean(held) <= 0.99


@pytest.mark.parametrize("with_model", [True, False])
def test_intervals_of_annotators_with_ten_answers_hold_their_accuracy(with_model):
    held = []
    for seed in range(16):
        crowd, _, right, P = drawn(seed, together=(seed % 3) * 0.1, model=with_model, M=40, votes=2 + seed % 4)
        low, high = annotator_intervals(hierarchical_dawid_skene(crowd, P)).T
        many = np.bincount(crowd.annotator, minlength=40) >= 10
        held.append(np.mean((low <= right)[many] & (right <= high)[many]))
    assert 0.85 <= np.mean(held) <= 0.98


@law
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 4), st.floats(0.05, 0.95))
def test_the_surer_it_is_which_answers_are_right_the_narrower(seed, variance, less):
    rng = np.random.default_rng(seed)
    crowd = drawn(seed % 100, N=60, M=6)[0]
    sure = np.where(rng.random(len(crowd.label)) < 0.7, 1.0, 0.0)
    # the same mean of each annotator, but every answer is believed as far as the others of theirs
    mean = np.bincount(crowd.annotator, sure) / np.bincount(crowd.annotator)
    unsure = sure + less * (mean[crowd.annotator] - sure)
    quality, narrow = credible_accuracies(crowd, sure, variance)
    same, wide = credible_accuracies(crowd, unsure, variance)
    assert same == pytest.approx(quality)
    assert (np.ptp(wide, axis=1) > np.ptp(narrow, axis=1)).all()


def test_annotators_of_known_tasks_are_known_better():
    crowd, truth, _, _ = drawn(4)
    widths = []
    for known in (None, truth):
        low, high = annotator_intervals(hierarchical_dawid_skene(crowd, known_labels=known)).T
        widths.append(np.mean(high - low))
    assert widths[1] < 0.8 * widths[0]


def test_annotators_intervals_hold_on_real_crowds():
    given_answers = np.load(shared_file("cifar10h-hard", "c10h_semisynth_hard.npz"))
    P = np.load(shared_file("cifar10h-hard", "cifar10_test_pyx.npy"))
    crowd = Crowd.from_wide(given_answers["labels"], classes=range(10))
    truth = given_answers["truth"].astype(int)
    result = hierarchical_dawid_skene(crowd, P)
    right = np.bincount(crowd.annotator, crowd.label == truth[crowd.task]) / np.bincount(crowd.annotator)
    low, high = annotator_intervals(result).T
    assert 0.85 <= np.mean((low <= right) & (right <= high)) <= 0.98
    found = estimate_accuracy(result)
    assert found.low <= np.mean(result.consensus == truth) <= found.high


@law
@given(st.integers(0, 2**32 - 1), st.booleans(), st.integers(1, 5))
def test_beliefs_are_those_of_the_result(seed, with_model, votes):
    crowd, _, _, P = drawn(seed, N=60, M=8, model=with_model, votes=votes)
    result = hierarchical_dawid_skene(crowd, P)
    consensus, confidence, quality = np.empty(60, dtype=np.int64), np.empty(60), np.empty(60)
    form_beliefs(result).judge(np.arange(60), consensus, confidence, quality)
    for ours, theirs in ((confidence, result.confidence), (quality, result.quality)):
        assert np.abs(ours - theirs).max() < 5e-3  # the fit may have ended on its way
