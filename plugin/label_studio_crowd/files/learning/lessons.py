"""What is learned from: answers with features, or peerannot's folder with pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.errors import UserError
from label_studio_crowd.files.sources import Source
from label_studio_crowd.files.true_labels import read_true_labels

if TYPE_CHECKING:
    import pandas as pd

    from crowdcore import Crowd
    from crowdcore.formats import Reading

Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Known:
    """Tasks whose true classes are known.

    Attributes
    ----------
    X
        Features (n, d), or pictures.
    codes
        Their classes, (n,).
    learned_from
        Whether they are among the tasks that are learned from (by what is said of them, not by this truth).
    """

    X: Any
    codes: Codes
    learned_from: bool = False


@dataclass(frozen=True, eq=False)
class Lessons:
    """N tasks to learn from, and others to test what was learned.

    Attributes
    ----------
    folder
        Where results are written.
    crowd
        The answers to the N tasks.
    whole
        The answers to these tasks and to those that are not learned from.
    X
        Features (N, d), or pictures that have the tasks' ids.
    places, names
        Of each task: its place in the order in which peerannot has them, and its name there.
    test, val
        Tasks whose classes are known; None without.
    notes
        What the user should know of it.
    """

    folder: Path
    crowd: Crowd
    whole: Crowd
    X: Any
    places: Codes
    names: tuple[Any, ...]
    test: Known | None = None
    val: Known | None = None
    notes: tuple[str, ...] = ()

    @property
    def has_pictures(self) -> bool:
        """Whether the tasks are pictures."""
        return not hasattr(self.X, "shape")

    @property
    def rows(self) -> Codes:
        """The place of each task among all that have answers."""
        place_of = {task: place for place, task in enumerate(self.whole.tasks.tolist())}
        return np.array([place_of[task] for task in self.crowd.tasks.tolist()], dtype=np.int64)

    def without(self, removed: NDArray[np.bool_]) -> Lessons:
        """Return the lessons without some tasks, a mask of shape (N,)."""
        kept = np.flatnonzero(~removed)
        if not len(kept):
            raise UserError(f"All {len(removed)} tasks are removed, so nothing is left to learn from.")
        return replace(
            self,
            crowd=self.crowd.select_tasks(kept),
            X=self.X if self.has_pictures else self.X[kept],
            places=self.places[kept],
            names=tuple(self.names[at] for at in kept),
        )


def lessons_of_features(source: Source, features: Path, n_classes: int | None) -> Lessons:
    """Return answers with a row of features for each task.

    With a truth, tasks that have features and a truth and no answers are for the test; if there are none, those with
    answers are.

    Raises
    ------
    UserError, ValueError, OSError
        If a file cannot be read, or does not fit.
    """
    from crowdcore.formats import add_classes
    from crowdcore.formats.task_numbers import read_further_features

    reading = source.read()
    check_kind(source, reading)
    crowd, truth = reading.crowd, _truth(source, reading)
    if truth is not None:
        crowd = add_classes(crowd, truth.to_numpy())
    crowd = with_n_classes(crowd, n_classes, "the answers")
    frame = read_further_features(features, crowd, [] if truth is None else truth.index.tolist())
    X = frame.loc[crowd.tasks.tolist()].to_numpy()
    return Lessons(
        source.path if source.path.is_dir() else source.path.parent,
        crowd,
        crowd,
        X,
        np.arange(len(crowd.tasks)),
        tuple(crowd.tasks.tolist()),
        test=None if truth is None else _test(frame, truth, crowd),
        notes=(reading.about,),
    )


def check_kind(source: Source, reading: Reading) -> None:
    """Raise a `UserError` if the answers are not one class, or there are none."""
    from label_studio_crowd.files.which_kind import kind_of

    kind, _ = kind_of(source.how, reading)
    if kind != "choice":
        raise UserError(
            f"{source.path} has answers of the kind {kind}; a network learns from answers that are one class."
        )
    if not len(reading.crowd.label):
        raise UserError(f"{source.path} has no answers: no row has a label.")


def _truth(source: Source, reading: Reading) -> pd.Series[Any] | None:
    there = source.truth is not None or reading.truth is not None or reading.true_labels is not None
    return read_true_labels(source, reading) if there else None


def _test(frame: pd.DataFrame, truth: pd.Series[Any], crowd: Crowd) -> Known | None:
    known = truth[truth.index.isin(frame.index)]
    answered = known.index.isin(crowd.tasks[crowd.num_answers > 0])
    learned_from = bool(answered.all())
    if not learned_from:
        known = known[~answered]
    places = {label: code for code, label in enumerate(crowd.classes.tolist())}
    codes = np.array([places[label] for label in known.tolist()], dtype=np.int64)
    return Known(frame.loc[known.index.tolist()].to_numpy(), codes, learned_from) if len(known) else None


def with_n_classes(crowd: Crowd, n_classes: int | None, where: str) -> Crowd:
    """Return the crowd with as many classes as the user says.

    Raises
    ------
    UserError
        If there are others.
    """
    from crowdcore.formats import add_classes

    found = crowd.classes.tolist()
    if n_classes is None or n_classes == len(found):
        return crowd
    if n_classes > len(found) and all(isinstance(one, int) and 0 <= one < n_classes for one in found):
        return add_classes(crowd, range(n_classes))
    raise UserError(
        f"--n-classes is {n_classes}, and {where} have {len(found)} classes: {_some(found)}. Leave it out, or name all "
        "classes with --classes."
    )


def _some(values: Iterable[Any], most: int = 8) -> str:
    shown = [str(value) for value in values]
    return ", ".join(shown[:most]) + ", ..." * (len(shown) > most)
