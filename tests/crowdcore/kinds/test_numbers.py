"""The consensus of numbers."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdcore.kinds import AnswerTable, numbers
from tests.crowdcore.kinds.crowds import draw_numbers, everybody, shuffled, table

law = settings(max_examples=30)


@st.composite
def answers(draw):
    """A table of numbers, some of them missing, some far off."""
    N, M = draw(st.integers(1, 10)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.normal(10 * np.arange(N)[:, None], draw(st.sampled_from([0.0, 1.0, 30.0])), (N, M))
    values[rng.random((N, M)) < 0.1] *= 100
    return everybody(np.where(rng.random((N, M)) < 0.3, None, values.astype(object)).tolist())


def same(one, other, atol=1e-4):
    return np.allclose(one, other, rtol=1e-4, atol=atol, equal_nan=True)


@law
@given(answers(), st.integers(0, 99))
def test_the_order_of_rows_tasks_and_annotators_does_not_matter(given_answers, seed):
    again, tasks, annotators = shuffled(given_answers, seed)
    one, other = numbers(given_answers), numbers(again)
    for name in ("consensus", "quality", "interval", "agreement"):
        assert same(getattr(one, name)[tasks], getattr(other, name)), name
    assert same(one.annotators.quality[annotators], other.annotators.quality)
    assert same(one.annotators.more["bias"][annotators], other.annotators.more["bias"])


@law
@given(answers(), st.sampled_from([0.001, 3.0, 1e6]), st.sampled_from([-1e4, 0.0, 7.0]))
def test_another_unit_of_the_answers_is_another_unit_of_everything(given_answers, factor, shift):
    other_unit = given_answers.with_values([float(value) * factor + shift for value in given_answers.values])
    one, other = numbers(given_answers, tolerance=2.0), numbers(other_unit, tolerance=2.0 * factor)
    several = len(given_answers.values) > 1  # the spread of a single answer is taken from its size
    if not several:
        return
    at = 1e-4 * factor
    if np.ptp(given_answers.values) > 0:
        assert same(one.consensus * factor + shift, other.consensus, at)
        assert same(one.interval * factor + shift, other.interval, at)
        assert same(one.annotators.more["bias"] * factor, other.annotators.more["bias"], at)
        assert same(one.annotators.more["spread"] * factor, other.annotators.more["spread"], at)
        assert same(one.quality, other.quality)
        assert same(one.annotators.quality, other.annotators.quality)


@law
@given(answers())
def test_everything_is_in_its_range(given_answers):
    result = numbers(given_answers)
    for values in (result.quality, result.confidence, result.answer_quality, result.annotators.quality):
        assert ((values >= 0) & (values < 1)).all()  # no answers make certain
    low, high = result.interval.T
    there = given_answers.num_answers > 0
    assert (low <= high).all()
    assert np.array_equal(np.isnan(result.consensus), ~there)
    assert ((low <= result.consensus + 1e-9) & (result.consensus <= high + 1e-9))[there].all()


@pytest.mark.parametrize("seed", range(3))
def test_gross_errors_hardly_move_the_consensus(seed):
    given_answers, truth, _, _ = draw_numbers(gross=0.05, seed=seed)
    median = [np.median(given_answers.values[given_answers.task == i]) for i in range(len(truth))]
    ours = np.abs(numbers(given_answers).consensus - truth).mean()
    assert ours < np.abs(median - truth).mean()
    assert ours < 3


@pytest.mark.parametrize("gross", [0.0, 0.05])
def test_biases_and_spreads_of_annotators_are_found(gross):
    given_answers, _, bias, spread = draw_numbers(num_tasks=400, gross=gross)
    figures = numbers(given_answers).annotators
    centred = bias - np.average(bias, weights=figures.num_answers)
    assert np.abs(figures.more["bias"] - centred).max() < 2
    assert np.corrcoef(figures.more["spread"], spread)[0, 1] > 0.9
    assert np.corrcoef(figures.quality, -(spread**2 + bias**2))[0, 1] > 0.6


def test_a_biased_annotator_is_corrected():
    rng = np.random.default_rng(0)
    truth = rng.uniform(0, 100, 60)
    rows = [[t + rng.normal(), t + rng.normal(), t + 10 + rng.normal()] for t in truth]
    for row in rows[::2]:
        row[0] = None
    result = numbers(everybody(rows))
    bias = result.annotators.more["bias"]
    assert 9 < bias[2] - bias[0] < 11
    assert (result.consensus - truth).std() < 1  # as much too high with and without the first annotator


@pytest.mark.parametrize("slip", [1e3, 1e9, -1e6])
@pytest.mark.parametrize(("num_tasks", "step"), [(30, 0.0), (3, 1.0), (30, 1.0)])
def test_one_slip_of_any_size_changes_neither_the_tolerance_nor_the_quality(slip, num_tasks, step):
    right = [[50 + step * i, 50 + step * i + 0.1, 50 + step * i - 0.1, 50 + step * i] for i in range(num_tasks)]
    if not step:
        right = [[50.0] * 4 for _ in range(num_tasks)]
    wrong = [*right[:-1], [*right[-1][:3], slip]]
    one, other = numbers(everybody(right)), numbers(everybody(wrong))
    assert other.tolerance == pytest.approx(one.tolerance, rel=0.4)
    assert np.allclose(one.consensus, other.consensus, atol=one.tolerance)
    assert (np.abs(one.quality - other.quality) < 0.15).all()


def test_the_quality_is_how_often_the_truth_is_within_the_tolerance():
    given_answers, truth, _, _ = draw_numbers(num_tasks=400, each=3)
    rng = np.random.default_rng(1)
    felt = truth + 0.7 * 6 * rng.normal(size=len(truth))  # what annotators go by is a little off for all of them
    shared = given_answers.with_values((given_answers.values + (felt - truth)[given_answers.task]).tolist())
    result = numbers(shared)
    near = np.abs(result.consensus - truth) <= result.tolerance
    assert result.quality.mean() == pytest.approx(near.mean(), abs=0.15)
    low, high = result.interval.T
    assert 0.8 < ((low <= truth) & (truth <= high)).mean() < 0.98
    assert 4.2 < result.tolerance < 5


def test_where_half_say_nothing_the_others_still_count():
    """Half of the answers are 0, as where people are asked how much joy there is in a headline."""
    rng = np.random.default_rng(0)
    truth = np.where(rng.random(100) < 0.5, 0, rng.uniform(0, 60, 100))
    said = np.maximum(truth[:, None] + rng.normal(0, 15, (100, 10)), 0)
    rows = np.where(rng.random((100, 10)) < 0.5, 0.0, said)
    result, mean = numbers(everybody(rows.tolist())), rows.mean(axis=1)
    assert result.consensus.std() > 0.5 * mean.std()
    assert np.abs(result.consensus - truth).mean() < 1.3 * np.abs(mean - truth).mean()


def test_lone_answers_are_taken_as_they_are_and_never_sure():
    for given_answers in (
        everybody([[float(i)] for i in range(10)]),
        table([(i, f"w{i}", float(i)) for i in range(10)]),
    ):
        result = numbers(given_answers)
        assert np.allclose(result.consensus, range(10))
        assert (result.quality < 0.5).all()
        assert not result.founded.any()


@pytest.mark.parametrize("answer", [5.0, 0.0, -1e6])
def test_one_answer_is_not_sure(answer):
    result = numbers(everybody([[answer]]))
    assert result.consensus[0] == pytest.approx(answer)
    assert result.quality[0] < 0.5


@pytest.mark.parametrize("answer", [5.0, 0.0, 1e9])
def test_answers_that_are_all_the_same_are_believed(answer):
    result = numbers(everybody([[answer] * 3] * 5))
    assert np.allclose(result.consensus, answer)
    assert ((result.quality > 0.9) & (result.quality < 0.95)).all()  # fifteen answers prove no more
    assert (result.agreement == 1).all()


@pytest.mark.parametrize("num_tasks", [1, 2, 5, 30])
def test_answers_that_agree_exactly_are_surer_the_more_there_are(num_tasks):
    few, more = (numbers(everybody([[10.0 * task] * 2 for task in range(size)])) for size in (num_tasks, num_tasks + 5))
    assert few.quality.max() < more.quality.min() < 1
    assert few.annotators.quality.max() < 1
    unsure = few.quality < 0.9
    assert (np.diff(few.interval, axis=1)[unsure] >= 2 * few.tolerance - 1e-9).all()


def test_a_known_number_is_certain_however_few_answers_there_are():
    assert numbers(everybody([[5.0, 5.0]]), known=[5.0]).quality.tolist() == [1.0]


def test_a_task_nobody_answered_has_no_number_and_comes_first():
    given_answers, *_ = draw_numbers(num_tasks=50)
    result = numbers(AnswerTable.from_long(given_answers.to_long(), tasks=range(51)))
    assert np.isnan(result.consensus[50])
    assert result.interval[50].tolist() == [-np.inf, np.inf]
    assert result.confidence.argmin() == 50


def test_without_answers_nothing_is_known():
    empty = AnswerTable.from_codes([], [], [], tasks=["a", "b"], annotators=["x"])
    for predictions in (None, [5.0, 6.0]):
        result = numbers(empty, predictions)
        assert np.isnan(result.consensus).all()
        assert result.quality.tolist() == [0, 0]
        assert result.interval.tolist() == [[-np.inf, np.inf]] * 2
    known = numbers(empty, known=[5.0, None])
    assert known.consensus[0] == 5
    assert known.quality[0] == 1 > 0.5 > known.quality[1]


def test_known_numbers_are_the_consensus_and_teach_biases():
    given_answers, truth, bias, _ = draw_numbers(num_tasks=300)
    shifted = given_answers.with_values((given_answers.values + 20).tolist())  # all of them are 20 too high
    known = np.where(np.arange(300) < 60, truth, np.nan)
    result = numbers(shifted, known=known)
    assert np.array_equal(result.consensus[:60], truth[:60])
    assert (result.quality[:60] == 1).all()
    assert np.abs(result.consensus[60:] - truth[60:]).mean() < 4 < np.abs(numbers(shifted).consensus - truth).mean()
    assert np.abs(result.annotators.more["bias"] - bias - 20).mean() < 3
    by_task = numbers(shifted, known=dict(enumerate(truth[:60].tolist())))
    assert np.array_equal(by_task.consensus, result.consensus)


@pytest.mark.parametrize("each", [1, 2])
def test_predictions_are_heard_as_far_as_they_foretell(each):
    given_answers, truth, _, _ = draw_numbers(num_tasks=300, each=each)
    rng = np.random.default_rng(5)
    alone = np.abs(numbers(given_answers).consensus - truth).mean()
    good = numbers(given_answers, (truth + rng.normal(0, 2, 300)) / 1000 + 7)  # in another unit
    nothing = numbers(given_answers, rng.normal(size=300))
    assert np.abs(good.consensus - truth).mean() < (0.75 if each == 2 else 1.01) * alone
    assert np.abs(nothing.consensus - truth).mean() < 1.05 * alone
    some = np.where(np.arange(300) < 150, truth, np.nan)
    assert np.isfinite(numbers(given_answers, some).consensus).all()


def test_predictions_stand_for_tasks_without_answers():
    given_answers, truth, _, _ = draw_numbers(num_tasks=100)
    more = AnswerTable.from_long(given_answers.to_long(), tasks=range(101))
    result = numbers(more, [*truth, 42.0])
    assert result.consensus[100] == pytest.approx(42, abs=3)
    assert result.quality[100] < np.median(result.quality)


def test_logarithms_mean_shares_of_the_number():
    rng = np.random.default_rng(2)
    truth = np.exp(rng.uniform(0, 10, 150))
    factors = np.exp(rng.normal(0, [0.02, 0.03, 0.2], (150, 3)))
    result = numbers(everybody((truth[:, None] * factors).tolist()), logarithms=True)
    assert np.abs(np.log(result.consensus / truth)).mean() < 0.04
    assert result.tolerance == 0.05
    low, high = result.interval.T
    assert (low > 0).all()
    assert ((high - low) / result.consensus).max() < 1
    assert result.annotators.quality.argmin() == 2
    unanswered = AnswerTable.from_long(result.answers.to_long(), tasks=range(151))
    assert numbers(unanswered, logarithms=True).interval[150].tolist() == [0, np.inf]


@pytest.mark.parametrize("unit", [1e-300, 1e-12, 1e12, 1e290])
def test_units_may_be_tiny_or_huge(unit):
    result = numbers(everybody([[1.0 * unit, 1.1 * unit, 1.0 * unit], [2.0 * unit, 2.0 * unit, 2.1 * unit]] * 5))
    assert np.allclose(result.consensus[:2] / unit, [1.03, 2.03], atol=0.1)
    assert ((result.quality > 0) & (result.quality < 1)).all()


def test_moments_are_numbers_too():
    days = 1.7e9 + 86400.0 * np.arange(20)
    result = numbers(everybody([[day, day + 60, day] for day in days]), tolerance=3600.0)
    assert np.abs(result.consensus - days).max() < 60
    assert (result.quality > 0.97).all()


@pytest.mark.parametrize(
    ("values", "options", "told"),
    [
        ([1.0, np.nan], {}, "answer to task 0 is nan; every answer must be a finite number"),
        ([1.0, np.inf], {}, "answer to task 0 is inf"),
        ([1.0, "2"], {}, "answer is '2'; every answer must be a number"),
        ([1.0, None], {}, "answer is None"),
        ([True, False], {}, "answer is True"),
        ([1.0, 0.0], {"logarithms": True}, "Task 0 has 0, and 0 or less has no logarithm"),
        ([1.0, 2.0], {"logarithms": True, "known": [-1]}, "Task 0 has -1"),
        ([1.0, 2.0], {"tolerance": 0}, "tolerance is 0"),
        ([1.0, 2.0], {"tolerance": "5 %"}, "tolerance is '5 %'"),
        ([1.0, 2.0], {"tolerance": np.nan}, "tolerance is nan"),
        ([1.0, 2.0], {"known": [1, 2]}, "known has 2; expected 1, a number for each task"),
        ([1.0, 2.0], {"known": ["a"]}, "known has 'a'; expected a number"),
        ([1.0, 2.0], {"known": [np.inf]}, "known has an infinite number"),
        ([1.0, 2.0], {"known": 5}, "known has 5; expected 1"),
        ([1.0, 2.0], {"known": np.ones((1, 2))}, "expected 1, a number for each task"),
        ([1.0, 2.0], {"known": pd.Series({"z": 1.0})}, "known has the task 'z'"),
    ],
)
def test_what_is_wrong_is_said(values, options, told):
    with pytest.raises(ValueError, match=told):
        numbers(everybody([[1.0, 2.0]]).with_values(values), **options)


@pytest.mark.parametrize(("bias", "spread"), [(15.0, 1.0), (0.0, 30.0)])
def test_a_model_that_answers_all_tasks_moves_no_scale(bias, spread):
    rng = np.random.default_rng(5)
    truth = rng.normal(50, 15, 150)
    rows = [
        (task, who, true + 0.3 * (who - 4.5) + 2 * rng.normal())
        for task, true in enumerate(truth)
        for who in rng.choice(10, 3, replace=False)
    ]
    rows += [(task, 10, true + bias + spread * rng.normal()) for task, true in enumerate(truth)]
    task, who, values = zip(*rows, strict=True)
    table = AnswerTable.from_codes(task, who, values, tasks=range(150), annotators=range(11))
    people = np.arange(11) < 10
    alone = numbers(table.of_annotators(people), tolerance=2.0)
    found = numbers(table, tolerance=2.0, people=people)
    errors = [np.abs(one.consensus - truth).mean() for one in (found, alone, numbers(table, tolerance=2.0))]
    assert errors[0] < errors[1] * 1.05
    assert errors[0] < errors[2]
    assert found.annotators.more["bias"][10] == pytest.approx(bias, abs=6 if spread > 5 else 1)
    assert found.annotators.more["spread"][10] > 2 * found.annotators.more["spread"][:10].max() or spread < 5
    with pytest.raises(ValueError, match="people must have True or False for each of the 11 annotators"):
        numbers(table, people=[True])


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.3])
@pytest.mark.parametrize("alike", [True, False])
def test_gross_errors_do_no_more_harm_than_to_the_median(share, alike):
    """Three answers a task, some of them 30 too large, or anywhere."""
    rng = np.random.default_rng(0)
    truth = rng.uniform(0, 30, 100)

    def answer(i):
        if rng.random() > share:
            return truth[i] + rng.normal(0, 0.5)
        return truth[i] + 30 if alike else rng.uniform(-60, 60)

    rows = [(i, j, answer(i)) for i in range(100) for j in rng.permutation(8)[:3].tolist()]
    task, annotator, values = zip(*rows, strict=True)
    table = AnswerTable.from_codes(task, annotator, values, tasks=list(range(100)), annotators=list(range(8)))
    found = numbers(table, tolerance=1)
    medians = np.array([np.median(table.values[a:b]) for a, b in itertools.pairwise(table.indptr)])
    assert np.abs(found.consensus - truth).mean() < np.abs(medians - truth).mean() + 0.02
    assert np.abs(found.quality.mean() - (np.abs(found.consensus - truth) <= 1).mean()) < 0.25
