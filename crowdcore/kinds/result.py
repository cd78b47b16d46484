"""What the consensus of every kind of answer tells: of each task, each answer and each annotator."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.frames import indexed_frame
from crowdcore.crowd.ids import Codes
from crowdcore.kinds.table import AnswerTable

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AnnotatorFigures:
    """Figures of M annotators, in the table's order.

    Attributes
    ----------
    quality : ndarray of shape (M,)
        How far the annotator's answers are to be believed, in [0, 1]; of an annotator without answers what is expected
        of the next one to come.
    interval : ndarray of shape (M, 2)
        95 % credible interval of the quality.
    agreement_with_consensus : ndarray of shape (M,)
        Mean similarity of their answers to the consensus, in [0, 1]; NaN without answers.
    num_answers : ndarray of shape (M,)
        How many tasks the annotator has answered.
    more : dict of ndarray of shape (M,)
        What the kind of answers tells besides, by name: bias and spread of numbers, precision and recall of sets.
    """

    quality: Floats
    interval: Floats
    agreement_with_consensus: Floats
    num_answers: Codes
    more: dict[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class KindResult:
    """A consensus of answers of some kind; arrays are in the table's order.

    Attributes
    ----------
    answers : AnswerTable
        The N tasks, M annotators and A answers this is about.
    consensus : ndarray of shape (N,)
        An answer of the same kind for each task, None (of numbers NaN) where there is none.
    quality : ndarray of shape (N,)
        How far the consensus is expected to agree with the truth, in [0, 1]; the kind says how that is measured.
    confidence : ndarray of shape (N,)
        What tasks are ranked by when one more answer is asked for, low first, in [0, 1].
    agreement : ndarray of shape (N,)
        Mean similarity of the task's answers to the consensus, in [0, 1]; NaN without answers.
    answer_quality : ndarray of shape (A,)
        How far each answer is expected to agree with the truth, in [0, 1].
    annotators : AnnotatorFigures
        Figures of each annotator.
    known : ndarray of bool, shape (N,)
        Tasks whose answer was given as known.
    """

    answers: AnswerTable
    consensus: NDArray[Any]
    quality: Floats
    confidence: Floats
    agreement: Floats
    answer_quality: Floats
    annotators: AnnotatorFigures
    known: NDArray[np.bool_]

    @property
    def num_answers(self) -> Codes:
        """Number of answers of each task, shape (N,)."""
        return self.answers.num_answers

    @property
    def founded(self) -> NDArray[np.bool_]:
        """Tasks one of whose annotators was compared with somebody, or with a known answer; shape (N,)."""
        table = self.answers
        told = table.compared.copy()
        told[table.annotator[self.known[table.task]]] = True
        found = self.known.copy()
        found[table.task[told[table.annotator]]] = True
        return found

    def to_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each task: consensus, quality, agreement, num_answers."""
        columns = {
            "consensus": self.consensus,
            "quality": self.quality,
            "agreement": self.agreement,
            "num_answers": self.num_answers,
        }
        return indexed_frame("task", self.answers.tasks, columns)

    def answers_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each answer: task, annotator, answer, quality."""
        frame = self.answers.to_long()
        frame["quality"] = self.answer_quality
        return frame

    def annotators_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each annotator, worst first: quality, low, high, and what the kind tells."""
        columns = {
            "quality": self.annotators.quality,
            "low": self.annotators.interval[:, 0],
            "high": self.annotators.interval[:, 1],
            "agreement_with_consensus": self.annotators.agreement_with_consensus,
            "num_answers": self.annotators.num_answers,
            **self.annotators.more,
        }
        frame = indexed_frame("annotator", self.answers.annotators, columns)
        worst_first: pd.DataFrame = frame.sort_values(["quality", "agreement_with_consensus"])
        return worst_first
