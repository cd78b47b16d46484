"""Generated crowds, and how they get to the processes that are measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.crowds import draw_answers, draw_probabilities


@dataclass(frozen=True)
class Answers:
    """A generated crowd of N tasks, M annotators, K classes and A answers, as both sides read it.

    Attributes
    ----------
    task, annotator, label : ndarray of int, shape (A,)
        Codes, sorted by task and annotator.
    truth : ndarray of int, shape (N,)
        What the answers were drawn from.
    pred_probs : ndarray of shape (N, K)
        A model's probabilities.
    annotators : int
        M.
    """

    task: np.ndarray
    annotator: np.ndarray
    label: np.ndarray
    truth: np.ndarray
    pred_probs: np.ndarray
    annotators: int

    @property
    def tasks(self) -> int:
        """N."""
        return len(self.truth)

    @property
    def classes(self) -> int:
        """K."""
        return self.pred_probs.shape[1]

    def first(self, tasks: int) -> Answers:
        """Return the crowd of the first tasks, and of the annotators who answered them."""
        here = self.task < tasks
        who, annotator = np.unique(self.annotator[here], return_inverse=True)
        return Answers(
            self.task[here], annotator, self.label[here], self.truth[:tasks], self.pred_probs[:tasks], len(who)
        )


def save(path: Path, tasks: int, annotators: int, classes: int) -> None:
    """Draw a crowd and a model, and write them to an npz."""
    drawn = draw_answers(tasks, annotators, classes)
    np.savez(path, **drawn, pred_probs=draw_probabilities(drawn["truth"], classes), annotators=annotators)


def load(path: Path) -> Answers:
    """Read what `save` wrote."""
    with np.load(path) as file:
        found = {name: file[name] for name in file.files}
    return Answers(annotator=found.pop("worker"), annotators=int(found.pop("annotators")), **found)
