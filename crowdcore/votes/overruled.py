"""Consensus labels that nobody gave, and the best of those that were given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd

Result = TypeVar("Result")


def overruled_tasks(crowd: Crowd, consensus: ArrayLike, known: ArrayLike | None = None) -> NDArray[np.bool_]:
    """Return the tasks whose consensus is a label that none of their annotators gave.

    A consensus that goes against answers which are all alike is such a label, whatever the number of answers.

    Parameters
    ----------
    crowd : Crowd
        N tasks.
    consensus : array_like of int, shape (N,)
        Class codes, -1 where there is none.
    known : array_like of bool, shape (N,), optional
        Tasks whose label is known to be true: these are never overruled.

    Returns
    -------
    ndarray of bool, shape (N,)
        False for tasks without answers, or without a consensus.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["cat", "cat"], ["cat", "dog"], [None, None], ["cow", None]])
    >>> overruled_tasks(crowd, [2, 1, 0, 1])
    array([ True,  True, False, False])
    """
    codes = np.asarray(consensus)
    agreeing = np.bincount(crowd.task[crowd.label == codes[crowd.task]], minlength=len(crowd.tasks))
    overruled: NDArray[np.bool_] = (crowd.num_answers > 0) & (agreeing == 0) & (codes >= 0)
    return overruled if known is None else overruled & ~np.asarray(known)


def within_answers(result: Result) -> Result:
    """Return a result whose consensus is, for overruled tasks, the most probable of the labels that were given.

    Its quality is this label's probability, which is below that of the label that nobody gave; so is the confidence,
    where the result has one. Everything else is as it was.

    Parameters
    ----------
    result : HierarchicalResult or CrowdlabResult
        What `crowdcore.hierarchical_dawid_skene` or `crowdcore.crowdlab` found.

    Examples
    --------
    >>> from crowdcore import hierarchical_dawid_skene
    >>> crowd = Crowd.from_wide([["cat", "cat"], ["dog", "dog"], ["cat", "dog"]] * 10 + [["cat", None]])
    >>> found = hierarchical_dawid_skene(crowd, [[0.9, 0.1], [0.1, 0.9], [0.6, 0.4]] * 10 + [[0.001, 0.999]])
    >>> found.labels[-1], within_answers(found).labels[-1]
    ('dog', 'cat')
    """
    found: Any = result
    crowd = found.crowd
    overruled = overruled_tasks(crowd, found.consensus, found.known)
    if not overruled.any():
        return result
    answers = np.flatnonzero(overruled[crowd.task])
    task, label = crowd.task[answers], crowd.label[answers]
    best_first = np.lexsort((label, -found.posterior[task, label], task))
    rows, first = np.unique(task[best_first], return_index=True)
    consensus: Codes = found.consensus.copy()
    consensus[rows] = label[best_first][first]
    agreeing = np.bincount(task[label == consensus[task]], minlength=len(crowd.tasks))
    probability = np.take_along_axis(found.posterior, np.maximum(consensus, 0)[:, None], axis=1)[:, 0]
    changed = {
        "quality": probability,
        "agreement": agreeing / np.maximum(crowd.num_answers, 1),
        **({"confidence": probability} if hasattr(found, "confidence") else {}),
    }
    arrays = {name: np.where(overruled, values, getattr(found, name)) for name, values in changed.items()}
    kept: Result = replace(found, consensus=consensus, **arrays)
    return kept
