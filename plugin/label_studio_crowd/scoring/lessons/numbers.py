"""Answers that are numbers: what number is expected."""

from __future__ import annotations

from typing import Any

import numpy as np

from label_studio_crowd.scoring import classifiers
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.classifiers.numbers import FEWEST, NumberClassifier
from label_studio_crowd.scoring.kinds import KINDS, believe
from label_studio_crowd.scoring.lessons.lesson import Floats, Learned, Lesson
from label_studio_crowd.settings import ConsensusMethod


class NumberLesson(Lesson[NumberClassifier]):
    """The number."""

    def columns(self, answers: Answers) -> tuple[str, ...]:
        """See `Lesson`."""
        return KINDS["number"].columns(answers.control, answers.values)

    def choose(self, spec: str, tasks: classifiers.TaskData, answers: Answers) -> classifiers.NumberChoice:
        """See `Lesson`."""
        return classifiers.choose_for_numbers(spec, tasks)

    def learn(
        self,
        classifier: NumberClassifier,
        answers: Answers,
        consensus: ConsensusMethod,
        progress: classifiers.Progress | None,
    ) -> Learned:
        """See `Lesson`: once, from the consensus without it, as `crowdcore.kinds.numbers` learns from features."""
        found = believe(answers)[1].found
        numbers = np.where((found.num_answers > 0) | found.known, found.consensus.astype(np.float64), np.nan)
        predicted = classifier.predict_out_of_sample(numbers, progress=progress)
        model = classifier.model(numbers)
        return Learned(predicted[:, None], _summary(classifier.why, predicted, numbers), model)

    def foreign(self, answers: Answers, task: int, answer: Any) -> Any:
        """See `Lesson`."""
        return float(answer)

    def usual(self, pred_probs: Floats) -> Floats:
        """See `Lesson`: nothing."""
        return np.full(pred_probs.shape[1], np.nan)


def _summary(why: str, predicted: Floats, numbers: Floats) -> str:
    both = ~np.isnan(predicted) & ~np.isnan(numbers)
    n = int(both.sum())
    if n < FEWEST:
        return f"{why}. {n} tasks have a number; it learns from {FEWEST} or more."
    if not (np.ptp(predicted[both]) and np.ptp(numbers[both])):
        return f"{why}. Out of sample it predicts no better than the mean, so it has no influence."
    r = float(np.corrcoef(predicted[both], numbers[both])[0, 1])
    return f"{why}. Out of sample the correlation of its predictions with {n:,} consensus numbers is {r:.2f}."
