"""Numbers: where each annotator's answer lies on the scale, beside the consensus and its interval, and their errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.pages.insights.figures import known_or_none
from label_studio_crowd.pages.words import duration
from label_studio_crowd.scoring.snapshot import Snapshot

_BINS: Final = 8
_FEW: Final = 5
_MARGIN: Final = 0.04


@dataclass(frozen=True)
class NumbersView:
    """Numbers of a task as places on one scale, from 0 to 100.

    Attributes
    ----------
    first, last
        What the ends of the scale are, as people read them.
    consensus, interval
        Where the consensus is, and the ends of its interval; None where there is none.
    interval_words
        The interval as people read it, "" without one.
    of_members
        Where each annotator's answer is.
    """

    name: ClassVar[str] = "numbers"

    first: str
    last: str
    consensus: float | None
    interval: tuple[float, float] | None
    interval_words: str
    of_members: tuple[float, ...]


@dataclass(frozen=True)
class NumbersHabits:
    """How an annotator's numbers differ from the consensus, on tasks where others have a say, too.

    Attributes
    ----------
    bias, spread
        How much too large their answers are, and how far they vary besides.
    tolerance
        How far from the truth a number is right.
    in_seconds
        Whether all of these are seconds: of dates and times.
    edges, counts
        How many of their answers are how much too large: B + 1 edges, B counts; () with few of them.
    """

    name: ClassVar[str] = "numbers"

    bias: float | None
    spread: float | None
    tolerance: float | None
    in_seconds: bool
    edges: tuple[float, ...]
    counts: tuple[int, ...]


def view(snapshot: Snapshot, row: int, data: Any) -> NumbersView:
    """Return the numbers of a task (a row)."""
    crowd, control = snapshot.crowd, snapshot.scored_control()
    given = [float(snapshot.given[code]) for code in crowd.label[crowd.indptr[row] : crowd.indptr[row + 1]].tolist()]
    consensus, interval = _consensus(snapshot, row), _interval(snapshot, row)
    there = [*given, *([] if consensus is None else [consensus]), *(interval or ())]
    low, high = (min(there), max(there)) if there else (0.0, 1.0)
    span = high - low or abs(high) or 1.0
    start, end = low - _MARGIN * span, high + _MARGIN * span

    def at(number: float) -> float:
        return round(100 * (number - start) / (end - start), 2)

    return NumbersView(
        first=_short(control, low, span),
        last=_short(control, high, span),
        consensus=None if consensus is None else at(consensus),
        interval=None if interval is None else (at(interval[0]), at(interval[1])),
        interval_words="" if interval is None else _bounds(control, *interval),
        of_members=tuple(map(at, given)),
    )


def _short(control: Any, number: float, span: float) -> str:
    """Return a number with as many digits as a scale of this length needs."""
    if control.tag == "datetime":
        return str(control.show(number))
    return f"{round(number, int(np.clip(2 - np.floor(np.log10(span)), 0, 12))):,.12g}"


def _bounds(control: Any, low: float, high: float) -> str:
    """Return an interval as people read it."""
    span = high - low or abs(high) or 1.0
    return f"{_short(control, low, span)} to {_short(control, high, span)}"


def why(snapshot: Snapshot, answer: int) -> str:
    """Return in words how an answer differs from the consensus."""
    row, control = int(snapshot.crowd.task[answer]), snapshot.scored_control()
    number, consensus = float(snapshot.given[int(snapshot.crowd.label[answer])]), _consensus(snapshot, row)
    if consensus is None or number == consensus:
        return ""
    off = abs(number - consensus)
    seconds = control.tag == "datetime" and control.written != "year"
    size = duration(off) if seconds else f"{off:,.4g}"
    interval = _interval(snapshot, row)
    words = ""
    if interval is not None:
        inside = interval[0] <= number <= interval[1]
        where = "within" if inside else "outside"
        words = f" It is {where} the 90 % interval, {_bounds(control, *interval)}."
    return f"{size} {'more' if number > consensus else 'less'} than the consensus.{words}"


def habits(snapshot: Snapshot, annotator: int) -> NumbersHabits | None:
    """Return how an annotator's (a row's) numbers differ; None where nobody else has a say on their tasks."""
    crowd, theirs = snapshot.crowd, snapshot.answers_of(annotator)
    theirs = theirs[snapshot.judged[crowd.task[theirs]] & (snapshot.consensus[crowd.task[theirs]] >= 0)]
    if not len(theirs):
        return None
    values = np.array([float(value) for value in snapshot.given])
    off = values[crowd.label[theirs]] - values[snapshot.consensus[crowd.task[theirs]]]
    edges, counts = _histogram(off)
    control, told = snapshot.scored_control(), snapshot.details
    bias, spread = (known_or_none(told[name][annotator]) if name in told else None for name in ("bias", "spread"))
    return NumbersHabits(
        bias=bias,
        spread=spread,
        tolerance=known_or_none(told["tolerance"][0]) if "tolerance" in told else None,
        in_seconds=control.tag == "datetime" and control.written != "year",
        edges=edges,
        counts=counts,
    )


def _histogram(off: NDArray[np.float64]) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Return a histogram around 0; what is farther than nearly all is in the outermost bins."""
    if len(off) < _FEW:
        return (), ()
    reach = float(np.quantile(np.abs(off), 0.95)) or float(np.abs(off).max()) or 1.0
    edges = np.linspace(-reach, reach, _BINS + 1)
    counts, _ = np.histogram(np.clip(off, -reach, reach), edges)
    return tuple(edges.tolist()), tuple(counts.tolist())


def _consensus(snapshot: Snapshot, row: int) -> float | None:
    code = int(snapshot.consensus[row])
    return float(snapshot.given[code]) if code >= 0 else None


def _interval(snapshot: Snapshot, row: int) -> tuple[float, float] | None:
    told = snapshot.details
    ends = (float(told["low"][row]), float(told["high"][row])) if "low" in told else (np.nan, np.nan)
    return ends if np.isfinite(ends).all() else None
