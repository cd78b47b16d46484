"""What is given for each task, by its id or in the table's order."""

from __future__ import annotations

from typing import Any

import numpy as np

from crowdcore.crowd.ids import plain
from crowdcore.kinds.table import AnswerTable, check_table


def per_task(table: AnswerTable, given: Any, name: str, what: str) -> list[Any]:
    """Return what is given for each task, None where there is nothing; a list of length N.

    Parameters
    ----------
    table : AnswerTable
        Its N tasks.
    given : sequence of length N, mapping, Series, or None
        In the order of the tasks, or by their ids; these may leave out some.
    name, what : str
        What it is called, and what of each task it is, for messages.

    Raises
    ------
    TypeError
        If the answers are no `AnswerTable`.
    ValueError
        If there are more or fewer than tasks, or a task is not the table's.

    Examples
    --------
    >>> table = AnswerTable.from_codes([0], [0], [1.5], tasks=["a", "b"], annotators=["ann"])
    >>> per_task(table, {"b": 2.0}, "known", "a number")
    [None, 2.0]
    """
    check_table(table)
    N = len(table.tasks)
    if given is None:
        return [None] * N
    if hasattr(given, "items"):
        places = {task: place for place, task in enumerate(table.tasks.tolist())}
        found: list[Any] = [None] * N
        for task, value in given.items():
            if plain(task) not in places:
                raise ValueError(f"{name} has the task {plain(task)!r}, which is not among the {N} tasks of {table!r}.")
            found[places[plain(task)]] = value
        return found
    if not hasattr(given, "__len__") or isinstance(given, str) or len(given) != N or np.ndim(_shape(given)) != 1:
        shape = np.shape(given) if isinstance(given, np.ndarray) else len(given) if hasattr(given, "__len__") else given
        raise ValueError(f"{name} has {shape!r}; expected {N}, {what} for each task, or a mapping of tasks to them.")
    return list(given)


def _shape(given: Any) -> Any:
    return given if isinstance(given, np.ndarray) else np.zeros(len(given))


def is_missing(value: Any) -> bool:
    """Return whether there is nothing: None, NaN or NA.

    Examples
    --------
    >>> [is_missing(value) for value in (None, float("nan"), 0.0, "", [])]
    [True, True, False, False, False]
    """
    if value is None:
        return True
    if isinstance(value, float | np.floating):
        return bool(np.isnan(value))
    return type(value).__name__ in ("NAType", "NaTType")
