"""Who agrees with whom, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crowdcore.votes.overlaps import shared_tasks
from label_studio_crowd.scoring.snapshot import Snapshot

if TYPE_CHECKING:
    import pandas as pd


def pairs(snapshot: Snapshot, who: pd.DataFrame) -> pd.DataFrame:
    """Return the table, with a row for each two annotators who answered the same tasks.

    Parameters
    ----------
    snapshot
        What the last run believed of a control.
    who
        annotator and name of each annotator.

    Returns
    -------
    DataFrame
        annotator, name, other, other_name, shared_tasks, same_answers, agreement.
    """
    import pandas as pd

    crowd = snapshot.crowd
    starts, other, common, agreeing = shared_tasks(crowd, np.bincount(crowd.annotator, minlength=len(crowd.annotators)))
    one = np.repeat(np.arange(len(crowd.annotators)), np.diff(starts))
    once = one < other
    one, other, common, agreeing = one[once], other[once], common[once], agreeing[once]
    keys, names = who.annotator.to_numpy(), who["name"].to_numpy()
    found: pd.DataFrame = pd.DataFrame(
        {
            "annotator": keys[one],
            "name": names[one],
            "other": keys[other],
            "other_name": names[other],
            "shared_tasks": common.astype(np.int64),
            "same_answers": agreeing.astype(np.int64),
            "agreement": agreeing / np.maximum(common, 1),
        }
    )
    return found
