"""The compiled loops of hierarchical Dawid-Skene against plain numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln, logsumexp, softmax

from crowdcore import kernels

RATIO = 0.3


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
        "right": rng.random((M, K)), "before": rng.dirichlet(np.ones(K), size=N),
        "mistakes": rng.random((K, K)), "counts": rng.random((M * K, K)) * 9,
    }  # fmt: skip


def joints(case, exponent, ratio=RATIO):
    """Logarithm of each task's prior, answers and repeats for each true class."""
    logs = np.log(softmax(exponent * case["log_prior"], axis=1))
    for i, row in enumerate(logs):
        answers = range(*case["indptr"][i : i + 2])
        chances = {a: np.exp(case["log_rows"][case["cell"][a]]) for a in answers}
        for said in {case["label"][a] for a in answers}:
            same = [chances[a] for a in answers if case["label"][a] == said]
            usual = np.mean(same, axis=0)
            row += np.log(same).sum(axis=0)
            row += sum(np.log1p(times * ratio / usual) for times in range(1, len(same)))
    return logs


def posteriors(case, exponent):
    after = softmax(joints(case, exponent), axis=1)
    told = case["known"] >= 0
    after[told] = case["before"][told]
    return after


def infer(case, exponent, log_rows, right, ratio):
    """Posteriors, counts and totals by the kernel."""
    N, M, K = case["shape"]
    after, counts, totals = case["before"].copy(), np.zeros((M * K, K)), np.zeros(K + 7)
    kernels.infer_tasks(
        0, N, case["indptr"], case["annotator"], case["label"], case["cell"], case["known"], case["log_prior"],
        exponent, log_rows, right, np.exp(log_rows), ratio, after, counts, totals,
    )  # fmt: skip
    return after, counts, totals


def expected_counts(case, posterior):
    table = np.zeros_like(case["counts"])
    np.add.at(table, case["cell"], posterior[case["task"]])
    return table


def variances(T, logs):
    return (T * logs**2).sum(axis=1) - (T * logs).sum(axis=1) ** 2


def test_infer_tasks(case):
    N, _, K = case["shape"]
    exponent = 0.7
    after, counts, totals = infer(case, exponent, case["log_rows"], case["right"], RATIO)
    told = case["known"] >= 0
    heard = (np.diff(case["indptr"]) > 0) | told
    expected = np.where(heard[:, None], posteriors(case, exponent), case["before"])
    assert np.allclose(after, expected)
    assert np.allclose(counts, expected_counts(case, expected))
    assert np.allclose(totals[:K], expected[heard].sum(axis=0))
    changes = np.abs(expected - case["before"])[heard].max(axis=1)
    assert totals[K : K + 2] == pytest.approx([changes.max(), changes.sum()])
    together = apart = 0.0
    for a, i in enumerate(case["task"]):
        for b in range(*case["indptr"][i : i + 2]):
            if a != b:
                p, q = case["right"][case["annotator"][a]], case["right"][case["annotator"][b]]
                is_class = np.arange(K)
                together += expected[i] @ (((case["label"][a] == is_class) - p) * ((case["label"][b] == is_class) - q))
                apart += expected[i] @ np.sqrt(p * (1 - p) * q * (1 - q))
    assert totals[K + 2 : K + 4] == pytest.approx([together, apart])
    logs = case["log_prior"]
    mean = (expected * logs)[heard].sum()
    assert totals[K + 4 : K + 6] == pytest.approx([mean, variances(expected, logs)[heard].sum()])
    joint = joints(case, exponent) + logsumexp(exponent * logs, axis=1, keepdims=True)
    chance = np.where(told, joint[np.arange(N), case["known"]], logsumexp(joint, axis=1))
    assert totals[K + 6] == pytest.approx(chance[heard].sum())


def test_infer_tasks_can_only_count(case):
    K = case["shape"][2]
    none = np.empty((0, K))
    after, counts, totals = infer(case, 1.0, none, none, 0.0)
    assert np.array_equal(after, case["before"])
    assert np.allclose(counts, expected_counts(case, after))
    assert not totals[K:].any()


def test_prior_moments(case):
    N = case["shape"][0]
    logs, exponent, totals = case["log_prior"], 0.7, np.zeros(3)
    kernels.prior_moments(0, N, case["indptr"], case["known"], logs, exponent, totals)
    heard = (np.diff(case["indptr"]) > 0) | (case["known"] >= 0)
    prior = softmax(exponent * logs, axis=1)
    expected = [logsumexp(exponent * logs, axis=1), (prior * logs).sum(axis=1), variances(prior, logs)]
    assert totals == pytest.approx([each[heard].sum() for each in expected])


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


def test_a_lone_answer_teaches_nothing_where_the_prior_is_everybodys(case):
    _, M, K = case["shape"]
    indptr, prior = np.arange(4), np.log(np.full((1, K), 1 / K))
    for known, taught in ((np.full(3, -1), 0), (np.array([-1, 2, -1]), 1)):
        counts, totals = np.zeros((M * K, K)), np.zeros(K + 7)
        kernels.infer_tasks(
            0, 3, indptr, case["annotator"][:3], case["label"][:3], case["cell"][:3], known, prior, 1.0,
            np.empty((0, K)), np.empty((0, K)), np.empty((0, K)), 0.0, case["before"][:3].copy(), counts, totals,
        )  # fmt: skip
        assert counts.sum() == pytest.approx(taught)


DEPENDS = {"pair": 0.2, "several": 0.3, "as_one": 0.4}


def weighed(prior, own, log_rows, labels, pair, several, as_one):
    """A task's posterior, by plain numpy."""
    strengths = [max(row[k] - np.delete(row, k).max(), 1e-3) for row, k in zip(log_rows, labels, strict=True)]
    equal, says = sum(strengths) / max(strengths), np.sum(log_rows, axis=0)
    many = softmax(prior + says / (1 + (equal - 1) * pair + several * (1 - 1 / equal)))
    return (1 - as_one) * many + as_one * softmax((prior if own else 0) + says / equal)


@pytest.mark.parametrize("with_model", [True, False])
def test_pool_answers(case, with_model):
    N, _, K = case["shape"]
    exponent, n, label = 0.7 if with_model else 1.0, np.diff(case["indptr"]), case["label"]
    log_prior = case["log_prior"] if with_model else case["log_prior"][:1]
    before = case["before"]
    expected, naive = before.copy(), before.copy()
    for i in np.flatnonzero((n > 0) & (case["known"] < 0)):
        here = case["task"] == i
        rows, prior = case["log_rows"][case["cell"][here]], exponent * log_prior[i if with_model else 0]
        expected[i] = weighed(prior, with_model, rows, label[here], **DEPENDS)
        naive[i] = softmax(prior + rows.sum(axis=0))
    consensus, confidence, quality = np.empty(N, dtype=np.int64), np.empty(N), np.empty(N)
    label_quality, agreement, posterior = np.empty(len(label)), np.empty(N), before.copy()
    kernels.pool_answers(
        0, N, case["indptr"], label, case["cell"], case["known"], log_prior, exponent, case["log_rows"], with_model,
        *DEPENDS.values(), consensus, posterior, confidence, quality, label_quality, agreement,
    )  # fmt: skip
    silent = (n == 0) & (case["known"] < 0) & (not with_model)
    best = expected.argmax(axis=1)
    assert np.allclose(posterior, expected)
    assert np.array_equal(consensus, np.where(silent, -1, best))
    assert np.allclose(confidence, np.where(silent, 1 / K, naive[np.arange(N), best]))
    assert np.allclose(quality, expected.max(axis=1))
    assert np.allclose(label_quality, expected[case["task"], label])
    same = np.bincount(case["task"], label == consensus[case["task"]], minlength=N)
    assert np.allclose(agreement[n > 0], same[n > 0] / n[n > 0])
    assert np.isnan(agreement[n == 0]).all()


@settings(max_examples=300, deadline=None)
@given(st.data(), st.floats(0, 0.3), st.floats(0, 0.7), st.floats(0, 0.9), st.booleans())
def test_one_more_answer_that_agrees_never_lowers_what_is_believed(data, pair, several, as_one, own):
    accuracies = data.draw(st.lists(st.floats(0.51, 0.99), min_size=1, max_size=12))
    labels = data.draw(st.lists(st.integers(0, 1), min_size=len(accuracies), max_size=len(accuracies)))
    share = data.draw(st.floats(0.05, 0.95))

    def believed(accuracies, labels):
        strengths = np.log(accuracies) - np.log1p(-np.array(accuracies))
        signs = np.where(np.array(labels) == 0, 1, -1)
        says, row = np.array([(signs * strengths).sum(), 0.0]), np.empty(2)
        prior = np.log([share, 1 - share])
        kernels.weigh_answers(
            prior, 1.0, own, says, strengths.sum(), strengths.max(), pair, several, as_one, row, np.empty(2)
        )
        return row[0]

    before = believed(accuracies, labels)
    after = believed([*accuracies, data.draw(st.floats(0.51, 0.99))], [*labels, 0])
    assert after >= before - 1e-9
