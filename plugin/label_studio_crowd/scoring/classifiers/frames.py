"""Data fields as a DataFrame, for estimators of the user's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from label_studio_crowd.scoring.classifiers.tasks import Mask, TaskData, as_number

_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class FrameFeatures:
    """Data fields as a DataFrame with the columns of another; see `Features`.

    Attributes
    ----------
    columns : sequence of str
        In their order.
    numeric : collection of str
        Those that held numbers.
    """

    columns: Sequence[str]
    numeric: Collection[str]

    @classmethod
    def like(cls, frame: Any) -> FrameFeatures:
        """Return what makes DataFrames like this one."""
        from pandas.api.types import is_numeric_dtype

        return cls(tuple(frame.columns), {name for name in frame.columns if is_numeric_dtype(frame[name].dtype)})

    def of(self, tasks: TaskData) -> tuple[Any, Mask]:
        """See `Features`."""
        frame = frame_of(tasks, only=set(self.columns)).reindex(columns=list(self.columns))
        for name in self.numeric:
            if frame[name].isna().all():  # without a number among them pandas cannot know
                frame[name] = frame[name].astype(float)
        return frame, readable(tasks)


def frame_of(tasks: TaskData, *, only: Collection[str] | None = None) -> Any:
    """Return a DataFrame of the tasks' data, a row for each task (index: task ids), a column for each field."""
    import pandas as pd

    rows = [
        {_encodable(name): _encodable(value) for name, value in row.items() if only is None or name in only}
        if isinstance(row, Mapping)
        else {}
        for row in tasks.data
    ]
    return pd.DataFrame(rows, index=list(tasks.ids))


def _encodable(value: Any) -> Any:
    """Return a value that pandas takes: JSON can hold half characters and integers of any size, and it cannot."""
    if isinstance(value, int) and abs(value) > _LARGEST:
        return as_number(value)
    if not isinstance(value, str) or value.isascii():
        return value
    return value.encode("utf-8", "replace").decode("utf-8")


def readable(tasks: TaskData) -> Mask:
    """Say which tasks have data that are fields and values."""
    return np.array([isinstance(row, Mapping) for row in tasks.data], dtype=bool)
