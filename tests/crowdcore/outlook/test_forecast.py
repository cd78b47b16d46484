"""The forecast: what it promises, that it comes true, and its compiled loops against plain numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from crowdcore import Crowd, hierarchical_dawid_skene, kernels
from crowdcore.outlook.estimates import estimate_accuracy
from crowdcore.outlook.forecast import forecast_accuracy
from crowdcore.simulation import independent_confusion

law = settings(max_examples=25, deadline=None)


def made(seed, N=300, M=20, K=3, votes=3, right=0.7):
    """A crowd whose annotators are right that often, and the truth."""
    matrices = np.full((M, K, K), (1 - right) / (K - 1))
    matrices[:, np.arange(K), np.arange(K)] = right
    simulation = independent_confusion(N, M, K, answers_per_task=votes, confusions=matrices, seed=seed)
    return simulation.crowd, simulation.truth


def shown(crowd, number):
    """The crowd with the first answers of each task only."""
    keep = np.arange(len(crowd.label)) - crowd.indptr[crowd.task] < number
    return Crowd.from_codes(
        crowd.task[keep], crowd.annotator[keep], crowd.label[keep],
        tasks=crowd.tasks, annotators=crowd.annotators, classes=crowd.classes,
    )  # fmt: skip


def test_the_forecast_comes_true():
    """Two answers of each task are shown, one more is then collected for all."""
    held, errors = [], []
    for seed in range(12):
        crowd, truth = made(seed, N=400, right=0.6 + 0.02 * seed, votes=4)
        forecast = forecast_accuracy(
            hierarchical_dawid_skene(shown(crowd, 2)), num_labels=800, order="random", target_quality=1, max_labels=4
        )
        came = np.mean(hierarchical_dawid_skene(crowd).consensus == truth)
        held.append(forecast.low[-1] <= came <= forecast.high[-1])
        errors.append(forecast.accuracy[-1] - came)
    assert np.mean(held) >= 0.8
    assert abs(np.mean(errors)) < 0.05


def test_the_labels_that_are_needed_are_within_the_interval():
    """Two answers of each task are there; then the least confident are asked for, until all are settled."""
    held, misjudged = [], []
    for seed in range(10):
        crowd, _ = made(seed, N=100, right=0.6 + 0.03 * seed, votes=6)
        given = np.full(100, 2)
        first = result = hierarchical_dawid_skene(shown(crowd, given[crowd.task]))
        while len(left := np.flatnonzero((result.quality < 0.9) & (given < 6))):
            given[left[np.argsort(result.confidence[left], kind="stable")][:15]] += 1
            result = hierarchical_dawid_skene(shown(crowd, given[crowd.task]))
        forecast, came = forecast_accuracy(first, target_quality=0.9, max_labels=6), given.sum() - 200
        held.append(forecast.labels_needed_low <= came <= forecast.labels_needed_high)
        misjudged.append(np.log(forecast.labels_needed / came))
    assert np.mean(held) >= 0.8
    assert abs(np.mean(misjudged)) < 0.25


def test_it_starts_where_the_project_stands():
    result = hierarchical_dawid_skene(made(0)[0])
    forecast, estimate = forecast_accuracy(result), estimate_accuracy(result)
    assert forecast.num_labels[0] == 0
    assert forecast.accuracy[0] == pytest.approx(estimate.accuracy, abs=0.03)
    assert forecast.low[0] == pytest.approx(estimate.low, abs=0.06)
    assert forecast.high[0] == pytest.approx(estimate.high, abs=0.06)
    assert forecast.estimated[0] == pytest.approx(result.quality.mean())


def test_the_queue_needs_fewer_labels_than_a_random_order():
    result = hierarchical_dawid_skene(made(1)[0])
    queue = forecast_accuracy(result, target_quality=0.8)
    chance = forecast_accuracy(result, target_quality=0.8, order="random", num_labels=int(queue.num_labels[-1]))
    assert queue.labels_needed < 0.8 * chance.labels_needed
    assert queue.accuracy[6] > chance.accuracy[6]
    assert np.array_equal(queue.num_labels, chance.num_labels)


def test_a_higher_target_takes_more_labels():
    result = hierarchical_dawid_skene(made(2)[0])
    low, high = (forecast_accuracy(result, target_quality=target, max_labels=10) for target in (0.8, 0.95))
    for needed in ("labels_needed_low", "labels_needed", "labels_needed_high"):
        assert getattr(low, needed) < getattr(high, needed)
    assert low.labels_needed_low < low.labels_needed < low.labels_needed_high
    assert high.estimated[-1] > low.estimated[-1]


@law
@given(st.integers(0, 2**32 - 1), st.sampled_from(["priority", "random"]), st.integers(1, 4), st.integers(1, 4))
def test_no_task_gets_more_labels_than_allowed(seed, order, votes, most):
    rng = np.random.default_rng(seed)
    crowd, _ = made(seed % 1000, N=30, M=6, votes=votes)
    limits = rng.integers(0, most + 1, size=30)
    result = hierarchical_dawid_skene(crowd)
    forecast = forecast_accuracy(result, order=order, target_quality=1, max_labels=limits, n_simulations=4, seed=seed)
    if forecast.reason:
        assert votes == 1
        return
    room = np.maximum(limits - votes, 0).sum()
    assert forecast.labels_needed_high <= room
    if order == "priority" and (result.quality < 1).all():
        assert forecast.labels_needed == pytest.approx(room, abs=len(limits))
    for curve in (forecast.low, forecast.accuracy, forecast.high, forecast.estimated):
        assert ((curve >= 0) & (curve <= 1)).all()
    assert (forecast.low <= forecast.accuracy).all()
    assert (forecast.accuracy <= forecast.high).all()
    assert (np.diff(forecast.num_labels) > 0).all()


def test_tasks_may_have_any_number_of_labels():
    """The largest number that the plugin's settings allow takes neither memory of its own nor for ever."""
    result = hierarchical_dawid_skene(made(2, N=100)[0])
    usual, never = (
        forecast_accuracy(result, max_labels=1_000_000_000, n_simulations=4, target_quality=target)
        for target in (0.8, 1)
    )
    assert 0 < usual.labels_needed < 1000
    assert usual.accuracy[-1] > usual.accuracy[0]
    assert never.labels_needed == 100 * 100


def test_min_labels_are_collected_whatever_the_quality():
    crowd, truth = made(3, N=100, votes=1, right=0.95)
    P = 0.01 + 0.97 * np.eye(3)[truth]
    result = hierarchical_dawid_skene(shown(crowd, 1), P)
    few = forecast_accuracy(result, target_quality=0)
    some = forecast_accuracy(result, target_quality=0, min_labels=3)
    assert few.labels_needed == 0
    assert some.labels_needed == 200


def test_known_labels_are_settled_and_right():
    crowd, truth = made(4, N=60)
    known = np.where(np.arange(60) < 50, truth, -1)
    forecast = forecast_accuracy(hierarchical_dawid_skene(crowd, known_labels=known), target_quality=1, max_labels=5)
    assert forecast.labels_needed_high <= 20
    assert forecast.low[0] >= 50 / 60


def test_the_same_seed_gives_the_same():
    result = hierarchical_dawid_skene(made(5)[0])
    a, b, c = (forecast_accuracy(result, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(a.accuracy, b.accuracy)
    assert a.labels_needed == b.labels_needed
    assert not np.array_equal(a.accuracy, c.accuracy)


def test_the_order_of_annotators_answers_does_not_matter():
    crowd, _ = made(6)
    order = np.random.default_rng(0).permutation(len(crowd.label))
    again = Crowd.from_codes(
        crowd.task[order], crowd.annotator[order], crowd.label[order],
        tasks=crowd.tasks, annotators=crowd.annotators, classes=crowd.classes,
    )  # fmt: skip
    a, b = (forecast_accuracy(hierarchical_dawid_skene(each)) for each in (crowd, again))
    assert np.array_equal(a.accuracy, b.accuracy)


def test_where_all_have_answered_newcomers_come():
    crowd, _ = made(7, N=50, M=3, votes=3)
    forecast = forecast_accuracy(hierarchical_dawid_skene(crowd), target_quality=1, max_labels=6)
    assert forecast.labels_needed == pytest.approx(150, abs=15)
    assert forecast.accuracy[-1] > forecast.accuracy[0]


def test_many_classes_and_annotators_take_part_of_the_annotators():
    crowd, _ = made(8, N=200, M=300, K=150, votes=2)
    forecast = forecast_accuracy(hierarchical_dawid_skene(crowd), max_labels=3, n_simulations=2)
    assert forecast.accuracy[-1] >= forecast.accuracy[0]


def test_where_the_data_cannot_say_there_is_a_reason():
    crowd = Crowd.from_wide([["a", None], ["b", None]])
    forecast = forecast_accuracy(hierarchical_dawid_skene(crowd))
    assert forecast.reason.startswith("Only one annotator has answered")
    assert len(forecast.num_labels) == len(forecast.accuracy) == 0
    assert np.isnan(forecast.labels_needed)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": "best"}, "order is 'best'; it must be one of 'priority', 'random'"),
        ({"num_labels": 0}, "num_labels is 0; it must be 1 or more"),
        ({"target_quality": 80}, "target_quality is 80; it must be a probability"),
        ({"max_labels": 2.5}, "max_labels is 2.5; it must be a whole number"),
        ({"max_labels": [1, 2]}, r"max_labels is \[1, 2\]; it must be a whole number"),
        ({"n_simulations": 0}, "n_simulations is 0; it must be 1 or more"),
        ({"level": 1.5}, "level is 1.5; it must be between 0 and 1"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    result = hierarchical_dawid_skene(made(0, N=20)[0])
    with pytest.raises(ValueError, match=message):
        forecast_accuracy(result, **options)


@pytest.fixture
def state():
    rng = np.random.default_rng(0)
    N, K = 40, 4
    counts = rng.integers(0, 3, size=(N, K)) * (np.arange(N) % 5 > 0)[:, None]
    n = counts.sum(axis=1)
    strongest = np.where(n > 0, rng.random(N) + 0.1, 0)
    return {
        "N": N, "K": K, "counts": counts, "says": rng.normal(size=(N, K)) * (n > 0)[:, None],
        "total": strongest * (1 + rng.random(N)), "strongest": strongest, "rng": rng,
    }  # fmt: skip


@pytest.mark.parametrize("has_model", [True, False])
def test_judge_tasks(state, has_model):
    N, K, says, total, strongest = (state[name] for name in ("N", "K", "says", "total", "strongest"))
    tasks, pair, several, as_one = np.arange(0, N, 2), 0.2, 0.3, 0.4
    prior = np.log(state["rng"].dirichlet(np.ones(K), size=N if has_model else 1))
    consensus, confidence, quality = np.full(N, -7), np.full(N, -7.0), np.full(N, -7.0)
    kernels.judge_tasks(
        tasks, prior, says, total, strongest, state["counts"], has_model, pair, several, as_one, consensus, confidence,
        quality,
    )  # fmt: skip
    for i in range(N):
        if i % 2:
            assert consensus[i] == confidence[i] == quality[i] == -7
            continue
        before, equal = prior[i if has_model else 0], total[i] / strongest[i] if strongest[i] else 1
        many = softmax(before + says[i] / (1 + (equal - 1) * pair + several * (1 - 1 / equal)))
        row = (1 - as_one) * many + as_one * softmax(before * has_model + says[i] / equal)
        best, silent = row.argmax(), not strongest[i] and not has_model
        assert consensus[i] == (-1 if silent else best)
        assert confidence[i] == pytest.approx(1 / K if silent else softmax(before + says[i])[best])
        assert quality[i] == pytest.approx(row[best])


def test_collect_labels(state):
    rng, N, K, P = state["rng"], state["N"], state["K"], 5
    counts, says, total, strongest = (state[name].copy() for name in ("counts", "says", "total", "strongest"))
    chances, pooled = rng.dirichlet(np.ones(K), size=(P + 1, K)), rng.dirichlet(np.ones(K), size=K)
    truth, reached = rng.integers(K, size=N), rng.random(P).cumsum()
    members = np.array([0, 2, 3, 5, 6])
    indptr, annotator = np.arange(N + 1), rng.integers(7, size=N)  # one answer each
    latest, earlier, asked = np.full(N, -1), np.full(3 * N, -9), np.full(3 * N, -9)
    together, given_to = 0.3, [{annotator[i]} for i in range(N)]
    for turn in range(2):
        tasks, draws = np.arange(N), rng.random((N, 4))
        before = counts.copy(), says.copy(), total.copy(), strongest.copy()
        kernels.collect_labels(
            tasks, draws, truth, reached, chances, pooled, together, indptr, annotator, members, latest, earlier,
            asked, turn * N, says, total, strongest, counts,
        )  # fmt: skip
        for i in range(N):
            come = np.searchsorted(reached / reached[-1], draws[i, 1:], side="right")
            free = [who for who in come if members[who] not in given_to[i]]
            who = free[0] if free else P
            given_to[i] |= {members[who]} if free else set()
            assert asked[turn * N + i] == who
            weights = chances[who, truth[i]] * (1 + before[0][i] * together / pooled[truth[i]])
            label = int(np.searchsorted(weights.cumsum() / weights.sum(), draws[i, 0], side="right"))
            assert np.array_equal(counts[i] - before[0][i], np.arange(K) == label)
            added = np.log(chances[who, :, label])
            assert np.allclose(says[i] - before[1][i], added)
            own = max(added[label] - np.delete(added, label).max(), 1e-3)
            assert total[i] - before[2][i] == pytest.approx(own)
            assert strongest[i] == max(own, before[3][i])


def test_both_orders_begin_at_the_same_accuracy():
    result = hierarchical_dawid_skene(independent_confusion(200, 10, 3, answers_per_task=2, seed=3).crowd)
    queue, random = (forecast_accuracy(result, num_labels=100, order=order) for order in ("priority", "random"))
    assert queue.accuracy[0] == random.accuracy[0]
