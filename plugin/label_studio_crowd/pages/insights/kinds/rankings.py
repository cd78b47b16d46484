"""Rankings side by side: where each annotator put an item otherwise, and the pairs that they order wrongly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, Final

from label_studio_crowd.pages.insights.kinds.naming import some
from label_studio_crowd.scoring.snapshot import Snapshot

_MOST_ITEMS: Final = 100
"""Items of a ranking that are compared and shown."""
_MOST_PAIRS: Final = 200_000
_ROWS: Final = 12
_NAMED: Final = 3

Places = dict[str, tuple[str, int]]
"""Item → its bucket, and its place there from 1."""


@dataclass(frozen=True)
class Item:
    """An item of a ranking, and how many places higher it stands than in the consensus; None: not there."""

    text: str
    higher: int | None


@dataclass(frozen=True)
class Bucket:
    """A list of items, the best first; its name is "" where there is only one."""

    name: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class RankingsView:
    """Rankings of a task: the consensus', and each annotator's; items beyond the first 100 are left out."""

    name: ClassVar[str] = "rankings"

    consensus: tuple[Bucket, ...]
    of_members: tuple[tuple[Bucket, ...], ...]
    cut: int


@dataclass(frozen=True)
class WrongPair:
    """Two items that an annotator orders otherwise than the consensus, in how many of the tasks that have both."""

    first: str
    second: str
    number: int
    of: int


@dataclass(frozen=True)
class RankingsHabits:
    """How an annotator's rankings differ from the consensus, on tasks where others have a say, too.

    Attributes
    ----------
    wrong, pairs
        How many of how many pairs of items are in the other order.
    rows
        The pairs that are most often so.
    """

    name: ClassVar[str] = "rankings"

    wrong: int
    pairs: int
    rows: tuple[WrongPair, ...]


def view(snapshot: Snapshot, row: int, data: Any) -> RankingsView:
    """Return the rankings of a task (a row)."""
    crowd = snapshot.crowd
    codes = crowd.label[crowd.indptr[row] : crowd.indptr[row + 1]].tolist()
    code = int(snapshot.consensus[row])
    believed = places(snapshot, code)
    longest = max(
        (len(held) for one in [*codes, *([code] if code >= 0 else [])] for _, held in snapshot.given[one]), default=0
    )
    return RankingsView(
        consensus=_buckets(snapshot, code, believed),
        of_members=tuple(_buckets(snapshot, one, believed) for one in codes),
        cut=_MOST_ITEMS if longest > _MOST_ITEMS else 0,
    )


def _buckets(snapshot: Snapshot, code: int, believed: Places) -> tuple[Bucket, ...]:
    given = snapshot.given[code] if code >= 0 else []
    return tuple(
        Bucket(
            str(name) if len(given) > 1 else "",
            tuple(Item(item, _higher(believed.get(item), name, at)) for at, item in enumerate(held[:_MOST_ITEMS], 1)),
        )
        for name, held in given
    )


def _higher(there: tuple[str, int] | None, bucket: str, at: int) -> int | None:
    return there[1] - at if there is not None and there[0] == bucket else None


def places(snapshot: Snapshot, code: int) -> Places:
    """Return where the items of an answer are."""
    given = snapshot.given[code] if code >= 0 else []
    return {item: (name, at) for name, held in given for at, item in enumerate(held[:_MOST_ITEMS], 1)}


def pairs(believed: Places, theirs: Places) -> Iterator[tuple[str, str, bool]]:
    """Yield pairs of items that both order in one bucket: the first is better by them; whether the consensus agrees."""
    both = sorted((bucket, at, item) for item, (bucket, at) in theirs.items() if believed.get(item, ("",))[0] == bucket)
    for (bucket, _, one), (same, _, other) in combinations(both, 2):
        if bucket == same:
            yield one, other, believed[one][1] < believed[other][1]


def why(snapshot: Snapshot, answer: int) -> str:
    """Return in words how an answer differs from the consensus."""
    crowd = snapshot.crowd
    believed = places(snapshot, int(snapshot.consensus[crowd.task[answer]]))
    theirs = places(snapshot, int(crowd.label[answer]))
    found = list(pairs(believed, theirs))
    wrong = [f"{one} before {other}" for one, other, agrees in found if not agrees]
    moved = [item for item, (bucket, _) in theirs.items() if item in believed and believed[item][0] != bucket]
    said = [f"{len(wrong)} of {len(found)} pairs are in the other order: {some(wrong, _NAMED)}."] if wrong else []
    said += [f"In another list: {some(moved, _NAMED)}."] if moved else []
    missing = [item for item in believed if item not in theirs]
    said += [f"Left out: {some(missing, _NAMED)}."] if missing else []
    return " ".join(said)


def habits(snapshot: Snapshot, annotator: int) -> RankingsHabits | None:
    """Return how an annotator's (a row's) rankings differ; None where nobody else has a say on their tasks."""
    crowd, theirs = snapshot.crowd, snapshot.answers_of(annotator)
    theirs = theirs[snapshot.judged[crowd.task[theirs]]]
    if not len(theirs):
        return None
    seen: Counter[tuple[str, str]] = Counter()
    wrong: Counter[tuple[str, str]] = Counter()
    for answer in theirs[::-1].tolist():
        believed = places(snapshot, int(snapshot.consensus[crowd.task[answer]]))
        for one, other, agrees in pairs(believed, places(snapshot, int(crowd.label[answer]))):
            seen[min(one, other), max(one, other)] += 1
            wrong[one, other] += not agrees
        if seen.total() > _MOST_PAIRS:
            break
    often = sorted(((number, pair) for pair, number in wrong.items() if number), key=lambda row: (-row[0], row[1]))
    rows = tuple(
        WrongPair(one, other, number, seen[min(one, other), max(one, other)]) for number, (one, other) in often[:_ROWS]
    )
    return RankingsHabits(wrong.total(), seen.total(), rows)
