"""Answers of any shape and order, turned into the sorted arrays of a `crowdcore.Crowd`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from crowdcore.crowd.columns import find_columns, fitting
from crowdcore.crowd.frames import as_pandas, is_foreign
from crowdcore.crowd.ids import (
    MISSING,
    Codes,
    Ids,
    as_array,
    as_codes,
    as_ids,
    as_matrix,
    coded,
    numeric_keys,
    order_of,
    plain,
)
from crowdcore.crowd.repeats import Repeated, kept_answers, repeats, tell_repeated, times_of

if TYPE_CHECKING:
    import pandas as pd

Arrays = tuple[Ids, Ids, Ids, Codes, Codes, Codes, bool]
"""Tasks, annotators, classes; where each task's answers begin; annotator and label of each answer; whether the order of
the classes is one that somebody gave."""
Columns = dict[str, Codes]
"""Codes of the answers by "task", "annotator" and "label"."""

_LISTS = {"task": "tasks", "annotator": "annotators", "label": "classes"}


def arrays_of_codes(
    given: Mapping[str, ArrayLike],
    universes: Mapping[str, Iterable[Any]],
    repeated: Repeated | None = "error",
    ordered: bool = True,
) -> Arrays:
    """Return the arrays of answers given as codes.

    Parameters
    ----------
    given : mapping
        Codes by "task", "annotator" and "label".
    universes : mapping
        The ids that the codes stand for, likewise.
    repeated : {"latest", "first", "all", "error"} or None
        What becomes of an annotator's several answers to a task; None: the latest is taken, with a warning.
    ordered : bool
        Whether the order of the classes is one that somebody gave.
    """
    ids = {what: as_ids(listed, _LISTS[what]) for what, listed in universes.items()}
    codes = {what: as_codes(code, what, ids[what]) for what, code in given.items()}
    if len({len(code) for code in codes.values()}) > 1:
        found = ", ".join(f"{len(code)} {what} codes" for what, code in codes.items())
        raise ValueError(f"Found {found}. Every answer needs one of each: pass three arrays of the same length.")
    return _compressed(codes, ids, repeated, ordered)


def arrays_of_frame(
    given: Any,
    asked: Mapping[str, str | None],
    universes: Mapping[str, Iterable[Any] | None],
    repeated: Repeated | None = None,
    time: str | None = None,
) -> Arrays:
    """Return the arrays of a frame with a row for each answer.

    Parameters
    ----------
    given : DataFrame
        One row an answer; a row whose label is missing is none. Also of polars or PyArrow.
    asked : mapping
        Names of the columns by "task", "annotator" and "label"; None: known by their names.
    universes : mapping
        All ids there are, likewise; None: those in the frame.
    repeated : {"latest", "first", "all", "error"} or None
        What becomes of an annotator's several answers to a task; None: the latest is taken, with a warning.
    time : str or None
        The column that says which answer is later; None: known by its name, or else the later row is.
    """
    frame = as_pandas(given)
    names = _checked_columns(frame, asked)
    codes, ids = {}, {}
    for what, name in names.items():
        known = None if (given := universes[what]) is None else as_ids(given, _LISTS[what])
        codes[what], ids[what] = coded(frame[name], known)
    rows = np.flatnonzero(codes["label"] != MISSING)
    if len(rows) < len(codes["label"]):
        codes = {what: code[rows] for what, code in codes.items()}
    for what in ("task", "annotator"):
        missing = np.flatnonzero(codes[what] == MISSING)
        if len(missing):
            raise ValueError(
                f"Row {plain(frame.index[rows[missing[0]]])!r} has a label but no {what}. Every answer "
                f"needs its task and annotator: fill column {names[what]!r} or drop the row."
            )
    has_order = _is_order(universes["label"]) or order_of(frame[names["label"]]) is not None
    times = partial(times_of, frame, time, rows, fitting(list(frame.columns), "time"))
    if time is not None:
        times()  # complains if it is none
    found = _checked(codes, ids, lambda what, answer: frame[names[what]].iloc[rows[answer]], repeated, has_order, times)
    return found if universes["label"] is not None else without_idle_classes(found)


def without_idle_classes(arrays: Arrays) -> Arrays:
    """Return the arrays without classes that nobody chose, as those are which only answers had that do not count."""
    tasks, annotators, classes, indptr, annotator, label, ordered = arrays
    used = np.bincount(label, minlength=len(classes)) > 0
    if used.all():
        return arrays
    return tasks, annotators, classes[used], indptr, annotator, (np.cumsum(used) - 1)[label], ordered


def _checked_columns(frame: pd.DataFrame, asked: Mapping[str, str | None]) -> dict[str, str]:
    """Return the columns of task, annotator and label."""
    absent = [name for name in asked.values() if name is not None and name not in frame.columns]
    if absent:
        raise ValueError(
            f"The frame has no column {absent[0]!r}; its columns are {list(frame.columns)}. "
            "Name the three columns with task=, annotator= and label=."
        )
    exact = {role: name or (role if role in frame.columns else None) for role, name in asked.items()}
    return find_columns(list(frame.columns), exact, "The frame", "=")


def arrays_of_matrix(matrix: ArrayLike | pd.DataFrame, missing: Any, classes: Iterable[Any] | None) -> Arrays:
    """Return the arrays of a matrix with a row for each task and a column for each annotator.

    Parameters
    ----------
    matrix : array_like or DataFrame, shape (N, M)
        Labels.
    missing : object
        What stands for "no answer", besides NaN, None and NA.
    classes : sequence or None
        All labels there are; None: those in the matrix.
    """
    import pandas as pd

    if is_foreign(matrix):
        matrix = as_pandas(matrix)
        if is_task := fitting(list(matrix.columns[:1]), "task"):
            matrix = matrix.set_index(is_task[0])
    if isinstance(matrix, pd.DataFrame):
        _refuse_ids(matrix)
    values = as_matrix(matrix)
    if isinstance(matrix, pd.DataFrame):
        tasks, annotators = as_ids(matrix.index, "tasks"), as_ids(matrix.columns, "annotators")
    else:
        tasks, annotators = (np.arange(size) for size in values.shape)
    answered = ~pd.isna(values)
    answered[answered] = values[answered] != missing
    row, column = np.nonzero(answered)
    said = values[row, column]
    orders: list[Any] = []
    if isinstance(matrix, pd.DataFrame):
        orders = [order_of(matrix.iloc[:, at]) for at in range(len(annotators))]
    in_order = bool(orders) and all(order is not None and np.array_equal(order, orders[0]) for order in orders)
    if classes is None and in_order:
        said = pd.Series(pd.Categorical(said, orders[0], ordered=True))
    label, labels = coded(said, None if classes is None else as_ids(classes, "classes"))
    codes = {"task": row, "annotator": column, "label": label}
    ids = {"task": tasks, "annotator": annotators, "label": labels}

    def given(what: str, answer: int) -> Any:
        return said[answer] if what == "label" else ids[what][codes[what][answer]]

    return _checked(codes, ids, given, ordered=in_order or _is_order(classes))


def _refuse_ids(matrix: pd.DataFrame) -> None:
    """Raise a ValueError if a frame with a column for each annotator has one that seems to name the tasks."""
    named = fitting([name for name in matrix.columns[:2] if isinstance(name, str)], "task", 1)
    if named and matrix.index.name is None:
        raise ValueError(
            f"The frame has a column {named[0]!r} beside those of the annotators. Its index names the tasks: pass "
            f"frame.set_index({named[0]!r}), or drop the column."
        )


def arrays_of_answers(given: Any, classes: Iterable[Any] | None) -> Arrays:
    """Return the arrays of answers in peerannot's shape: task -> annotator -> label.

    Parameters
    ----------
    given : mapping
        What a JSON file holds: all keys are text.
    classes : sequence or None
        All labels there are; None: those in the answers.
    """
    answers = [(task, who, said) for task, row in _rows(given) for who, said in row.items() if said is not None]
    tasks, to_task = numeric_keys(given)
    annotators, to_annotator = numeric_keys(dict.fromkeys(who for row in given.values() for who in row))
    columns = {
        "task": as_array(to_task[task] for task, _, _ in answers),
        "annotator": as_array(to_annotator[who] for _, who, _ in answers),
        "label": as_array(said for _, _, said in answers),
    }
    known = {"task": as_ids(tasks, "tasks"), "annotator": as_ids(annotators, "annotators"), "label": None}
    if classes is not None:
        known["label"] = as_ids(classes, "classes")
    codes, ids = {}, {}
    for what, column in columns.items():
        codes[what], ids[what] = coded(column, known[what])
    return _checked(codes, ids, lambda what, answer: columns[what][answer], ordered=_is_order(classes))


def _rows(given: Any) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Return each task's answers, if they have the shape."""
    if not isinstance(given, Mapping):
        raise ValueError(
            f'The answers are a {type(given).__name__}, not an object; expected {{"<task>": {{"<annotator>": label}}}}.'
        )
    for task, row in given.items():
        if not isinstance(row, Mapping):
            raise ValueError(
                f"Task {task!r} holds a {type(row).__name__}; expected an object of annotator -> label, "
                'as in {"<task>": {"<annotator>": label}}.'
            )
    return given.items()


def _is_order(classes: Iterable[Any] | None) -> bool:
    """Return whether classes were given in an order; those of a set were not."""
    return classes is not None and not isinstance(classes, Set)


def _checked(
    codes: Columns,
    ids: dict[str, Ids],
    given: Callable[[str, int], Any],
    repeated: Repeated | None = "error",
    ordered: bool = False,
    times: Callable[[], Codes | None] | None = None,
) -> Arrays:
    """Return the arrays of answers whose codes come from `coded`; ``given(what, answer)`` is what was coded."""
    for what, code in codes.items():
        unknown = np.flatnonzero(code < 0)
        if len(unknown):
            answer = unknown[0]
            task, annotator, value = (plain(given(column, answer)) for column in ("task", "annotator", what))
            some = ", ".join(repr(item) for item in ids[what].tolist()[:8])
            raise ValueError(
                f"Task {task!r}, annotator {annotator!r}: {what} {value!r} is not "
                f"among the {len(ids[what])} {_LISTS[what]} given ({some}{', ...' if len(ids[what]) > 8 else ''}"
                f"). Add it to {_LISTS[what]}= or drop the answer ({len(unknown)} such answers in total)."
            )
    return _compressed(codes, ids, repeated, ordered, times)


def _compressed(
    codes: Columns,
    ids: dict[str, Ids],
    repeated: Repeated | None,
    ordered: bool,
    times: Callable[[], Codes | None] | None = None,
) -> Arrays:
    """Return the arrays of answers in any order; of one annotator's several to a task, by time or in this order."""
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
        again = repeats(indptr, annotator)
        if again.any():
            if times is not None and (when := times()) is not None:
                by_time = np.argsort(when, kind="stable")
                return _compressed({what: code[by_time] for what, code in codes.items()}, ids, repeated, ordered)
            tell_repeated(repeated, ids, indptr, annotator, label, np.flatnonzero(again))
            keep = kept_answers(again, repeated or "latest")
            indptr = np.concatenate([[0], np.cumsum(keep)])[indptr]
            annotator, label = annotator[keep], label[keep]
    return ids["task"], ids["annotator"], ids["label"], indptr, annotator, label, ordered
