"""Krippendorff's alpha and Fleiss' kappa against what has been published, and against their definitions."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdcore import Crowd
from crowdcore.identify import fleiss_kappa, krippendorff_alpha
from crowdcore.simulation import independent_confusion

NONE = -1
# Krippendorff 2011, example C: 4 observers, 12 units
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
    [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
]
# Fleiss' kappa on Wikipedia: 10 subjects, 14 raters, 5 categories
RATINGS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_krippendorffs_example(level, published):
    found = krippendorff_alpha(Crowd.from_wide(np.transpose(OBSERVERS)), level)
    assert round(float(found), 3) == published
    assert (found.num_tasks, found.num_answers) == (11, 40)


def test_kappa_of_fleiss():
    crowd = Crowd.from_wide([np.repeat(np.arange(5), row) for row in RATINGS])
    assert round(float(fleiss_kappa(crowd)), 3) == 0.210


def wide_crowds(values=(0, 1, 2, 7)):
    cell = st.sampled_from([NONE, *values])
    return st.tuples(st.integers(1, 8), st.integers(1, 5)).flatmap(
        lambda shape: st.lists(
            st.lists(cell, min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
        )
    )


def alpha_by_pairs(rows, level):
    """The definition, pair by pair: disagreement within tasks over disagreement among all answers."""
    rows = [[x for x in row if x != NONE] for row in rows]
    rows = [row for row in rows if len(row) > 1]
    everything = sorted(x for row in rows for x in row)
    among = {x: everything.count(x) for x in set(everything)}

    def far(a, b):
        if level == "nominal":
            return float(a != b)
        if level == "interval":
            return float(a - b) ** 2
        low, high = sorted((a, b))
        return (sum(among[x] for x in among if low <= x <= high) - (among[a] + among[b]) / 2) ** 2

    n = len(everything)
    within = sum(sum(far(a, b) for a, b in itertools.permutations(row, 2)) / (len(row) - 1) for row in rows)
    expected = sum(far(a, b) for a, b in itertools.permutations(everything, 2))
    return 1 - (n - 1) * within / expected if expected else np.nan


@given(wide_crowds(), st.sampled_from(["nominal", "ordinal", "interval"]))
@settings(deadline=None)
def test_alpha_is_its_definition(rows, level):
    crowd = Crowd.from_wide(rows, classes=[0, 1, 2, 7])
    assert float(krippendorff_alpha(crowd, level)) == pytest.approx(alpha_by_pairs(rows, level), abs=1e-9, nan_ok=True)


@given(wide_crowds())
@settings(deadline=None)
def test_fleiss_kappa_is_its_definition_and_at_most_one(rows):
    found = fleiss_kappa(Crowd.from_wide(rows, classes=[0, 1, 2, 7]))
    said = [[x for x in row if x != NONE] for row in rows]
    said = [row for row in said if len(row) > 1]
    if not said:
        assert np.isnan(found.value)
        return
    observed = np.mean([np.mean([a == b for a, b in itertools.permutations(row, 2)]) for row in said])
    chance = sum(np.mean([row.count(k) / len(row) for row in said]) ** 2 for k in (0, 1, 2, 7))
    if chance > 1 - 1e-9:
        assert np.isnan(found.value)
    else:
        assert found.value == pytest.approx((observed - chance) / (1 - chance), abs=1e-9)
        assert found.value <= 1 + 1e-12


@given(wide_crowds(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_names_and_orders_do_not_matter_to_nominal_agreement(rows, random):
    names = dict(zip([0, 1, 2, 7], random.sample(["ape", "bee", "cat", "dog"], 4), strict=True)) | {NONE: None}
    other = [random.sample([names[x] for x in row], len(row)) for row in random.sample(rows, len(rows))]
    a = Crowd.from_wide(rows, classes=[0, 1, 2, 7])
    b = Crowd.from_wide(other, classes=["ape", "bee", "cat", "dog"])
    for measure in (krippendorff_alpha, fleiss_kappa):
        assert measure(a).value == pytest.approx(measure(b).value, abs=1e-9, nan_ok=True)


def test_where_nothing_tells_agreement_from_chance_there_is_no_value():
    for rows in ([[3, 3], [3, 3]], [[1, NONE], [2, NONE]], [[1], [2]]):
        for measure in (krippendorff_alpha, fleiss_kappa):
            found = measure(Crowd.from_wide(rows), n_resamples=20)
            assert np.isnan([found.value, found.low, found.high]).all()


def test_the_interval_holds_the_value_of_a_larger_crowd_as_often_as_it_says():
    matrices = independent_confusion(1, 6, 3, seed=3).confusions
    make = {"n_annotators": 6, "n_classes": 3, "answers_per_task": 3, "confusions": matrices}
    for measure in (krippendorff_alpha, fleiss_kappa):
        true = measure(independent_confusion(50_000, **make, seed=1).crowd).value
        found = [
            measure(independent_confusion(150, **make, seed=10 + at).crowd, n_resamples=200, seed=at)
            for at in range(100)
        ]
        assert 0.82 <= np.mean([one.low <= true <= one.high for one in found]) <= 0.97


def test_the_interval_is_seeded_and_wider_for_more_coverage():
    crowd = independent_confusion(60, 5, 3, seed=2).crowd
    a, b = (krippendorff_alpha(crowd, n_resamples=300, seed=4) for _ in range(2))
    assert a == b
    wide = krippendorff_alpha(crowd, n_resamples=300, seed=4, coverage=0.99)
    assert wide.low < a.low < a.value < a.high < wide.high
    assert wide.to_frame().loc["krippendorff_alpha_nominal", "low"] == wide.low


BAD = [
    ({"level": "ratio"}, "level is 'ratio'; choose one of 'nominal', 'ordinal', 'interval'"),
    ({"level": "interval"}, "finite numbers; found 'cat'. Choose 'nominal', or 'ordinal'"),
    ({"n_resamples": -1}, "n_resamples is -1; it must be a whole number, 0 or more"),
    ({"coverage": 1}, "coverage is 1; it must lie between 0 and 1"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_an_error_says_what_was_found_and_what_is_allowed(options, message):
    with pytest.raises(ValueError, match=message):
        krippendorff_alpha(Crowd.from_wide([["cat", "dog"]]), **options)
