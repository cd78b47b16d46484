"""`AnswerTable`: who answered what, where an answer is not one class."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.frames import as_column, as_pandas
from crowdcore.crowd.ids import Codes, Ids, plain
from crowdcore.crowd.repeats import kept_answers, repeats
from crowdcore.crowd.table import Crowd

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class AnswerTable:
    """A sparse table of answers of any kind: at most one by each annotator for each task.

    It is stored as a `crowdcore.Crowd` is: the answers to task ``i`` are ``values[indptr[i]:indptr[i + 1]]``.

    Attributes
    ----------
    tasks : ndarray of shape (N,)
        Task ids.
    annotators : ndarray of shape (M,)
        Annotator ids.
    indptr : ndarray of shape (N + 1,)
        Where each task's answers begin and end.
    annotator : ndarray of shape (A,)
        Annotator code of each answer.
    values : ndarray of shape (A,)
        The answers: floats, or objects of one kind.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"task": ["a", "a", "b"], "annotator": ["ann", "bob", "bob"], "answer": [1.5, 2, 7]})
    >>> table = AnswerTable.from_long(frame)
    >>> table, table.values
    (AnswerTable(2 tasks, 2 annotators, 3 answers), array([1.5, 2. , 7. ]))
    """

    tasks: Ids
    annotators: Ids
    indptr: Codes
    annotator: Codes
    values: NDArray[Any]

    def __post_init__(self) -> None:
        for array in vars(self).values():
            array.flags.writeable = False

    def __repr__(self) -> str:
        return f"AnswerTable({len(self.tasks)} tasks, {len(self.annotators)} annotators, {len(self.values)} answers)"

    @classmethod
    def from_long(
        cls,
        frame: pd.DataFrame,
        task: str = "task",
        annotator: str = "annotator",
        answer: str = "answer",
        *,
        tasks: Iterable[Any] | None = None,
        annotators: Iterable[Any] | None = None,
        repeated: Literal["latest", "first", "error"] | None = None,
        time: str | None = None,
    ) -> AnswerTable:
        """Make a table from a frame with a row for each answer.

        Parameters
        ----------
        frame : DataFrame of pandas or polars, or PyArrow table
            One row an answer. A row whose answer is missing (NaN, None, NA) is none, though it still makes its task
            and annotator known.
        task, annotator, answer : str
            Names of the three columns.
        tasks, annotators : sequence, optional
            All ids there are, in the order wanted. Default: those in the frame, sorted.
        repeated : {"latest", "first", "error"}, optional
            Which of an annotator's several answers to a task counts, or that they are an error. Default: the latest,
            with a warning that says how many there are.
        time : str, optional
            The column that says which answer is the latest, as in `crowdcore.Crowd.from_long`.

        Raises
        ------
        TypeError
            If it is no table.
        ValueError
            If a column is missing or there twice, an answer has no task or annotator or lies outside the ids given, or
            an annotator answers a task twice and `repeated` is "error".
        """
        import pandas as pd

        if repeated not in (None, "latest", "first", "error"):
            raise ValueError(f"repeated= is {repeated!r}; allowed are 'latest', 'first' and 'error': one counts.")
        frame = _checked_frame(frame, {"task": task, "annotator": annotator, "answer": answer})
        given = frame[answer]
        there = np.flatnonzero(given.notna().to_numpy())
        place = pd.Series(pd.NA, index=frame.index, dtype="Int64")
        place.iloc[there] = np.arange(len(there))
        crowd = Crowd.from_long(
            frame.assign(**{answer: place}), task, annotator, answer,
            tasks=tasks, annotators=annotators, classes=range(len(there)), repeated="all", time=time,
        )  # fmt: skip
        return cls._of(crowd, as_values(given.iloc[there].tolist()), repeated)

    @classmethod
    def from_codes(
        cls,
        task: ArrayLike,
        annotator: ArrayLike,
        values: Iterable[Any],
        *,
        tasks: Iterable[Any],
        annotators: Iterable[Any],
    ) -> AnswerTable:
        """Make a table from integer codes, with answers in any order.

        Parameters
        ----------
        task, annotator : array_like of int, shape (A,)
            Each answer's place in `tasks` and `annotators`.
        values : sequence of length A
            The answers.
        tasks, annotators : sequence
            The ids that the codes stand for, each id once.

        Raises
        ------
        ValueError
            If lengths differ, a code has no id, or an annotator answers a task twice.

        Examples
        --------
        >>> AnswerTable.from_codes([1, 0], [0, 0], ["a text", "another"], tasks=[7, 8], annotators=["ann"]).values
        array(['another', 'a text'], dtype=object)
        """
        given = as_values(list(values))
        places = range(len(given))
        crowd = Crowd.from_codes(
            task, annotator, places, tasks=tasks, annotators=annotators, classes=places, repeated="all"
        )
        return cls._of(crowd, given, "error")

    @classmethod
    def _of(
        cls, crowd: Crowd, values: NDArray[Any], repeated: Literal["latest", "first", "error"] | None
    ) -> AnswerTable:
        """Return the table of a crowd whose classes are the places of the values; one answer of each to a task."""
        again = repeats(crowd.indptr, crowd.annotator)
        if again.any():
            at = np.flatnonzero(again)[0]
            found = (
                f"Annotator {plain(crowd.annotators[crowd.annotator[at]])!r} answered task "
                f"{plain(crowd.tasks[crowd.task[at]])!r} more than once ({again.sum()} extra answers in total)."
            )
            if repeated == "error":
                raise ValueError(f"{found} Keep one of them, or use from_long with repeated='latest' or 'first'.")
            if repeated is None:
                warnings.warn(
                    f"{found} The latest counts, and {again.sum()} earlier answers were set aside. To choose: "
                    "repeated='latest', 'first' or 'error'.",
                    stacklevel=3,
                )
            crowd = crowd.select_answers(kept_answers(again, repeated or "latest"))
        return cls(crowd.tasks, crowd.annotators, crowd.indptr, crowd.annotator, values[crowd.label])

    @cached_property
    def num_answers(self) -> Codes:
        """Number of answers of each task, shape (N,)."""
        return np.diff(self.indptr)

    @cached_property
    def task(self) -> Codes:
        """Task code of each answer, shape (A,)."""
        return np.repeat(np.arange(len(self.tasks)), self.num_answers)

    @cached_property
    def compared(self) -> NDArray[np.bool_]:
        """Annotators who answered a task that somebody else answered too, shape (M,)."""
        found = np.zeros(len(self.annotators), np.bool_)
        found[self.annotator[self.num_answers[self.task] > 1]] = True
        return found

    def of_annotators(self, which: NDArray[np.bool_]) -> AnswerTable:
        """Return the table with the answers of some annotators, a mask of shape (M,); the same tasks and annotators.

        Examples
        --------
        >>> table = AnswerTable.from_codes([0, 0], [0, 1], [1.5, 2.0], tasks=[7, 8], annotators=["ann", "bob"])
        >>> table.of_annotators(np.array([False, True])).values
        array([2.])
        """
        return self.of_answers(np.asarray(which, np.bool_)[self.annotator])

    def of_answers(self, which: NDArray[np.bool_]) -> AnswerTable:
        """Return the table with some of the answers, a mask of shape (A,); the same tasks and annotators.

        Examples
        --------
        >>> table = AnswerTable.from_codes([0, 0], [0, 1], [1.5, 2.0], tasks=[7, 8], annotators=["ann", "bob"])
        >>> table.of_answers(np.array([True, False])).values
        array([1.5])
        """
        keep = np.asarray(which, np.bool_)
        if keep.all():
            return self
        indptr = np.concatenate([[0], np.cumsum(keep)])[self.indptr]
        return AnswerTable(self.tasks, self.annotators, indptr, self.annotator[keep], self.values[keep])

    def with_values(self, values: Iterable[Any]) -> AnswerTable:
        """Return the same table with other answers, in its order.

        Raises
        ------
        ValueError
            If there are more or fewer than the table has.
        """
        given = as_values(list(values))
        if len(given) != len(self.values):
            raise ValueError(f"Found {len(given)} answers for the {len(self.values)} of {self!r}; give one for each.")
        return AnswerTable(self.tasks, self.annotators, self.indptr, self.annotator, given)

    def to_long(self) -> pd.DataFrame:
        """Return the answers as a frame with columns task, annotator and answer, in the table's order."""
        import pandas as pd

        columns = {"task": self.tasks[self.task], "annotator": self.annotators[self.annotator], "answer": self.values}
        frame: pd.DataFrame = pd.DataFrame({name: as_column(values) for name, values in columns.items()})
        return frame


def check_table(table: Any) -> None:
    """Raise a TypeError if something is no `AnswerTable`."""
    if not isinstance(table, AnswerTable):
        raise TypeError(
            f"The answers are a {type(table).__name__}; pass an AnswerTable, for example "
            "AnswerTable.from_long(frame), of a frame with the columns task, annotator and answer."
        )


def _checked_frame(given: Any, names: Mapping[str, str]) -> pd.DataFrame:
    """Return a frame in which each column that is named is there once."""
    frame = as_pandas(given)
    columns = frame.columns.tolist()
    for what, name in names.items():
        count = columns.count(name)
        if not count:
            raise ValueError(
                f"The frame has no column {name!r}; its columns are {columns}. Name the {what}'s column with {what}=."
            )
        if count > 1:
            raise ValueError(
                f"The frame has {count} columns {name!r}; its columns are {columns}. Keep one, or rename the others."
            )
    if len(set(names.values())) < len(names):
        raise ValueError(f"The columns named are {dict(names)}; task, annotator and answer are three different ones.")
    return frame


def as_values(given: list[Any]) -> NDArray[Any]:
    """Return answers as an array of floats, if all are numbers, or else of objects, which may be lists and sets."""
    if given and all(isinstance(value, int | float | np.number) and not isinstance(value, bool) for value in given):
        return np.array(given, dtype=np.float64)
    values = np.empty(len(given), dtype=object)
    values[:] = given
    return values
