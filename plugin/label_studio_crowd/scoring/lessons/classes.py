"""Answers of one class: how probable each is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.scoring import classifiers
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.classifiers.out_of_sample import floored
from label_studio_crowd.scoring.lessons.lesson import Floats, Learned, Lesson
from label_studio_crowd.settings import ConsensusMethod

_LEAST = 1e-9


class ClassLesson(Lesson[classifiers.Classifier]):
    """The classes of the crowd."""

    def columns(self, answers: Answers) -> tuple[str, ...]:
        """See `Lesson`."""
        return tuple(str(label) for label in answers.crowd.classes)

    def choose(self, spec: str, tasks: classifiers.TaskData, answers: Answers) -> classifiers.Choice:
        """See `Lesson`."""
        return classifiers.choose(spec, tasks, n_classes=len(answers.crowd.classes), kind=answers.control.kind)

    def learn(
        self,
        classifier: classifiers.Classifier,
        answers: Answers,
        consensus: ConsensusMethod,
        progress: classifiers.Progress | None,
    ) -> Learned:
        """See `Lesson`."""
        result = classifiers.train(
            classifier,
            answers.crowd,
            known_labels=answers.known_labels,
            consensus=consensus,
            in_order=answers.control.kind == "ordered",
            progress=progress,
        )
        return Learned(result.pred_probs, result.summary, result.model)

    def foreign(self, answers: Answers, task: int, answer: Any) -> Any:
        """See `Lesson`."""
        label = answer if answers.own is None else answers.own.class_of(task, answer)
        columns = self.columns(answers)
        return columns.index(label) if label in columns else None

    def with_new(self, pred_probs: Floats, new: NDArray[np.bool_]) -> Floats:
        """See `Lesson`; rows sum to 1."""
        return floored(np.where(new, _LEAST, pred_probs))

    def usual(self, pred_probs: Floats) -> Floats:
        """See `Lesson`."""
        mean = pred_probs.mean(axis=0)
        shares: Floats = mean / mean.sum()
        return shares
