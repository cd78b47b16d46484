"""Boxes that move through a video, and how far two answers that are such are from each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FRAMES = 50
"""At how many frames tracks are compared at the most."""


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """Where a box is at a frame; between two key frames it moves evenly.

    Attributes
    ----------
    frame : float
        The frame's number.
    x, y, width, height : float
        The upper left corner and the sides.
    shown : bool
        Whether the box is there from this frame on, to the next key frame.
    """

    frame: float
    x: float
    y: float
    width: float
    height: float
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Track:
    """A box that moves through a video.

    Attributes
    ----------
    keys : tuple of KeyFrame
        By frame; at least one.
    last : float
        The video's last frame: to there the box stays where it was last.
    labels : frozenset of str
        What it is.
    """

    keys: tuple[KeyFrame, ...]
    last: float
    labels: frozenset[str] = frozenset()

    def at(self, frames: Floats) -> Floats:
        """Return left, top, right and bottom at some frames, NaN where the box is not there; shape (F, 4).

        Examples
        --------
        >>> track = Track((KeyFrame(1, 0, 0, 2, 2), KeyFrame(5, 4, 0, 2, 2, shown=False)), last=9)
        >>> track.at(np.array([0.0, 3.0, 5.0, 6.0])).tolist()[1:3]
        [[2.0, 0.0, 4.0, 2.0], [4.0, 0.0, 6.0, 2.0]]
        """
        numbers = np.array([key.frame for key in self.keys])
        places = np.array([(key.x, key.y, key.x + key.width, key.y + key.height) for key in self.keys])
        found = np.stack([np.interp(frames, numbers, column) for column in places.T], axis=1)
        before = np.searchsorted(numbers, frames, side="right") - 1
        shown = np.array([key.shown for key in self.keys])[np.maximum(before, 0)] | np.isin(frames, numbers)
        found[(before < 0) | ~shown | (frames > self.last)] = np.nan
        return found


def track_distance(one: Sequence[Track], other: Sequence[Track]) -> float:
    """Return 1 less the soft F1 of two answers that are tracks.

    The similarity of two tracks is their mean intersection over union, over frames evenly spread where one of them is
    there; tracks of different labels have none in common. Tracks are matched so that the similarities sum to the most.

    Examples
    --------
    >>> still = Track((KeyFrame(1, 0, 0, 2, 2),), last=10)
    >>> half = Track((KeyFrame(1, 0, 0, 2, 2), KeyFrame(5.5, 0, 0, 2, 2, shown=False)), last=10)
    >>> track_distance([still], [still]), track_distance([still], []), round(track_distance([still], [half]), 1)
    (0.0, 1.0, 0.5)
    """
    from scipy.optimize import linear_sum_assignment

    if not one or not other:
        return float(len(one) != len(other))
    frames = _frames([*one, *other])
    theirs, others = ([(track.labels, track.at(frames)) for track in tracks] for tracks in (one, other))
    table = np.array([[_alike(a, b) if named == known else 0.0 for known, b in others] for named, a in theirs])
    rows, columns = linear_sum_assignment(table, maximize=True)
    return float(1 - 2 * table[rows, columns].sum() / (len(one) + len(other)))


def _frames(tracks: Sequence[Track]) -> Floats:
    """Return frames evenly spread over those at which one of the tracks may be there."""
    first = min(track.keys[0].frame for track in tracks)
    last = max(max(track.last, track.keys[-1].frame) for track in tracks)
    frames: Floats = np.linspace(first, last, min(FRAMES, int(last - first) + 1), dtype=np.float64)
    return frames


def _alike(one: Floats, other: Floats) -> float:
    """Return the mean intersection over union, 0 where only one is there, over frames at which one is."""
    there = ~np.isnan(one[:, 0]), ~np.isnan(other[:, 0])
    either, both = there[0] | there[1], there[0] & there[1]
    if not either.any():
        return 0.0
    a, b = one[both], other[both]
    sides = np.maximum(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0)
    inside = sides.prod(axis=1)
    whole = (a[:, 2:] - a[:, :2]).prod(axis=1) + (b[:, 2:] - b[:, :2]).prod(axis=1) - inside
    same = (a == b).all(axis=1)
    return float(np.where(same, 1.0, inside / np.where(whole > 0, whole, np.inf)).sum() / either.sum())
