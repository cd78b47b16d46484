"""What a project's data fields hold: text, vectors, numbers, categories, or nothing to learn from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from label_studio_crowd.scoring.classifiers.embedding import as_vector, common_length
from label_studio_crowd.scoring.classifiers.tasks import TaskData, as_number, missing

Kind = Literal["text", "embedding", "number", "category", "words", "constant", "empty", "id", "link", "time", "nested"]

SAMPLE = 2000
"""Tasks looked at, at most, evenly over the project."""

MOST_CATEGORIES = 50
SHORTEST_EMBEDDING = 8
"""Shorter lists of numbers are sizes, places and ranges rather than embeddings."""

NEARLY_ALL = 0.95

_ID_NAME = re.compile(
    r"(?:^|[_\-.\s])(?:ids?|uuid|guid|index|idx|hash|md5|sha\d*|checksum|row|key|file_?name|path|uri|url)$",
    re.IGNORECASE,
)
_LINK = re.compile(
    r"(?:[a-z][a-z0-9+.\-]*://\S+|data:[\w./+\-]+[;,]\S+|\S*/\S+\.\w{2,5}(?:\?\S*)?"
    r"|\S+\.(?:jpe?g|png|gif|webp|bmp|tiff?|svg|wav|mp3|flac|ogg|m4a|mp4|avi|mov|mkv|webm|pdf|txt|html?|csv"
    r"|json))",
    re.IGNORECASE,
)
_TIME = re.compile(r"\d{4}-\d\d?-\d\d?(?:[T ]\d\d?:.*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}(?: .*)?|\d\d?:\d\d(?::.*)?")
_HEX = re.compile(r"(?=.*\d)[0-9a-f\-]{8,}", re.IGNORECASE)
_ID_IN_CAMEL_CASE = re.compile(r"[a-z](?:Id|ID|Uuid|UUID|Hash|Index)$")


@dataclass(frozen=True)
class Field:
    """A data field and what it holds.

    Attributes
    ----------
    name : str
        ``a.b`` for field b inside field a.
    kind : str
        text (sentences), embedding, number, category (few different values), words (many different short
        strings), or why it is of no use: constant, empty, id, link, time, nested.
    """

    name: str
    kind: Kind

    @property
    def note(self) -> str:
        """A few words for a list of what was not chosen."""
        return {
            "text": "text",
            "embedding": "vectors",
            "number": "numbers",
            "category": "categories",
            "words": "too many different values",
            "constant": "the same in every task",
            "empty": "empty",
            "id": "identifiers",
            "link": "links to files",
            "time": "dates or times",
            "nested": "nested data",
        }[self.kind]


def fields_of(tasks: TaskData) -> dict[str, Field]:
    """Return the data fields of a project, fields inside fields too, one level down."""
    rows = [tasks.data[i] for i in np.unique(np.linspace(0, len(tasks) - 1, SAMPLE).astype(int))[: len(tasks)]]
    columns: dict[str, list[Any]] = {}
    for at, row in enumerate(rows):
        for name, value in flat(row):
            columns.setdefault(name, [None] * len(rows))[at] = value
    return {name: Field(name, kind_of(name, values, len(tasks))) for name, values in columns.items()}


def field_at(name: str, tasks: TaskData) -> Field:
    """Return a data field at any depth, as a labeling config names it: ``doc.parts[0].text``."""
    return Field(name, kind_of(name, tasks.column(name), len(tasks)))


def flat(row: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return a task's data fields, a field that holds fields replaced by those: ``row.age``."""
    found: list[tuple[str, Any]] = []
    for name, value in row.items():
        if isinstance(value, Mapping):
            found.extend((f"{name}.{key}", inner) for key, inner in value.items())
        else:
            found.append((str(name), value))
    return found


def kind_of(name: str, values: Sequence[Any], n_tasks: int) -> Kind:
    """Say what a field's values are.

    Parameters
    ----------
    name : str
        The field; a name like ``user_id`` decides where values leave it open.
    values : sequence
        Values of some tasks in their order, None where a task has none.
    n_tasks : int
        Number of tasks in the project.
    """
    given = [value for value in values if not missing(value)]
    if not given:
        return "empty"
    vectors = [as_vector(value) for value in given[:20]]
    if sum(v is not None for v in vectors) > len(vectors) / 2:
        return _kind_of_vectors(values)
    if any(isinstance(value, (Mapping, list, tuple)) for value in given):
        return "text" if _holds_text(given) else "nested"
    distinct = len({str(value) for value in given})
    if distinct == 1:
        return "constant"
    few = distinct <= min(MOST_CATEGORIES, len(given) / 3) or all(isinstance(value, bool) for value in given)
    numbers = np.array([as_number(value) for value in given])
    numbers = numbers[~np.isnan(numbers)]
    if len(numbers) >= 0.9 * len(given):
        if _seconds(numbers):
            return "time"
        if not few and _counts_tasks(name, numbers, n_tasks):
            return "id"
        return "category" if few and _names_an_id(name) else "number"
    strings = [str(value).strip() for value in given]
    if _most(_LINK, strings):
        return "link"
    if _most(_TIME, strings):
        return "time"
    if few:
        return "category"
    if _most(_HEX, strings):
        return "id"
    if np.mean([_is_prose(s) for s in strings]) > 0.3:
        return "text"
    return "id" if _names_an_id(name) else "words"


def _kind_of_vectors(values: Sequence[Any]) -> Kind:
    vectors = [as_vector(value) for value in values]
    length = common_length(vectors)
    fitting = [v for v in vectors if v is not None and len(v) == length]
    if len(fitting) > 1 and all(np.array_equal(v, fitting[0]) for v in fitting):
        return "constant"  # a time axis, for one
    same = len(fitting)
    return "embedding" if length >= SHORTEST_EMBEDDING and same >= NEARLY_ALL * len(values) else "nested"


def _holds_text(given: Sequence[Any]) -> bool:
    """Say whether lists hold strings, or dicts with strings (as Paragraphs have them), that are not links."""
    inside: list[str] = []
    for value in given[:50]:
        for item in value if isinstance(value, (list, tuple)) else [value]:
            parts = item.values() if isinstance(item, Mapping) else [item]
            inside.extend(part.strip() for part in parts if isinstance(part, str) and part.strip())
    return bool(inside) and not _most(_LINK, inside) and any(_is_prose(part) for part in inside)


def _counts_tasks(name: str, numbers: np.ndarray[Any, np.dtype[np.float64]], n_tasks: int) -> bool:
    """Say whether whole numbers, all different, only say which task it is."""
    if (numbers % 1 != 0).any() or len(np.unique(numbers)) < len(numbers):
        return False
    if _names_an_id(name):
        return True
    steps = np.diff(numbers)
    return len(numbers) >= 8 and bool((steps > 0).all() or (steps < 0).all() or np.ptp(numbers) < 1.5 * n_tasks)


def _seconds(numbers: np.ndarray[Any, np.dtype[np.float64]]) -> bool:
    """Say whether all numbers are moments from 2001 to 2100, in seconds or milliseconds since 1970."""
    low, high = 1e9, 4.1e9
    return any(bool(((numbers >= low * u) & (numbers <= high * u)).all()) for u in (1, 1000))


def _names_an_id(name: str) -> bool:
    return bool(_ID_NAME.search(name) or _ID_IN_CAMEL_CASE.search(name))


def _most(pattern: re.Pattern[str], strings: Sequence[str]) -> bool:
    # the middle of a long string decides nothing, and backtracking through it would take minutes
    short = [s if len(s) <= 300 else s[:200] + s[-100:] for s in strings]
    return sum(bool(pattern.fullmatch(s)) for s in short) > len(strings) / 2


def _is_prose(s: str) -> bool:
    """Say whether a string is longer than a name: three words, or eight letters of Chinese and the like."""
    return len(s.split()) >= 3 or sum(ord(c) > 0x2E80 for c in s) >= 8
