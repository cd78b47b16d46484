"""The strategies by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crowdcore.registry import Registry
from crowdcore.simulation.drawing import Simulation
from crowdcore.simulation.strategies import (
    correlated_errors,
    discrete_difficulty,
    hammer_spammer,
    imbalanced_votes,
    independent_confusion,
    student_teacher,
)


@dataclass(frozen=True)
class Strategy:
    """A way to simulate a crowd; called with its options, it returns a `Simulation`.

    Attributes
    ----------
    name : str
        In lower case, with hyphens.
    about : str
        What it does, in a line.
    run : callable
        The function; its options are its arguments.
    aliases : tuple of str
        Other names.
    """

    name: str
    about: str
    run: Callable[..., Simulation]
    aliases: tuple[str, ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        """The names of all options, and their defaults."""
        return {name: option.default for name, option in inspect.signature(self.run).parameters.items()}

    def __call__(self, **options: Any) -> Simulation:
        """Return a simulated crowd; a ValueError names an option that the strategy does not have."""
        unknown = [name for name in options if name not in self.options]
        if unknown:
            raise ValueError(f"{self.name} has no option {unknown[0]!r}; it has {', '.join(self.options)}.")
        return self.run(**options)


STRATEGIES: Registry[Strategy] = Registry(
    "strategy",
    (
        Strategy(
            "independent-confusion", "every annotator answers by a confusion matrix of their own", independent_confusion
        ),
        Strategy("hammer-spammer", "annotators are always right, or answer at random", hammer_spammer),
        Strategy("student-teacher", "students have the confusion matrix of a teacher", student_teacher),
        Strategy("discrete-difficulty", "tasks are easy, hard or random; annotators good or bad", discrete_difficulty),
        Strategy(
            "imbalanced-votes",
            "independent confusion, with another number of answers for each task",
            imbalanced_votes,
            ("imbalance-votes",),
        ),
        Strategy("correlated-errors", "annotators make the same mistakes on the same tasks", correlated_errors),
    ),
)


def find_strategy(name: str) -> Strategy:
    """Return a strategy by its name, or by peerannot's name for it; case, hyphens and underscores do not matter.

    Raises
    ------
    ValueError
        If there is none of that name. The message names the closest one, and all.

    Examples
    --------
    >>> find_strategy("hammer-spammer")(n_tasks=5, n_annotators=3, ratio=0.5).crowd
    Crowd(5 tasks, 3 annotators, 2 classes, 15 answers)
    """
    return STRATEGIES.find(name)
