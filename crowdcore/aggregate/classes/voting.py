"""Weighted votes, the step that many aggregators repeat."""

from __future__ import annotations

import numpy as np

from crowdcore import kernels
from crowdcore.aggregate.classes.aggregator import Floats
from crowdcore.crowd.grouping import ratio
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.sums import each
from crowdcore.crowd.table import Crowd
from crowdcore.votes.lots import draw_lots


class Voting:
    """Votes of a crowd under weights that change; `shares`, `quality` and `codes` are those of the last call.

    Parameters
    ----------
    crowd : Crowd
        N tasks, M annotators, K classes.
    share_ties : bool
        Whether tied classes share the credit for agreeing with the winner, and one of them is drawn to be it;
        otherwise the first takes it all.
    """

    def __init__(self, crowd: Crowd, share_ties: bool) -> None:
        N, M, K = len(crowd.tasks), len(crowd.annotators), len(crowd.classes)
        self.crowd, self.share_ties = crowd, share_ties
        self.shares: Floats = np.empty((N, K))
        self._winners: Codes = np.empty(N, dtype=np.int64)
        self.quality: Floats = np.empty(N)
        self._bounds = kernels.part_bounds(crowd.indptr, 2 * M)
        self._agreed: Floats = np.empty((len(self._bounds), M, 2))

    def __call__(self, weight: Floats) -> Floats:
        """Vote, and return how far each annotator agrees with the winners, NaN without answers.

        Parameters
        ----------
        weight : ndarray of shape (M,) or (M, K)
            Weight of each annotator, or of each of their labels; may be negative. A negative vote is one
            for all other classes.

        Returns
        -------
        ndarray of shape (M,)
            Share of the annotator's answers that won.
        """
        crowd, K = self.crowd, len(self.crowd.classes)
        table = np.repeat(weight, K).reshape(-1, K) if weight.ndim == 1 else np.ascontiguousarray(weight)
        self._agreed[:] = 0

        def part(number: int, first: int, last: int) -> None:
            kernels.weighted_votes(
                first, last, crowd.indptr, crowd.annotator, crowd.label, table, self.share_ties,
                self.shares, self._winners, self.quality, self._agreed[number],
            )  # fmt: skip

        kernels.in_parts(part, self._bounds)
        credit, answers = self._agreed.sum(axis=0).T
        return ratio(credit, answers)

    @property
    def codes(self) -> Codes:
        """The winner of each task, -1 without answers, shape (N,)."""
        crowd, codes = self.crowd, self._winners.copy()
        tied = codes == kernels.TIED
        if tied.any():
            lots = draw_lots(crowd, tied)
            each(
                crowd.indptr,
                lambda first, last: kernels.draw_winners(
                    first, last, crowd.indptr, crowd.annotator, crowd.label, self.shares, *lots, codes
                ),
            )
        return codes
