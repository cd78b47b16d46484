"""What the plugin does with a kind of answers: how they are believed, and what is told of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds import AnnotatorFigures, AnswerTable, KindResult
from crowdcore.kinds.rating import rate_annotators
from label_studio_crowd.estimate import LEVEL
from label_studio_crowd.scoring.kinds.marked_texts import NO_TEXTS, Text
from label_studio_crowd.studio.controls import Control

Floats = NDArray[np.float64]
Details: TypeAlias = dict[str, NDArray[Any]]

_TINY = 1e-9
_OF_95 = 1.6449 / 1.96
Found = TypeVar("Found", bound=KindResult)


@dataclass(frozen=True)
class Told:
    """What a kind of answers tells besides, in words.

    Attributes
    ----------
    of_tasks, of_annotators
        Of each task, and of each annotator; (N,), (M,).
    of_classes
        Of each class that an answer may have: the class, and what it tells.
    """

    of_tasks: tuple[str, ...] = ()
    of_annotators: tuple[str, ...] = ()
    of_classes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class PartSaid:
    """What is said of a region, or of two of them, of a task.

    Attributes
    ----------
    part
        The region for people.
    consensus, quality
        What is believed of it, for people, and how far; None where most who marked it said nothing.
    votes
        What was said, for people, and the rows of those who did.
    """

    part: str
    consensus: str | None
    quality: float | None
    votes: tuple[tuple[str, tuple[int, ...]], ...]


class Kind(ABC, Generic[Found]):
    """A kind of answers; `crowdcore.kinds` has its consensus."""

    @abstractmethod
    def believe(
        self,
        control: Control,
        table: AnswerTable,
        known: Sequence[Any],
        marked: Mapping[int, Text] = NO_TEXTS,
        model: Floats | None = None,
    ) -> Found:
        """Return what is believed of the answers to a control.

        Parameters
        ----------
        table
            The answers, as `control.read` gives them.
        known
            Those known to be true, None elsewhere; (N,).
        marked
            The text of each task that spans are marked in, by task, as far as it is at hand.
        model
            What a classifier says of the tasks, a column for each of `columns`; only kinds that have some take it.
        """

    def columns(self, control: Control, answers: Iterable[Any]) -> tuple[str, ...]:
        """Return what a classifier tells of each task, by name; nothing of kinds that none learns.

        Parameters
        ----------
        answers
            The different ones that are given or known.
        """
        return ()

    def hears(self, found: Found) -> bool:
        """Return whether a classifier has a say."""
        return False

    def consensus(self, control: Control, found: Found) -> list[Any]:
        """Return the consensus of each task as `control.write` takes it, None where there is none."""
        return list(found.consensus.tolist())

    def tell(self, control: Control, found: Found) -> Told:
        """Return what is told besides."""
        return Told()

    def details(self, found: Found, given: Sequence[Any], consensus: Sequence[Any]) -> Details:
        """Return what pages show besides, as arrays by name: here figures of the annotators, (M,).

        Parameters
        ----------
        given, consensus
            The answers, and the consensus of each task, as they are kept; (A,), (N,).
        """
        return {name: np.asarray(figure, np.float64) for name, figure in found.annotators.more.items()}

    def by_model(self, control: Control, P: Floats, answers: Sequence[Any]) -> list[tuple[Any, float] | None]:
        """Return the answers that a model's rows come to, and how sure each is in [0, 1]; None where there is none.

        Parameters
        ----------
        P
            A row for each task, a column for each of `columns`.
        answers
            The different ones that were given.
        """
        return [None] * len(P)

    @abstractmethod
    def distance(self, one: Any, other: Any) -> float:
        """Return how far two answers of ``found.answers`` are from each other."""

    def interval(self, found: Found) -> Floats:
        """Return the 90 % interval of each annotator's quality, (M, 2)."""
        return rate_annotators(found.answers, found.answer_quality, found.answer_quality, level=LEVEL).interval


def narrowed(figures: AnnotatorFigures) -> Floats:
    """Return 90 % intervals for 95 % ones, as of a normal distribution in logits."""
    from scipy.special import expit, logit

    quality, ends = np.clip(figures.quality, _TINY, 1 - _TINY), np.clip(figures.interval, _TINY, 1 - _TINY)
    middle = logit(quality)[:, None]
    found: Floats = expit(middle + _OF_95 * (logit(ends) - middle))
    return found
