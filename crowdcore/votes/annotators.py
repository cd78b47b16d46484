"""What the answers say about those who gave them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crowdcore import kernels
from crowdcore.crowd.frames import indexed_frame
from crowdcore.crowd.grouping import ratio
from crowdcore.crowd.ids import Codes, Ids
from crowdcore.crowd.sums import Cells, Sums, summed
from crowdcore.crowd.table import Crowd

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

DENSE = 1 << 16
"""Cells of annotators and labels that are held all, whatever the number of answers."""


@dataclass(frozen=True, eq=False)
class AnnotatorStats:
    """Figures of M annotators, in the crowd's order.

    Attributes
    ----------
    quality : ndarray of shape (M,)
        How far the annotator's labels are to be believed, in [0, 1]; NaN if none of their labels can be
        compared with another annotator's or with a known truth.
    agreement_with_consensus : ndarray of shape (M,)
        Share of the annotator's labels that equal the consensus; NaN without answers.
    worst_class : ndarray of shape (M,)
        Code of the label that is wrong most often when this annotator gives it (ties: the one given most
        often, then the one given to tasks of higher quality, then the first); -1 without answers.
    num_answers : ndarray of shape (M,)
        How many answers the annotator gave.
    """

    quality: Floats
    agreement_with_consensus: Floats
    worst_class: Codes
    num_answers: Codes

    def to_frame(self, annotators: Ids, classes: Ids, weights: Floats) -> pd.DataFrame:
        """Return a frame with a row for each annotator, worst first, those without a quality last."""
        columns = {
            "quality": self.quality,
            "agreement_with_consensus": self.agreement_with_consensus,
            "worst_class": names_of(classes, self.worst_class),
            "num_answers": self.num_answers,
            "weight": weights,
        }
        frame = indexed_frame("annotator", annotators, columns)
        worst_first: pd.DataFrame = frame.sort_values(["quality", "agreement_with_consensus"])
        return worst_first


@dataclass(frozen=True, eq=False)
class Ratings(Sums):
    """What a consensus says of each annotator.

    Attributes
    ----------
    ratings : ndarray of shape (M, 5)
        Answers; those that equal the consensus; the sum of the answers' qualities; answers that can be compared with
        something; those of them that equal the consensus.
    cells : Cells
        At ``annotator * K + label``: answers; those that equal the consensus; the sum of the consensus' qualities.
    """

    ratings: Floats
    cells: Cells


def rate_answers(crowd: Crowd, truth: Codes, consensus: Codes, quality: Floats, label_quality: Floats) -> Ratings:
    """Return what a consensus says of each annotator.

    Parameters
    ----------
    crowd : Crowd
        The answers.
    truth, consensus, quality : ndarray of shape (N,)
        Labels known to be true, -1 elsewhere; each task's consensus, and how far it is to be believed.
    label_quality : ndarray of shape (A,)
        How far each answer is to be believed.
    """
    M, K = len(crowd.annotators), len(crowd.classes)
    known = kernels.frozen(truth)
    dense = M * K if max(DENSE, len(crowd.label)) >= M * K else 0

    def work(first: int, last: int) -> Ratings:
        ratings, cells = np.zeros((M, 5)), np.zeros((dense, 3))
        kernels.rate_annotators(
            first, last, crowd.indptr, crowd.annotator, crowd.label, known, consensus, quality, label_quality,
            ratings, cells,
        )  # fmt: skip
        if dense:
            at = np.flatnonzero(cells[:, 0])
            return Ratings(ratings, Cells(at, cells[at]))
        answers = slice(crowd.indptr[first], crowd.indptr[last])
        label, task = crowd.label[answers], np.repeat(np.arange(first, last), np.diff(crowd.indptr[first : last + 1]))
        at, place = np.unique(crowd.annotator[answers] * K + label, return_inverse=True)
        figures = np.ones(len(label)), label == consensus[task], quality[task]
        return Ratings(ratings, Cells(at, np.column_stack([np.bincount(place, f, minlength=len(at)) for f in figures])))

    return summed(crowd.indptr, 5 * M + 3 * dense, work)


def annotator_stats(found: Ratings, num_classes: int, model_share: float) -> AnnotatorStats:
    """Return the figures of each annotator (Goh, Tkachenko & Mueller 2022).

    Parameters
    ----------
    found : Ratings
        What the consensus says of them.
    num_classes : int
        K.
    model_share : float
        Weight of the answers' qualities, against agreement with the consensus, in an annotator's quality.
    """
    answers, right, believed, compared, agreeing = found.ratings.T
    worst = np.full(len(answers), -1)
    kernels.worst_classes(found.cells.at, found.cells.figures, num_classes, worst)
    return AnnotatorStats(
        quality=model_share * ratio(believed, answers) + (1 - model_share) * ratio(agreeing, compared),
        agreement_with_consensus=ratio(right, answers),
        worst_class=worst,
        num_answers=answers.astype(np.int64),
    )


def names_of(classes: Ids, codes: Codes) -> Ids:
    """Return labels for class codes, None for -1."""
    names = classes[codes]
    if (codes < 0).any():
        names = names.astype(object)
        names[codes < 0] = None
    return names
