"""Regions that are probably wrong: marked by one person alone, missed, called otherwise, or drawn elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

import numpy as np

from label_studio_crowd.pages.insights.drawing import Drawn, Outline, outline
from label_studio_crowd.pages.insights.figures import Page, People, Person, on_page
from label_studio_crowd.pages.insights.marks import quote
from label_studio_crowd.scoring.region_table import ODDITIES, Odd, Oddity, RegionTable
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.wording import percent

_EXAMPLES: Final = 12
_LIKELY: Final = 0.5


@dataclass(frozen=True)
class OddRegion:
    """A region with which something is odd.

    Attributes
    ----------
    task, place
        Its task, and its number among the regions that were marked there.
    why
        What is odd.
    label, quote
        What the consensus calls it, or else who marked it; "" where that is not said. The text that it marks, "" where
        it is on no text.
    people
        Who marked it alone, missed it, or marked it otherwise.
    chance
        Probability that there is something, with this label.
    sentence
        All of this in a sentence or two, without names.
    drawn
        The region on the task's picture; None where it is on none.
    """

    task: int
    place: int
    why: Oddity
    label: str
    quote: str
    people: tuple[Person, ...]
    chance: float
    sentence: str
    drawn: Drawn | None


@dataclass(frozen=True)
class OddNumber:
    """How many regions of a project are odd in some way."""

    why: Oddity
    number: int


def odd_regions(
    snapshot: Snapshot, people: People, number: int = 1, size: int = 25, *, why: Oddity | None = None
) -> Page[OddRegion] | None:
    """Return a page of the regions with which something is odd, the surest first; None where answers are no regions.

    Parameters
    ----------
    why
        Only those that are odd in this way.
    """
    table = snapshot.regions
    if table is None:
        return None
    found = table.odd
    there = _likely(found) if why is None else np.flatnonzero(found.why == ODDITIES.index(why))
    which = on_page(len(there), number, size)
    rows = _spelled_out(snapshot, people, table, found, there[which].tolist())
    return Page(tuple(rows), len(there), which.start // size + 1, size)


def odd_numbers(snapshot: Snapshot) -> tuple[OddNumber, ...]:
    """Return how many regions are probably wrong in each way; () where answers are no regions."""
    table = snapshot.regions
    if table is None:
        return ()
    found = table.odd
    numbers = np.bincount(found.why[_likely(found)], minlength=len(ODDITIES)).tolist()
    return tuple(OddNumber(why, count) for why, count in zip(ODDITIES, numbers, strict=True) if count)


def odd_regions_of(snapshot: Snapshot, people: People, annotator: int) -> tuple[OddRegion, ...]:
    """Return some regions with which something is odd in an annotator's (a row's) answers, of each way in turn."""
    table = snapshot.regions
    if table is None:
        return ()
    found = table.odd_of(annotator)
    likely = _likely(found)
    ways = [likely[found.why[likely] == way].tolist() for way in range(len(ODDITIES))]
    mixed = [at for several in zip_longest(*ways) for at in several if at is not None][:_EXAMPLES]
    return tuple(_spelled_out(snapshot, people, table, found, mixed, only=annotator))


def _likely(found: Odd) -> Any:
    """Return those that are more probably wrong than right; boundaries that are far are a fact."""
    is_boundary = found.why == ODDITIES.index("boundaries")
    return np.flatnonzero((found.surety > _LIKELY) | (is_boundary & (found.surety > _LIKELY / 2)))


def _spelled_out(
    snapshot: Snapshot, people: People, table: RegionTable, found: Odd, which: Iterable[int], only: int | None = None
) -> Iterable[OddRegion]:
    for at in which:
        yield _odd(snapshot, people, table, ODDITIES[int(found.why[at])], int(found.unit[at]), only)


def _odd(snapshot: Snapshot, people: People, table: RegionTable, why: Oddity, unit: int, only: int | None) -> OddRegion:
    row, marks = int(table.unit_task[unit]), table.marks_of(unit)
    if why == "missed":
        theirs, who = [], [one for one in table.missed_by(unit) if _is_about(table, one, only)]
    else:
        odd = {"label": table.differs, "boundaries": table.is_far}.get(why, np.ones(len(table.mark_unit), np.bool_))
        theirs = [mark for mark in marks if odd[mark] and _is_about(table, int(table.mark_annotator[mark]), only)]
        who = table.mark_annotator[theirs].tolist()
    believed = _item(snapshot, int(snapshot.consensus[row]), int(table.unit_item[unit]))
    items = [
        _item(snapshot, int(snapshot.answer_label[table.mark_answer[mark]]), int(table.mark_item[mark]))
        for mark in theirs
    ]
    shown = believed or (items[0] if items else {})
    said = sorted({table.label(int(table.mark_label[mark])) for mark in theirs})
    label = table.label(int(table.unit_label[unit]))
    return OddRegion(
        task=int(snapshot.tasks[row]),
        place=unit - table.units_of(row).start,
        why=why,
        label=label,
        quote=quote(shown),
        people=tuple(people.everybody[one] for one in who),
        chance=float(table.exists[unit] if why in ("alone", "few") else table.quality[unit]),
        sentence=_sentence(table, why, unit, said, [quote(item) for item in items], theirs),
        drawn=_drawn(believed, items),
    )


def _is_about(table: RegionTable, annotator: int, only: int | None) -> bool:
    """Return whether an oddity of this annotator is to be shown: of one, or of all people."""
    return annotator == only if only is not None else not table.is_model[annotator]


def _sentence(table: RegionTable, why: Oddity, unit: int, said: list[str], quotes: list[str], theirs: list[int]) -> str:
    marked, answers = int(table.marked[unit]), int(table.answers[unit])
    here = f"{marked} of {answers} marked it"
    if why in ("alone", "few"):
        return f"{here}. Something is there with a probability of {percent(float(table.exists[unit]))}."
    sure = f" with a probability of {percent(float(table.quality[unit]))}"
    if why == "missed":
        return f"{here}, and it is there{sure}."
    if why == "label":
        other = " or ".join(f"“{label}”" if label else "without a label" for label in said)
        return f"It is “{table.label(int(table.unit_label[unit]))}”{sure}, and {other} here."
    far = ", ".join(f"{percent(float(table.alike[mark]))}" for mark in theirs)
    texts = f": “{'”, “'.join(quotes)}” here" if any(quotes) else ""
    return f"The boundaries agree with the consensus by {far}{texts}."


def _item(snapshot: Snapshot, code: int, item: int) -> Mapping[str, Any]:
    items = snapshot.given[code] if code >= 0 else ()
    found: Mapping[str, Any] = items[item] if 0 <= item < len(items) else {}
    return found


def _drawn(believed: Mapping[str, Any], items: Iterable[Mapping[str, Any]]) -> Drawn | None:
    consensus, marks = (tuple(_outlined(some)) for some in ([believed] if believed else [], items))
    return Drawn(consensus, marks) if consensus or marks else None


def _outlined(items: Iterable[Mapping[str, Any]]) -> Iterable[Outline]:
    return (found for found in map(outline, items) if found is not None)
