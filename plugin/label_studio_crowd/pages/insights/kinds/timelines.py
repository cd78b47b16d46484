"""Spans of recordings, time series and videos as bars on a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import ClassVar, Final

from crowdcore.kinds.region import Ranges, Span
from label_studio_crowd.pages.insights.marks import Mark, State, TaskMarks
from label_studio_crowd.studio.controls import as_place

_MOST: Final = 300
_LEAST_WIDTH: Final = 0.3
_MOMENTS: Final = 1e8
"""Numbers that are larger are times, in seconds or milliseconds from 1970 on."""


@dataclass(frozen=True)
class Bar:
    """A span: where it begins and how long it is, in per cent of the line; what it is, and what is to be said."""

    x: float
    width: float
    label: str
    tint: int
    state: State
    note: str
    words: str


@dataclass(frozen=True)
class TimelinesView:
    """The spans of a task on a line: the consensus', and each annotator's.

    Attributes
    ----------
    ticks
        (place in per cent, what is written there).
    left_out
        How many regions are not shown.
    """

    name: ClassVar[str] = "timelines"

    consensus: tuple[Bar, ...]
    of_members: tuple[tuple[Bar, ...], ...]
    ticks: tuple[tuple[float, str], ...]
    left_out: int


def timelines(marks: TaskMarks, tag: str) -> TimelinesView:
    """Return the spans of a task as bars.

    Parameters
    ----------
    tag
        The object's, in lower case.
    """
    everything = (marks.consensus, *marks.of_members)
    ends = [(start, end) for some in everything for mark in some for start, end in _spans(mark)]
    lengths = [mark.item.get("original_length") for some in everything for mark in some]
    high = max([end for _, end in ends] + [float(one) for one in lengths if isinstance(one, int | float)], default=1.0)
    low = min((start for start, _ in ends), default=0.0) if tag == "timeseries" else 0.0
    span = high - low if high > low else 1.0
    lanes = [tuple(bar for mark in some[:_MOST] for bar in _bars(mark, low, span, tag)) for some in everything]
    ticks = tuple((25.0 * at, _words(low + span * at / 4, tag)) for at in range(5))
    return TimelinesView(lanes[0], tuple(lanes[1:]), ticks, sum(max(len(some) - _MOST, 0) for some in everything))


def _spans(mark: Mark) -> Sequence[tuple[float, float]]:
    place = as_place(mark.item)
    if isinstance(place, Ranges):
        return place.ranges
    return ((place.start, place.end),) if isinstance(place, Span) else ()


def _bars(mark: Mark, low: float, span: float, tag: str) -> Iterator[Bar]:
    for start, end in _spans(mark):
        width = max(100 * (end - start) / span, _LEAST_WIDTH)
        yield Bar(
            x=round(min(100 * (start - low) / span, 100 - width), 2),
            width=round(width, 2),
            label=mark.label,
            tint=mark.tint,
            state=mark.state,
            note=mark.note,
            words=f"{_words(start, tag)} to {_words(end, tag)}",
        )


def _words(at: float, tag: str) -> str:
    if tag in ("audio", "audioplus"):
        return f"{at:.2f}\u00a0s" if at < 600 else f"{at / 60:.1f}\u00a0min"
    if tag == "timeseries" and at > _MOMENTS:
        seconds = at / 1000 if at > 1000 * _MOMENTS else at
        return f"{datetime.fromtimestamp(min(seconds, 1e11), timezone.utc):%Y-%m-%d %H:%M}"
    return f"{at:.6g}"
