"""`Crowd`: who answered what, as a sparse table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from crowdcore.crowd.ids import MISSING, Codes, Ids, as_array, as_codes, as_ids, as_matrix, coded, numeric_keys, plain

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Crowd:
    """A sparse table of answers: at most one label by each annotator for each task.

    Rows are compressed by task, as in a CSR matrix: the answers of task ``i`` are
    ``annotator[indptr[i]:indptr[i + 1]]`` and ``label[...]`` alike, in increasing annotator order.
    Make one with `from_long`, `from_wide`, `from_codes` or `from_answers_json`, which check and sort;
    the constructor itself takes arrays that are in order already. Memory is O(answers) and, once
    `counts` is asked for, O(tasks x classes); nothing is ever as large as tasks x annotators.

    A task or annotator without answers and a class that nobody chose are rows like any other.

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

    def __post_init__(self) -> None:
        for array in vars(self).values():
            array.flags.writeable = False

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
    ) -> Crowd:
        """Make a crowd from integer codes, in any order of the answers; the fast way in.

        Parameters
        ----------
        task, annotator, label : array_like of int, shape (A,)
            Each answer's place in `tasks`, `annotators` and `classes`.
        tasks, annotators, classes : sequence
            The ids that the codes stand for, each id once.

        Raises
        ------
        ValueError
            If lengths differ, a code has no id, an id is listed twice, or an annotator answers a task
            twice.

        Examples
        --------
        >>> Crowd.from_codes([0, 0, 2], [1, 0, 0], [0, 1, 1],
        ...                  tasks=[10, 11, 12], annotators=["ann", "bob"], classes=["no", "yes"])
        Crowd(3 tasks, 2 annotators, 2 classes, 3 answers)
        """
        ids = {
            "task": as_ids(tasks, "tasks"),
            "annotator": as_ids(annotators, "annotators"),
            "label": as_ids(classes, "classes"),
        }
        given = {"task": task, "annotator": annotator, "label": label}
        codes = {what: as_codes(code, what, ids[what]) for what, code in given.items()}
        if len({len(code) for code in codes.values()}) > 1:
            found = ", ".join(f"{len(code)} {what} codes" for what, code in codes.items())
            raise ValueError(f"Found {found}. Every answer has one of each; pass three arrays of the same length.")
        return _compressed(codes, ids)

    @classmethod
    def from_long(
        cls,
        frame: pd.DataFrame,
        task: str = "task",
        annotator: str = "annotator",
        label: str = "label",
        *,
        tasks: Iterable[Any] | None = None,
        annotators: Iterable[Any] | None = None,
        classes: Iterable[Any] | None = None,
    ) -> Crowd:
        """Make a crowd from a frame with a row for each answer.

        Parameters
        ----------
        frame : DataFrame
            One row an answer. A row whose label is missing (NaN, None, NA) is no answer, though it
            still makes its task and annotator known.
        task, annotator, label : str
            Names of the three columns.
        tasks, annotators, classes : sequence, optional
            All ids there are, in the order wanted. Default: those in the frame, sorted.

        Raises
        ------
        ValueError
            If a column is missing, an answer has no task or annotator or lies outside the ids given,
            or an annotator answers a task twice.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"task": [7, 7, 8], "annotator": ["ann", "bob", "bob"],
        ...                       "label": ["cat", "dog", None]})
        >>> Crowd.from_long(frame)
        Crowd(2 tasks, 2 annotators, 2 classes, 2 answers)
        """
        if not hasattr(frame, "columns"):
            raise TypeError(f"Found a {type(frame).__name__}; expected a DataFrame: pass pandas.DataFrame(...).")
        names = {"task": task, "annotator": annotator, "label": label}
        absent = [name for name in names.values() if name not in frame.columns]
        if absent:
            raise ValueError(
                f"The frame has no column {absent[0]!r}; its columns are {list(frame.columns)}. "
                "Name the three columns with task=, annotator= and label=."
            )
        doubled = [name for name in names.values() if list(frame.columns).count(name) > 1]
        if doubled:
            raise ValueError(f"The frame has several columns {doubled[0]!r}: rename or drop all but one of them.")
        universes = {"task": tasks, "annotator": annotators, "label": classes}
        codes, ids = {}, {}
        for what, name in names.items():
            known = None if (given := universes[what]) is None else as_ids(given, _LISTS[what])
            codes[what], ids[what] = coded(frame[name], known)
        answered = codes["label"] != MISSING
        if not answered.all():
            codes = {what: code[answered] for what, code in codes.items()}
        for what in ("task", "annotator"):
            missing = np.flatnonzero(codes[what] == MISSING)
            if len(missing):
                row = np.flatnonzero(answered)[missing[0]]
                raise ValueError(
                    f"Row {plain(frame.index[row])!r} has a label but no {what}. Every answer "
                    f"needs its task and annotator: fill column {names[what]!r} or drop the row."
                )

        def value(what: str, answer: int) -> Any:
            return frame[names[what]].iloc[np.flatnonzero(answered)[answer]]

        return _checked(codes, ids, value)

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
        import pandas as pd

        values = as_matrix(matrix)
        if isinstance(matrix, pd.DataFrame):
            tasks, annotators = as_ids(matrix.index, "tasks"), as_ids(matrix.columns, "annotators")
        else:
            tasks, annotators = (np.arange(size) for size in values.shape)
        answered = ~pd.isna(values)
        answered[answered] = values[answered] != missing
        row, column = np.nonzero(answered)
        said = values[row, column]
        label, labels = coded(said, None if classes is None else as_ids(classes, "classes"))
        codes = {"task": row, "annotator": column, "label": label}
        ids = {"task": tasks, "annotator": annotators, "label": labels}

        def given(what: str, answer: int) -> Any:
            return said[answer] if what == "label" else ids[what][codes[what][answer]]

        return _checked(codes, ids, given)

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
            annotators) are whole numbers, their ids are numbers again. A label ``null`` is no answer.
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
        if not isinstance(given, Mapping):
            raise ValueError(
                f"The answers are a {type(given).__name__}, not an object; expected "
                '{"<task>": {"<annotator>": label}}.'
            )
        task: list[str] = []
        annotator: list[str] = []
        label: list[Any] = []
        for key, row in given.items():
            if not isinstance(row, Mapping):
                raise ValueError(
                    f"Task {key!r} holds a {type(row).__name__}; expected an object of annotator -> label, "
                    'as in {"<task>": {"<annotator>": label}}.'
                )
            row = {who: said for who, said in row.items() if said is not None}
            task += [key] * len(row)
            annotator += row.keys()
            label += row.values()
        everyone = dict.fromkeys(who for row in given.values() for who in row)
        tasks, to_task = numeric_keys(given)
        annotators, to_annotator = numeric_keys(everyone)
        columns = {
            "task": as_array(to_task[key] for key in task),
            "annotator": as_array(to_annotator[key] for key in annotator),
            "label": as_array(label),
        }
        known = {
            "task": as_ids(tasks, "tasks"),
            "annotator": as_ids(annotators, "annotators"),
            "label": None if classes is None else as_ids(classes, "classes"),
        }
        codes, ids = {}, {}
        for what, column in columns.items():
            codes[what], ids[what] = coded(column, known[what])
        return _checked(codes, ids, lambda what, answer: columns[what][answer])

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
        return Crowd(tasks, self.annotators, self.classes, indptr, self.annotator[answers], self.label[answers])

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
            raise ValueError(f"{self!r} has an annotator {name!r} already. Choose another name for the new one.")
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
        )


def _frozen(array: Codes) -> Codes:
    array.flags.writeable = False
    return array


_LISTS = {"task": "tasks", "annotator": "annotators", "label": "classes"}


def _checked(codes: dict[str, Codes], ids: dict[str, Ids], given: Callable[[str, int], Any]) -> Crowd:
    """Return the crowd of answers whose codes come from `coded`; ``given(what, answer)`` is what was coded."""
    for what, code in codes.items():
        unknown = np.flatnonzero(code < 0)
        if len(unknown):
            answer = unknown[0]
            task, annotator, value = (plain(given(column, answer)) for column in ("task", "annotator", what))
            some = ", ".join(repr(item) for item in ids[what].tolist()[:8])
            raise ValueError(
                f"Task {task!r}, annotator {annotator!r}: {what} {value!r} is not "
                f"among the {len(ids[what])} {_LISTS[what]} given ({some}{', ...' if len(ids[what]) > 8 else ''}"
                f"). Add it to {_LISTS[what]}= or drop the answer ({len(unknown)} such answers in all)."
            )
    return _compressed(codes, ids)


def _compressed(codes: dict[str, Codes], ids: dict[str, Ids]) -> Crowd:
    """Return the crowd of answers in any order."""
    N, M = len(ids["task"]), len(ids["annotator"])
    task, annotator, label = codes["task"], codes["annotator"], codes["label"]
    if ((task[1:] > task[:-1]) | (task[1:] == task[:-1]) & (annotator[1:] > annotator[:-1])).all():
        indptr = np.zeros(N + 1, dtype=np.int64)
        np.cumsum(np.bincount(task, minlength=N), out=indptr[1:])
        annotator, label = annotator.copy(), label.copy()
    else:
        from scipy.sparse import coo_array

        table = coo_array((label.astype(np.int32), (task, annotator)), shape=(N, M))
        table.has_canonical_format = True  # no sums, then: answers that are there twice stay so
        table = table.tocsc().tocsr()  # two counting sorts, neither of which changes the order of equals
        indptr, annotator, label = (array.astype(np.int64) for array in (table.indptr, table.indices, table.data))
        again = annotator[1:] == annotator[:-1]
        again[indptr[(indptr > 0) & (indptr < len(annotator))] - 1] = False  # the last of a task, the first of the next
        twice = np.flatnonzero(again)
        if len(twice):
            at = twice[0]
            where = plain(ids["task"][np.searchsorted(indptr, at, side="right") - 1])
            who, labels = plain(ids["annotator"][annotator[at]]), ids["label"][label[at : at + 2]].tolist()
            raise ValueError(
                f"Annotator {who!r} answered task {where!r} more than once (labels {labels[0]!r} and "
                f"{labels[1]!r}; {len(twice)} answers too many in all). An annotator has at most one "
                "answer for a task: keep the latest of them."
            )
    return Crowd(ids["task"], ids["annotator"], ids["label"], indptr, annotator, label)
