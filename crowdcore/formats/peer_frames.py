"""The peers' data frames: crowd-kit's (task, worker, label) and cleanlab's (a column for each annotator)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike

from crowdcore.crowd.repeats import Repeated, refuse_repeated
from crowdcore.crowd.table import Crowd

if TYPE_CHECKING:
    import pandas as pd

MOST_CELLS: Final = 200_000_000
"""Cells of the largest wide frame that is made (1.6 GB)."""


def to_crowd_kit(crowd: Crowd) -> pd.DataFrame:
    """Return the frame that crowd-kit's aggregators take: columns task, worker and label.

    Examples
    --------
    >>> to_crowd_kit(Crowd.from_wide([["cat", "dog"], [None, "cat"]]))
       task  worker label
    0     0       0   cat
    1     0       1   dog
    2     1       1   cat
    """
    frame: pd.DataFrame = crowd.to_long().rename(columns={"annotator": "worker"})
    return frame


def from_crowd_kit(
    frame: pd.DataFrame, *, classes: Iterable[Any] | None = None, repeated: Repeated | None = None
) -> Crowd:
    """Make a crowd from crowd-kit's frame.

    Parameters
    ----------
    frame : DataFrame
        Columns task, worker and label, a row for each answer.
    classes : sequence, optional
        All labels there are, in the order wanted. Default: those in the frame, sorted.
    repeated : {"latest", "first", "all", "error"}, optional
        What becomes of an annotator's several answers to a task, as in `Crowd.from_long`.

    Raises
    ------
    ValueError
        As `Crowd.from_long`.
    """
    return Crowd.from_long(frame, annotator="worker", classes=classes, repeated=repeated)


def labels_series(crowd: Crowd, labels: ArrayLike) -> pd.Series[Any]:
    """Return labels as crowd-kit's aggregators do: a series ``agg_label`` by ``task``.

    Parameters
    ----------
    crowd : Crowd
        Names the tasks.
    labels : array_like of shape (N,)
        As `aggregate.Aggregator` has them in ``labels_``; tasks of None are left out.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["cat", "dog"], [None, "cat"]])
    >>> labels_series(crowd, ["cat", None]).to_dict()
    {0: 'cat'}
    """
    series = crowd.task_frame(agg_label=np.asarray(labels))["agg_label"]
    return series[series.notna()]


def probas_frame(crowd: Crowd, probas: ArrayLike) -> pd.DataFrame:
    """Return probabilities as crowd-kit's aggregators do: a row for each task, a column for each class.

    Parameters
    ----------
    crowd : Crowd
        Names tasks and classes.
    probas : array_like of shape (N, K)
        As `aggregate.Aggregator` has them in ``probas_``.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["cat", "dog"], [None, "cat"]])
    >>> probas_frame(crowd, [[0.5, 0.5], [1, 0]])["cat"].to_dict()
    {0: 0.5, 1: 1.0}
    """
    import pandas as pd

    index = pd.Index(crowd.tasks, name="task")
    frame: pd.DataFrame = pd.DataFrame(np.asarray(probas), index=index, columns=crowd.classes)
    return frame


def to_cleanlab(crowd: Crowd) -> pd.DataFrame:
    """Return the frame that cleanlab's multi-annotator functions take.

    Returns
    -------
    DataFrame of shape (N, M)
        Class codes as floats, NaN where an annotator (column) has not answered a task (row). The columns of
        ``pred_probs`` are in the order of ``crowd.classes``. `crowdcore.cleanlab_api` takes it as well.

    Raises
    ------
    ValueError
        If it would have more than `MOST_CELLS` cells, or an annotator has several answers to a task.

    Examples
    --------
    >>> to_cleanlab(Crowd.from_wide([["cat", "dog"], [None, "cat"]]))
         0    1
    0  0.0  1.0
    1  NaN  0.0
    """
    import pandas as pd

    shape = (len(crowd.tasks), len(crowd.annotators))
    if shape[0] * shape[1] > MOST_CELLS:
        raise ValueError(
            f"cleanlab's frame of {shape[0]:,} tasks by {shape[1]:,} annotators has more than {MOST_CELLS:,} cells. "
            "Use crowdcore.crowdlab and crowdcore.activelab, which need none, or select_tasks."
        )
    refuse_repeated(crowd.num_repeated, "cleanlab's frame")
    matrix = np.full(shape, np.nan)
    matrix[crowd.task, crowd.annotator] = crowd.label
    frame: pd.DataFrame = pd.DataFrame(matrix, index=crowd.tasks, columns=crowd.annotators)
    return frame


def from_cleanlab(frame: pd.DataFrame, *, classes: Iterable[Any] | None = None) -> Crowd:
    """Make a crowd from cleanlab's frame of labels.

    Parameters
    ----------
    frame : DataFrame of shape (N, M)
        Labels, missing (NaN, None, NA) where there is none. Index and columns become ids.
    classes : sequence, optional
        The label of each class code, in order: the labels of `to_cleanlab`'s frame are places in it. Default: the
        labels are those in the frame, sorted.

    Raises
    ------
    ValueError
        If a label is not a code of `classes`.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["cat", "dog"], [None, "cat"]])
    >>> from_cleanlab(to_cleanlab(crowd), classes=crowd.classes).to_long().equals(crowd.to_long())
    True
    """
    if classes is None:
        return Crowd.from_wide(frame, missing=None)
    names = list(classes)
    crowd = Crowd.from_wide(frame, missing=None, classes=range(len(names)))
    return Crowd.from_codes(
        crowd.task, crowd.annotator, crowd.label, tasks=crowd.tasks, annotators=crowd.annotators, classes=names
    )
