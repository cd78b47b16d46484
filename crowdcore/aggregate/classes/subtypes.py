"""The walk of `confusion` for classes that have subtypes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdcore import kernels
from crowdcore.aggregate.classes.aggregator import Floats, cells
from crowdcore.aggregate.classes.confusion import Expected, begin, split_totals
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd

EMPTY = 1e-9
"""Expected number of tasks below which a subtype is left out: by then nothing moves into it."""


@dataclass(frozen=True, eq=False)
class Given:
    """The pairs of an annotator and a label that the annotator has given; at most as many as answers.

    Attributes
    ----------
    annotators, starts : ndarray of shape (R,)
        Those with answers, and the first pair of each.
    row, label : ndarray of shape (C,)
        Each pair's place among them, in increasing order, and its label.
    """

    annotators: Codes
    starts: Codes
    row: Codes
    label: Codes


class Subtypes:
    """A walk over a crowd that can be repeated with other parameters; each of S columns is a subtype of a class.

    Attributes
    ----------
    given : Given
        The pairs of annotator and label.
    shares : ndarray of shape (N, K)
        Shares of the votes, at known classes 1.
    of_class : ndarray of shape (S,)
        The class of each column, in increasing order.
    """

    def __init__(self, crowd: Crowd, known: Codes) -> None:
        self.crowd, self.known = crowd, known
        N, self.num_classes = len(crowd.tasks), len(crowd.classes)
        pairs, self._cell = np.unique(cells(crowd), return_inverse=True)
        annotator, label = np.divmod(pairs, self.num_classes)
        annotators, starts, row = np.unique(annotator, return_index=True, return_inverse=True)
        self.given = Given(annotators, starts, row, label)
        self.shares: Floats = np.full((N, self.num_classes), 1 / self.num_classes)
        begin(crowd, cells(crowd), known, self.shares)

    @property
    def edges(self) -> Codes:
        """Where the columns of each class begin and end, shape (K + 1,)."""
        return np.searchsorted(self.of_class, np.arange(self.num_classes + 1))

    @property
    def probas(self) -> Floats:
        """Posteriors of the classes, shape (N, K)."""
        found: Floats = np.add.reduceat(self._posteriors, self.edges[:-1], axis=1)
        return found

    def start(self, in_classes: Floats) -> Expected:
        """Begin with the shares of the votes, and these shares of G subtypes in them, shape (N, K, G)."""
        self.of_class: Codes = np.repeat(np.arange(self.num_classes), in_classes.shape[2])
        columns = len(self.of_class)
        self._posteriors: Floats = (self.shares[:, :, None] * in_classes).reshape(len(self.shares), columns)
        return self._pass(kernels.COUNT, np.zeros((len(self.given.label), columns)), np.zeros(columns))

    def walk(self, log_chances: Floats, log_shares: Floats) -> Expected:
        """Renew the posteriors, and return what follows from them; afterwards leave empty subtypes out.

        Parameters
        ----------
        log_chances : ndarray of shape (C, S)
            Logarithm of the chance of each pair's label, for each column.
        log_shares : ndarray of shape (S,)
            Logarithm of the share of each column.
        """
        return self._without_empty(self._pass(kernels.SOFT, log_chances, log_shares))

    def _pass(self, mode: int, log_chances: Floats, log_shares: Floats) -> Expected:
        bounds = kernels.part_bounds(self.crowd.indptr, log_chances.size)
        counts = np.zeros((len(bounds), *log_chances.shape))
        totals = np.zeros((len(bounds), len(log_shares) + 2))
        edges = self.edges

        def part(number: int, first: int, last: int) -> None:
            kernels.confusion_pass(
                mode, first, last, self.crowd.indptr, self._cell, log_chances, log_shares, self.known, edges,
                self._posteriors, counts[number], totals[number],
            )  # fmt: skip

        kernels.in_parts(part, bounds)
        return Expected(counts.sum(axis=0), *split_totals(totals))

    def _without_empty(self, expected: Expected) -> Expected:
        """Keep the columns that are not empty, and the largest of each class."""
        sizes = expected.class_counts
        largest = np.maximum.reduceat(sizes, self.edges[:-1])[self.of_class]
        kept = (sizes > EMPTY) | (sizes == largest)
        if kept.all():
            return expected
        self.of_class, self._posteriors = self.of_class[kept], np.compress(kept, self._posteriors, axis=1)
        counts = np.compress(kept, expected.counts, axis=1)
        return Expected(counts, sizes[kept], expected.evidence, expected.entropy)
