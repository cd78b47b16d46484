"""Answers of any shape and order, turned into the sorted arrays of a `crowdcore.Crowd`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from crowdcore.crowd.ids import MISSING, Codes, Ids, as_array, as_codes, as_ids, as_matrix, coded, numeric_keys, plain

if TYPE_CHECKING:
    import pandas as pd

Arrays = tuple[Ids, Ids, Ids, Codes, Codes, Codes]
"""Tasks, annotators, classes; where each task's answers begin; annotator and label of each answer."""
Columns = dict[str, Codes]
"""Codes of the answers by "task", "annotator" and "label"."""

_LISTS = {"task": "tasks", "annotator": "annotators", "label": "classes"}


def arrays_of_codes(given: Mapping[str, ArrayLike], universes: Mapping[str, Iterable[Any]]) -> Arrays:
    """Return the arrays of answers given as codes.

    Parameters
    ----------
    given : mapping
        Codes by "task", "annotator" and "label".
    universes : mapping
        The ids that the codes stand for, likewise.
    """
    ids = {what: as_ids(listed, _LISTS[what]) for what, listed in universes.items()}
    codes = {what: as_codes(code, what, ids[what]) for what, code in given.items()}
    if len({len(code) for code in codes.values()}) > 1:
        found = ", ".join(f"{len(code)} {what} codes" for what, code in codes.items())
        raise ValueError(f"Found {found}. Every answer needs one of each: pass three arrays of the same length.")
    return _compressed(codes, ids)


def arrays_of_frame(
    frame: pd.DataFrame, names: Mapping[str, str], universes: Mapping[str, Iterable[Any] | None]
) -> Arrays:
    """Return the arrays of a frame with a row for each answer.

    Parameters
    ----------
    frame : DataFrame
        One row an answer; a row whose label is missing is none.
    names : mapping
        Names of the columns by "task", "annotator" and "label".
    universes : mapping
        All ids there are, likewise; None: those in the frame.
    """
    _check_columns(frame, names)
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
    return _checked(codes, ids, lambda what, answer: frame[names[what]].iloc[rows[answer]])


def _check_columns(frame: pd.DataFrame, names: Mapping[str, str]) -> None:
    if not hasattr(frame, "columns"):
        raise TypeError(f"Found a {type(frame).__name__}; expected a DataFrame: pass pandas.DataFrame(...).")
    absent = [name for name in names.values() if name not in frame.columns]
    if absent:
        raise ValueError(
            f"The frame has no column {absent[0]!r}; its columns are {list(frame.columns)}. "
            "Name the three columns with task=, annotator= and label=."
        )
    doubled = [name for name in names.values() if list(frame.columns).count(name) > 1]
    if doubled:
        raise ValueError(f"The frame has several columns {doubled[0]!r}: rename or drop all but one of them.")


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
    return _checked(codes, ids, lambda what, answer: columns[what][answer])


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


def _checked(codes: Columns, ids: dict[str, Ids], given: Callable[[str, int], Any]) -> Arrays:
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
    return _compressed(codes, ids)


def _compressed(codes: Columns, ids: dict[str, Ids]) -> Arrays:
    """Return the arrays of answers in any order."""
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
                f"{labels[1]!r}; {len(twice)} extra answers in total). An annotator has at most one "
                "answer for a task: keep the latest of them."
            )
    return ids["task"], ids["annotator"], ids["label"], indptr, annotator, label
