"""`Crowd`: who answered what, as a sparse table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.building import (
    arrays_of_answers,
    arrays_of_codes,
    arrays_of_frame,
    arrays_of_matrix,
    without_idle_classes,
)
from crowdcore.crowd.frames import indexed_frame
from crowdcore.crowd.ids import Codes, Ids, as_ids, plain
from crowdcore.crowd.repeats import Repeated, kept_answers, repeats

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Crowd:
    """A sparse table of answers: at most one label by each annotator for each task, unless all are asked for.

    Rows are compressed by task, as in a CSR matrix: the answers of task ``i`` are
    ``annotator[indptr[i]:indptr[i + 1]]`` and ``label[...]`` alike, in increasing annotator order.
    Make one with `from_long`, `from_wide`, `from_codes` or `from_answers_json`, which check and sort;
    the constructor itself takes arrays that are in order already. Memory is O(answers) and, once
    `counts` is asked for, O(tasks x classes); nothing is ever as large as tasks x annotators.

    A task or annotator without answers and a class that nobody chose are rows like any other. With ``repeated="all"``
    an annotator may have several answers to a task, side by side, the latest last.

    Attributes
    ----------
    tasks : ndarray of shape (N,)
        Task ids.
    annotators : ndarray of shape (M,)
        Annotator ids.
    classes : ndarray of shape (K,)
        Labels; the code of a label is its place here.
    indptr : ndarray of shape (N + 1,)
        Where each task's answers begin and end.
    annotator : ndarray of shape (A,)
        Annotator code of each answer.
    label : ndarray of shape (A,)
        Class code of each answer.
    ordered : bool
        Whether the order of the classes means something: they are numbers, an ordered categorical, or were given.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["cat", "dog", None], ["cat", None, None], ["dog", "dog", "cat"]])
    >>> crowd
    Crowd(3 tasks, 3 annotators, 2 classes, 6 answers)
    >>> crowd.counts
    array([[1, 1],
           [1, 0],
           [1, 2]])
    """

    tasks: Ids
    annotators: Ids
    classes: Ids
    indptr: Codes
    annotator: Codes
    label: Codes
    ordered: bool = False

    def __post_init__(self) -> None:
        for array in vars(self).values():
            if isinstance(array, np.ndarray):
                array.flags.writeable = False
        if self.classes.dtype.kind in "iufb":
            object.__setattr__(self, "ordered", True)

    def __reduce__(self) -> tuple[type[Crowd], tuple[Any, ...]]:
        return type(self), tuple(getattr(self, field.name) for field in fields(self))  # without what is cached

    def __repr__(self) -> str:
        return (
            f"Crowd({len(self.tasks)} tasks, {len(self.annotators)} annotators, "
            f"{len(self.classes)} classes, {len(self.label)} answers)"
        )

    @cached_property
    def num_answers(self) -> Codes:
        """Number of answers of each task, shape (N,)."""
        return _frozen(np.diff(self.indptr))

    @cached_property
    def task(self) -> Codes:
        """Task code of each answer, shape (A,)."""
        return _frozen(np.repeat(np.arange(len(self.tasks)), self.num_answers))

    @cached_property
    def counts(self) -> Codes:
        """Votes of each task for each class, shape (N, K)."""
        N, K = len(self.tasks), len(self.classes)
        return _frozen(np.bincount(self.task * K + self.label, minlength=N * K).reshape(N, K))

    @cached_property
    def num_repeated(self) -> int:
        """How many answers have an earlier one of the same annotator to the same task; 0 unless all were asked for."""
        return int(repeats(self.indptr, self.annotator).sum())

    @classmethod
    def from_codes(
        cls,
        task: ArrayLike,
        annotator: ArrayLike,
        label: ArrayLike,
        *,
        tasks: Iterable[Any],
        annotators: Iterable[Any],
        classes: Iterable[Any],
        repeated: Repeated = "error",
        ordered: bool = True,
    ) -> Crowd:
        """Make a crowd from integer codes, with answers in any order; the fastest way.

        Parameters
        ----------
        task, annotator, label : array_like of int, shape (A,)
            Each answer's place in `tasks`, `annotators` and `classes`.
        tasks, annotators, classes : sequence
            The ids that the codes stand for, each id once.
        repeated : {"error", "latest", "first", "all"}
            What becomes of an annotator's several answers to a task, as in `from_long`.
        ordered : bool
            Whether the order of `classes` means something, as low, medium, high. That of numbers always does.

        Raises
        ------
        ValueError
            If lengths differ, a code has no id, an id is listed twice, or an annotator answers a task
            twice and `repeated` is "error".

        Examples
        --------
        >>> Crowd.from_codes([0, 0, 2], [1, 0, 0], [0, 1, 1],
        ...                  tasks=[10, 11, 12], annotators=["ann", "bob"], classes=["no", "yes"])
        Crowd(3 tasks, 2 annotators, 2 classes, 3 answers)
        """
        given = {"task": task, "annotator": annotator, "label": label}
        universes = {"task": tasks, "annotator": annotators, "label": classes}
        return cls(*arrays_of_codes(given, universes, repeated, ordered and not isinstance(classes, Set)))

    @classmethod
    def from_long(
        cls,
        frame: Any,
        task: str | None = None,
        annotator: str | None = None,
        label: str | None = None,
        *,
        tasks: Iterable[Any] | None = None,
        annotators: Iterable[Any] | None = None,
        classes: Iterable[Any] | None = None,
        repeated: Repeated | None = None,
        time: str | None = None,
    ) -> Crowd:
        """Make a crowd from a frame with a row for each answer.

        Parameters
        ----------
        frame : DataFrame of pandas or polars, or PyArrow table
            One row an answer. A row whose label is missing (NaN, None, NA) is not an answer, though it
            still makes its task and annotator known.
        task, annotator, label : str, optional
            Names of the three columns. Default: task, annotator and label, or what else the field and its platforms
            call them (`crowdcore.crowd.columns.KNOWN`).
        tasks, annotators, classes : sequence, optional
            All ids there are, in the order wanted. Default: those in the frame, sorted; the classes of an ordered
            categorical are in its order.
        repeated : {"latest", "first", "all", "error"}, optional
            Which of an annotator's several answers to a task count: the latest, the first, or all as answers in their
            own right, as in Dawid & Skene 1979; or they are an error. Default: the latest, with a warning that says
            how many there are.
        time : str, optional
            The column that says which answer is the latest. Default: one of a known name (updated_at, SubmitTime,
            ...), if there is one; otherwise the later row is the later answer.

        Raises
        ------
        TypeError
            If it is no table.
        ValueError
            If a column is missing, an answer has no task or annotator or lies outside the ids given, a time cannot
            be read, or an annotator answers a task twice and `repeated` is "error".

        Warns
        -----
        UserWarning
            If answers were set aside, and `repeated` was not given.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"task": [7, 7, 8], "annotator": ["ann", "bob", "bob"],
        ...                       "label": ["cat", "dog", None]})
        >>> Crowd.from_long(frame)
        Crowd(2 tasks, 2 annotators, 2 classes, 2 answers)
        >>> again = pd.DataFrame({"task": [7, 7], "annotator": ["ann", "ann"], "label": ["cat", "dog"]})
        >>> [Crowd.from_long(again, repeated=how).to_long()["label"].tolist() for how in ("latest", "first", "all")]
        [['dog'], ['cat'], ['cat', 'dog']]
        """
        names = {"task": task, "annotator": annotator, "label": label}
        ids = {"task": tasks, "annotator": annotators, "label": classes}
        return cls(*arrays_of_frame(frame, names, ids, repeated, time))

    @classmethod
    def from_wide(
        cls, matrix: ArrayLike | pd.DataFrame, *, missing: Any = -1, classes: Iterable[Any] | None = None
    ) -> Crowd:
        """Make a crowd from a matrix with a row for each task and a column for each annotator.

        Parameters
        ----------
        matrix : array_like or DataFrame, shape (N, M)
            Labels. A frame's index and columns become the ids of tasks and annotators; otherwise these
            are 0, 1, 2, ...
        missing : object, default -1
            What stands for "no answer", besides NaN, None and NA.
        classes : sequence, optional
            All labels there are, in the order wanted. Default: those in the matrix, sorted.

        Raises
        ------
        ValueError
            If the matrix is ragged or not two-dimensional, or a label is not among `classes`.

        Examples
        --------
        >>> Crowd.from_wide([[0, 1, -1], [1, -1, 1]], classes=range(3))
        Crowd(2 tasks, 3 annotators, 3 classes, 4 answers)
        """
        return cls(*arrays_of_matrix(matrix, missing, classes))

    @classmethod
    def from_answers_json(
        cls,
        answers: str | Path | Mapping[str, Mapping[str, Any]],
        *,
        classes: Iterable[Any] | None = None,
    ) -> Crowd:
        """Make a crowd from peerannot's format: task -> annotator -> label.

        Parameters
        ----------
        answers : path or mapping
            The JSON file, or what it holds. JSON writes every key as text: when all tasks (or all
            annotators) are whole numbers, their ids are numbers again. A label ``null`` is not an answer.
        classes : sequence, optional
            All labels there are, in the order wanted. Default: those in the answers, sorted.

        Raises
        ------
        ValueError
            If the JSON is not a mapping of mappings, or a label is not among `classes`.

        Examples
        --------
        >>> Crowd.from_answers_json({"0": {"3": 1, "12": 0}, "1": {"3": 1}}).annotators
        array([ 3, 12])
        """
        given = json.loads(Path(answers).read_text()) if isinstance(answers, str | Path) else answers
        return cls(*arrays_of_answers(given, classes))

    def to_long(self) -> pd.DataFrame:
        """Return the answers as a frame with columns task, annotator and label, in the crowd's order."""
        import pandas as pd

        columns = {
            "task": self.tasks[self.task],
            "annotator": self.annotators[self.annotator],
            "label": self.classes[self.label],
        }
        frame: pd.DataFrame = pd.DataFrame(columns)
        return frame

    def task_frame(self, columns: Mapping[Any, Any] | None = None, /, **named: Any) -> pd.DataFrame:
        """Return a frame with a row for each task, index task.

        Parameters
        ----------
        columns : mapping, optional
            Columns by name, each of shape (N,), in the order of `tasks`.
        **named
            Further columns.

        Examples
        --------
        >>> crowd = Crowd.from_wide([["cat", "dog"], ["cat", None]])
        >>> crowd.task_frame(num_answers=crowd.num_answers)["num_answers"].to_dict()
        {0: 2, 1: 1}
        """
        return indexed_frame("task", self.tasks, {**(columns or {}), **named})

    def annotator_frame(self, columns: Mapping[Any, Any] | None = None, /, **named: Any) -> pd.DataFrame:
        """Return a frame with a row for each annotator, index annotator.

        Parameters
        ----------
        columns : mapping, optional
            Columns by name, each of shape (M,), in the order of `annotators`.
        **named
            Further columns.
        """
        return indexed_frame("annotator", self.annotators, {**(columns or {}), **named})

    def select_tasks(self, which: ArrayLike) -> Crowd:
        """Return the crowd of some tasks, with the same annotators and classes.

        Parameters
        ----------
        which : array_like of bool, shape (N,), or of int
            A mask, or the places of the tasks in the order wanted, each once.

        Raises
        ------
        IndexError
            If a mask has the wrong length or a place does not exist.
        ValueError
            If a task is chosen twice.
        """
        rows = np.arange(len(self.tasks))[np.asarray(which, dtype=None if np.size(which) else np.int64)]
        sizes = self.num_answers[rows]
        indptr = np.concatenate([[0], np.cumsum(sizes)])
        answers = np.arange(indptr[-1]) + np.repeat(self.indptr[rows] - indptr[:-1], sizes)
        tasks = as_ids(self.tasks[rows], "tasks")
        annotator, label = self.annotator[answers], self.label[answers]
        return Crowd(tasks, self.annotators, self.classes, indptr, annotator, label, self.ordered)

    def select_answers(self, keep: NDArray[np.bool_]) -> Crowd:
        """Return the crowd with some of its answers, a mask of shape (A,); the same tasks, annotators and classes."""
        indptr = np.concatenate([[0], np.cumsum(keep)])[self.indptr]
        annotator, label = self.annotator[keep], self.label[keep]
        return Crowd(self.tasks, self.annotators, self.classes, indptr, annotator, label, self.ordered)

    def one_answer_each(self) -> Crowd:
        """Return the crowd with the latest of each annotator's answers to a task; itself if there are no others.

        What compares annotators with each other uses it: nobody agrees with themselves.
        """
        if not self.num_repeated:
            return self
        return self.select_answers(kept_answers(repeats(self.indptr, self.annotator), "latest"))

    def without_idle_classes(self) -> Crowd:
        """Return the crowd with the classes that somebody chose."""
        return Crowd(*without_idle_classes(tuple(getattr(self, field.name) for field in fields(self))))

    def with_annotator(self, name: Any, labels: ArrayLike) -> Crowd:
        """Return the crowd with one more annotator, the last: a model, say, whose predictions are its answers.

        Parameters
        ----------
        name : object
            Id of the annotator.
        labels : array_like of int, shape (N,)
            Class code of the annotator's answer to each task, -1 for none.

        Raises
        ------
        ValueError
            If the crowd has an annotator of that name, or `labels` are no class codes of its tasks.

        Examples
        --------
        >>> crowd = Crowd.from_wide([["cat", "dog"], ["cat", None]]).with_annotator("model", [0, 1])
        >>> crowd.annotators.tolist(), crowd.counts.tolist()
        ([0, 1, 'model'], [[2, 1], [1, 1]])
        """
        N, M, K = len(self.tasks), len(self.annotators), len(self.classes)
        if name in self.annotators.tolist():
            raise ValueError(f"{self!r} already has an annotator {name!r}. Choose another name for the new one.")
        codes = np.asarray(labels)
        if codes.shape != (N,) or (codes.size and codes.dtype.kind not in "iu"):
            raise ValueError(
                f"The labels of annotator {name!r} have shape {codes.shape} and type {codes.dtype}; expected ({N},) "
                "integers: a class code for each of the crowd's tasks, -1 where there is no answer."
            )
        wrong = np.flatnonzero((codes < -1) | (codes >= K))
        if len(wrong):
            raise ValueError(
                f"The label of annotator {name!r} for task {plain(self.tasks[wrong[0]])!r} is {codes[wrong[0]]}; "
                f"allowed are the class codes 0 to {K - 1}, and -1 where there is no answer."
            )
        answers = codes >= 0
        ends = self.indptr[1:][answers]
        return Crowd(
            tasks=self.tasks,
            annotators=as_ids([*self.annotators.tolist(), name], "annotators"),
            classes=self.classes,
            indptr=np.concatenate([[0], self.indptr[1:] + np.cumsum(answers)]),
            annotator=np.insert(self.annotator, ends, M),
            label=np.insert(self.label, ends, codes[answers]),
            ordered=self.ordered,
        )


def _frozen(array: Codes) -> Codes:
    array.flags.writeable = False
    return array
