"""A simulated crowd, and how its answers are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.simulation.assignment import assign

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

CHUNK = 1 << 18
"""How many answers are drawn at once."""


@dataclass(frozen=True, eq=False, repr=False)
class Simulation:
    """A crowd and what is known of it because it was made. N tasks, M annotators, K classes, all 0, 1, 2, ...

    Attributes
    ----------
    crowd : Crowd
        The answers.
    truth : ndarray of shape (N,)
        True class codes.
    confusions : ndarray of shape (M, K, K)
        Chance of each label (last axis) for each true class, by annotator.
    difficulty : ndarray of str, shape (N,), or None
        "easy", "hard" or "random", where tasks differ.
    teacher : ndarray of shape (M,), or None
        Code of the annotator whose confusion matrix a student has, -1 for teachers.
    luck : ndarray of shape (N,), or None
        Draw in [0, 1) that a task's annotators share where errors are correlated; high if it misleads.
    """

    crowd: Crowd
    truth: Codes
    confusions: Floats
    difficulty: NDArray[np.str_] | None = None
    teacher: Codes | None = None
    luck: Floats | None = None

    def __repr__(self) -> str:
        return f"Simulation({self.crowd!r}, {self.accuracy:.3f} of the answers right)"

    @property
    def accuracy(self) -> float:
        """Share of the answers that are right; NaN without answers."""
        right = self.crowd.label == self.truth[self.crowd.task]
        return float(right.mean()) if len(right) else float("nan")

    @property
    def annotator_accuracy(self) -> Floats:
        """Chance that each annotator is right on one of the tasks at hand, drawn evenly, shape (M,)."""
        N, K = max(1, len(self.truth)), len(self.crowd.classes)
        difficulty = np.full(len(self.truth), "hard") if self.difficulty is None else self.difficulty
        shares = np.bincount(self.truth[difficulty == "hard"], minlength=K) / N
        beyond = (difficulty == "easy").sum() / N + (difficulty == "random").sum() / (N * K)
        chance: Floats = np.einsum("mkk,k->m", self.confusions, shares) + beyond
        return chance

    def to_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each answer: task, annotator, label, truth."""
        frame = self.crowd.to_long()
        frame["truth"] = self.crowd.classes[self.truth[self.crowd.task]]
        return frame


def simulated(
    rng: np.random.Generator,
    truth: Codes,
    confusions: Floats,
    workload: int | None,
    answers_per_task: int | None,
    imbalance_votes: bool,
    *,
    difficulty: NDArray[np.str_] | None = None,
    teacher: Codes | None = None,
    correlation: float | None = None,
) -> Simulation:
    """Let annotators of these confusion matrices answer tasks of this truth."""
    N, (M, K) = len(truth), confusions.shape[:2]
    task, annotator = assign(rng, N, M, workload, answers_per_task, imbalance_votes)
    draw = rng.random(len(task))
    luck = None
    if correlation is not None:
        luck = rng.random(N)
        draw = np.where(rng.random(len(task)) < correlation, luck[task], draw)
    label = _answers(truth[task], annotator, draw, confusions)
    if difficulty is not None:
        label = np.where(difficulty[task] == "easy", truth[task], label)
        label = np.where(difficulty[task] == "random", rng.integers(K, size=len(task)), label)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(task, minlength=N))])
    crowd = Crowd(np.arange(N), np.arange(M), np.arange(K), indptr, annotator, label)
    return Simulation(crowd, truth, confusions, difficulty, teacher, luck)


def _answers(true: Codes, annotator: Codes, draw: Floats, confusions: Floats) -> Codes:
    """Return labels: the true class for the lowest draws, the other classes in their order for higher ones."""
    K = confusions.shape[1]
    order = np.argsort(np.arange(K) != np.arange(K)[:, None], axis=1, kind="stable")
    steps = np.take_along_axis(confusions, order[None], axis=2).cumsum(axis=2)[:, :, :-1]
    label = np.empty(len(true), dtype=np.int64)
    for start in range(0, len(true), CHUNK):
        part = slice(start, start + CHUNK)
        passed = (draw[part, None] >= steps[annotator[part], true[part]]).sum(axis=1)
        label[part] = order[true[part], passed]
    return label


def draw_truth(rng: np.random.Generator, n_tasks: int, n_classes: int, class_shares: ArrayLike | None) -> Codes:
    """Return the true class of each task, shape (N,)."""
    if class_shares is None:
        return rng.integers(n_classes, size=n_tasks)
    shares = np.asarray(class_shares, dtype=np.float64)
    if shares.shape != (n_classes,) or not (np.isfinite(shares) & (shares >= 0)).all() or not shares.sum() > 0:
        raise ValueError(
            f"class_shares are {shares.tolist()}; expected {n_classes} finite numbers, one for each class, none below "
            "0 and at least one above 0. They are divided by their sum."
        )
    return rng.choice(n_classes, size=n_tasks, p=shares / shares.sum())


def draw_confusions(
    rng: np.random.Generator, size: int, n_classes: int, concentration: float, *, favour_truth: bool = True
) -> Floats:
    """Return confusion matrices with Dirichlet rows, the largest chance of each swapped onto the diagonal if wanted."""
    found: Floats = rng.dirichlet(np.full(n_classes, concentration), size=(size, n_classes))
    if favour_truth:
        k = np.arange(n_classes)
        top = found.argmax(axis=2)
        rows = np.arange(size)[:, None]
        best, own = found[rows, k, top], found[rows, k, k]
        found[rows, k, top] = own
        found[rows, k, k] = best
    return found


def as_confusions(confusions: ArrayLike, size: int, n_classes: int) -> Floats:
    """Return confusion matrices that were given, checked."""
    found = np.asarray(confusions, dtype=np.float64)
    expected = (size, n_classes, n_classes)
    if found.shape != expected:
        raise ValueError(
            f"confusions have shape {found.shape}; expected {expected}: annotators, true classes, labels. Change "
            "n_annotators or n_classes, or give a matrix for each annotator."
        )
    wrong = ~(np.isfinite(found) & (found >= 0)).all(axis=2) | ~(np.abs(found.sum(axis=2) - 1) <= 1e-6)
    if wrong.any():
        j, k = np.argwhere(wrong)[0]
        raise ValueError(
            f"confusions: row {k} of annotator {j} is {found[j, k].tolist()}; expected chances of each label, none "
            "below 0, that sum to 1. Divide each row by its sum."
        )
    return found


def check_size(name: str, value: Any, least: int = 1) -> None:
    """Raise a ValueError if the value is not a whole number of at least that size."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} is {value!r}; it must be a whole number, {least} or more.")


def check_share(name: str, value: Any) -> None:
    """Raise a ValueError if the value is not in [0, 1]."""
    if not isinstance(value, int | float | np.number) or not 0 <= value <= 1:
        raise ValueError(f"{name} is {value!r}; it must be a share, from 0 to 1.")
