"""How hierarchical Dawid-Skene is fitted: what is saved changes nothing that could be seen."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit, logsumexp, softmax

from crowdcore import Crowd
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
from crowdcore.hierarchical.fit import HierarchicalFit
from crowdcore.hierarchical.tempering import NEAR, TemperedModel
from crowdcore.kernels import parts

law = settings(max_examples=25, deadline=None)


def drawn(seed, N=600, M=20, K=3, votes=4):
    rng = np.random.default_rng(seed)
    truth, skill = rng.integers(K, size=N), rng.beta(6, 3, size=M)
    annotator = rng.permuted(np.tile(np.arange(M), (N, 1)), axis=1)[:, :votes]
    wrong = (truth[:, None] + rng.integers(1, K, size=annotator.shape)) % K
    said = np.where(rng.random(annotator.shape) < skill[annotator], truth[:, None], wrong)
    crowd = Crowd.from_codes(
        np.repeat(np.arange(N), votes), annotator.ravel(), said.ravel(),
        tasks=range(N), annotators=range(M), classes=range(K),
    )  # fmt: skip
    logits = 2.0 * np.eye(K)[truth] + rng.normal(size=(N, K))
    return crowd, softmax(logits, axis=1)


def unknown(crowd):
    return np.full(len(crowd.tasks), -1)


def worse_than_chance(seed):
    """Some always wrong, some at random, some hardly better; a model that is right 85 % of the time."""
    rng = np.random.default_rng(seed)
    truth, skill = rng.integers(2, size=1500), np.repeat([0.5, 0.25, 0.62], [5, 4, 6])
    annotator = rng.permuted(np.tile(np.arange(15), (1500, 1)), axis=1)[:, :3]
    said = np.where(rng.random(annotator.shape) < skill[annotator], truth[:, None], 1 - truth[:, None])
    crowd = Crowd.from_codes(
        np.repeat(np.arange(1500), 3), annotator.ravel(), said.ravel(),
        tasks=range(1500), annotators=range(15), classes=range(2),
    )  # fmt: skip
    sees = np.where(rng.random(1500) < 0.85, truth, 1 - truth)
    return crowd, truth, np.where(sees[:, None] == [0, 1], 0.8, 0.2)


@pytest.mark.parametrize("seed", range(3))
def test_a_good_model_rescues_a_crowd_worse_than_chance(seed):
    crowd, truth, P = worse_than_chance(seed)
    assert np.mean(hierarchical_dawid_skene(crowd, P).consensus == truth) > 0.82


@pytest.mark.parametrize("seed", range(3))
def test_a_model_that_annotators_contradict_is_not_taken_for_the_truth(seed):
    rng = np.random.default_rng(seed)
    K, N, M = 40, 800, 30
    truth, twin = rng.integers(K, size=N), np.arange(K) ^ 1
    annotator = rng.permuted(np.tile(np.arange(M), (N, 1)), axis=1)[:, :3]
    said = np.where(rng.random(annotator.shape) < 0.7, truth[:, None], twin[truth][:, None])  # all mistake the same
    crowd = Crowd.from_codes(
        np.repeat(np.arange(N), 3), annotator.ravel(), said.ravel(),
        tasks=range(N), annotators=range(M), classes=range(K),
    )  # fmt: skip
    P = np.full((N, K), 0.001)
    P[np.arange(N), np.where(rng.random(N) < 0.45, truth, np.where(rng.random(N) < 0.5, twin[truth], 0))] = 0.6
    P /= P.sum(axis=1, keepdims=True)
    alone, found = hierarchical_dawid_skene(crowd), hierarchical_dawid_skene(crowd, P)
    assert np.mean(found.consensus == truth) > np.mean(alone.consensus == truth) - 0.04


@pytest.mark.parametrize("num_tasks", [40, 100, 300])
def test_a_model_that_knows_nothing_overrules_nobody(num_tasks):
    harmed = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        truth, skill = (rng.random(num_tasks) < 0.3).astype(int), np.array([0.95, 0.9, 0.86, 0.8, 0.6, 0.4])
        annotator = rng.permuted(np.tile(np.arange(6), (num_tasks, 1)), axis=1)[:, :2]
        said = np.where(rng.random(annotator.shape) < skill[annotator], truth[:, None], 1 - truth[:, None])
        crowd = Crowd.from_codes(
            np.repeat(np.arange(num_tasks), 2), annotator.ravel(), said.ravel(),
            tasks=range(num_tasks), annotators=range(6), classes=range(2),
        )  # fmt: skip
        share = rng.beta(6, 14, size=num_tasks)
        alone, found = hierarchical_dawid_skene(crowd), hierarchical_dawid_skene(crowd, np.stack([1 - share, share], 1))
        harmed.append(np.mean(alone.consensus == truth) - np.mean(found.consensus == truth))
    assert np.mean(harmed) <= 0.005


@pytest.mark.parametrize("seed", range(5))
def test_a_random_model_overrules_no_lone_answers_where_one_class_is_common(seed):
    rng = np.random.default_rng(seed)
    said = rng.choice(3, size=60, p=[0.66, 0.17, 0.17])
    crowd = Crowd.from_codes(
        np.arange(60), np.arange(60) % 5, said, tasks=range(60), annotators=range(5), classes=range(3)
    )
    found = hierarchical_dawid_skene(crowd, rng.dirichlet([6, 2, 2], size=60))
    assert np.mean(found.consensus == said) > 0.95


@pytest.mark.parametrize("both", [3, 10, 30])
def test_two_who_always_disagree_are_not_believed_whoever_answered_more(both):
    wide = [["a", "b"]] * both + [["a", None]] * both + [[None, None]] * both
    quality = hierarchical_dawid_skene(Crowd.from_wide(wide, classes=["a", "b", "c"])).quality
    assert (quality[:both] < 0.6).all()


def test_lone_answers_are_taken_as_they_are():
    said = np.repeat([0, 1, 2], [80, 15, 5])
    crowd = Crowd.from_codes(
        np.arange(100), np.arange(100) % 7, said, tasks=range(100), annotators=range(7), classes=range(3)
    )
    assert np.array_equal(hierarchical_dawid_skene(crowd).consensus, said)


def test_one_copy_of_a_fit_does_not_disturb_the_other():
    crowd, P = drawn(0)
    one = HierarchicalFit(crowd, P, unknown(crowd), 2.0)
    other = one.listening(1.0).run()
    alone = HierarchicalFit(crowd, P, unknown(crowd), 2.0)
    assert np.array_equal(one.run().posterior, alone.run().posterior)
    assert np.array_equal(one.confusions.matrices(), alone.confusions.matrices())
    assert other.n_iter != one.n_iter or not np.array_equal(other.posterior, one.posterior)


@law
@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_annotators_who_are_better(seed, K):
    """Rows stay distributions; nobody gets worse by getting better, or worse than chance by getting worse."""
    rng = np.random.default_rng(seed)
    confusions = hierarchical_dawid_skene(drawn(seed % 1000, N=80, M=6, K=K)[0]).confusions
    by, k = rng.normal(size=6) * 2, np.arange(K)
    assert np.allclose(confusions.log_rows_if(np.zeros(6)), confusions.log_rows)
    before, then = confusions.matrices(), np.full((6, K, K), np.nan)
    then[confusions._who, :, confusions.said] = np.exp(confusions.log_rows_if(by))
    assume(not np.isnan(then).any())  # every label was given by everybody
    right, least = before[:, k, k], np.minimum(before[:, k, k], 1 / K)
    assert np.allclose(then[:, k, k], np.maximum(expit(logit(right) + by[:, None]), least))
    wrong = ~np.eye(K, dtype=bool)
    assert np.allclose(then.sum(axis=2), 1)
    assert np.allclose((then / before)[:, wrong], np.repeat((1 - then[:, k, k]) / (1 - right), K - 1, axis=1))


def test_a_few_of_many_tasks_that_still_move_do_not_hold_up_the_fit():
    crowd, P = drawn(1, N=300)
    copies = 200  # each with annotators of its own, so that all go the same way
    N, M = len(crowd.tasks), len(crowd.annotators)
    many = Crowd.from_codes(
        (crowd.task + N * np.arange(copies)[:, None]).ravel(),
        (crowd.annotator + M * np.arange(copies)[:, None]).ravel(),
        np.tile(crowd.label, copies),
        tasks=range(N * copies), annotators=range(M * copies), classes=range(3),
    )  # fmt: skip
    one, all_of_them = hierarchical_dawid_skene(crowd, P), hierarchical_dawid_skene(many, np.tile(P, (copies, 1)))
    each = all_of_them.posterior.reshape(copies, N, 3)
    assert np.abs(each - each[0]).max() < 1e-9
    assert np.mean(each[0].argmax(axis=1) == one.consensus) >= 0.98


def test_the_number_of_threads_changes_nothing(monkeypatch):
    crowd, P = drawn(2, N=2000)
    for model in (P, None):
        with monkeypatch.context() as patch:
            alone = hierarchical_dawid_skene(crowd, model)
            patch.setattr(parts, "PART", 500)
            assert len(parts.part_bounds(crowd.indptr, 0)) > 1
            several = hierarchical_dawid_skene(crowd, model)
        assert np.allclose(several.posterior, alone.posterior, rtol=0, atol=1e-9)
        assert np.allclose(several.annotators.quality, alone.annotators.quality, rtol=0, atol=1e-9)


@law
@given(st.integers(0, 2**32 - 1), st.floats(0, 2), st.floats(-NEAR, NEAR))
def test_moments_are_those_of_the_powers(seed, exponent, step):
    rng = np.random.default_rng(seed)
    N, K = rng.integers(1, 20), rng.integers(1, 5)
    crowd = Crowd.from_wide(rng.integers(-1, K, size=(N, 2)), classes=range(K))
    known = np.where(rng.random(N) < 0.2, 0, -1)
    logs = np.log(rng.dirichlet(np.ones(K), size=N))
    heard = (crowd.num_answers > 0) | (known >= 0)
    model = TemperedModel(crowd, known, logs)
    model.moments(exponent)
    after = max(exponent + step, 0.0)
    powers = softmax(after * logs, axis=1)[heard]
    mean = (powers * logs[heard]).sum(axis=1)
    variance = (powers * logs[heard] ** 2).sum(axis=1) - mean**2
    log_sum = logsumexp(after * logs[heard], axis=1).sum()
    found = model.moments(after)
    assert found[:2] == pytest.approx([log_sum, mean.sum()], abs=1e-3)
    assert found[2] == pytest.approx(variance.sum(), rel=0.1, abs=1e-3)
