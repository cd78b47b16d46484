"""Turns of a dialogue: who speaks, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_SPEAKERS: Final = ("author", "role", "speaker", "name")
_SPEECHES: Final = ("text", "content", "message")


def turn_of(value: Any) -> tuple[str | None, str | None]:
    """Return who speaks and what they say, by the usual names of fields; None where that is not a text, or not there.

    Examples
    --------
    >>> turn_of({"author": "Ada", "text": "Hello."}), turn_of({"role": "user"}), turn_of(3)
    (('Ada', 'Hello.'), ('user', None), (None, None))
    """
    return _first(value, _SPEAKERS), _first(value, _SPEECHES)


def _first(value: Any, names: tuple[str, ...]) -> str | None:
    found = next((value[name] for name in names if name in value), None) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else None
