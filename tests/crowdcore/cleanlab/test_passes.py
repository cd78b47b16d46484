"""CROWDLAB's compiled loops against plain numpy twins, and its passes over parts against the whole."""

from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from crowdcore import Crowd, active_learning_scores, crowdlab, kernels
from crowdcore.cleanlab.passes import TrustedPart, find_trust
from crowdcore.kernels import parts
from crowdcore.votes.annotators import annotator_stats
from crowdcore.votes.majority import tally_answers


def random_case(seed):
    """A crowd with empty tasks and annotators, a matrix (N, M) of its labels, models, and known labels."""
    rng = np.random.default_rng(seed)
    N, M, K, P = rng.integers(1, 40), rng.integers(1, 9), rng.integers(1, 6), rng.integers(0, 3)
    wide = rng.integers(K, size=(N, M))
    wide[rng.random((N, M)) < 0.4] = -1
    models = rng.dirichlet(np.ones(K), size=(P, N))
    truth = np.where(rng.random(N) < 0.2, rng.integers(K, size=N), -1)
    return Crowd.from_wide(wide, classes=range(K)), wide, kernels.frozen(models), kernels.frozen(truth)


@pytest.fixture(params=range(8))
def case(request):
    return random_case(request.param)


def in_two(N, kernel, *args):
    """Call a kernel for the tasks in two ranges, as threads do."""
    return [kernel(first, last, *args) for first, last in ((0, N // 3), (N // 3, N))]


def votes_of(wide, K):
    return (wide[:, :, None] == np.arange(K)).sum(axis=1)


def test_tally_votes(case):
    crowd, wide, _, truth = case
    (N, M), K = wide.shape, len(crowd.classes)
    top, class_votes, tallies = np.empty(N, dtype=int), np.zeros(K, dtype=int), np.zeros((M, 4), dtype=int)
    in_two(N, kernels.tally_votes, crowd.indptr, crowd.annotator, crowd.label, truth, top, class_votes, tallies)
    votes, there = votes_of(wide, K), wide >= 0
    n = there.sum(axis=1)
    tied = (votes == votes.max(axis=1, keepdims=True)).sum(axis=1) > 1
    expected = np.where(n == 0, -1, np.where(tied, -2, votes.argmax(axis=1)))
    assert top.tolist() == expected.tolist()
    assert class_votes.tolist() == votes.sum(axis=0).tolist()
    agreeing = np.take_along_axis(votes, np.maximum(wide, 0), axis=1) - 1 + (wide == truth[:, None])
    clear = there & ~tied[:, None]
    assert tallies[:, 0].tolist() == ((n - 1 + (truth >= 0))[:, None] * there).sum(axis=0).tolist()
    assert tallies[:, 1].tolist() == (agreeing * there).sum(axis=0).tolist()
    assert tallies[:, 2].tolist() == clear.sum(axis=0).tolist()
    assert tallies[:, 3].tolist() == (clear & (wide == expected[:, None])).sum(axis=0).tolist()


def largest(values, among):
    values = np.where(among, values, -np.inf)
    return values >= values.max(axis=1, keepdims=True) - 1e-12


def test_break_ties(case):
    crowd, wide, models, _ = case
    (N, M), K = wide.shape, len(crowd.classes)
    rng = np.random.default_rng(N)
    top, _ = tally_answers(crowd, np.full(N, -1))
    models = kernels.frozen(models.round(0))  # ties among the probabilities
    class_votes, reliability = rng.integers(2, size=K) * 1.0, rng.integers(2, size=M) * 1.0
    of_task, of_annotator = np.arange(N, dtype=np.uint64), np.zeros(M, dtype=np.uint64)  # equal lots for all classes
    votes = votes_of(wide, K)
    among = votes == votes.max(axis=1, keepdims=True)
    if len(models):
        among = largest(models.mean(axis=0), among)
    among = largest(np.tile(-class_votes, (N, 1)), among)
    support = ((wide[:, :, None] == np.arange(K)) * reliability[:, None]).sum(axis=1) / np.maximum(votes, 1)
    among = np.where(among.sum(axis=1, keepdims=True) > 1, largest(support, among), among)
    left = among.sum(axis=1)
    tied = top == -2
    args = crowd.indptr, crowd.annotator, crowd.label, models, class_votes, reliability
    found = top.copy()
    assert sum(in_two(N, kernels.break_ties, *args, *np.empty((2, 0), np.uint64), found)) == (tied & (left > 1)).sum()
    assert found.tolist() == np.where(tied & (left == 1), among.argmax(axis=1), top).tolist()
    in_two(N, kernels.break_ties, *args, of_task, of_annotator, found)
    assert found.tolist() == np.where(tied, among.argmax(axis=1), top).tolist()


def test_compare_with(case):
    crowd, wide, models, truth = case
    N, K = len(wide), len(crowd.classes)
    consensus = np.random.default_rng(N).integers(K, size=N)
    told, errors, agreement = np.zeros(K), np.zeros(len(models)), np.zeros(1)
    in_two(
        N, kernels.compare_with, crowd.indptr, crowd.label, truth, models, consensus, told, errors, agreement
    )  # fmt: skip
    n = (wide >= 0).sum(axis=1)
    measured = (n > 0) & (n + (truth >= 0) > 1)
    assert told.tolist() == np.bincount(consensus[measured], minlength=K).tolist()
    assert errors.tolist() == (models.argmax(axis=2) != consensus)[:, measured].sum(axis=1).tolist()
    shares = (wide == consensus[:, None]).sum(axis=1)[measured] / n[measured]
    assert agreement[0] == pytest.approx(shares.sum(), abs=1e-12)


def weighted_posterior(crowd, wide, models, weight, model_weight, right, wrong):
    """The formula, densely: (sum_p w_p P + V (right - wrong) + W wrong) / (W + sum_p w_p)."""
    said = ((wide[:, :, None] == np.arange(len(crowd.classes))) * weight[:, None]).sum(axis=1)
    total = said.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        summed = np.einsum("p,pnk->nk", model_weight, models) + said * (right - wrong) + total * wrong
        return summed / (total + model_weight.sum())


def weights(case):
    rng = np.random.default_rng(len(case[1]))
    return rng.random(case[1].shape[1]), rng.random(len(case[2])), 0.7, 0.3 / max(len(case[0].classes) - 1, 1)


def test_best_labels(case):
    crowd, wide, models, truth = case
    N, K = len(wide), len(crowd.classes)
    trust = weights(case)
    consensus = np.random.default_rng(N).integers(K, size=N)
    found = consensus.copy()
    args = crowd.indptr, crowd.annotator, crowd.label, truth, models, *trust
    in_two(N, kernels.best_labels, *args, found)
    posterior = weighted_posterior(crowd, wide, models, *trust)
    clear = (posterior >= posterior.max(axis=1, keepdims=True) - 1e-12).sum(axis=1) == 1
    free = clear & (wide >= 0).any(axis=1) & (truth < 0)
    assert found.tolist() == np.where(free, posterior.argmax(axis=1), consensus).tolist()


@pytest.mark.parametrize("listen", [True, False])
def test_believe(case, listen):
    crowd, wide, models, truth = case
    N, K = len(wide), len(crowd.classes)
    weight, model_weight, right, wrong = weights(case)
    share = model_weight / max(model_weight.sum(), 1e-6)
    consensus = np.random.default_rng(N).integers(-1, K, size=N)
    posterior, quality, agreement = np.empty((N, K)), np.empty(N), np.empty(N)
    label_quality = np.empty(len(crowd.label))
    in_two(
        N, kernels.believe, crowd.indptr, crowd.annotator, crowd.label, truth, models, weight, model_weight, share,
        right, wrong, listen, consensus, posterior, quality, label_quality, agreement,
    )  # fmt: skip
    n = (wide >= 0).sum(axis=1)
    alone = np.einsum("p,pnk->nk", share, models) if len(models) else np.full((N, K), 1 / K)
    heard = weighted_posterior(crowd, wide, models, weight, model_weight, right, wrong)
    expected = np.where((n > 0)[:, None] & listen, heard, alone)
    expected = np.where((truth >= 0)[:, None], np.arange(K) == truth[:, None], expected)
    assert np.allclose(posterior, expected, rtol=0, atol=1e-14)
    assert np.array_equal(quality, posterior[np.arange(N), np.maximum(consensus, 0)])
    assert np.array_equal(label_quality, posterior[crowd.task, crowd.label])
    same = (wide == consensus[:, None]) & (wide >= 0)
    assert np.allclose(agreement, np.where(n > 0, same.sum(axis=1) / np.maximum(n, 1), np.nan), equal_nan=True)


def test_rate_annotators_and_worst_classes(case):
    crowd, wide, _, truth = case
    (N, M), K = wide.shape, len(crowd.classes)
    rng = np.random.default_rng(N)
    consensus, quality = rng.integers(K, size=N), rng.integers(1, 4, size=N) / 4
    label_quality = rng.random(len(crowd.label))
    ratings, cells = np.zeros((M, 5)), np.zeros((M * K, 3))
    in_two(
        N, kernels.rate_annotators, crowd.indptr, crowd.annotator, crowd.label, truth, consensus, quality,
        label_quality, ratings, cells,
    )  # fmt: skip
    there, same = wide >= 0, wide == consensus[:, None]
    n = there.sum(axis=1)
    compared = there & (n + (truth >= 0) > 1)[:, None]
    believed = np.zeros((N, M))
    believed[there] = label_quality
    columns = there, same, believed, compared, compared & same
    assert np.allclose(ratings, np.column_stack([column.sum(axis=0) for column in columns]), rtol=0, atol=1e-12)
    worst = np.full(M, -1)
    at = np.flatnonzero(cells[:, 0])
    kernels.worst_classes(at, cells[at], K, worst)
    for j in range(M):
        said = [np.flatnonzero(wide[:, j] == k) for k in range(K)]
        for k, tasks in enumerate(said):
            expected = len(tasks), same[tasks, j].sum(), quality[tasks].sum()
            assert cells[j * K + k].tolist() == pytest.approx(expected)
        figures = [(same[t, j].mean(), -len(t), -quality[t].mean().round(9), k) for k, t in enumerate(said) if len(t)]
        assert worst[j] == (min(figures)[3] if figures else -1)


def test_score_tasks(case):
    crowd, wide, _, _ = case
    N = len(wide)
    weight, quality, scores = weights(case)[0], np.random.default_rng(N).random(N), np.empty(N)
    in_two(N, kernels.score_tasks, crowd.indptr, crowd.annotator, weight, quality, 0.9, 0.4, 0.25, scores)
    backing = 0.9 + ((wide >= 0) * weight).sum(axis=1)
    assert np.allclose(scores, (quality * backing + 0.1) / (backing + 0.4), rtol=0, atol=1e-15)


def test_temperatures(case):
    crowd, wide, _, _ = case
    N, K = len(wide), len(crowd.classes)
    rng = np.random.default_rng(N)
    P = rng.dirichlet(np.full(K, 0.1), size=N)
    P[rng.random(P.shape) < 0.1] = 0
    P[P.sum(axis=1) == 0, 0] = 1
    P = kernels.frozen(P / P.sum(axis=1, keepdims=True))
    logs = np.empty_like(P)
    in_two(N, kernels.log_rows, P, logs)
    logs = kernels.frozen(logs)
    temperatures = np.array([0.1, 0.7, 1.0, 2.3, 8.0])
    losses = np.zeros(5)
    in_two(N, kernels.temperature_losses, crowd.indptr, crowd.label, logs, temperatures, losses)
    n = (wide >= 0).sum(axis=1, keepdims=True)
    share = votes_of(wide, K) / np.maximum(n, 1)
    with np.errstate(divide="ignore"):
        exact = np.log(P)
    for T, loss in zip(temperatures, losses, strict=True):
        scaled = softmax(exact / T, axis=1)
        assert loss == pytest.approx(-(share * np.log(np.maximum(scaled, 1e-30))).sum(), rel=1e-12, abs=1e-12)
        found = np.empty_like(P)
        in_two(N, kernels.scale_rows, logs, T, found)
        assert np.allclose(found, softmax(np.log(np.maximum(P, 1e-30)) / T, axis=1), rtol=1e-12, atol=1e-300)


def test_the_smallest_temperatures_and_the_most_classes():
    logs = kernels.frozen(np.log(np.random.default_rng(0).dirichlet(np.full(3000, 0.01), size=3) + 1e-300))
    found = np.empty_like(logs)
    kernels.scale_rows(0, 3, logs, 1e-4, found)
    assert np.allclose(found, np.eye(3000)[logs.argmax(axis=1)])
    kernels.scale_rows(0, 3, logs, 1e9, found)
    assert np.allclose(found, 1 / 3000)


def test_first_improper_row():
    P = np.full((5, 3), 1 / 3)
    assert kernels.first_improper_row(kernels.frozen(P), 1e-3) == -1
    for row in ([0.5, 0.5, 0.1], [np.nan, 0.5, 0.5], [1.5, -0.5, 0], [np.inf, 0, 0]):
        P[3] = row
        assert kernels.first_improper_row(kernels.frozen(P), 1e-3) == 3


OPTIONS = (
    {},
    {"calibrate_probs": True},
    {"consensus_method": "majority_vote"},
    {"quality_method": "agreement"},
    {"seed": 7},
)


@given(seed=st.integers(0, 10**6), pieces=st.integers(1, 6), options=st.sampled_from(OPTIONS))
def test_many_parts_are_the_whole(seed, pieces, options):
    crowd, _, models, truth = random_case(seed)
    whole = crowdlab(crowd, models if len(models) else None, known_labels=truth, **options)
    places = np.array_split(np.random.default_rng(seed).permutation(len(crowd.tasks)), pieces)
    shares = [TrustedPart(crowd.select_tasks(at), models[:, at], truth[at]) for at in places]

    def run(step, *knowledge):
        found = [step(part, *knowledge) for part in shares]
        return None if found[0] is None else reduce(add, found)

    tally, trust = find_trust(run, len(models), **options)
    beliefs = [part.believe(trust) for part in shares]
    order = np.argsort(np.concatenate(places))
    assert np.concatenate([part.consensus for part in shares])[order].tolist() == whole.consensus.tolist()
    for name in ("posterior", "quality", "agreement"):
        found = np.concatenate([getattr(belief, name) for belief in beliefs])[order]
        assert np.allclose(found, getattr(whole, name), rtol=0, atol=1e-9, equal_nan=True)
    found = reduce(add, [part.rate(belief) for part, belief in zip(shares, beliefs, strict=True)])
    stats = annotator_stats(found, len(crowd.classes), trust.model_share(tally))
    assert np.allclose(stats.quality, whole.annotators.quality, rtol=0, atol=1e-9, equal_nan=True)
    assert stats.num_answers.tolist() == whole.annotators.num_answers.tolist()


def test_the_number_of_threads_changes_nothing(monkeypatch, draw):
    crowd, P = draw(N=3000, M=20, K=4)
    alone = crowdlab(crowd, P, calibrate_probs=True)
    monkeypatch.setattr(parts, "PART", 500)
    assert len(parts.part_bounds(crowd.indptr, 0)) > 1
    several = crowdlab(crowd, P, calibrate_probs=True)
    assert np.allclose(several.posterior, alone.posterior, rtol=0, atol=1e-13)
    assert np.allclose(active_learning_scores(several), active_learning_scores(alone), rtol=0, atol=1e-13)
    assert np.allclose(several.annotators.quality, alone.annotators.quality, rtol=0, atol=1e-12)
