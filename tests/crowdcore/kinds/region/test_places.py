"""What a place, a label and a feature may be, said where it is given."""

import numpy as np
import pytest

from crowdcore.kinds import AnswerTable
from crowdcore.kinds.region import Box, Ellipse, KeyPoint, Mask, Polygon, Ranges, Region, Span, regions

HERE = Span(0, 4)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Span("a", 1), "start and end must be finite numbers"),
        (lambda: Span(0, 1, ["layer"]), r"the layer is \['layer'\]; it must be a text"),
        (lambda: Box("a", 1, 1, 1), "all must be finite numbers, width and height"),
        (lambda: Box(1, 1, 1, float("nan")), "all must be finite numbers, width and height"),
        (lambda: Ellipse(1, 1, None, 1), "all must be finite numbers, the radii"),
        (lambda: Polygon(((0, 0, 0), (1, 1, 1), (2, 2, 2))), "three points, each of two finite numbers"),
        (lambda: Polygon(5), "three points, each of two finite numbers"),
        (lambda: Ranges(3), "at least one range is needed"),
        (lambda: KeyPoint(1, 2, None), "diagonal more than 0"),
        (lambda: Mask(-1, 4, [[0, 1]]), "picture is -1 x 4; both must be whole numbers"),
        (lambda: Mask(2, 4, [[0, 1], [2]]), "runs of a mask must be pairs of whole numbers"),
        (lambda: Mask(2, 4, [[0, 9]]), "the picture has 8 pixels"),
        (lambda: Mask.of([[0, 1], [1]]), r"expected one of shape \(height, width\)"),
        (lambda: Mask.of([[0, None]]), "expected numbers of shape"),
        (lambda: Region((0, 4)), r"place is \(0, 4\), of type tuple; it must be one of Span, Ranges"),
        (lambda: Region(HERE, ["a"]), r"label is \['a'\], of type list; it must be a text, a tuple of texts"),
        (lambda: Region(HERE, float("nan")), "label is nan, of type float"),
        (lambda: Region(HERE, ("a", 5)), "it must be a text, a tuple of texts"),
    ],
)
def test_what_is_no_place_or_label_is_named(make, told):
    with pytest.raises(ValueError, match=told):
        make()


def test_points_runs_and_ranges_may_be_lists_and_arrays():
    assert Polygon([[0, 0], [1, 1], [2, 0]]) == Polygon(np.array([[0, 0], [1, 1], [2, 0]]))
    assert Ranges([[0, 1]]) == Ranges(((0, 1),))
    assert Mask(2, 4, [[0, 1]]) == Mask.of([[1, 0, 0, 0], [0, 0, 0, 0]])
    assert Mask(2, 4, []).area == 0
    assert len({Polygon([[0, 0], [1, 1], [2, 0]]), Ranges([[0, 1]])}) == 2


@pytest.mark.parametrize(
    ("features", "told"),
    [
        (lambda task, place: {"size": float("nan"), "here": 1}, r"returned {'size': nan} for Span.* in task 'x'"),
        (lambda task, place: {"size": "large"}, "returned {'size': 'large'}"),
        (lambda task, place: {1: 2.0}, "returned {1: 2.0}"),
        (lambda task, place: 5, "returned 5"),
        (5, "features is 5; it must be a function"),
    ],
)
def test_features_are_finite_numbers_by_name(features, told):
    answers = [(Region(HERE, "a"),)] * 2
    table = AnswerTable.from_codes([0, 0], [0, 1], answers, tasks=["x"], annotators="uv")
    with pytest.raises(ValueError, match=told):
        regions(table, features=features)


def test_nobody_gave_a_label_and_so_has_the_consensus_none():
    named, unnamed = Region(HERE, "a"), Region(Span(9, 12))
    table = AnswerTable.from_codes([0] * 3, [0, 1, 2], [(named, unnamed)] * 3, tasks=["x"], annotators="uvw")
    assert [region.label for region in regions(table).consensus[0]] == ["a", None]
