"""What a project of an example asks: the answers to one control, how they are written, voted on and judged.

Each kind of answers has its plain majority, to which the consensus is compared, and the measure that is usual for it.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

__all__ = ["Box", "Boxes", "OneClass", "Question", "SetOfClasses", "Span", "Spans", "Stars", "overlap", "paired"]


@dataclass(frozen=True)
class Question(ABC):
    """One control of a project.

    Attributes
    ----------
    name
        The control's name.
    to_name
        The object tag that it belongs to.
    measure
        What `judge` returns, in words.
    """

    name: str
    to_name: str
    measure: ClassVar[str]

    @abstractmethod
    def write(self, answer: Any) -> list[dict[str, Any]]:
        """Return an answer as items of an annotation's result."""

    @abstractmethod
    def read(self, consensus: str, packed: str) -> Any:
        """Return what an export has: the consensus as people read it, and as Label Studio's JSON; "" is none."""

    @abstractmethod
    def show(self, answer: Any) -> str:
        """Return an answer for people."""

    @abstractmethod
    def vote(self, answers: Sequence[Any]) -> Any:
        """Return the plain majority of one or more answers to a task."""

    @abstractmethod
    def judge(self, found: Sequence[Any], truth: Sequence[Any]) -> float:
        """Return how answers compare with the truth of the same tasks."""

    def item(self, tag: str, value: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Return an item of a result."""
        return {"from_name": self.name, "to_name": self.to_name, "type": tag, "value": dict(value), **more}


class OneClass(Question):
    """One class of several: a label."""

    measure = "share right"

    def write(self, answer: str) -> list[dict[str, Any]]:
        """See `Question`."""
        return [self.item("choices", {"choices": [answer]})]

    def read(self, consensus: str, packed: str) -> str:
        """See `Question`."""
        return consensus

    def show(self, answer: str) -> str:
        """See `Question`."""
        return answer

    def vote(self, answers: Sequence[str]) -> str:
        """See `Question`; of tied labels the one that was given first."""
        return Counter(answers).most_common(1)[0][0]

    def judge(self, found: Sequence[str], truth: Sequence[str]) -> float:
        """See `Question`."""
        return float(np.mean([one == other for one, other in zip(found, truth, strict=True)]))


class Stars(Question):
    """A number of stars."""

    measure = "mean error"

    def write(self, answer: int) -> list[dict[str, Any]]:
        """See `Question`."""
        return [self.item("rating", {"rating": answer})]

    def read(self, consensus: str, packed: str) -> float:
        """See `Question`."""
        return float(consensus)

    def show(self, answer: float) -> str:
        """See `Question`."""
        return f"{answer:g}"

    def vote(self, answers: Sequence[int]) -> float:
        """See `Question`: the median; of two in the middle the lower one, as there are no halves of stars."""
        return float(sorted(answers)[(len(answers) - 1) // 2])

    def judge(self, found: Sequence[float], truth: Sequence[float]) -> float:
        """See `Question`: the mean absolute error."""
        return float(np.mean(np.abs(np.subtract(found, truth))))


class _Members(Question):
    """An answer of several members, each of which is right or wrong: a frozen set, judged by its F1."""

    measure = "F1"

    def vote(self, answers: Sequence[frozenset[Any]]) -> frozenset[Any]:
        """See `Question`: the members of more than half of the answers."""
        counts = Counter(member for answer in answers for member in answer)
        return frozenset(member for member, count in counts.items() if 2 * count > len(answers))

    def judge(self, found: Sequence[frozenset[Any]], truth: Sequence[frozenset[Any]]) -> float:
        """See `Question`: F1 of all members of all tasks."""
        hits = sum(self.hits(one, other) for one, other in zip(found, truth, strict=True))
        members = sum(map(len, found)) + sum(map(len, truth))
        return 2 * hits / members if members else 1.0

    def hits(self, found: frozenset[Any], truth: frozenset[Any]) -> int:
        """Return how many members are right."""
        return len(found & truth)


class SetOfClasses(_Members):
    """All labels that apply."""

    def write(self, answer: frozenset[str]) -> list[dict[str, Any]]:
        """See `Question`."""
        return [self.item("choices", {"choices": sorted(answer)})] if answer else []

    def read(self, consensus: str, packed: str) -> frozenset[str]:
        """See `Question`."""
        return frozenset(json.loads(packed))

    def show(self, answer: frozenset[str]) -> str:
        """See `Question`."""
        return ", ".join(sorted(answer)) or "(none)"


class Span(NamedTuple):
    """Characters `start` to `end` of a text, without the last; what they are, and what they say."""

    start: int
    end: int
    label: str
    text: str


@dataclass(frozen=True)
class Spans(_Members):
    """Spans of a text; one is right if both ends and the label are."""

    measure = "exact F1"

    def write(self, answer: frozenset[Span]) -> list[dict[str, Any]]:
        """See `Question`."""
        return [
            self.item("labels", {"start": start, "end": end, "text": text, "labels": [label]}, id=f"{label}{start}")
            for start, end, label, text in sorted(answer)
        ]

    def read(self, consensus: str, packed: str) -> frozenset[Span]:
        """See `Question`."""
        values = [item["value"] for item in json.loads(packed)]
        return frozenset(Span(value["start"], value["end"], value["labels"][0], value["text"]) for value in values)

    def show(self, answer: frozenset[Span]) -> str:
        """See `Question`."""
        return ", ".join(f"{span.label} “{span.text}”" for span in sorted(answer)) or "(nothing)"

    def vote(self, answers: Sequence[frozenset[Span]]) -> frozenset[Span]:
        """See `Question`: each character is what more than half say; neighbours that are the same are one span."""
        marks = [mark for answer in answers for mark in answer]
        text = {mark.start + at: letter for mark in marks for at, letter in enumerate(mark.text)}
        counts = Counter((at, mark.label) for mark in marks for at in range(mark.start, mark.end))
        spans: list[Span] = []
        for at, label in sorted(voted for voted, count in counts.items() if 2 * count > len(answers)):
            if spans and spans[-1][1:3] == (at, label):
                spans[-1] = spans[-1]._replace(end=at + 1, text=spans[-1].text + text[at])
            else:
                spans.append(Span(at, at + 1, label, text[at]))
        return frozenset(spans)


class Box(NamedTuple):
    """A box in a picture, in percent of its sides, and what is in it."""

    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True)
class Boxes(_Members):
    """Boxes in a picture; one is right if it has the label of a box and shares more than half of its area with it."""

    measure = "F1 at IoU 0.5"
    sides: tuple[int, int] = (100, 100)

    def write(self, answer: frozenset[Box]) -> list[dict[str, Any]]:
        """See `Question`."""
        width, height = self.sides
        size = {"original_width": width, "original_height": height, "image_rotation": 0}
        return [
            self.item(
                "rectanglelabels",
                {**dict(zip(Box._fields, box[:4], strict=False)), "rotation": 0, "rectanglelabels": [box.label]},
                id=f"box{number}",
                **size,
            )
            for number, box in enumerate(sorted(answer))
        ]

    def read(self, consensus: str, packed: str) -> frozenset[Box]:
        """See `Question`."""
        values = [item["value"] for item in json.loads(packed)]
        return frozenset(
            Box(value["x"], value["y"], value["width"], value["height"], value["rectanglelabels"][0])
            for value in values
        )

    def show(self, answer: frozenset[Box]) -> str:
        """See `Question`."""
        return ", ".join(f"{box.label} ({box.x:.0f}, {box.y:.0f})" for box in sorted(answer)) or "(nothing)"

    def vote(self, answers: Sequence[frozenset[Box]]) -> frozenset[Box]:
        """See `Question`: boxes of one label that overlap by half are one; its sides are the medians of theirs."""
        groups: list[dict[int, Box]] = []
        for who, answer in enumerate(answers):
            for box in sorted(answer):
                near = [(overlap(box, next(iter(group.values()))), group) for group in groups if who not in group]
                near = [pair for pair in near if pair[0] >= 0.5 and next(iter(pair[1].values())).label == box.label]
                if near:
                    max(near, key=lambda pair: pair[0])[1][who] = box
                else:
                    groups.append({who: box})
        return frozenset(_middle(list(group.values())) for group in groups if 2 * len(group) > len(answers))

    def hits(self, found: frozenset[Box], truth: frozenset[Box]) -> int:
        """See above; each box of the truth counts once."""
        return sum(one.label == other.label for one, other in paired(found, truth))


def overlap(one: Box, other: Box) -> float:
    """Return the intersection of two boxes over their union.

    Examples
    --------
    >>> overlap(Box(0, 0, 10, 10, "a"), Box(5, 0, 10, 10, "b"))
    0.3333333333333333
    """
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / (one.width * one.height + other.width * other.height - shared)


def paired(found: frozenset[Box], truth: frozenset[Box]) -> list[tuple[Box, Box]]:
    """Return pairs of boxes with an overlap of at least half, the largest first, each box in at most one."""
    near = sorted(((overlap(one, other), one, other) for one in found for other in truth), reverse=True)
    pairs: list[tuple[Box, Box]] = []
    for share, one, other in near:
        if share >= 0.5 and not any(one == first or other == second for first, second in pairs):
            pairs.append((one, other))
    return pairs


def _middle(boxes: Sequence[Box]) -> Box:
    x, y, right, bottom = np.median([(b.x, b.y, b.x + b.width, b.y + b.height) for b in boxes], axis=0).tolist()
    return Box(x, y, right - x, bottom - y, boxes[0].label)
