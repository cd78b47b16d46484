"""What further answers of any kind bring."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdcore.kinds import AnswerTable, label_sets, numbers
from crowdcore.outlook import forecast_quality, quality_interval
from crowdcore.outlook.courses import Question, Waiting
from crowdcore.outlook.growth import Growth, Steps, hide_answers, watch_growth
from crowdcore.outlook.quality import NOBODY, TOO_FEW, forecast_growth
from tests.crowdcore.kinds.crowds import draw_sets


def lengths(num_tasks=100, each=3, seed=0, spread=3.0):
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(num_tasks), each)
    who = np.concatenate([rng.choice(12, each, replace=False) for _ in range(num_tasks)])
    given = rng.uniform(0, 100, num_tasks)[task] + rng.normal(0, spread, len(task))
    return AnswerTable.from_codes(task, who, given, tasks=range(num_tasks), annotators=range(12))


def believed(table):
    return numbers(table, tolerance=4.0)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(["priority", "random"]), st.floats(0.3, 0.99))
def test_with_more_answers_never_fewer_tasks_are_settled(seed, order, target):
    found = forecast_quality(lengths(40, 3, seed), believed, order=order, target_quality=target, seed=seed)
    assert (np.diff(found.settled) >= 0).all()
    assert found.settled.max() <= 40
    assert (found.low <= found.quality).all()
    assert (found.quality <= found.high).all()
    assert found.labels_needed_low <= found.labels_needed <= found.labels_needed_high
    assert found.labels_needed_high <= 2 * 40  # two more answers, and every task is full


def test_at_last_all_tasks_are_settled():
    found = forecast_quality(lengths(), believed, target_quality=0.95)
    assert found.num_labels[-1] >= found.labels_needed_high > found.labels_needed_low > 0
    assert found.settled[-1] == 100 > found.settled[0]
    assert found.quality[-1] > found.quality[0]


def test_a_project_whose_tasks_are_all_settled_needs_no_answers():
    for found in (
        forecast_quality(lengths(), believed, target_quality=0.01),
        forecast_quality(lengths(each=5), believed, target_quality=1.0, max_labels=5),
    ):
        assert (found.labels_needed, found.labels_needed_low, found.labels_needed_high) == (0, 0, 0)
        assert found.num_labels.tolist() == [0]


def test_where_nothing_tells_what_an_answer_brings_it_says_why():
    nothing = AnswerTable.from_codes([], [], [], tasks=range(5), annotators=range(2))
    assert forecast_quality(nothing, believed).reason == NOBODY
    alone = forecast_quality(lengths(each=1), believed)
    assert alone.reason == TOO_FEW
    assert np.isnan(alone.labels_needed)


def test_tasks_without_answers_need_as_many_as_a_task_has_to_have():
    table = lengths(80)
    more = AnswerTable.from_codes(table.task, table.annotator, table.values, tasks=range(100), annotators=range(12))
    for least in (2, 4):
        found = forecast_quality(more, believed, target_quality=0.01, min_labels=least)
        assert found.labels_needed == 20 * least + 80 * max(least - 3, 0)


def test_the_queue_brings_more_than_chance_at_first():
    table, _, classes = draw_sets(6, 200, each=3, found=0.7)
    queue, chance = (
        forecast_quality(
            table, lambda some: label_sets(some, classes=classes), num_labels=100, order=order, target_quality=0.95
        )
        for order in ("priority", "random")
    )
    assert queue.quality[0] == chance.quality[0]
    assert queue.settled[-1] > chance.settled[-1]


def test_known_answers_are_settled_and_teach_nothing_about_growth():
    known = {f"{task}": 5.0 for task in range(100)}
    table = lengths()
    named = AnswerTable.from_codes(
        table.task, table.annotator, table.values, tasks=[f"{task}" for task in range(100)], annotators=range(12)
    )
    assert forecast_quality(named, lambda some: numbers(some, tolerance=4.0, known=known)).reason == TOO_FEW
    some = dict(list(known.items())[:60])
    found = forecast_quality(named, lambda some_: numbers(some_, tolerance=4.0, known=some), target_quality=1.0)
    assert found.labels_needed == 40 * 2


def test_one_answer_is_hidden_of_each_of_half_of_the_tasks():
    task = np.repeat(np.arange(50), 3)
    hidden = np.bincount(task[hide_answers(task, np.random.default_rng(0))], minlength=50)
    assert sorted(hidden.tolist()) == [0] * 25 + [1] * 25


def test_quality_takes_the_steps_that_were_seen():
    rng = np.random.default_rng(0)
    before = np.concatenate([rng.uniform(0.5, 0.6, 200), rng.uniform(0.8, 0.9, 200)])
    after = np.where(before < 0.7, before + 0.2, before - 0.1)
    steps = Steps(Growth(np.arange(400), np.full(400, 2), before, after))
    drawn = steps.draw(np.array([2, 2, 1]), np.array([0.55, 0.85, 0.55]), rng)
    assert drawn == pytest.approx([0.75, 0.75, 0.75], abs=0.03)
    assert 0.6 < steps.draw(np.array([8]), np.array([0.55]), rng)[0] < 0.7  # half of the step, with four times as many
    first = steps.draw(np.zeros(100, np.int64), np.zeros(100), rng)
    assert first.min() >= 0.5  # a first answer brings what tasks with the fewest had


def test_what_is_seen_is_what_hiding_does():
    task = np.repeat(np.arange(40), 2)

    def without(hidden):
        return [np.where(np.bincount(task[hidden], minlength=40), 0.3, 0.9)]

    (growth,) = watch_growth([np.full(40, 0.9)], np.full(40, 2), task, without)
    assert set(growth.before) == {0.3}
    assert set(growth.after) == {0.9}
    assert set(growth.num_answers) == {1}
    assert len(growth.task) == 8 * 20


def test_of_several_questions_the_slowest_decides():
    n, counts = np.full(50, 2), np.ones(50, np.bool_)
    quick = Growth(np.arange(50), n - 1, np.full(50, 0.6), np.full(50, 0.97))
    slow = Growth(np.arange(50), n - 1, np.full(50, 0.6), np.full(50, 0.62))
    waiting = Waiting(n, np.zeros(50, np.bool_), np.full(50, 3))
    easy, hard = (Question(np.full(50, 0.6), growth, counts) for growth in (quick, slow))

    def needed(*questions):
        return [found.labels_needed for found in forecast_growth(questions, waiting, target_quality=0.9)]

    assert needed(easy) == [50]
    assert needed(hard) == [150]
    assert needed(easy, hard) == [150, 150]
    left_out = Question(hard.quality, slow, ~counts | (np.arange(50) < 10))
    assert needed(easy, left_out) == [70, 70]


def test_a_question_that_hardly_anybody_answered_keeps_the_others_from_no_forecast():
    n, counts = np.full(50, 2), np.ones(50, np.bool_)
    tells = Question(np.full(50, 0.6), Growth(np.arange(50), n - 1, np.full(50, 0.6), np.full(50, 0.97)), counts)
    none = np.zeros(0, np.int64)
    silent = Question(np.zeros(50), Growth(none, none, np.zeros(0), np.zeros(0)), ~counts)
    waiting = Waiting(n, np.zeros(50, np.bool_), np.full(50, 3))
    for questions in ((tells, silent), (silent, tells)):
        found = forecast_growth(questions, waiting, target_quality=0.9)
        assert [each.reason for each in found] == [None if each is tells else TOO_FEW for each in questions]
        assert found[questions.index(tells)].labels_needed == 50
    assert {each.reason for each in forecast_growth([silent, silent], waiting)} == {TOO_FEW}


def test_a_limit_of_many_labels_takes_little_memory():
    n = np.full(300, 2)
    growth = Growth(np.arange(300), n - 1, np.full(300, 0.6), np.full(300, 0.61))
    question = Question(np.full(300, 0.6), growth, np.ones(300, np.bool_))
    tracemalloc.start()
    forecast_growth([question], Waiting(n, np.zeros(300, np.bool_), np.full(300, 98)), target_quality=0.99)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8e6  # one simulation has 300 x 99 qualities a few times over


def test_the_interval_of_quality_is_wide_and_around_it():
    low, high = quality_interval(np.full(1000, 0.9))
    assert 0.7 < low < 0.8
    assert 0.95 < high < 0.98
    narrow, wide = quality_interval(np.full(1000, 0.9), level=0.5), quality_interval(np.full(5, 0.9))
    assert low < narrow[0] < 0.9 < narrow[1] < high
    assert wide[0] < low
    assert quality_interval(np.ones(3))[1] == 1.0


@pytest.mark.parametrize(
    "wrong", [{"order": "new"}, {"num_labels": 0}, {"target_quality": 2}, {"min_labels": 0}, {"level": 1.5}]
)
def test_arguments_out_of_range_are_told(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        forecast_quality(lengths(10), believed, **wrong)
