"""How hierarchical Dawid-Skene is fitted: what is saved changes nothing that could be seen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp, softmax

from crowdcore import Crowd
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
from crowdcore.hierarchical.fit import HierarchicalFit, fit_hierarchical
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


@pytest.mark.parametrize("seed", range(6))
def test_two_fits_that_meet_are_one(seed):
    crowd, P = drawn(seed)
    known = unknown(crowd)
    answers_first = HierarchicalFit(crowd, P, known, 2.0)
    model_first = answers_first.listening(1.0)
    best = max(answers_first.run(), model_first.run(), key=lambda fit: fit.evidence)
    found = fit_hierarchical(crowd, P, known, 2.0)
    assert np.abs(found.posterior - best.posterior).max() < 0.01
    assert found.exponent == pytest.approx(best.exponent, abs=0.005)
    assert found.evidence == pytest.approx(best.evidence, abs=0.01)


def test_two_fits_that_do_not_meet_are_both_finished():
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=300)
    answers = np.where(rng.random((300, 9)) < 0.4, truth[:, None], 1 - truth[:, None])  # mostly wrong
    P = np.where(truth[:, None] == [0, 1], 0.9, 0.1)
    crowd = Crowd.from_wide(answers, classes=range(2))
    answers_first = HierarchicalFit(crowd, P, unknown(crowd), 2.0)
    model_first = answers_first.listening(1.0)
    assert answers_first.run().difference(model_first.run()) > 0.5
    found = fit_hierarchical(crowd, P, unknown(crowd), 2.0)
    best = max(answers_first, model_first, key=lambda fit: fit.evidence)
    assert np.array_equal(found.posterior.argmax(axis=1), best.posterior.argmax(axis=1))


def test_one_copy_of_a_fit_does_not_disturb_the_other():
    crowd, P = drawn(0)
    one = HierarchicalFit(crowd, P, unknown(crowd), 2.0)
    other = one.listening(1.0).run()
    alone = HierarchicalFit(crowd, P, unknown(crowd), 2.0)
    assert np.array_equal(one.run().posterior, alone.run().posterior)
    assert np.array_equal(one.confusions.matrices(), alone.confusions.matrices())
    assert other.n_iter != one.n_iter or not np.array_equal(other.posterior, one.posterior)


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
    assert np.mean(each[0].argmax(axis=1) == one.consensus) > 0.99


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
