"""Texts with spans marked in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.region import Span
from label_studio_crowd.pages.insights.marks import Mark, State, TaskMarks
from label_studio_crowd.studio.controls import PARAGRAPH, as_place
from label_studio_crowd.studio.dialogues import turn_of
from label_studio_crowd.studio.hypertext import without_tags

_AROUND: Final = 60
"""Characters that are shown around what an annotator marked in a long text."""
_LONG: Final = 1200
_LONGEST: Final = 15_000
_MOST: Final = 300


@dataclass(frozen=True)
class End:
    """What stands where a span ends: its label, and what is to be said of it."""

    label: str
    tint: int
    state: State
    note: str


@dataclass(frozen=True)
class Piece:
    """A piece of a text.

    Attributes
    ----------
    text
        What it says.
    tint, state
        Of the shortest span over it; `state` is "" where there is none.
    ends
        The spans that end with it.
    """

    text: str
    tint: int
    state: State | str
    ends: tuple[End, ...] = ()


GAP: Final = Piece("", 0, "gap")
"""Text that is left out."""


@dataclass(frozen=True)
class PassagesView:
    """The text of a task with the spans of the consensus, and with those of each annotator.

    Attributes
    ----------
    is_cut
        Whether the text is longer than what is shown of it.
    left_out
        How many regions are not shown.
    """

    name: ClassVar[str] = "passages"

    consensus: tuple[Piece, ...]
    of_members: tuple[tuple[Piece, ...], ...]
    is_cut: bool
    left_out: int


@dataclass(frozen=True)
class Source:
    """A text, and where its characters are on the line that spans are places on.

    Attributes
    ----------
    text
        The text.
    at
        The place of each character on the line, and that behind the last; increasing.
    """

    text: str
    at: NDArray[np.int64]

    def place(self, where: float) -> int:
        """Return which character is at a place on the line."""
        return int(np.searchsorted(self.at, where))


def source_of(tag: str, value: Any, marks: Sequence[Mark]) -> Source | None:
    """Return the text that annotators see; None where it is not known, or spans of it are counted otherwise.

    Parameters
    ----------
    tag
        The object's, in lower case.
    value
        What the task's data have.
    marks
        What was marked: their texts tell how characters are counted.
    """
    if tag == "paragraphs" and isinstance(value, list):
        return _paragraphs(value)
    if tag not in ("text", "hypertext") or not isinstance(value, str):
        return None
    texts = [value] if tag == "text" else [value, without_tags(value)]
    found = (Source(text, at) for text in texts for at in _countings(text))
    return next((source for source in found if _fits(source, marks)), None)


def _countings(text: str) -> Iterator[NDArray[np.int64]]:
    yield np.arange(len(text) + 1)
    if any(char > "\uffff" for char in text):  # browsers count these as two
        yield np.cumsum([0] + [1 + (char > "\uffff") for char in text])


def _fits(source: Source, marks: Sequence[Mark]) -> bool:
    """Return whether the spans' own texts are where they are said to be."""
    for mark in marks:
        place, text = as_place(mark.item), mark.item.get("value", {}).get("text")
        if isinstance(place, Span) and place.layer is None and isinstance(text, str) and text:
            there = source.text[source.place(place.start) : source.place(place.end)]
            if "".join(there.split()) != "".join(text.replace("\\n", "\n").split()):
                return False
    return True


def _paragraphs(value: Sequence[Any]) -> Source:
    texts, places = [], []
    for number, one in enumerate(value):
        speaker, speech = turn_of(one)
        head, speech = f"{speaker}: " if speaker else "", speech or ""
        texts.append(f"{head}{speech}\n")
        start = number * PARAGRAPH
        places.append(np.concatenate([np.full(len(head), start - 1), start + np.arange(len(speech) + 1)]))
    end = [np.array([len(value) * PARAGRAPH])]
    return Source("".join(texts), np.concatenate([*places, *end]).astype(np.int64))


def passages(marks: TaskMarks, source: Source | None) -> PassagesView:
    """Return the text with the spans of the consensus and of each annotator.

    Without the text only the spans' own texts are shown, in their order.
    """
    everything = (marks.consensus, *marks.of_members)
    left_out = sum(max(len(some) - _MOST, 0) for some in everything)
    shown = [some[:_MOST] for some in everything]
    if source is None:
        listed = [tuple(_listed(some)) for some in shown]
        return PassagesView(listed[0], tuple(listed[1:]), False, left_out)
    whole, *members = (_pieces(some, source) for some in shown)
    is_long = len(source.text) > _LONG
    return PassagesView(
        consensus=tuple(_up_to(whole, _LONGEST)),
        of_members=tuple(tuple(_windows(some) if is_long else some) for some in members),
        is_cut=len(source.text) > _LONGEST,
        left_out=left_out,
    )


def _pieces(marks: Sequence[Mark], source: Source) -> list[Piece]:
    spans = []
    for mark in marks:
        place = as_place(mark.item)
        if isinstance(place, Span):
            start = min(source.place(place.start), len(source.text))
            spans.append((start, max(min(source.place(place.end), len(source.text)), start), mark))
    bounds = sorted({0, len(source.text), *(bound for start, end, _ in spans for bound in (start, end))})
    by_end: dict[int, list[End]] = {}
    for _, end, mark in sorted(spans, key=lambda span: -span[0]):
        by_end.setdefault(end, []).append(End(mark.label, mark.tint, mark.state, mark.note))
    shortest: dict[int, tuple[int, Mark]] = {}
    place_of = {bound: at for at, bound in enumerate(bounds)}
    for start, end, mark in spans:
        for at in range(place_of[start], place_of[end]):
            if at not in shortest or end - start < shortest[at][0]:
                shortest[at] = end - start, mark
    found = []
    for at, (start, end) in enumerate(pairwise(bounds)):
        over = shortest[at][1] if at in shortest else None
        text, ends = source.text[start:end], tuple(by_end.get(end, ()))
        found.append(Piece(text, over.tint if over else 0, over.state if over else "", ends))
    return found


def _windows(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Yield pieces, of a long text between two marks only its ends."""
    for at, piece in enumerate(pieces):
        if piece.state or len(piece.text) <= 2 * _AROUND:
            yield piece
            continue
        if at:
            yield Piece(piece.text[:_AROUND], 0, "", ())
        yield GAP
        if at < len(pieces) - 1:
            yield Piece(piece.text[-_AROUND:], 0, "", piece.ends)


def _up_to(pieces: Sequence[Piece], longest: int) -> Iterator[Piece]:
    for piece in pieces:
        if longest <= 0:
            yield GAP
            return
        yield Piece(piece.text[:longest], piece.tint, piece.state, piece.ends)
        longest -= len(piece.text)


def _listed(marks: Sequence[Mark]) -> Iterator[Piece]:
    for mark in sorted(marks, key=_start):
        text = mark.item.get("value", {}).get("text")
        yield Piece(
            str(text) if text else "…", mark.tint, mark.state, (End(mark.label, mark.tint, mark.state, mark.note),)
        )
        yield GAP


def _start(mark: Mark) -> tuple[str, float]:
    place = as_place(mark.item)
    return (str(place.layer or ""), float(place.start)) if isinstance(place, Span) else ("", 0.0)
