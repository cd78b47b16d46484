"""The consensus of rankings."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from crowdcore.kinds import AnswerTable, ranking_distance, rankings

law = settings(max_examples=25, deadline=None)


@st.composite
def answers(draw):
    """Answers as task, annotator, ranking: of all items or some."""
    N, M, size = draw(st.integers(1, 6)), draw(st.integers(1, 5)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    found = []
    for i in range(N):
        for j in np.flatnonzero(rng.random(M) < 0.8).tolist():
            order = np.argsort(np.arange(size) + rng.normal(0, 1.5, size))
            found.append((i, j, tuple(f"item {k}" for k in order[: rng.integers(1, size + 1)])))
    return found, N, M, rng


def table_of(found, tasks, annotators):
    task, annotator, values = zip(*found, strict=True) if found else ((), (), ())
    return AnswerTable.from_codes(
        [tasks.index(i) for i in task], [annotators.index(j) for j in annotator], values,
        tasks=tasks, annotators=annotators,
    )  # fmt: skip


def alone(*values, known=None):
    return rankings(
        table_of([(0, j, value) for j, value in enumerate(values)], [0], list(range(len(values)))), known=known
    )


@law
@given(answers())
def test_the_order_of_tasks_and_annotators_does_not_matter(case):
    found, N, M, rng = case
    tasks, annotators = rng.permutation(N).tolist(), rng.permutation(M).tolist()
    a = rankings(table_of(found, list(range(N)), list(range(M))))
    b = rankings(table_of([found[at] for at in rng.permutation(len(found))], tasks, annotators))
    assert a.consensus[tasks].tolist() == b.consensus.tolist()
    assert np.allclose(a.quality[tasks], b.quality, atol=1e-6)
    assert np.allclose(a.annotators.quality[annotators], b.annotators.quality, atol=1e-6)


@law
@given(answers())
def test_the_consensus_ranks_what_anybody_ranked_and_numbers_are_shares(case):
    found, N, M, _ = case
    result = rankings(table_of(found, list(range(N)), list(range(M))))
    for i in range(N):
        ranked = {item for task, _, items in found for item in items if task == i}
        assert (result.consensus[i] is None) == (result.num_answers[i] == 0)
        assert sorted(result.consensus[i] or ()) == sorted(ranked)
    for values in (result.quality, result.answer_quality, result.annotators.quality):
        assert ((values >= 0) & (values <= 1)).all()


def test_of_two_rankings_the_mean_rank_decides():
    rng = np.random.default_rng(0)
    found = [(i, j, tuple(rng.permutation(5).tolist())) for i in range(30) for j in range(2)]
    result = rankings(table_of(found, list(range(30)), [0, 1]))
    for i in range(30):
        mean = np.mean([np.argsort(items) for task, _, items in found if task == i], axis=0)
        assert (np.diff(mean[list(result.consensus[i])]) >= 0).all()


@law
@given(st.integers(0, 2**32 - 1), st.integers(2, 7), st.integers(1, 3))
def test_what_more_than_half_rank_alike_is_the_consensus(seed, size, others):
    rng = np.random.default_rng(seed)
    most = tuple(rng.permutation(size).tolist())
    wild = [tuple(rng.permutation(size).tolist()) for _ in range(others)]
    assert alone(*[most] * (others + 1), *wild).consensus[0] == most


@law
@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(1, 6))
def test_no_item_stands_right_behind_one_that_most_put_after_it(seed, size, people):
    rng = np.random.default_rng(seed)
    said = [tuple(rng.permutation(size).tolist()) for _ in range(people)]
    order = alone(*said).consensus[0]
    for first, second in itertools.pairwise(order):
        assert sum(one.index(first) < one.index(second) for one in said) >= people / 2


def test_equal_rankings_are_the_consensus_and_hardly_doubted():
    found = [(i, j, ("c", "a", "b")) for i in range(10) for j in range(4)]
    result = rankings(table_of(found, list(range(10)), list(range(4))))
    assert result.consensus[0] == ("c", "a", "b")
    assert result.quality.min() > 0.95
    assert result.agreement.tolist() == [1] * 10


def test_who_ranks_at_random_is_told_from_who_ranks_well():
    rng = np.random.default_rng(1)
    found = [
        (i, j, tuple(range(5)) if j < 4 else tuple(rng.permutation(5).tolist())) for i in range(40) for j in range(5)
    ]
    result = rankings(table_of(found, list(range(40)), list(range(5))))
    assert result.annotators.quality[:4].min() > 0.9
    assert abs(result.annotators.quality[4] - 0.5) < 0.15
    low, high = result.annotators.interval[4]
    assert low < 0.5 < high


def test_the_quality_is_the_share_of_pairs_in_the_right_order():
    rng = np.random.default_rng(2)
    found = [
        (i, j, tuple(np.argsort(np.arange(4) + rng.normal(0, 0.8 if j else 3, 4)).tolist()))
        for i in range(200)
        for j in range(4)
    ]
    result = rankings(table_of(found, list(range(200)), list(range(4))))
    right = [1 - ranking_distance(items, (0, 1, 2, 3)) for items in result.consensus]
    assert abs(np.mean(right) - result.quality.mean()) < 0.06
    assert kendalltau(right, result.quality)[0] > 0.2
    assert result.annotators.quality.argmin() == 0


def test_items_that_nobody_compared_are_doubted():
    result = alone(("a", "b"), ("b", "c"), ("c", "d"))
    assert result.consensus[0] == ("a", "b", "c", "d")
    assert np.isnan(result.before[0][0, 3])
    assert result.quality[0] < 0.75


def test_buckets_come_before_the_order_in_them():
    best = {"best": ("a", "b"), "_": ("c", "d")}
    answers = [(i, j, best if j else {"best": ("c", "a"), "_": ("b", "d")}) for i in range(8) for j in range(4)]
    result = rankings(table_of(answers, list(range(8)), list(range(4))))
    assert result.consensus[0] == {"_": ("c", "d"), "best": ("a", "b")}
    assert result.quality[0] > 0.8
    assert result.annotators.quality.argmin() == 0


def test_distances():
    assert ranking_distance(["a", "b", "c"], ["c", "b", "a"]) == 1
    assert ranking_distance(["a", "b"], ["a", "b", "c"]) == 0  # of c nothing is said
    assert ranking_distance(["a"], ["b"]) == 1
    assert ranking_distance([], []) == 0
    assert ranking_distance({"x": ["a", "b"], "y": []}, {"x": ["b", "a"], "y": []}) == 1
    assert ranking_distance({"x": ["a"], "y": ["b"]}, {"x": ["b"], "y": ["a"]}) == 1


def test_a_known_ranking_is_the_consensus_and_teaches_annotators():
    found = [(i, j, ("a", "b", "c") if j else ("c", "b", "a")) for i in range(5) for j in range(3)]
    known = [("c", "b", "a"), ("c", "b", "a"), ["c", "b", "a"], ("c", "b", "a"), None]
    result = rankings(table_of(found, list(range(5)), [0, 1, 2]), known=known)
    assert result.consensus[2] == ("c", "b", "a")
    assert result.quality[:4].tolist() == [1] * 4
    assert result.annotators.quality[0] > 0.8 > result.annotators.quality[1]


def test_tasks_without_answers():
    result = rankings(AnswerTable.from_codes([0], [0], [("a", "b")], tasks=["t", "u"], annotators=["x", "y"]))
    assert result.consensus.tolist() == [("a", "b"), None]
    assert result.quality[1] == 0 < result.quality[0]
    assert not result.founded.any()
    assert rankings(AnswerTable.from_codes([], [], [], tasks=["t"], annotators=["x"])).consensus.tolist() == [None]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("abc", "sequence of items"),
        (3, "sequence of items"),
        (None, "sequence of items"),
        ({"x": "abc"}, "sequence of items"),
        (("a", "b", "a"), "'a' more than once"),
        ({"x": ["a"], "y": ["a"]}, "'a' more than once"),
        ([["a"], ["b"]], "an item has to be"),
        ({"x": ["a", "b"]}, "in one way"),
    ],
)
def test_what_is_no_ranking_is_named(bad, message):
    with pytest.raises(ValueError, match=message):
        alone(bad, ("a", "b"))


def test_known_rankings_have_to_fit():
    with pytest.raises(ValueError, match="known has 2; expected 1"):
        alone(("a", "b"), known=[("a", "b"), None])
