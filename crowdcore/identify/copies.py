"""Annotators who give the same answers, also where everybody else says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crowdcore.crowd.evidence import as_crowd
from crowdcore.crowd.grouping import ratio
from crowdcore.crowd.table import Crowd
from crowdcore.votes.copies import CopyGroup, find_copies

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class CopiedAnswers:
    """Groups of annotators whose answers are copies of each other's.

    Attributes
    ----------
    crowd : Crowd
        The answers.
    groups : tuple of CopyGroup
        The groups, the surest first.
    """

    crowd: Crowd
    groups: tuple[CopyGroup, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each annotator who copies, by group.

        Its columns are group (from 1), annotator, shared_tasks (with others of the group, and with somebody outside
        it), agreement (with most others of the group, a share of these), expected_agreement (of annotators who do not
        copy), and log_odds (of the group: see `crowdcore.votes.copies.CopyGroup`).
        """
        import pandas as pd

        sizes = [len(group.annotators) for group in self.groups]
        members, shared, same, expected = (
            np.concatenate([np.empty(0), *(getattr(group, name) for group in self.groups)])
            for name in ("annotators", "shared", "same", "expected")
        )
        frame: pd.DataFrame = pd.DataFrame(
            {
                "group": np.repeat(np.arange(1, len(sizes) + 1), sizes),
                "annotator": self.crowd.annotators[members.astype(np.int64)],
                "shared_tasks": shared.astype(np.int64),
                "agreement": ratio(same, shared),
                "expected_agreement": ratio(expected, shared),
                "log_odds": np.repeat([group.log_odds for group in self.groups], sizes),
            }
        )
        return frame


def copied_answers(answers: Crowd | pd.DataFrame) -> CopiedAnswers:
    """Return which annotators copy each other, or are one and the same.

    `crowdcore.votes.copies.find_copies` says how they are found. `crowdcore.hierarchical_dawid_skene` takes their equal
    answers to a task as one.

    Parameters
    ----------
    answers : Crowd or DataFrame
        N tasks, M annotators, K classes; a frame has columns task, annotator (or worker) and label.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth, bot = rng.integers(4, size=(2, 60, 1))
    >>> honest = np.where(rng.random((60, 7)) < 0.75, truth, rng.integers(4, size=(60, 7)))
    >>> copied_answers(Crowd.from_wide(np.hstack([honest, bot, bot]))).to_frame().round(2)
       group  annotator  shared_tasks  agreement  expected_agreement  log_odds
    0      1          7            60        1.0                0.26      21.3
    1      1          8            60        1.0                0.26      21.3
    """
    crowd = as_crowd(answers)
    return CopiedAnswers(crowd, find_copies(crowd))
