"""Tags whose answers can be scored: how each is read out of a result's value and written, and which classes it offers.

One class a tag. What a tag is to an annotator, and nothing of projects or scores.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from label_studio_crowd.studio.controls.elements import Element
from label_studio_crowd.studio.controls.labels import Path, as_label, as_path

RELATIONS: Final = "relations"
"""The tag of relations, the kind of its answers, and the name of a control that has none of its own."""
MOST_STARS: Final = 1000
"""A rating of more is no scale that people answer on."""


class Tag(ABC):
    """A tag, and the type of its results.

    Attributes
    ----------
    name
        The tag in lower case; results of it have this `type`.
    field
        The field of a result's value that holds the answer.
    example
        How a message names the tag, with what its answers have to be.
    """

    name: ClassVar[str]
    field: ClassVar[str]
    example: ClassVar[str]

    def why_not(self, element: Element) -> str | None:
        """Return why the element's answers cannot be scored, or None if they can."""
        return None

    @abstractmethod
    def kind(self, element: Element) -> str:
        """Return of which kind the element's answers are: a name in `label_studio_crowd.studio.controls.forms`."""


class ClassTag(Tag):
    """A tag whose answers are classes."""

    def kind(self, element: Element) -> str:
        """See `Tag`."""
        return "choice"

    @abstractmethod
    def offered(self, element: Element) -> Iterator[Path]:
        """Yield the paths of the classes that the config offers, in its order; a step may have ``$names``."""

    @abstractmethod
    def read(self, answer: Any) -> list[Path]:
        """Return the classes in `answer`, the `field` of a result's value; none in an empty one.

        Raises
        ------
        NoLabelError
            If something in it is no class.
        """

    @abstractmethod
    def write(self, path: Path, *, nested: bool = False) -> Any:
        """Return the answer that gives a class; `nested` where the control has a tree of classes."""


class Choices(ClassTag):
    """``<Choices>``: an answer is a list of choices; with allowNested, of paths."""

    name = field = "choices"
    example = "<Choices>"

    def kind(self, element: Element) -> str:
        """See `Tag`."""
        return "set" if element.get("choice").strip().lower() == "multiple" else "choice"

    def offered(self, element: Element) -> Iterator[Path]:
        """See `Tag`."""
        if element.says("allownested"):
            yield from _paths(element)
        else:
            yield from ((_choice(node),) for node in element.walk() if node.tag == "choice")

    def read(self, answer: Any) -> list[Path]:
        """See `Tag`."""
        return [as_path(choice) for choice in _listed(answer)]

    def write(self, path: Path, *, nested: bool = False) -> Any:
        """See `Tag`."""
        return [list(path)] if nested or len(path) > 1 else list(path)


class Taxonomy(ClassTag):
    """``<Taxonomy>``: an answer is a list of paths."""

    name = field = "taxonomy"
    example = "<Taxonomy>"

    def offered(self, element: Element) -> Iterator[Path]:
        """See `Tag`."""
        return _paths(element, leaves_only=element.says("leafsonly"))

    def read(self, answer: Any) -> list[Path]:
        """See `Tag`."""
        return [as_path(path) for path in _listed(answer)]

    def write(self, path: Path, *, nested: bool = False) -> Any:
        """See `Tag`."""
        return [list(path)]


class Rating(ClassTag):
    """``<Rating>``: an answer is a number of stars; none is no answer."""

    name = field = "rating"
    example = "<Rating>"

    def kind(self, element: Element) -> str:
        """See `Tag`."""
        return "ordered"

    def why_not(self, element: Element) -> str | None:
        """See `Tag`."""
        if self._stars(element) is not None:
            return None
        return f"maxRating is {element.get('maxrating')!r}: write a whole number from 1 to {MOST_STARS}"

    def offered(self, element: Element) -> Iterator[Path]:
        """See `Tag`."""
        return ((str(stars),) for stars in range(1, (self._stars(element) or 0) + 1))

    def read(self, answer: Any) -> list[Path]:
        """See `Tag`."""
        return [] if answer in (None, 0) and answer is not False else [(as_label(answer),)]

    def write(self, path: Path, *, nested: bool = False) -> Any:
        """See `Tag`."""
        stars = float(path[0])
        return int(stars) if stars.is_integer() else stars

    @staticmethod
    def _stars(element: Element) -> int | None:
        try:
            stars = float(element.get("maxrating", "5"))
        except ValueError:
            return None
        return int(stars) if math.isfinite(stars) and stars.is_integer() and 1 <= stars <= MOST_STARS else None


class Pairwise(ClassTag):
    """``<Pairwise>``: an answer is the side that was chosen."""

    name = "pairwise"
    field = "selected"
    example = "<Pairwise>"

    def offered(self, element: Element) -> Iterator[Path]:
        """See `Tag`."""
        yield from (("left",), ("right",))

    def read(self, answer: Any) -> list[Path]:
        """See `Tag`."""
        return [] if answer in (None, "", "none") else [(as_label(answer),)]

    def write(self, path: Path, *, nested: bool = False) -> Any:
        """See `Tag`."""
        return path[0]


@dataclass(frozen=True)
class PlainTag(Tag):
    """A tag whose answers are no classes.

    Attributes
    ----------
    form
        The form of its answers: a name in `label_studio_crowd.studio.controls.forms`.
    """

    name: str  # type: ignore[misc]
    field: str  # type: ignore[misc]
    example: str  # type: ignore[misc]
    form: str

    def kind(self, element: Element) -> str:
        """See `Tag`."""
        return self.form


_REGION_TAGS: Final = (
    "Labels", "HyperTextLabels", "ParagraphLabels", "TimeSeriesLabels", "TimelineLabels", "RectangleLabels",
    "EllipseLabels", "PolygonLabels", "KeyPointLabels", "BrushLabels", "BitmaskLabels", "OcrLabels", "Rectangle",
    "Ellipse", "Polygon", "KeyPoint", "Brush", "Bitmask",
)  # fmt: skip

CLASS_TAGS: Final[Mapping[str, ClassTag]] = {tag.name: tag for tag in (Choices(), Rating(), Pairwise(), Taxonomy())}
"""The tags whose answers are classes, by name."""

_PLAIN_TAGS: Final = (
    PlainTag("number", "number", "<Number>", "number"),
    PlainTag("datetime", "datetime", "<DateTime>", "moment"),
    PlainTag("textarea", "text", "<TextArea>", "text"),
    PlainTag("ranker", "ranker", "<Ranker>", "ranking"),
    PlainTag(RELATIONS, "labels", "<Relations>", RELATIONS),
    *(PlainTag(name.lower(), name.lower(), f"<{name}>", "regions") for name in _REGION_TAGS),
)

TAGS: Final[Mapping[str, Tag]] = {**CLASS_TAGS, **{tag.name: tag for tag in _PLAIN_TAGS}}
"""The tags that can be scored, by name."""

SCORED: Final = ", ".join(tag.example for tag in TAGS.values())
"""What can be scored, for a message."""


def _listed(answer: Any) -> list[Any]:
    """Return what an answer lists; nothing in it is no answer."""
    return [one for one in (answer if isinstance(answer, list) else [answer]) if one not in (None, "", [])]


def _choice(element: Element) -> str:
    return element.get("alias") or element.get("value")


def _paths(element: Element, above: Path = (), *, leaves_only: bool = False) -> Iterator[Path]:
    for choice in element.children:
        if choice.tag == "choice":
            path = (*above, _choice(choice))
            if not leaves_only or not any(inside.tag == "choice" for inside in choice.children):
                yield path
            yield from _paths(choice, path, leaves_only=leaves_only)
