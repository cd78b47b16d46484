"""The compiled loops of hierarchical Dawid-Skene against plain numpy."""

import numpy as np
import pytest
from scipy.special import gammaln, logsumexp, softmax

from crowdcore import kernels


@pytest.fixture
def case():
    rng = np.random.default_rng(0)
    N, M, K = 30, 5, 4
    n = rng.integers(0, M + 1, size=N)
    indptr = np.concatenate([[0], np.cumsum(n)])
    annotator = np.concatenate([np.sort(rng.choice(M, size, replace=False)) for size in n]).astype(np.int64)
    label = rng.choice(K, size=len(annotator), p=[0.6, 0.2, 0.1, 0.1])
    cells = np.arange(M * K)
    return {
        "shape": (N, M, K), "indptr": indptr, "annotator": annotator, "label": label,
        "task": np.repeat(np.arange(N), n), "cell": annotator * K + label, "who": cells // K, "said": cells % K,
        "known": np.where(rng.random(N) < 0.2, rng.integers(K, size=N), -1),
        "log_prior": np.log(rng.dirichlet(np.ones(K), size=N)), "log_rows": np.log(rng.random((M * K, K))),
        "right": rng.random((M, K)), "repeats": rng.random((2, K, K)), "before": rng.dirichlet(np.ones(K), size=N),
        "mistakes": rng.random((K, K)), "counts": rng.random((M * K, K)) * 9,
    }  # fmt: skip


def joints(case, exponent):
    """Logarithm of each task's prior, answers and repeats for each true class."""
    logs = np.log(softmax(exponent * case["log_prior"], axis=1))
    for i, row in enumerate(logs):
        seen = {}
        for a in range(*case["indptr"][i : i + 2]):
            label = case["label"][a]
            row += case["log_rows"][case["cell"][a]]
            times = min(seen.get(label, 0), 2)
            if times:
                row += case["repeats"][times - 1, label]
            seen[label] = seen.get(label, 0) + 1
    return logs


def posteriors(case, exponent):
    after = softmax(joints(case, exponent), axis=1)
    told = case["known"] >= 0
    after[told] = case["before"][told]
    return after


def test_infer_tasks(case):
    N, M, K = case["shape"]
    exponent, after = 0.7, case["before"].copy()
    counts, totals = np.zeros((M * K, K)), np.zeros(K + 7)
    kernels.infer_tasks(
        0, N, case["indptr"], case["annotator"], case["label"], case["cell"], case["known"], case["log_prior"],
        exponent, case["log_rows"], case["right"], case["repeats"], after, counts, totals,
    )  # fmt: skip
    expected = posteriors(case, exponent)
    assert np.allclose(after, expected)
    heard = (np.diff(case["indptr"]) > 0) | (case["known"] >= 0)
    table = np.zeros((M * K, K))
    np.add.at(table, case["cell"], expected[case["task"]])
    assert np.allclose(counts, table)
    assert np.allclose(totals[:K], expected[heard].sum(axis=0))
    assert totals[K] == pytest.approx(np.abs(expected - case["before"])[heard].max())
    together = apart = 0.0
    for a, i in enumerate(case["task"]):
        for b in range(*case["indptr"][i : i + 2]):
            if a != b:
                p, q = case["right"][case["annotator"][a]], case["right"][case["annotator"][b]]
                is_class = np.arange(K)
                together += expected[i] @ (((case["label"][a] == is_class) - p) * ((case["label"][b] == is_class) - q))
                apart += expected[i] @ np.sqrt(p * (1 - p) * q * (1 - q))
    assert totals[K + 1 : K + 3] == pytest.approx([together, apart])
    prior, logs = softmax(exponent * case["log_prior"], axis=1), case["log_prior"]

    def variances(T):
        return ((T * logs**2).sum(axis=1) - (T * logs).sum(axis=1) ** 2)[heard].sum()

    logs_of_all, told = joints(case, exponent), case["known"] >= 0
    chance = np.where(told, logs_of_all[np.arange(N), case["known"]], logsumexp(logs_of_all, axis=1))
    assert totals[K + 6] == pytest.approx(chance[heard].sum())
    slope = ((expected - prior) * logs)[heard].sum()
    assert totals[K + 3 : K + 6] == pytest.approx([slope, variances(prior), variances(expected)])


def test_infer_tasks_can_only_count(case):
    N, M, K = case["shape"]
    after, counts, totals = case["before"].copy(), np.zeros((M * K, K)), np.zeros(K + 7)
    kernels.infer_tasks(
        0, N, case["indptr"], case["annotator"], case["label"], case["cell"], case["known"], case["log_prior"],
        1.0, np.empty((0, K)), np.empty((0, K)), np.empty((0, K, K)), after, counts, totals,
    )  # fmt: skip
    assert np.array_equal(after, case["before"])
    table = np.zeros((M * K, K))
    np.add.at(table, case["cell"], after[case["task"]])
    assert np.allclose(counts, table)


def test_rows(case):
    _, M, K = case["shape"]
    counts, right, mistakes = case["counts"], case["right"], case["mistakes"]
    tasks, hits, pooled = np.zeros((M, K)), np.zeros((M, K)), np.zeros((K, K))
    kernels.sum_rows(case["who"], case["said"], counts, tasks, hits, pooled)
    table = counts.reshape(M, K, K)  # annotator, label, true class
    assert np.allclose(tasks, table.sum(axis=1))
    assert np.allclose(hits, table[:, np.arange(K), np.arange(K)])
    assert np.allclose(pooled, table.sum(axis=0).T)
    expected = np.where(np.eye(K, dtype=bool), right[:, None], (1 - right)[:, None] * mistakes.T)
    strength, log_rows = 3.0, np.empty((M * K, K))
    args = case["who"], case["said"], counts, tasks, right, mistakes
    kernels.fill_rows(strength, *args, log_rows)
    chances = (table + strength * expected) / (tasks[:, None] + strength)
    assert np.allclose(log_rows, np.log(chances).reshape(M * K, K))
    evidence = (gammaln(strength * expected + table) - gammaln(strength * expected)).sum()
    evidence -= (gammaln(strength + tasks) - gammaln(strength)).sum()
    assert kernels.row_evidence(strength, *args) == pytest.approx(evidence)


def test_repeat_discounts(case):
    K = case["shape"][2]
    repeats = np.empty((3, K, K))
    kernels.repeat_discounts(0.2, case["mistakes"], repeats)
    m = np.arange(1, 4)[:, None, None]
    assert np.allclose(repeats, np.log1p(0.2 * m / case["mistakes"].T))


@pytest.mark.parametrize("with_model", [True, False])
def test_pool_answers(case, with_model):
    N, _, K = case["shape"]
    correlation, least, exponent = 0.2, 0.05, 0.7
    n, label = np.diff(case["indptr"]), case["label"]
    before = posteriors(case, exponent)
    prior = softmax(exponent * case["log_prior"], axis=1) if with_model else np.full((N, K), 1 / K)
    one = prior[case["task"]] * np.exp(case["log_rows"][case["cell"]])
    one /= one.sum(axis=1, keepdims=True)
    expected = before.copy()
    for i in np.flatnonzero((n > 1) & (case["known"] < 0)):
        mean, best = one[case["task"] == i].mean(axis=0), before[i].argmax()
        weight = max(n[i] * correlation / (1 + (n[i] - 1) * correlation), least)
        gain, lead = mean - mean[best], before[i, best] - before[i]
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = min(weight, np.where(gain > 0, 0.999 * lead / (lead + gain), np.inf).min())
        expected[i] += weight * (mean - before[i])
    consensus, confidence, quality = np.empty(N, dtype=np.int64), np.empty(N), np.empty(N)
    label_quality, agreement, posterior = np.empty(len(label)), np.empty(N), before.copy()
    kernels.pool_answers(
        0, N, case["indptr"], label, case["cell"], case["known"], case["log_prior"] if with_model else np.empty((0, K)),
        exponent, case["log_rows"], correlation, least, consensus, posterior, confidence, quality, label_quality,
        agreement,
    )  # fmt: skip
    silent = (n == 0) & (case["known"] < 0) & (not with_model)
    assert np.allclose(posterior, expected)
    assert np.array_equal(consensus, np.where(silent, -1, before.argmax(axis=1)))
    assert np.allclose(confidence, np.where(silent, 1 / K, before.max(axis=1)))
    assert np.allclose(quality, expected.max(axis=1))
    assert np.allclose(label_quality, expected[case["task"], label])
    same = np.bincount(case["task"], label == consensus[case["task"]], minlength=N)
    assert np.allclose(agreement[n > 0], same[n > 0] / n[n > 0])
    assert np.isnan(agreement[n == 0]).all()
