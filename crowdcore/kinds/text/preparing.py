"""The answers of a table as encoded texts, ready to be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.per_task import is_missing, per_task
from crowdcore.kinds.table import AnswerTable
from crowdcore.kinds.text.alignment import encoded
from crowdcore.kinds.text.tokens import Token, checked, letters, parts, tokens, written

Text = str | tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Texts:
    """A answers to N tasks as words.

    Attributes
    ----------
    table : AnswerTable
        The answers as they were given.
    words : list of A lists of Token
        The words of each answer; the letters, where the task's answers are single words.
    texts : list of str, length A
        The same with a character for each word.
    truths : list of length N
        The known texts as they were given, None elsewhere.
    known : list of str or None, length N
        The same, encoded likewise.
    known_words : list of N lists of Token
        Their words.
    spelled : ndarray of bool, shape (N,)
        Tasks whose texts are cut into letters.
    in_parts : ndarray of bool, shape (N,)
        Tasks most of whose answers have several parts.
    rank : ndarray of shape (A,)
        Place of each answer in the order of texts, which decides ties.
    """

    table: AnswerTable
    words: list[list[Token]]
    texts: list[str]
    truths: list[Any]
    known: list[str | None]
    known_words: list[list[Token]]
    spelled: NDArray[np.bool_]
    in_parts: NDArray[np.bool_]
    rank: NDArray[np.int64]

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Tasks with a known text, shape (N,)."""
        return np.array([text is not None for text in self.known], np.bool_)

    def published(self, task: int, words: Sequence[Token]) -> Text:
        """Return words as an answer to the task."""
        return parts(words) if self.in_parts[task] else written(words)


def prepare(table: AnswerTable, known: Sequence[Any] | Mapping[Any, Any] | None) -> Texts:
    """Cut the answers into words, or into letters, and encode them.

    Raises
    ------
    ValueError
        If an answer or a known text is not a text, or `known` has not a place for each task.
    """
    given: list[Any] = [
        None if is_missing(text) else text for text in per_task(table, known, "known", "a text or None")
    ]
    N = len(table.tasks)
    checked(table.values.tolist(), "An answer")
    checked([text for text in given if text is not None], "A known text")
    words = [tokens(value) for value in table.values]
    texts: list[str] = []
    codes: list[str | None] = []
    known_words: list[list[Token]] = []
    spelled = np.zeros(N, np.bool_)
    in_parts = np.zeros(N, np.bool_)
    for i, (start, end) in enumerate(zip(table.indptr[:-1], table.indptr[1:], strict=True)):
        truth = [] if given[i] is None else [tokens(given[i])]
        mine = words[start:end]
        if start == end and not truth:
            codes.append(None)
            known_words.append([])
            continue
        spelled[i] = median(map(len, mine or truth)) <= 1
        in_parts[i] = sum(isinstance(value, tuple) for value in table.values[start:end]) * 2 > end - start
        if spelled[i]:
            mine, truth = ([letters(text) for text in found] for found in (mine, truth))
            words[start:end] = mine
        both = encoded([*mine, *truth])
        texts += both[: len(mine)]
        codes.append(both[-1] if truth else None)
        known_words.append(truth[0] if truth else [])
    order = sorted(range(len(words)), key=lambda a: _sortable(table.values.item(a)))
    rank = np.empty(len(words), np.int64)
    rank[order] = np.arange(len(words))
    return Texts(table, words, texts, given, codes, known_words, spelled, in_parts, rank)


def _sortable(text: Text) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else text
