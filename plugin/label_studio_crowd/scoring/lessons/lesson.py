"""What a lesson is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.classifiers import AS_REQUESTED, Model, Progress, TaskData
from label_studio_crowd.settings import ConsensusMethod
from label_studio_crowd.studio.controls import RELATIONS, Control

Floats = NDArray[np.float64]
NOT_LEARNED: Final[Mapping[str, str]] = {"text": "texts", "ranking": "rankings", "regions": "regions"}
"""The kinds of a whole task's answers of which nothing is learned, in words."""

AClassifier = TypeVar("AClassifier")


class Chosen(Protocol):
    """A classifier of some kind, or none, and the reason; see `label_studio_crowd.scoring.classifiers.Choice`."""

    @property
    def classifier(self) -> Any:
        """It, or None."""

    @property
    def why(self) -> str:
        """The reason."""


@dataclass(frozen=True, eq=False)
class Learned:
    """What came of a training.

    Attributes
    ----------
    pred_probs
        What the classifier says of each task, out of sample, a column for each of `Lesson.columns`; (N, K).
    summary
        What was chosen, why, and how it went, for people.
    model
        For tasks to come; None where there is none.
    """

    pred_probs: Floats
    summary: str
    model: Model | None


class Lesson(ABC, Generic[AClassifier]):
    """What is learned of answers of some kind."""

    @abstractmethod
    def columns(self, answers: Answers) -> tuple[str, ...]:
        """Return what a classifier tells of each task, by name."""

    @abstractmethod
    def choose(self, spec: str, tasks: TaskData, answers: Answers) -> Chosen:
        """Return the classifier that a specification names, or the one that fits.

        Raises
        ------
        UserError
            If the specification is unknown, or names something that the project does not have or that does not fit.
        """

    @abstractmethod
    def learn(
        self, classifier: AClassifier, answers: Answers, consensus: ConsensusMethod, progress: Progress | None
    ) -> Learned:
        """Train a classifier, in turns with the consensus."""

    @abstractmethod
    def foreign(self, answers: Answers, task: int, answer: Any) -> Any:
        """Return what another model predicts as `TaskData.predictions` has it; None if that is none of the columns.

        Parameters
        ----------
        answer
            As the control reads it.
        """

    def with_new(self, pred_probs: Floats, new: NDArray[np.bool_]) -> Floats:
        """Return what a classifier said, (N, K), before some columns were there; these have the least there is."""
        return pred_probs

    def usual(self, pred_probs: Floats) -> Floats:
        """Return what is expected of a task of which the classifier says nothing, (K,)."""
        mean: Floats = pred_probs.mean(axis=0)
        return mean


def _why_not(control: Control) -> str:
    """Return why nothing is learned of a control's answers."""
    kind = control.form.kind
    if kind == RELATIONS:
        return f"answers to {control.name!r} are of pairs of regions, and a classifier predicts whole tasks"
    if control.form.about_regions:
        return f"answers to {control.name!r} are of single regions, and a classifier predicts whole tasks"
    return f"answers to {control.name!r} are {NOT_LEARNED[kind]}; a classifier learns classes, sets and numbers"


@dataclass(frozen=True)
class _Nothing:
    classifier: None
    why: str


class NoLesson(Lesson[None]):
    """Nothing is learned of these answers."""

    def columns(self, answers: Answers) -> tuple[str, ...]:
        """See `Lesson`."""
        return ()

    def choose(self, spec: str, tasks: TaskData, answers: Answers) -> Chosen:
        """See `Lesson`."""
        if spec.strip() == "none":
            return _Nothing(None, AS_REQUESTED)
        return _Nothing(None, f"none: {_why_not(answers.control)}")

    def learn(
        self, classifier: None, answers: Answers, consensus: ConsensusMethod, progress: Progress | None
    ) -> Learned:
        """See `Lesson`."""
        raise AssertionError("no classifier is chosen")

    def foreign(self, answers: Answers, task: int, answer: Any) -> Any:
        """See `Lesson`."""
        return None
