"""Walks over the answers that say how good those are who gave them: rate annotators, find their worst classes.

Arguments of the same name are those of `crowdcore.kernels.crowdlab`.
"""

from __future__ import annotations

from numpy import uintp as place  # numba then leaves out the way round of negative places

from crowdcore.kernels import ROUNDING, Codes, Floats
from crowdcore.kernels.compiling import compiled


@compiled
def rate_annotators(
    first: int, last: int, indptr: Codes, annotator: Codes, label: Codes, truth: Codes, consensus: Codes,
    quality: Floats, label_quality: Floats, ratings: Floats, cells: Floats,
) -> None:  # fmt: skip
    """Sum up what a consensus says of each annotator.

    Parameters
    ----------
    quality, label_quality : ndarray of shape (N,), (A,)
        How far each consensus and each answer is to be believed.
    ratings : ndarray of shape (M, 5)
        Added to, for each annotator: answers; those that equal the consensus; the sum of their qualities; answers that
        can be compared with something; those of them that equal the consensus.
    cells : ndarray of shape (M * K, 3) or (0, 3)
        Added to, for each annotator and label: answers; those that equal the consensus; the sum of the consensus'
        qualities.
    """
    K = len(cells) // len(ratings) if len(ratings) else 0
    for i in range(first, last):
        begin, end = indptr[i], indptr[i + 1]
        compared = end - begin > 1 or truth[i] >= 0
        for a in range(begin, end):
            j = place(annotator[a])
            same = 1.0 if label[a] == consensus[i] else 0.0
            ratings[j, 0] += 1
            ratings[j, 1] += same
            ratings[j, 2] += label_quality[a]
            if compared:
                ratings[j, 3] += 1
                ratings[j, 4] += same
            if K:
                c = place(annotator[a] * K + label[a])
                cells[c, 0] += 1
                cells[c, 1] += same
                cells[c, 2] += quality[i]


@compiled
def worst_classes(at: Codes, figures: Floats, K: int, worst: Codes) -> None:
    """Find the label that is wrong most often when each annotator gives it.

    Parameters
    ----------
    at, figures : ndarray of shape (C,), (C, 3)
        Cells ``annotator * K + label`` that occur, in increasing order, and their figures as in `rate_annotators`.
    worst : ndarray of shape (M,)
        Filled for annotators with a cell: the label; of equals the one given most often, then the one given to tasks of
        higher quality, then the first.
    """
    here = -1
    accuracy, size, believed = 0.0, 0.0, 0.0
    for c in range(len(at)):
        j = at[c] // K
        new_size = figures[c, 0]
        new_accuracy, new_believed = figures[c, 1] / new_size, figures[c, 2] / new_size
        if j == here:
            if new_accuracy != accuracy:
                worse = new_accuracy < accuracy
            elif new_size != size:
                worse = new_size > size
            else:
                worse = new_believed > believed + ROUNDING
            if not worse:
                continue
        here, accuracy, size, believed = j, new_accuracy, new_size, new_believed
        worst[j] = at[c] - j * K
