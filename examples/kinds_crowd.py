"""Example crowds whose answers are not one class: sets, ratings, spans, boxes, and several of these at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from examples.questions import Question
from examples.simulated_crowd import Answer

__all__ = ["KindsCrowd", "Said", "answers_of"]

Said = tuple[Any, ...]
"""An answer to each question of a project."""


@dataclass(frozen=True)
class KindsCrowd:
    """Tasks, and what a crowd answered.

    Attributes
    ----------
    title, label_config
        Of the Label Studio project.
    questions
        What is asked of a task, one for each control.
    tasks
        Each task's `data` for Label Studio.
    answers
        Of all annotators, in the order of tasks; each `label` has an answer to each question.
    truth
        Each task's right answers, never part of `tasks`.
    newcomer
        (a generator, the index of a task) -> what a careful person says who has not been here.
    notes
        What a reader of the results should know about this crowd.
    classifier
        The classifier to ask the plugin for.
    """

    title: str
    label_config: str
    questions: tuple[Question, ...]
    tasks: list[dict[str, Any]]
    answers: list[Answer]
    truth: list[Said]
    newcomer: Callable[[np.random.Generator, int], Said] = field(compare=False)
    notes: tuple[str, ...] = ()
    classifier: str = "auto"

    @property
    def annotators(self) -> list[str]:
        """Everybody who answered: sorted names."""
        return sorted({answer.annotator for answer in self.answers})

    def result(self, label: Said) -> list[dict[str, Any]]:
        """Return answers as the result of an annotation."""
        return [item for question, answer in zip(self.questions, label, strict=True) for item in question.write(answer)]

    def show(self, label: Said) -> str:
        """Return answers for people."""
        return " · ".join(question.show(answer) for question, answer in zip(self.questions, label, strict=True))


def answers_of(
    rng: np.random.Generator,
    activity: Mapping[str, float],
    n_tasks: int,
    say: Callable[[str, int], Said],
    labels_per_task: Sequence[float] = (0.1, 0.3, 0.4, 0.2),
) -> list[Answer]:
    """Let a crowd answer every task.

    Parameters
    ----------
    rng
        The only source of chance.
    activity
        Annotator -> how much of the work they do, relative to the others.
    n_tasks
        How many there are.
    say
        (annotator, index of a task) -> their answers.
    labels_per_task
        The shares of tasks that get one, two, three, ... annotators.
    """
    names, weights = list(activity), np.array(list(activity.values()))
    counts = rng.choice(len(labels_per_task), size=n_tasks, p=labels_per_task) + 1
    answers: list[Answer] = []
    for task, count in enumerate(counts.tolist()):
        for who in rng.choice(names, size=count, replace=False, p=weights / weights.sum()).tolist():
            seconds = round(12.0 * float(np.exp(0.4 * rng.standard_normal())), 1)
            answers.append(Answer(task, who, say(who, task), seconds))
    return answers
