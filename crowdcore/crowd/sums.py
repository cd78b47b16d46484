"""Statistics that add up: those of a crowd are the sum of those of its parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import reduce
from operator import add
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from crowdcore import kernels
from crowdcore.crowd.ids import Codes

AnySums = TypeVar("AnySums", bound="Sums")


@dataclass(frozen=True, eq=False)
class Sums:
    """Statistics of some tasks; a subclass is a dataclass of numbers, arrays and other sums."""

    def __add__(self: AnySums, other: AnySums) -> AnySums:
        """Return the statistics of the tasks of both."""
        return type(self)(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


@dataclass(frozen=True, eq=False)
class Cells:
    """Figures of those cells of a large table that occur.

    Attributes
    ----------
    at : ndarray of int, shape (C,)
        Places of the cells, in increasing order.
    figures : ndarray of shape (C, F)
        The figures of each.
    """

    at: Codes
    figures: NDArray[np.float64]

    def __add__(self, other: Cells) -> Cells:
        """Return the cells of both, their figures summed."""
        at, place = np.unique(np.concatenate([self.at, other.at]), return_inverse=True)
        both = np.concatenate([self.figures, other.figures])
        return Cells(at, np.column_stack([np.bincount(place, column, minlength=len(at)) for column in both.T]))


def summed(indptr: Codes, size: int, work: Callable[[int, int], AnySums]) -> AnySums:
    """Return the sum of ``work(first, last)`` over ranges of tasks, several of which run at a time.

    `size` is how many numbers each range's statistics have.
    """
    bounds = kernels.part_bounds(indptr, size)
    found: AnySums = reduce(add, kernels.in_parts(lambda _, first, last: work(first, last), bounds))
    return found


def each(indptr: Codes, work: Callable[[int, int], Any]) -> None:
    """Call ``work(first, last)`` for ranges of tasks, several at a time."""
    kernels.in_parts(lambda _, first, last: work(first, last), kernels.part_bounds(indptr, 0))
