"""What shapes have in common is remembered: whether it is asked first or again does not change it."""

import numpy as np
import pytest

from crowdcore.kinds.region.measures import measure_of
from harness.region_crowds import draw_regions


def places_of(shape, seed):
    drawn = draw_regions(shape, 1, 4, 12, seed=seed, size=150)
    return [region.place for answer in drawn.table.values for region in answer]


@pytest.mark.parametrize("shape", ["polygons", "ellipses", "turned boxes"])
@pytest.mark.parametrize("seed", range(3))
def test_similarities_asked_for_again_are_those_of_places_never_seen(shape, seed):
    places = places_of(shape, seed)
    measure = measure_of(places)
    first, second = (grid.ravel() for grid in np.indices((len(places), len(places))))
    fresh = measure.alike(first, measure_of(places), second)
    assert (fresh > 0).sum() > len(places)
    for _ in range(2):
        assert measure.alike(first, measure, second) == pytest.approx(fresh, abs=1e-12)


def test_some_of_the_places_keep_their_similarities_in_another_order():
    places = places_of("polygons", 0)
    measure = measure_of(places)
    every = np.arange(len(places))
    backwards = measure.like(places[::-1])
    assert measure.alike(every, backwards, every[::-1]).tolist() == [1.0] * len(places)
    assert measure.alike(every, backwards, every) == pytest.approx(
        measure.alike(every, measure, every[::-1]), abs=1e-12
    )
    first, second = every[:-1], every[1:]
    part = measure.of(every[::-1])
    assert part.alike(first, part, second) == pytest.approx(
        measure.alike(every[::-1][:-1], measure, every[::-1][1:]), abs=1e-12
    )
