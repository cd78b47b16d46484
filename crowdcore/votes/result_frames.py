"""What the results of all consensus methods show of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.votes.annotators import AnnotatorStats, names_of

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


class ResultFrames:
    """Labels and frames of a result; the result is a dataclass that has these arrays, in the crowd's order."""

    crowd: Crowd
    consensus: Codes
    quality: Floats
    agreement: Floats
    label_quality: Floats
    annotators: AnnotatorStats
    annotator_weights: Floats

    @property
    def labels(self) -> NDArray[Any]:
        """The consensus as classes, None where there is none, shape (N,)."""
        return names_of(self.crowd.classes, self.consensus)

    @property
    def num_answers(self) -> Codes:
        """Number of answers of each task, shape (N,)."""
        return self.crowd.num_answers

    def to_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each task: consensus, quality, agreement, num_answers."""
        return self.crowd.task_frame(
            consensus=self.labels, quality=self.quality, agreement=self.agreement, num_answers=self.num_answers
        )

    def labels_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each answer: task, annotator, label, quality."""
        frame = self.crowd.to_long()
        frame["quality"] = self.label_quality
        return frame

    def annotators_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each annotator, worst first, those without a quality last."""
        return self.annotators.to_frame(self.crowd.annotators, self.crowd.classes, self.annotator_weights)
