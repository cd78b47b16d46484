"""The texts of a task, compared and aligned word by word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.text.tokens import Token, letters, tokens

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

NONE = -1
"""The word where a text has none."""


def text_distance(a: str | tuple[str, ...], b: str | tuple[str, ...]) -> float:
    """Return how far two texts differ, in [0, 1]: words to change, add or leave out, of those of the longer one.

    Words are compared without regard to case, spaces and the punctuation around them. Two texts of one word each, and
    texts in scripts without spaces, are compared by letters.

    Examples
    --------
    >>> text_distance("The cat sat.", "the cat sat down"), text_distance("colour", "color")
    (0.25, 0.16666666666666666)
    """
    words = [tokens(a), tokens(b)]
    if max(map(len, words)) <= 1:
        words = [letters(text) for text in words]
    first, second = encoded(words)
    return distance(first, second)


def encoded(texts: Sequence[Sequence[Token]]) -> list[str]:
    """Return texts with a character in place of each word, the same for equal words, which rapidfuzz reads fastest."""
    codes = {key: chr(code) for code, key in enumerate(sorted({word.key for text in texts for word in text}))}
    return ["".join([codes[word.key] for word in text]) for text in texts]


def distance(a: str, b: str) -> float:
    """Return the edit distance of two encoded texts as a share of the longer one."""
    from rapidfuzz.distance import Levenshtein

    return float(Levenshtein.normalized_distance(a, b))


def edits(a: str, b: str) -> int:
    """Return how many words have to be changed, added or left out to make one encoded text of the other."""
    from rapidfuzz.distance import Levenshtein

    return int(Levenshtein.distance(a, b))


class Grid:
    """The texts of one task in columns, the places of their alignment to one text.

    Parameters
    ----------
    reference : str
        The encoded text that the others are aligned to.
    texts : sequence of str
        Encoded texts.

    Attributes
    ----------
    place : list of ndarray of int
        The column of each word of each text.
    reference_place : ndarray of int
        The column of each word of the reference; other columns are of words that texts have besides.
    width : int
        How many columns there are.
    """

    place: list[Codes]
    reference_place: Codes
    width: int

    def __init__(self, reference: str, texts: Sequence[str]) -> None:
        from rapidfuzz.distance import Levenshtein

        L = len(reference)
        blocks = {
            text: [op for op in Levenshtein.opcodes(reference, text) if op.tag != "delete"] for text in set(texts)
        }
        more = np.zeros(L + 1, np.int64)  # most words that a text has before each word of the reference
        for found in blocks.values():
            for op in found:
                if op.tag == "insert":
                    more[op.src_start] = max(more[op.src_start], op.dest_end - op.dest_start)
        begins = np.concatenate([[0], np.cumsum(more[:-1] + 1)])
        self.width = int(more.sum()) + L
        self.reference_place = (begins + more)[:L]
        columns = {text: self._columns(text, found, begins) for text, found in blocks.items()}
        self.place = [columns[text] for text in texts]

    def _columns(self, text: str, blocks: Sequence[Any], begins: Codes) -> Codes:
        columns = np.empty(len(text), np.int64)
        for op in blocks:
            if op.tag == "insert":
                first = begins[op.src_start]
                columns[op.dest_start : op.dest_end] = np.arange(first, first + op.dest_end - op.dest_start)
            else:
                columns[op.dest_start : op.dest_end] = self.reference_place[op.src_start : op.src_end]
        return columns
