"""How probable each class of each task is, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from label_studio_crowd.scoring.probable import unpacked
from label_studio_crowd.scoring.snapshot import Snapshot

if TYPE_CHECKING:
    import pandas as pd


def class_probabilities(snapshot: Snapshot) -> pd.DataFrame:
    """Return the table: task, label, probability, model_probability; the most probable class of a task first.

    Parameters
    ----------
    snapshot
        What the last run believed of a control.
    """
    import pandas as pd

    row = np.repeat(np.arange(len(snapshot.probable_numbers)), snapshot.probable_numbers)
    names = snapshot.probable_names
    labels = [
        names[code] if names else snapshot.label_in(at, code)
        for at, code in zip(row.tolist(), snapshot.probable_label.tolist(), strict=True)
    ]
    table: pd.DataFrame = pd.DataFrame(
        {
            "task": snapshot.tasks[row],
            "label": pd.Series(labels, dtype=object),
            "probability": unpacked(snapshot.probable),
            "model_probability": unpacked(snapshot.probable_by_model),
        }
    )
    first = np.lexsort((-snapshot.probable_by_model, -snapshot.probable, row))
    ordered: pd.DataFrame = table.iloc[first].reset_index(drop=True)
    return ordered
