"""Charts: SVG without colours, which the pages' style sheet gives it, and the same numbers as a table.

The only module that knows pygal. The same data gives the same bytes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone, tzinfo
from functools import partial
from itertools import pairwise
from typing import Any, Final, Literal
from xml.etree import ElementTree

import pygal
from markupsafe import Markup
from pygal.style import Style

from label_studio_crowd.pages.words import percent

Colour = Literal["first", "second", "third"]
Words = Callable[[float], str]

_WIDTH: Final = 600
_HEIGHT: Final = 270
_TICKS: Final = 5
_MOST_DOTS: Final = 60
_NUMBER: Final = re.compile(r"-?\d+\.\d+")
_STYLE: Final = Style(label_font_size=17, major_label_font_size=17)
"""Leaves room for the letters of a phone, which the style sheet makes larger than others."""


@dataclass(frozen=True)
class Chart:
    """A chart and its numbers.

    Attributes
    ----------
    svg
        For a page that has our style sheet; it says in words what is to be seen.
    legend
        (name, classes of its mark) of what is drawn.
    columns, rows
        The numbers as text; the first column says where.
    x_title, y_title
        What the axes measure.
    """

    svg: Markup
    legend: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    x_title: str
    y_title: str


@dataclass(frozen=True)
class Line:
    """A line through points (x, y), and a band (x, low, high) where it is uncertain.

    A `dashed` line is there to compare with.
    """

    name: str
    points: Sequence[tuple[float, float]]
    colour: Colour = "first"
    band: Sequence[tuple[float, float, float]] = ()
    band_name: str = ""
    dashed: bool = False


@dataclass(frozen=True)
class Axis:
    """What an axis measures, how its numbers are written, its ends where they are given, and how far its marks are.

    In the table numbers are written `exactly`. Marks are round after `shift` is added.
    """

    title: str
    words: Words
    exactly: Words
    low: float | None = None
    high: float | None = None
    step: float | None = None
    shift: float = 0.0


def share_axis(title: str, shares: Iterable[float]) -> Axis:
    """Return an axis of shares, up to 100 %."""
    low = min(shares)
    step = _round_step(1.0 - low)
    digits = 0 if step > 0.0099 else 1 if step > 0.00099 else 2
    return Axis(title, partial(_percent, digits), partial(percent, digits=1), low, 1.0, step)


def _percent(digits: int, share: float) -> str:
    return f"{100 * share:.{digits}f}\u00a0%"


def count_axis(title: str, counts: Sequence[float]) -> Axis:
    """Return an axis of whole numbers from 0 on."""
    whole: Words = "{:,.0f}".format
    return Axis(title, whole, whole, low=0, step=max(1.0, _round_step(max(counts, default=1))))


def named_axis(title: str, names: Sequence[str]) -> Axis:
    """Return an axis whose marks, at 0, 1 and so on, have names."""

    def words(place: float) -> str:
        return names[round(place)]

    return Axis(title, words, words, low=0, high=len(names) - 1, step=1)


def time_axis(times: Sequence[float], zone: tzinfo = timezone.utc) -> Axis:
    """Return an axis of Unix times, written as they are in a time zone."""
    span = max(times) - min(times)
    step = next((step for step in _TIME_STEPS if span / step <= _TICKS), _TIME_STEPS[-1])
    day = "{0.day} {0:%b}" if span < 300 * _DAY else "{0:%b %Y}"
    words = "{0:%H:%M}" if span < _DAY else "{0.day} {0:%b %H:%M}" if step < _DAY else day
    exactly = "{0.day} {0:%b %Y, %H:%M}"
    ahead = datetime.fromtimestamp(min(times), zone).utcoffset()
    shift = ahead.total_seconds() if ahead else 0.0
    return Axis(f"time ({zone})", partial(_at, words, zone), partial(_at, exactly, zone), step=step, shift=shift)


def _at(words: str, zone: tzinfo, when: float) -> str:
    return words.format(datetime.fromtimestamp(when, zone))


_DAY: Final = 86400.0
_TIME_STEPS: Final = (
    *(60.0 * minutes for minutes in (1, 5, 15, 30, 60, 180, 360, 720)),
    *(_DAY * days for days in (1, 2, 3, 5, 10, 20, 30, 60, 90, 180, 365, 730, 1825)),
)


def line_chart(says: str, lines: Sequence[Line], x: Axis, y: Axis) -> Chart:
    """Draw lines with their bands.

    Parameters
    ----------
    says
        What the picture shows, for readers who cannot see it.

    Raises
    ------
    ValueError
        If there is no point at all.
    """
    places = [point[0] for line in lines for point in (*line.points, *line.band)]
    values = [value for line in lines for point in (*line.points, *line.band) for value in point[1:]]
    if not places:
        raise ValueError("There is no point to draw: say in words why not.")
    first, last = min(places), max(places)
    x_ticks = [tick for tick in _ticks(places, x) if first <= tick <= last] or [first]
    y_ticks = _ticks(values, y)
    chart = pygal.XY(
        **_options(x, y, x_ticks, y_ticks),
        xrange=(first, last if last > first else first + 1),
        range=(y_ticks[0], y_ticks[-1]),
        dots_size=3,
    )
    kinds = []
    for line in (line for line in lines if line.band):
        around = [(at, high) for at, _, high in line.band] + [(at, low) for at, low, _ in reversed(line.band)]
        chart.add(None, around, show_dots=False)
        kinds.append(f"band {line.colour}")
    for line in lines:
        chart.add(None, list(line.points), show_dots=not line.dashed and len(line.points) <= _MOST_DOTS)
        kinds.append(_mark_of(line))
    legend = [(line.name, _mark_of(line)) for line in lines]
    legend += [(line.band_name, f"band {line.colour}") for line in lines if line.band]
    columns, rows = _table(lines, x, y)
    return Chart(_drawn(chart, says, kinds), tuple(legend), columns, rows, x.title, y.title)


def _mark_of(line: Line) -> str:
    return f"line {line.colour}" + " dashed" * line.dashed


def histogram(says: str, edges: Sequence[float], parts: Sequence[tuple[str, Sequence[int]]], x: Axis, y: Axis) -> Chart:
    """Draw counts between edges as bars, their parts on top of each other.

    Parameters
    ----------
    says
        What the picture shows, for readers who cannot see it.
    edges
        B + 1 of them, increasing.
    parts
        One to three of (name, B counts), from the bottom.

    Raises
    ------
    ValueError
        If the numbers of edges and counts do not fit.
    """
    if any(len(counts) != len(edges) - 1 for _, counts in parts):
        raise ValueError(f"There are {len(edges)} edges: each part needs one count less than that.")
    spans = list(pairwise(edges))
    where = [f"{x.exactly(low)} to {x.exactly(high)}" for low, high in spans]
    heights = [
        [sum(column[: upto + 1]) for column in zip(*[counts for _, counts in parts], strict=True)]
        for upto in range(len(parts))
    ]
    x_ticks, y_ticks = _ticks(edges, x), _ticks(heights[-1], y)
    chart = pygal.Histogram(**_options(x, y, x_ticks, y_ticks), range=(0, y_ticks[-1]))
    colours: tuple[Colour, ...] = ("first", "second", "third")
    kinds = []
    for upto in reversed(range(len(parts))):  # the whole bar first, its lower parts over it
        name, counts = parts[upto]
        bars = [
            {"value": (height, *span), "formatter": partial(_said, f"{place}: {count:,} {name}")}
            for height, span, place, count in zip(heights[upto], spans, where, counts, strict=True)
            if count
        ]
        chart.add(None, bars)
        kinds.append(f"bar {colours[upto]}")
    rows = tuple((place, *[f"{counts[at]:,}" for _, counts in parts]) for at, place in enumerate(where))
    names = [name for name, _ in parts]
    legend = tuple((name, f"bar {colour}") for name, colour in zip(names, colours, strict=False))
    return Chart(_drawn(chart, says, kinds), legend, (x.title, *names), rows, x.title, y.title)


def _said(words: str, _value: Any) -> str:
    return words


def _table(lines: Sequence[Line], x: Axis, y: Axis) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return the columns, and a row for each x that a line has."""
    columns, cells = [x.title], []
    for line in lines:
        columns.append(line.name)
        cells.append({at: y.exactly(value) for at, value in line.points})
        if line.band:
            columns.append(line.band_name)
            cells.append({at: f"{y.exactly(low)} to {y.exactly(high)}" for at, low, high in line.band})
    places = sorted({at for column in cells for at in column})
    return tuple(columns), tuple((x.exactly(at), *[column.get(at, "") for column in cells]) for at in places)


def _ticks(values: Sequence[float], axis: Axis) -> list[float]:
    """Return a few round numbers that the values lie between."""
    low = (min(values) if axis.low is None else axis.low) + axis.shift
    high = (max(values) if axis.high is None else axis.high) + axis.shift
    step = axis.step or _round_step(high - low)
    first, last = math.floor(low / step + 1e-6), math.ceil(high / step - 1e-6)
    return [round(place * step - axis.shift, 9) for place in range(first, max(last, first + 1) + 1)]


def _round_step(span: float) -> float:
    """Return the round number that goes about five times into a span."""
    rough = max(span, 1e-6) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * times for times in (1, 2, 5, 10) if power * times > rough * 0.999)


def _options(x: Axis, y: Axis, x_ticks: Sequence[float], y_ticks: Sequence[float]) -> dict[str, Any]:
    return {
        "style": _STYLE,
        "js": [],
        "css": [],
        "no_prefix": True,
        "width": _WIDTH,
        "height": _HEIGHT,
        "margin": 2,
        "margin_right": 24,
        "margin_top": 10,
        "show_legend": False,
        "x_labels": [{"value": tick, "label": x.words(tick)} for tick in x_ticks],
        "y_labels": [{"value": tick, "label": y.words(tick)} for tick in y_ticks],
        "x_value_formatter": x.exactly,
        "value_formatter": y.exactly,
        "truncate_label": -1,
    }


def _drawn(chart: Any, says: str, kinds: Sequence[str]) -> Markup:
    """Return the geometry of a chart, its series named by what they are.

    pygal's own style sheet, script, random ids and today's date are left out.
    """
    drawn = chart.render_tree()
    svg = ElementTree.Element(
        "svg", {"class": "chart", "viewBox": f"0 0 {_WIDTH} {_HEIGHT}", "role": "img", "aria-label": says}
    )
    _copy(drawn, svg, {f"serie-{at}": kind for at, kind in enumerate(kinds)})
    return Markup(ElementTree.tostring(svg, encoding="unicode"))  # the text in it is escaped


_KEPT: Final = ("g", "path", "rect", "circle", "text")


def _copy(source: Any, target: ElementTree.Element, kinds: dict[str, str]) -> None:
    for node in source:
        tag = node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""  # a comment has none
        classes = (node.get("class") or "").split()
        if tag == "desc" and classes == ["value"]:
            ElementTree.SubElement(target, "title").text = node.text  # which browsers show under the pointer
        if tag not in _KEPT or "tooltip-overlay" in classes or "background" in classes:
            continue
        named = " ".join(kinds.get(name, name) for name in classes if name in _CLASSES or name in kinds)
        attributes = {name: _short(value) for name, value in node.attrib.items() if name in _ATTRIBUTES}
        copied = ElementTree.SubElement(target, tag, {**({"class": named} if named else {}), **attributes})
        copied.text = node.text
        _copy(node, copied, kinds)
        if tag == "g" and not len(copied):
            target.remove(copied)


_CLASSES: Final = ("axis", "x", "y", "guide", "dot", "rect", "line")
_ATTRIBUTES: Final = ("d", "x", "y", "width", "height", "cx", "cy", "r", "transform")


def _short(value: str) -> str:
    """Return the numbers in an attribute with a digit behind the point."""
    return _NUMBER.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), value)
