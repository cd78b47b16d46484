"""The texts in which spans are marked: what stands at a place, and beside it, says what may be there. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any, Final

from crowdcore.kinds import Place, Region, Span, TextFeatures
from label_studio_crowd.studio.controls import PARAGRAPH, Control

Text = str | Mapping[int, str]
"""A text, or its pieces by where they begin."""

NO_TEXTS: Final[Mapping[int, Text]] = {}
LEAST_FITTING: Final = 0.9
"""Share of marked texts that stand where they are said to, below which the texts are not those that annotators saw."""
LEAST_TASKS: Final = 100
"""Tasks with two answers from which on texts are used. On names in texts, .02 to .05 is gained in F1 with two and three
answers to each of 100; with two to each of 20 and 50, .04 and .03 are lost."""
_HIDDEN: Final = frozenset({"script", "style", "title", "head"})
_TWO_PLACES: Final = re.compile("([\U00010000-\U0010ffff])")


def text_field(control: Control) -> tuple[str, str] | None:
    """Return the tag of the text that a control marks, and the data field that it shows; None if it marks none."""
    tag, field = control.fields[0] if control.fields else ("", "")
    return (tag, field) if control.form.kind == "regions" and tag in _READERS else None


def texts_of(control: Control, data: Mapping[int, Mapping[str, Any]]) -> dict[int, Text]:
    """Return the text of each task as its places count, as far as it is in the task's data.

    Parameters
    ----------
    data
        The tasks' data, by task.
    """
    found = text_field(control)
    if found is None:
        return {}
    tag, field = found
    texts = {task: _READERS[tag](_value(row, field)) for task, row in data.items()}
    return {task: text for task, text in texts.items() if text}


class MarkedTexts:
    """Features of spans, as far as the text of their task is at hand.

    Parameters
    ----------
    texts
        By task, from `texts_of`.
    """

    def __init__(self, texts: Mapping[int, Text]) -> None:
        self._texts, self._features = texts, TextFeatures(texts)

    def __call__(self, task: Any, place: Place) -> Mapping[str, float]:
        """Return the features of a span; none where there is no text, or the place is none of its characters."""
        if task not in self._texts or not isinstance(place, Span) or place.layer is not None:
            return {}
        return self._features(task, place)

    def fit(self, marks: Iterable[tuple[Any, Region, Mapping[str, Any]]]) -> bool:
        """Return whether marked texts stand where they are said to: (task, region, the item's value) each.

        Where no value has its text, nothing tells, and texts are not used.
        """
        said = [
            _bare(self._between(task, region.place)) == _bare(value["text"])
            for task, region, value in marks
            if task in self._texts and isinstance(value.get("text"), str) and isinstance(region.place, Span)
        ]
        return bool(said) and sum(said) >= LEAST_FITTING * len(said)

    def _between(self, task: Any, span: Span) -> str:
        text, start, end = self._texts[task], int(span.start), int(span.end)
        if isinstance(text, str):
            return text[start:end]
        return " ".join(piece[max(start - begin, 0) : max(end - begin, 0)] for begin, piece in text.items())


def _bare(text: str) -> str:
    return "".join(text.split())


def _value(row: Mapping[str, Any], field: str) -> Any:
    """Return a field of a task's data; ``a.b`` is b inside a."""
    if field in row:
        return row[field]
    found: Any = row
    for name in field.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _as_text(value: Any) -> Text:
    return _in_units(value) if isinstance(value, str) else ""


def _in_units(text: str) -> str:
    """Return a text in which a character has as many places as in a browser, where a smile has two."""
    return _TWO_PLACES.sub(r"\1 ", text)


class _Shown(HTMLParser):
    """Collects what a browser shows."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self._hidden += tag in _HIDDEN

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _HIDDEN and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)


def _as_html(value: Any) -> Text:
    if not isinstance(value, str):
        return ""
    shown = _Shown()
    shown.feed(value)
    shown.close()
    return _in_units("".join(shown.pieces))


def _as_paragraphs(value: Any) -> Text:
    if not isinstance(value, list):
        return ""
    said = [row.get("text") if isinstance(row, Mapping) else row for row in value]
    return {at * PARAGRAPH: _in_units(text) for at, text in enumerate(said) if isinstance(text, str)}


_READERS: Final = {"text": _as_text, "hypertext": _as_html, "paragraphs": _as_paragraphs}
