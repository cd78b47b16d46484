"""Boxes that move through videos."""

import numpy as np
import pytest

from crowdcore.kinds.region import KeyFrame, Track, track_distance


def track(*keys, last=100, labels=("car",)):
    return Track(tuple(KeyFrame(*key) for key in keys), last, frozenset(labels))


MOVING = track((1, 0, 0, 10, 10), (101, 100, 0, 10, 10), last=101)


def test_a_box_moves_evenly_between_its_frames_and_is_not_there_before_the_first():
    assert MOVING.at(np.array([51.0]))[0].tolist() == [50, 0, 60, 10]
    late = track((20, 0, 0, 10, 10), last=100)
    assert np.isnan(late.at(np.array([10.0]))).all()
    assert late.at(np.array([90.0]))[0].tolist() == [0, 0, 10, 10]
    assert np.isnan(late.at(np.array([101.0]))).all()


def test_a_box_that_ends_is_not_there_until_it_is_shown_again():
    blinking = track((1, 0, 0, 10, 10, False), (50, 0, 0, 10, 10), last=100)
    there = ~np.isnan(blinking.at(np.array([1.0, 2.0, 49.0, 50.0, 99.0]))[:, 0])
    assert there.tolist() == [True, False, False, True, True]


def test_the_same_tracks_are_no_distance_apart_in_any_order():
    other = track((1, 50, 50, 10, 10), labels=("bus",))
    assert track_distance([MOVING, other], [other, MOVING]) == 0
    assert track_distance([], []) == 0
    assert track_distance([MOVING], []) == 1


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (track((1, 0, 5, 10, 10), (101, 100, 5, 10, 10), last=101), 2 / 3),  # overlaps by a third everywhere
        (track((1, 0, 0, 10, 10), (101, 100, 0, 10, 10), last=101, labels=("bus",)), 1),
        (track((1, 0, 50, 10, 10), last=101), 1),
    ],
)
def test_what_tracks_have_in_common_is_their_overlap_over_time(other, expected):
    assert track_distance([MOVING], [other]) == pytest.approx(expected)


def test_a_track_that_only_one_marked_counts_as_in_an_f1():
    still = track((1, 50, 50, 10, 10), last=101)
    assert track_distance([MOVING, still], [MOVING]) == pytest.approx(1 / 3)
