"""Krippendorff's alpha for answers of any kind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdcore import Crowd
from crowdcore.identify import krippendorff_alpha
from crowdcore.kinds import AnswerTable
from crowdcore.kinds.agreement import alpha, set_distance, squared_distance
from tests.crowdcore.kinds.crowds import draw_sets, everybody

law = settings(max_examples=60)


@st.composite
def wides(draw):
    N, M, K = draw(st.integers(1, 30)), draw(st.integers(1, 6)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    wide = rng.integers(K, size=(N, M))
    wide[rng.random((N, M)) < draw(st.sampled_from([0.0, 0.4]))] = -1
    return wide


def both(wide):
    crowd = Crowd.from_wide(wide, classes=range(max(wide.max() + 1, 1)))
    return crowd, AnswerTable(crowd.tasks, crowd.annotators, crowd.indptr, crowd.annotator, crowd.label.astype(float))


def unequal(one, other):
    return float(one != other)


@law
@given(wides(), st.sampled_from([("nominal", unequal), ("interval", squared_distance)]))
def test_it_is_that_of_classes_where_the_distance_is(wide, how):
    level, distance = how
    crowd, table = both(wide)
    value, low, high = alpha(table, distance)
    assert np.isclose(value, krippendorff_alpha(crowd, level).value, equal_nan=True)
    assert np.isnan([low, high]).all()


def test_of_many_answers_a_sample_is_enough():
    rng = np.random.default_rng(0)
    truth = rng.integers(10, size=(4000, 1))
    wide = np.where(rng.random((4000, 5)) < 0.6, truth, rng.integers(10, size=(4000, 5)))
    crowd, table = both(wide)
    for level, distance in (("nominal", unequal), ("interval", squared_distance)):
        assert alpha(table, distance)[0] == pytest.approx(krippendorff_alpha(crowd, level).value, abs=0.02)


def test_the_interval_is_that_of_classes():
    rng = np.random.default_rng(1)
    truth = rng.integers(4, size=(100, 1))
    crowd, table = both(np.where(rng.random((100, 3)) < 0.7, truth, rng.integers(4, size=(100, 3))))
    theirs = krippendorff_alpha(crowd, "nominal", n_resamples=500)
    ours = alpha(table, unequal, n_resamples=500)
    assert ours == pytest.approx((theirs.value, theirs.low, theirs.high), abs=0.03)


def test_sets_that_overlap_agree_in_part():
    same = everybody([[{"p", "q"}] * 2, [{"r"}] * 2])
    part = everybody([[{"p", "q"}, {"p"}], [{"r"}] * 2])
    apart = everybody([[{"p", "q"}, {"s"}], [{"r"}] * 2])
    values = [alpha(table, set_distance)[0] for table in (apart, part, same)]
    assert values == sorted(values)
    assert values[2] == 1
    answers, *_ = draw_sets()
    chance = answers.with_values(np.random.default_rng(0).permutation(answers.values).tolist())
    assert alpha(answers, set_distance)[0] > 0.4
    assert alpha(chance, set_distance)[0] == pytest.approx(0, abs=0.05)


def test_where_nothing_can_be_said_it_is_nan():
    nothing = AnswerTable.from_codes([], [], [], tasks="ab", annotators="x")
    for table in (nothing, everybody([[1.0], [2.0]]), everybody([[1.0, 1.0], [1.0, 1.0]]), everybody([[set(), set()]])):
        distance = squared_distance if table.values.dtype == float else set_distance
        assert np.isnan(alpha(table, distance)).all()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"n_resamples": 2.5}, "n_resamples is 2.5"),
        ({"coverage": 2}, "coverage is 2"),
        ({"seed": "x"}, "seed is 'x'"),
        ({"distance": 5}, "distance is 5"),
    ],
)
def test_an_argument_that_does_not_fit_is_named(options, told):
    table = AnswerTable.from_codes([0, 0], [0, 1], [1.0, 2.0], tasks="a", annotators="xy")
    with pytest.raises(ValueError, match=told):
        alpha(table, **{"distance": squared_distance, **options})
