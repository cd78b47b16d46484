"""The ``$names`` of a labeling config, which stand for what is in a task's data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_NAME: Final = re.compile(r"\$([\w\[\].{}\-]+)")
"""As Label Studio's pages find them, anywhere in a text; and dashes, which many fields have in their names."""
_EACH: Final = re.compile(r"\[\{\{.*")
"""The rest of a name that goes through a list in a <Repeater>: ``u[{{idx}}].text``."""
_PLACE: Final = re.compile(r"\[([0-9]+)\]")


def names_in(text: str) -> Iterator[str]:
    """Yield the data fields that a text names, and what may be meant besides: names with blanks and dashes in them.

    Examples
    --------
    >>> list(names_in("Title: $title ($doc.year)")), list(names_in("$u[{{idx}}].text")), list(names_in("$my text"))
    (['title', 'doc.year'], ['u'], ['my text', 'my'])
    """
    if text.startswith("$") and " " in text and text.count("$") == 1:
        yield text[1:]
    for found in _NAME.findall(text):
        name = _EACH.sub("", found).rstrip(".")
        if name := name.rstrip("-"):
            yield name
        if "-" in name:
            yield name.partition("-")[0]


def lookup(row: Any, name: str) -> Any:
    """Return a field of a task's data, None if it has none.

    ``a.b`` is field b inside field a, and ``a[0]`` the first item of a, as in a labeling config.
    """
    if isinstance(row, Mapping) and name in row:
        return row[name]
    outer, _, inner = _PLACE.sub(r".\1", name).partition(".")
    found: Any = None  # what comes by HTTP may be anything
    if isinstance(row, Mapping):
        found = row.get(outer)
    elif isinstance(row, list) and outer.isdecimal() and len(outer) < 10:
        found = next(iter(row[int(outer) :]), None)
    return lookup(found, inner) if inner else found


def filled_in(text: str, data: Any) -> Any:
    """Return a text with what its ``$names`` stand for in a task; the value itself where it is nothing but one name.

    Examples
    --------
    >>> filled_in("$n", {"n": 3}), filled_in("no $n", {"n": 3})
    (3, 'no 3')
    """
    if (whole := _NAME.fullmatch(text)) is not None:
        return lookup(data, whole[1])
    return _NAME.sub(lambda found: _written(lookup(data, found[1])), text)


def _written(value: Any) -> str:
    return "" if value is None else str(value)
