"""Labels as text: one value, or the path to a place in a tree."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

PATH_SEPARATOR: Final = " / "
"""Joins the steps of a path into one label."""

Path = tuple[str, ...]
"""The steps to a place in a tree of classes; of one step where there is no tree."""


class NoLabelError(ValueError):
    """A value that no label is made of."""


def as_label(value: Any) -> str:
    """Return a value of a result as a label; whole numbers are written without a fraction.

    Raises
    ------
    NoLabelError
        If it is neither text nor a number.

    Examples
    --------
    >>> as_label("cat"), as_label(3.0), as_label(2.5)
    ('cat', '3', '2.5')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise NoLabelError(f"{str(value)[:40]} is no label")
    return str(int(value)) if value == int(value) else str(value)


def as_path(value: Any) -> Path:
    """Return a value of a result, or a list of steps, as a path.

    Raises
    ------
    NoLabelError
        If a step is neither text nor a number, or there is none.
    """
    steps = value if isinstance(value, list) else [value]
    if not steps:
        raise NoLabelError("an empty path is no label")
    return tuple(map(as_label, steps))


def joined(path: Path) -> str:
    """Return a path as one label."""
    return PATH_SEPARATOR.join(path)


def by_label(paths: Iterable[Path]) -> dict[str, Path]:
    """Return label → path, in order; of two paths that read alike the first."""
    found: dict[str, Path] = {}
    for path in paths:
        found.setdefault(joined(path), path)
    return found


def paths_in(options: Any, above: Path = ()) -> Iterator[Path]:
    """Yield the paths of a list of options as it comes with a task: texts, or objects with value, alias and children.

    Examples
    --------
    >>> list(paths_in(["a", {"value": "b", "children": [{"value": "c"}]}]))
    [('a',), ('b',), ('b', 'c')]
    """
    for option in options if isinstance(options, list) else ():
        known = option if isinstance(option, Mapping) else {"value": option}
        inside = known.get("children")
        try:
            path = (*above, as_label(known.get("alias") or known.get("value")))
        except NoLabelError:
            continue
        yield path
        if len(path) < _DEEPEST:
            yield from paths_in(inside, path)


_DEEPEST: Final = 50
"""Steps of a path: data may be nested without an end."""
