"""Each compiled loop against a plain numpy twin."""

import itertools
import time

import numpy as np
import pytest
from numba import njit
from numba.core import event
from scipy.special import digamma, expit, gammaln, logsumexp

from crowdcore import Crowd, kernels
from crowdcore.aggregate.classes.aggregator import cells
from crowdcore.kernels import compiling, parts


@pytest.fixture(params=range(6))
def case(request):
    """A crowd with empty tasks and annotators, known labels, and a generator."""
    rng = np.random.default_rng(request.param)
    N, M, K = rng.integers(1, 40), rng.integers(1, 9), rng.integers(1, 6)
    wide = rng.integers(K, size=(N, M))
    wide[rng.random((N, M)) < 0.4] = -1
    known = np.where(rng.random(N) < 0.2, rng.integers(K, size=N), -1)
    return Crowd.from_wide(wide, classes=range(K)), wide, known, rng


def dense(crowd):
    """The answers as (N, M, K) of 0 and 1."""
    found = np.zeros((len(crowd.tasks), len(crowd.annotators), len(crowd.classes)))
    found[crowd.task, crowd.annotator, crowd.label] = 1
    return found


@pytest.mark.parametrize("share_ties", [True, False])
def test_weighted_votes(case, share_ties):
    crowd, _, _, rng = case
    answers = dense(crowd)
    N, M, K = answers.shape
    weight = rng.integers(-2, 4, size=(M, K)).astype(float)
    votes, codes, quality, agreed = np.empty((N, K)), np.empty(N, dtype=np.int64), np.empty(N), np.zeros((M, 2))
    kernels.weighted_votes(
        0, N, crowd.indptr, crowd.annotator, crowd.label, weight, share_ties, votes, codes, quality, agreed
    )  # fmt: skip
    raw = (answers * weight).sum(axis=1)
    there = answers.any(axis=(1, 2))
    top = raw == raw.max(axis=1, keepdims=True)
    credit = top / top.sum(axis=1, keepdims=True) if share_ties else np.eye(K)[top.argmax(axis=1)]
    shifted = raw + (answers * np.maximum(-weight, 0)).sum(axis=(1, 2))[:, None]
    total = shifted.sum(axis=1, keepdims=True)
    expected = np.where(total > 0, shifted / np.where(total > 0, total, 1), 1 / K)
    assert np.allclose(votes, expected, rtol=0, atol=1e-15)
    winner = top.argmax(axis=1)
    tied = share_ties & (top.sum(axis=1) > 1)
    assert np.array_equal(codes, np.where(there, np.where(tied, kernels.TIED, winner), -1))
    assert np.array_equal(quality, np.where(there, votes[np.arange(N), winner], np.nan), equal_nan=True)
    assert np.allclose(agreed[:, 0], np.einsum("imk,ik->m", answers, credit), rtol=0, atol=1e-12)
    assert np.array_equal(agreed[:, 1], answers.sum(axis=(0, 2)))


def mixed(number):
    """SplitMix64's last step, in whole numbers."""
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    number = (number ^ number >> 27) * 0x94D049BB133111EB % 2**64
    return number ^ number >> 31


def test_draw_winners(case):
    crowd, _, _, rng = case
    answers = dense(crowd)
    N, M, K = answers.shape
    votes = rng.integers(3, size=(N, K)) / 4
    of_task, of_annotator = (rng.integers(2**64, size=size, dtype=np.uint64) for size in (N, M))
    codes = rng.choice([-1, 0, kernels.TIED], size=N)
    expected = codes.copy()
    for i in np.flatnonzero(codes == kernels.TIED):
        chose = (sum(int(of_annotator[j]) for j in np.flatnonzero(answers[i, :, k])) for k in range(K))
        lots = [mixed((int(of_task[i]) + total) % 2**64) for total in chose]
        expected[i] = max(np.flatnonzero(votes[i] == votes[i].max()), key=lots.__getitem__)
    for first, last in ((0, N // 3), (N // 3, N)):
        kernels.draw_winners(
            first, last, crowd.indptr, crowd.annotator, crowd.label, votes, of_task, of_annotator, codes
        )  # fmt: skip
    assert codes.tolist() == expected.tolist()


@pytest.mark.parametrize("mode", [kernels.COUNT, kernels.SOFT, kernels.HARD])
def test_confusion_pass(case, mode):
    crowd, _, known, rng = case
    answers = dense(crowd)
    N, M, K = answers.shape
    log_confusion, log_prior = np.log(rng.random((M, K, K))), np.log(rng.random(K))
    probas = rng.dirichlet(np.ones(K), size=N)
    before = probas.copy()
    counts, totals = np.zeros((M * K, K)), np.zeros(K + 2)
    half = N // 2
    for first, last in ((0, half), (half, N)):
        kernels.confusion_pass(
            mode, first, last, crowd.indptr, cells(crowd), log_confusion.reshape(M * K, K), log_prior, known,
            np.arange(K + 1), probas, counts, totals,
        )  # fmt: skip
    used = answers.any(axis=(1, 2)) | (known >= 0)
    joint = log_prior + np.einsum("iml,mlk->ik", answers, log_confusion)
    expected = before.copy()
    if mode != kernels.COUNT:
        soft = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
        expected = soft if mode == kernels.SOFT else np.eye(K)[joint.argmax(axis=1)]
        expected = np.where((known >= 0)[:, None], np.eye(K)[known], expected)
        evidence = logsumexp(joint, axis=1) if mode == kernels.SOFT else joint.max(axis=1)
        evidence = np.where(known >= 0, joint[np.arange(N), known], evidence)
        assert totals[K] == pytest.approx(evidence[used].sum())
        assert totals[K + 1] == pytest.approx((expected * joint)[used].sum())
    assert np.allclose(probas[used], expected[used], rtol=0, atol=1e-12)
    assert np.array_equal(probas[~used], before[~used])
    assert np.allclose(counts.reshape(M, K, K), np.einsum("iml,ik->mlk", answers, expected))
    assert np.allclose(totals[:K], expected[used].sum(axis=0))


def test_confusion_pass_with_subtypes_is_that_of_as_many_classes(case):
    """But that a known class leaves all its subtypes open."""
    crowd, _, known, rng = case
    answers = dense(crowd)
    N, M, K = answers.shape
    edges = np.concatenate([[0], np.cumsum(rng.integers(1, 4, size=K))])
    of_class = np.repeat(np.arange(K), np.diff(edges))
    S = len(of_class)
    log_chances, log_shares = np.log(rng.random((M, K, S))), np.log(rng.random(S))
    probas, counts, totals = np.zeros((N, S)), np.zeros((M * K, S)), np.zeros(S + 2)
    kernels.confusion_pass(
        kernels.SOFT, 0, N, crowd.indptr, cells(crowd), log_chances.reshape(M * K, S), log_shares, known,
        edges, probas, counts, totals,
    )  # fmt: skip
    joint = log_shares + np.einsum("iml,mls->is", answers, log_chances)
    joint[(known >= 0)[:, None] & (of_class != known[:, None])] = -np.inf
    used = answers.any(axis=(1, 2)) | (known >= 0)
    evidence = logsumexp(joint, axis=1, keepdims=True)
    expected = np.where(used[:, None], np.exp(joint - evidence), 0)
    assert np.allclose(probas, expected, rtol=0, atol=1e-12)
    assert np.allclose(counts.reshape(M, K, S), np.einsum("iml,is->mls", answers, expected))
    assert totals[S] == pytest.approx(evidence[used].sum())


def test_digammas():
    values = np.concatenate([np.logspace(-3, 6, 200), np.arange(1, 40) / 2])
    slopes = np.empty(len(values))
    total = kernels.digammas(values, slopes)
    assert np.allclose(slopes, digamma(values), rtol=1e-13, atol=1e-14)
    assert total == pytest.approx(gammaln(values).sum(), rel=1e-14)
    one_by_one = [kernels.digammas(values[i : i + 1], slopes[:1]) for i in range(len(values))]
    assert np.allclose(one_by_one, gammaln(values), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("hard", [False, True])
def test_spike_pass_is_confusion_pass_of_its_matrices(case, hard):
    crowd, _, known, rng = case
    N, M, K = len(crowd.tasks), len(crowd.annotators), len(crowd.classes)
    other, bonus, log_prior = np.log(rng.random((M, K))), rng.normal(size=(M, K)), np.log(rng.random(K))
    matrices = other[:, :, None] + bonus[:, :, None] * np.eye(K)
    start = rng.dirichlet(np.ones(K), size=N)
    probas, counts, totals = start.copy(), np.zeros((M * K, K)), np.zeros(K + 2)
    mode = kernels.HARD if hard else kernels.SOFT
    kernels.confusion_pass(
        mode, 0, N, crowd.indptr, cells(crowd), matrices.reshape(M * K, K), log_prior, known,
        np.arange(K + 1), probas, counts, totals,
    )  # fmt: skip
    found, matched, sums = start.copy(), np.zeros(M * K), np.zeros(K + 2)
    kernels.spike_pass(
        hard, 0, N, crowd.indptr, cells(crowd), other.ravel(), bonus.ravel(), log_prior, known, found, matched, sums
    )
    assert np.allclose(found, probas, rtol=0, atol=1e-12)
    assert np.allclose(sums, totals)
    assert np.allclose(matched.reshape(M, K), np.diagonal(counts.reshape(M, K, K), axis1=1, axis2=2))


def test_ability_pass(case):
    crowd, _, known, rng = case
    answers = dense(crowd)
    N, M, K = answers.shape
    ability, ease, log_prior = rng.normal(size=M), np.exp(rng.normal(size=N)), np.log(rng.dirichlet(np.ones(K)))
    probas, belief = np.full((N, K), 1 / K), np.zeros(len(crowd.label))
    free = kernels.ability_pass(
        0, N, crowd.indptr, crowd.annotator, crowd.label, ability, ease, log_prior, known, probas, belief
    )
    x = ease[:, None] * ability
    right, wrong = np.log(expit(x)), np.log(expit(-x)) - np.log(max(K - 1, 1))
    joint = log_prior + np.einsum("imk,im->ik", answers, right - wrong)
    expected = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
    expected = np.where((known >= 0)[:, None], np.eye(K)[known], expected)
    used = answers.any(axis=(1, 2)) | (known >= 0)
    assert np.allclose(probas[used], expected[used], rtol=0, atol=1e-12)
    assert np.allclose(belief, probas[crowd.task, crowd.label])
    T = expected[used]
    entropy = -(T * np.log(np.where(T > 0, T, 1))).sum()
    assert free == pytest.approx(entropy + (T @ log_prior).sum(), abs=1e-9)


def test_ability_slope_and_its_derivatives(case):
    crowd, _, _, rng = case
    N, M = len(crowd.tasks), len(crowd.annotators)
    belief, point = rng.random(len(crowd.label)), rng.normal(size=M + N)

    def value(point):
        x = point[crowd.annotator] * np.exp(point[M + crowd.task])
        return (belief * x - np.logaddexp(0, x)).sum()

    to_ability, to_ease, cross = np.zeros((2, M)), np.zeros((2, N)), np.zeros(len(belief))
    found = kernels.ability_slope(
        0, N, crowd.indptr, crowd.annotator, belief, point[:M], np.exp(point[M:]), to_ability, to_ease, cross
    )
    assert found == pytest.approx(value(point))
    step = 1e-6 * np.eye(M + N)
    numeric = [(value(point + d) - value(point - d)) / 2e-6 for d in step]
    assert np.allclose(np.concatenate([to_ability[0], to_ease[0]]), numeric, rtol=1e-4, atol=1e-5)
    e, alpha = np.exp(point[M + crowd.task]), point[crowd.annotator]
    bend = expit(alpha * e) * expit(-alpha * e)
    assert np.allclose(to_ability[1], np.bincount(crowd.annotator, bend * e**2, minlength=M))
    assert np.allclose(to_ease[1], np.bincount(crowd.task, bend * (alpha * e) ** 2, minlength=N))
    assert np.allclose(cross, bend * e * alpha * e)


def test_many_answers_to_one_task_do_not_overflow_the_product_of_ability_slope():
    M = 5000
    found = kernels.ability_slope(
        0, 1, np.array([0, M]), np.arange(M), np.zeros(M), np.zeros(M), np.ones(1),
        np.zeros((2, M)), np.zeros((2, 1)), np.zeros(M),
    )  # fmt: skip
    assert found == pytest.approx(-M * np.log(2))


def test_solve_arrow(case):
    crowd, _, _, rng = case
    N, M, A = len(crowd.tasks), len(crowd.annotators), len(crowd.label)
    cross = rng.normal(size=A)
    bend_a = 1 + 2 * np.bincount(crowd.annotator, np.abs(cross), minlength=M)
    bend_t = 1 + 2 * np.bincount(crowd.task, np.abs(cross), minlength=N)
    slope = rng.normal(size=M + N)
    step_a, step_t = np.empty(M), np.empty(N)
    kernels.solve_arrow(
        crowd.indptr, crowd.annotator, cross, slope[:M].copy(), bend_a, slope[M:].copy(), bend_t, step_a, step_t,
        200, 1e-14,
    )  # fmt: skip
    C = np.zeros((N, M))
    C[crowd.task, crowd.annotator] = cross
    whole = np.block([[np.diag(bend_a), C.T], [C, np.diag(bend_t)]])
    assert np.allclose(np.concatenate([step_a, step_t]), np.linalg.solve(whole, slope), atol=1e-9)


def test_pass_messages(case):
    crowd, _, _, rng = case
    sign = np.where(crowd.label % 2, 1.0, -1.0)
    message = rng.normal(1, 1, size=len(sign))
    expected = message.copy()
    N, M = len(crowd.tasks), len(crowd.annotators)
    done = kernels.pass_messages(crowd.indptr, crowd.annotator, sign, message, M, 5, 0.0)
    for _ in range(done):
        to_annotator = np.bincount(crowd.task, sign * expected, minlength=N)[crowd.task] - sign * expected
        weighted = sign * to_annotator
        expected = np.bincount(crowd.annotator, weighted, minlength=M)[crowd.annotator] - weighted
        expected = expected / np.abs(expected).max()
    assert np.allclose(message, expected, rtol=0, atol=1e-9)


def test_shared_tasks(case):
    crowd, wide, _, _ = case
    from crowdcore.aggregate.classes.mmsr import _shared_tasks

    M = len(crowd.annotators)
    pairs, other, common, agreeing = _shared_tasks(crowd, np.bincount(crowd.annotator, minlength=M))
    there = (wide >= 0).astype(int)
    together = there.T @ there * (1 - np.eye(M, dtype=int))
    same = ((wide[:, :, None] == wide[:, None, :]) & (wide >= 0)[:, :, None]).sum(axis=0)
    row = np.repeat(np.arange(M), np.diff(pairs))
    assert np.array_equal(np.argwhere(together), np.column_stack([row, other]))
    assert np.array_equal(common, together[row, other])
    assert np.array_equal(agreeing, same[row, other])


@pytest.mark.parametrize("trim", [0, 1, 3])
def test_robust_rank_one(trim):
    rng = np.random.default_rng(trim)
    M = 9
    X = rng.random((M, M)) + 0.1
    X = (X + X.T) / 2
    there = rng.random((M, M)) < 0.8
    there = (there | there.T) & ~np.eye(M, dtype=bool)
    row, other = np.nonzero(there)
    pairs = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    u, v = rng.random((2, M))
    a, b = u.copy(), v.copy()
    done = kernels.robust_rank_one(pairs, other, X[row, other], trim, 1e-3, u, v, 7, 0.0)
    assert done == 7
    for _ in range(7):
        for to, by in ((b, a), (a, b)):
            for j in range(M):
                y = np.sort(X[j, there[j]] / by[there[j]])
                below, above = (y < to[j]).sum(), (y > to[j]).sum()
                y = y[min(below, trim) : len(y) - min(above, trim)]
                if len(y):
                    to[j] = y.mean()
    assert np.allclose(u, a)
    assert np.allclose(v, b)


def test_parts_do_not_change_the_result(generated, monkeypatch):
    from crowdcore.aggregate import EBCC, GLAD, MACE, DawidSkene

    crowd = generated(500, 10, 3)
    whole = [method(n_iter=5, tol=-np.inf).fit(crowd).probas_ for method in (DawidSkene, MACE, GLAD, EBCC)]
    monkeypatch.setattr(parts, "PART", 100)
    assert len(kernels.part_bounds(crowd.indptr, 100)) == kernels.MOST_PARTS
    again = [method(n_iter=5, tol=-np.inf).fit(crowd).probas_ for method in (DawidSkene, MACE, GLAD, EBCC)]
    for a, b in zip(whole, again, strict=True):
        assert np.allclose(a, b, rtol=0, atol=1e-9)


def test_parts_cover_all_tasks_once():
    indptr = np.concatenate([[0, 0, 0], np.cumsum(np.full(50_000, 10)), [500_000]])
    bounds = kernels.part_bounds(indptr, 10)
    assert len(bounds) == kernels.MOST_PARTS
    assert bounds[0][0] == 0
    assert bounds[-1][1] == len(indptr) - 1
    assert all(a[1] == b[0] for a, b in itertools.pairwise(bounds))


def test_without_a_folder_for_the_cache_kernels_still_compile(monkeypatch):
    def njit(cache=False, **_):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(compiling, "njit", njit)
    assert compiling.compiled(lambda a: a + 1)(1) == 2


def test_the_user_is_told_once_that_kernels_are_compiled_and_how_long_that_took(caplog):
    clock, about = compiling.Clock(), event.Event("numba:compile", event.EventStatus.START)
    for _ in range(2):
        clock.on_start(about)
        clock.on_start(about)  # a function that the first one calls
        time.sleep(0.05)
        clock.on_end(about)
        clock.on_end(about)
    assert [record.message[:31] for record in caplog.records] == ["Compiling crowdcore's kernels, "]
    assert 0.1 <= clock.seconds < 5


def test_what_is_compiled_anew_is_measured():
    before = compiling.clock.seconds
    assert njit(lambda a: a + 1)(1) == 2
    assert compiling.clock.seconds > before
