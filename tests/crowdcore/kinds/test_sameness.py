"""Whoever says the same agrees wholly, whatever the kind of answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdcore.kinds import (
    AnswerTable,
    label_sets,
    numbers,
    ranking_distance,
    rankings,
    region_distance,
    regions,
    text_distance,
    texts,
)
from crowdcore.kinds.agreement import set_distance, squared_distance
from crowdcore.kinds.region import Box, Ellipse, KeyPoint, Mask, Polygon, Ranges, Region, Span

law = settings(max_examples=40, deadline=None)

at = st.floats(-1e4, 1e4).map(lambda x: round(x, 3))
side = st.one_of(st.just(0.0), st.floats(0, 1e3).map(lambda x: round(x, 3)))
angle = st.sampled_from([0.0, 30.0, 45.0, 90.0, 133.3])
points = st.lists(st.tuples(at, at), min_size=3, max_size=6)
span = st.tuples(at, side).map(lambda pair: (pair[0], pair[0] + pair[1]))
areas = st.one_of(
    st.builds(Box, at, at, side, side, angle),
    st.builds(Ellipse, at, at, side, side, angle),
    st.one_of(points, st.tuples(at, at).map(lambda point: [point] * 3)).map(Polygon),
)
pixels = st.lists(st.lists(st.integers(0, 1), min_size=3, max_size=3), min_size=2, max_size=2)
places = [
    span.map(lambda ends: Span(*ends)),
    st.lists(span, min_size=1, max_size=3).map(Ranges),
    st.builds(KeyPoint, at, at, st.just(100.0)),
    pixels.map(Mask.of),
    areas,
]
labels = st.one_of(st.none(), st.just("a"), st.just(("a", "b")))
marked = st.one_of(*[st.lists(st.builds(Region, place, labels), max_size=3).map(tuple) for place in places])
words = st.one_of(st.text(max_size=12), st.lists(st.text(max_size=5), min_size=1, max_size=3).map(tuple))
items = st.lists(st.sampled_from("abcd"), unique=True).map(tuple)
buckets = items.map(lambda ranked: {"good": ranked[:2], "bad": ranked[2:]})
KINDS = {
    "sets": (label_sets, set_distance, st.sets(st.sampled_from("abc"))),
    "numbers": (numbers, squared_distance, st.floats(-1e6, 1e6)),
    "texts": (texts, text_distance, words),
    "rankings": (rankings, ranking_distance, st.one_of(items, buckets)),
    "regions": (regions, region_distance, marked),
}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@law
def test_an_answer_is_at_no_distance_from_itself_and_equal_answers_agree_with_their_consensus(kind, data):
    consensus, distance, answers = KINDS[kind]
    answer = data.draw(answers)
    assert distance(answer, answer) == pytest.approx(0.0, abs=1e-9)
    table = AnswerTable.from_codes([0, 0, 0], [0, 1, 2], [answer] * 3, tasks=["x"], annotators="uvw")
    found = consensus(table)
    assert found.agreement.tolist() == pytest.approx([1.0])
    assert found.annotators.agreement_with_consensus.tolist() == pytest.approx([1.0] * 3)
    assert distance(found.consensus[0], answer) == pytest.approx(0.0, abs=1e-9)


def test_lines_that_differ_are_not_the_same():
    line, other = Box(0, 0, 9, 0, rotation=30), Box(0, 0, 9, 0, rotation=31)
    assert region_distance([Region(line)], [Region(other)]) == 1
    assert region_distance([Region(line)], [Region(Box(0, 0, 9, 9, rotation=30))]) == 1
    assert region_distance([Region(Polygon([(0, 0)] * 3))], [Region(Polygon([(5, 5)] * 3))]) == 1


def test_where_nobody_ranks_anything_that_is_right():
    empty = AnswerTable.from_codes([0, 0, 1, 1], [0, 1, 0, 1], [(), (), ("a", "b"), ()], tasks="xy", annotators="uv")
    found = rankings(empty)
    assert found.consensus.tolist() == [(), ("a", "b")]
    assert found.quality[0] == 1
    assert np.isclose(found.agreement, [1, 0.5]).all()
