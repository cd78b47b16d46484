"""A classifier of each class, which learns from what is believed of sets: one versus the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.table import Crowd
from crowdcore.kinds.label_set.coding import Coding
from crowdcore.kinds.label_set.questions import Questions
from crowdcore.kinds.table import AnswerTable
from crowdcore.learning.out_of_fold import OutOfFold

Floats = NDArray[np.float64]


class EachClass:
    """Judges questions, each class by a classifier of its own; see `crowdcore.hierarchical.refitting.Learner`.

    Parameters
    ----------
    table : AnswerTable
        N tasks.
    coding, questions
        The classes, and the U questions that are asked about them.
    features, classifier
        As for `crowdcore.kinds.label_sets`.
    """

    def __init__(
        self, table: AnswerTable, coding: Coding, questions: Questions, features: Any, classifier: Any
    ) -> None:
        self._questions, self._shape = questions, (len(table.tasks), len(coding.classes))
        empty = np.zeros(len(table.annotator), np.int64)
        answered = Crowd(
            table.tasks, table.annotators, np.array(["no", "yes"]), table.indptr, table.annotator, empty
        )  # fmt: skip
        self._learner = OutOfFold(answered, features, classifier, np.where(coding.is_known, 0, -1))

    def judge(self, beliefs: Floats) -> Floats:
        """Return the probabilities of no and yes to each question, (U, 2), learned from what is believed of it.

        Classes are as common as each other in them, see `Questions.within_classes`.
        """
        return self._questions.within_classes(self.of_all(beliefs)[self._questions.task, self._questions.label])

    def of_all(self, beliefs: Floats) -> Floats:
        """Return the probability of each class in each task, (N, K), learned from beliefs of the questions, (U, 2)."""
        N, K = self._shape
        found: Floats = np.zeros((N, K))
        for label in np.unique(self._questions.label).tolist():
            at = np.flatnonzero(self._questions.label == label)
            of_tasks: Floats = np.zeros((N, 2))
            of_tasks[self._questions.task[at]] = beliefs[at]
            found[:, label] = self._learner.judge(of_tasks, label)[:, 1]
        return found
