"""The kind of the answers in a table: classes, sets, numbers; found from what the cells say."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import plain
from crowdcore.crowd.table import Crowd
from crowdcore.formats.number_cells import MOSTLY, as_numbers, check_numbers, number_of, refuse_first
from crowdcore.formats.tables import as_text
from crowdcore.identify.reliability import krippendorff_alpha
from crowdcore.kinds.table import AnswerTable

KINDS: Final = ("choice", "ordered", "set", "number", "text", "ranking")
"""The kinds of answers that a table can hold."""
SEPARATORS: Final = (";", "|")
"""What may stand between the classes of a set; where it is said that answers are sets, also a comma."""
RATED: Final = frozenset({"rating", "ratings", "score", "scores", "stars", "grade", "grades"})
"""Words in the name of a column of ratings."""
MOST_STARS, LEAST_RATINGS = 10, 3
"""The highest rating, and how many different ones there are at least."""
LEAST_FRACTIONS, LEAST_WHOLE = 10, 20
"""More different numbers than these are no classes: of numbers with fractions, and of whole ones."""
LEAST_TEXTS, MOSTLY_OTHERS, LEAST_WORDS = 10, 0.4, 3
"""Answers are texts if at least so many are different, which are more than this share of all, of so many words."""
LEAST_ROUND = 0.6
"""Share of the answers that can be divided by 5, above which whole numbers are no classes: people like them round."""
LEAST_NEARER = 0.1
"""How much more annotators agree on whole numbers by how near these are than by which they are, at the least."""


def guess_kind(crowd: Crowd, column: str | None = None) -> str:
    """Return of which kind answers are whose cells are a crowd's labels: choice, ordered, set, number or text.

    Small whole numbers in a column whose name says that they are ratings are classes of an order. Numbers are many
    different ones, with fractions, or mostly round, or near each other where they differ; numbers of classes are not.
    Sets are lists, or classes with a semicolon or a bar between them which also come alone. Texts are of several words,
    and mostly differ. Whether other classes have an order, and whether lists are rankings, cannot be seen.

    Parameters
    ----------
    crowd : Crowd
        As `read_crowd` reads it.
    column : str, optional
        The name of the column that the labels are in.

    Raises
    ------
    ValueError
        If a rating or a number is none, and most are.

    Examples
    --------
    >>> guess_kind(Crowd.from_wide([["cat;dog", "cat"], ["dog", "dog"]]))
    'set'
    >>> guess_kind(Crowd.from_wide([[1, 2], [2, 2]]))
    'choice'
    """
    labels = crowd.classes
    if column is not None and _are_ratings(crowd, column):
        return "ordered"
    if _are_numbers(crowd, column):
        return "number"
    if labels.dtype.kind in "if":
        return "choice"
    texts = [label for label in labels.tolist() if isinstance(label, str)]
    lists = [text for text in texts if _as_list(text) is not None]
    if lists and len(lists) == len(texts):
        return "set"
    for separator in SEPARATORS:
        several = [text for text in texts if separator in text]
        parts = {part for text in several for part in _split(text, separator)}
        alone = {text.strip() for text in texts if separator not in text}
        if several and len(parts & alone) > len(parts) / 2:
            return "set"
    return "text" if _are_texts(crowd, texts) else "choice"


def _are_texts(crowd: Crowd, texts: Sequence[str]) -> bool:
    """Return whether answers are texts that people wrote: mostly of several words, and mostly different."""
    if len(texts) < LEAST_TEXTS or len(texts) <= MOSTLY_OTHERS * len(crowd.label):
        return False
    return bool(np.median([len(text.split()) for text in texts]) >= LEAST_WORDS)


def are_small_numbers(crowd: Crowd) -> bool:
    """Return whether all labels are whole numbers that ratings may be, and at least three.

    Examples
    --------
    >>> are_small_numbers(Crowd.from_wide([[1, 2], [2, 5]])), are_small_numbers(Crowd.from_wide([[0, 1]]))
    (True, False)
    """
    return len(crowd.classes) >= LEAST_RATINGS and all(map(_is_rating, crowd.classes.tolist()))


def _are_ratings(crowd: Crowd, column: str) -> bool:
    """Return whether a column has ratings; raise a ValueError if most of its labels are, and some are no numbers."""
    if not RATED & set(re.split(r"[^a-z]+", column.lower())):
        return False
    small = np.array([_is_rating(label) for label in crowd.classes.tolist()], np.bool_)
    given = small[crowd.label]
    if small.all() or crowd.classes.dtype.kind in "if" or not given.any() or given.mean() < MOSTLY:
        return are_small_numbers(crowd)
    refuse_first(crowd, ~small, f"Column {column!r}", f"and nearly all others are ratings from 0 to {MOST_STARS}")
    return True


def _is_rating(label: Any) -> bool:
    text = str(label)
    return text.isascii() and text.isdigit() and int(text) <= MOST_STARS


def _are_numbers(crowd: Crowd, column: str | None) -> bool:
    """Return whether answers are numbers; raise a ValueError if most of them are, and some are none."""
    found = as_numbers(crowd)
    if found is None or not _are_many(found):
        return False
    check_numbers(crowd, "A column" if column is None else f"Column {column!r}", "and nearly all others are numbers")
    return True


def _are_many(crowd: Crowd) -> bool:
    """Return whether numbers are too many, and too near each other, to be classes."""
    numbers = crowd.classes.astype(np.float64)
    if len(numbers) > LEAST_FRACTIONS and (numbers % 1 != 0).any():
        return True
    if len(numbers) <= LEAST_WHOLE or not (crowd.num_answers > 1).any():
        return False
    if _share_round(crowd, numbers) > LEAST_ROUND:
        return True
    once = crowd.one_answer_each()
    nearer = krippendorff_alpha(once, "interval").value - krippendorff_alpha(once, "nominal").value
    return bool(nearer > LEAST_NEARER)


def _share_round(crowd: Crowd, numbers: NDArray[np.float64]) -> float:
    often = np.bincount(crowd.label, minlength=len(numbers))
    often[numbers == 0] = 0  # which many scales begin with
    return float(often[numbers % 5 == 0].sum() / max(often.sum(), 1))


def as_answers(crowd: Crowd, kind: str) -> AnswerTable:
    """Return a crowd's labels, the cells of a table, as answers of a kind.

    Of an annotator's several answers to a task the latest counts.

    Parameters
    ----------
    crowd : Crowd
        As `read_crowd` reads it.
    kind : {"set", "number", "text", "ranking"}
        What the cells say: a set is a list in JSON or Python, or classes with ``;``, ``|`` or ``,`` between them (the
        first of these that any cell has); ``[]`` is the empty set. A ranking is such a list, the best first; its items
        may also have ``>`` between them.

    Raises
    ------
    ValueError
        If a label is no answer of that kind.

    Examples
    --------
    >>> as_answers(Crowd.from_wide([["cat;dog", "cat"], ["[]", "dog"]]), "set").values.tolist()
    [['cat', 'dog'], ['cat'], [], ['dog']]
    """
    crowd = crowd.one_answer_each()
    if kind == "number":
        check_numbers(crowd, "A column")
    values = values_of(crowd.classes.tolist(), kind)
    table = AnswerTable(crowd.tasks, crowd.annotators, crowd.indptr, crowd.annotator, crowd.label)
    return table.with_values([values[code] for code in crowd.label.tolist()])


def values_of(labels: Sequence[Any], kind: str, like: Sequence[Any] = ()) -> list[Any]:
    """Return the answers of a kind that cells say.

    Parameters
    ----------
    labels : sequence
        The cells.
    kind : {"set", "number", "text", "ranking"}
        As in `as_answers`.
    like : sequence
        Cells that say what stands between classes, where it is not these.
    """
    if kind == "number":
        return [_number(label) for label in labels]
    if kind == "text":
        return [as_text(plain(label)) for label in labels]
    if kind not in ("set", "ranking"):
        raise ValueError(
            f"kind is {kind!r}; expected 'set', 'number', 'text' or 'ranking': other answers are a Crowd's classes."
        )
    texts = [label for label in (like or labels) if isinstance(label, str) and _as_list(label) is None]
    marks = (*((">",) if kind == "ranking" else ()), *SEPARATORS, ",")
    separator = next((mark for mark in marks if any(mark in text for text in texts)), SEPARATORS[0])
    found = []
    for label in labels:
        listed = _as_list(label) if isinstance(label, str) else [plain(label)]
        items = _split(label, separator) if listed is None else listed
        found.append(tuple(items) if kind == "ranking" else items)
    return found


def _number(label: Any) -> float:
    found = number_of(label)
    if np.isnan(found):
        raise ValueError(
            f"An answer is {plain(label)!r}, which is no finite number. Correct it, or say with missing= that it "
            "stands for no answer."
        )
    return found


def _as_list(text: str) -> list[Any] | None:
    """Return the list that a cell is, in JSON or as Python writes it, also as the only value of an object; or None."""
    start = text.strip()
    if not start.startswith(("[", "{")):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(start)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, Mapping) and len(found) <= 1:
            found = next(iter(found.values()), [])
        if isinstance(found, set | list | tuple):
            return list(found)
    return None


def _split(text: str, separator: str) -> list[str]:
    return [part.strip() for part in text.split(separator) if part.strip()]
