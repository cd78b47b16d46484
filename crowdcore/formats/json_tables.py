"""What a JSON file holds, and the table in it: rows, any form that pandas writes, or a tool's export."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crowdcore.crowd.columns import ROLES, fitting
from crowdcore.formats.opened import bare_name, read_text
from crowdcore.formats.tools import flattened

if TYPE_CHECKING:
    import pandas as pd


def read_json(path: Path) -> Any:
    """Return what a JSON file holds; of JSON Lines, a list with what each line holds.

    Raises
    ------
    ValueError
        If it is neither.
    """
    text = read_text(path).strip()
    try:
        found = json.loads(text)
        return [found] if isinstance(found, dict) and not bare_name(path).endswith(".json") else found  # one line
    except RecursionError:
        raise ValueError(f"{path} is nested too deep to be read.") from None
    except ValueError as error:
        reason = error
    rows: list[Any] = []
    lines = text.split("\n")
    try:
        rows.extend(json.loads(line) if line.strip() else None for line in lines)
    except ValueError as error:
        if not rows:
            raise ValueError(f"{path} is not JSON ({reason}): write it again.") from None
        raise ValueError(
            f"{path}, line {len(rows) + 1}, is not JSON ({error}): expected one value in each line."
        ) from None
    return [row for row in rows if row is not None]


def as_table(found: Any) -> pd.DataFrame | None:
    """Return JSON as a table, None if it is none: a list of rows, any form of pandas' `to_json`, or a tool's export.

    Examples
    --------
    >>> as_table({"task": {"0": 7, "1": 8}, "label": {"0": "cat", "1": "dog"}}).to_dict("list")
    {'task': [7, 8], 'label': ['cat', 'dog']}
    """
    import pandas as pd

    rows: Any = _keyed(found)
    if rows is not None:
        pass
    elif isinstance(found, Mapping) and isinstance(found.get("data"), list):  # orient split or table
        found, names = found["data"], found.get("columns")
        if isinstance(names, list) and all(isinstance(row, list) and len(row) == len(names) for row in found):
            rows = [dict(zip(map(str, names), row, strict=True)) for row in found]
    elif isinstance(found, Mapping) and _are_columns(found):  # orient columns
        keys = list(dict.fromkeys(key for column in found.values() if isinstance(column, Mapping) for key in column))
        if all(isinstance(column, Mapping) for column in found.values()):
            rows = [{name: column.get(key) for name, column in found.items()} for key in keys]
        elif len({len(column) if isinstance(column, list) else -1 for column in found.values()}) == 1:
            rows = [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
    elif isinstance(found, Mapping) and found and all(map(_is_row, found.values())):
        rows = list(found.values())  # orient index
    if rows is None and isinstance(found, list):
        rows = found
    if not rows or not all(isinstance(row, Mapping) for row in rows):
        return None
    told = flattened(rows)
    rows = rows if told is None else told.rows
    names = list(dict.fromkeys(str(name) for row in rows for name in row))
    frame: pd.DataFrame = pd.DataFrame(
        {name: pd.Series([row.get(name) for row in rows], dtype=object) for name in names}, columns=names
    )
    if told is not None:
        frame.attrs["tool"] = told.tool
    return frame


def _keyed(found: Any) -> list[dict[str, Any]] | None:
    """Return the records of an object of records, each with its key as the task, if they are a known tool's."""
    if not isinstance(found, Mapping) or not all(isinstance(row, Mapping) for row in found.values()):
        return None
    rows = [{**row, "task": key} for key, row in found.items()]
    return rows if flattened(rows) is not None else None


def _are_columns(found: Mapping[str, Any]) -> bool:
    """Return whether an object has the columns of a table: not tasks, as peerannot's has."""
    if not _is_row(found):
        return False
    columns = list(found.values())
    if all(isinstance(column, list) for column in columns):
        return True
    return all(isinstance(column, Mapping) and column.keys() == columns[0].keys() for column in columns)


def _is_row(keys: Any) -> bool:
    """Return whether these are the names of a table's columns, by that of the task, long or wide."""
    if not isinstance(keys, Mapping):
        return False
    names = [key for key in keys if isinstance(key, str)]
    return bool(fitting(names, "task", 1)) or all(fitting(names, role, 3) for role in ROLES)
