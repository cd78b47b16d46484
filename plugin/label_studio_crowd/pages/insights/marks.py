"""What each annotator marked in a task, and missed, beside the consensus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from label_studio_crowd.pages.words import percent
from label_studio_crowd.scoring.region_table import RegionTable
from label_studio_crowd.scoring.snapshot import Snapshot

TINTS: Final = 8
"""Colours of labels."""

State = Literal["consensus", "same", "alone", "few", "missed", "label", "boundaries"]
STATES: Final[Mapping[State, str]] = {
    "alone": "nobody else",
    "few": "few others",
    "missed": "missed",
    "label": "other label",
    "boundaries": "boundaries",
}
"""What is odd, in a word or two."""


@dataclass(frozen=True)
class Mark:
    """A region.

    Attributes
    ----------
    item
        As Label Studio has it.
    label, tint
        What it is, "" where that is not said, and the number of its colour.
    state
        "consensus": it is the consensus'. "same": its unit and label are the consensus'. "missed": the consensus has
        it, and the annotator has not. Otherwise what is odd about it: see `ODDITIES`.
    note
        What is to be said of it in a few words, "" for nothing.
    """

    item: Mapping[str, Any]
    label: str
    tint: int
    state: State
    note: str


@dataclass(frozen=True)
class TaskMarks:
    """The regions of a task: the consensus', and those of each of its answers."""

    consensus: tuple[Mark, ...]
    of_members: tuple[tuple[Mark, ...], ...]


def marks_of(snapshot: Snapshot, table: RegionTable, row: int) -> TaskMarks:
    """Return the regions of a task (a row)."""
    crowd = snapshot.crowd
    first, last = int(crowd.indptr[row]), int(crowd.indptr[row + 1])
    place = {who: at for at, who in enumerate(crowd.annotator[first:last].tolist())}
    members: list[list[Mark]] = [[] for _ in place]
    consensus = []
    items: Sequence[Any] = snapshot.given[int(snapshot.consensus[row])] if snapshot.consensus[row] >= 0 else ()
    for unit in table.units_of(row):
        code = int(table.unit_label[unit])
        believed = None
        if 0 <= table.unit_item[unit] < len(items):
            believed = items[int(table.unit_item[unit])]
            chance = "" if snapshot.known[row] else percent(float(table.quality[unit]))
            consensus.append(Mark(believed, table.label(code), _tint(code), "consensus", chance))
        for mark in table.marks_of(unit):
            members[int(table.mark_answer[mark]) - first].append(_mark(snapshot, table, unit, mark))
        if believed is not None:
            missing = Mark(believed, table.label(code), _tint(code), "missed", STATES["missed"])
            for who in table.missed_by(unit):
                members[place[who]].append(missing)
    return TaskMarks(tuple(consensus), tuple(map(tuple, members)))


def _mark(snapshot: Snapshot, table: RegionTable, unit: int, mark: int) -> Mark:
    code, answer = int(table.mark_label[mark]), int(table.mark_answer[mark])
    items = snapshot.given[int(snapshot.answer_label[answer])]
    item = items[int(table.mark_item[mark])] if 0 <= table.mark_item[mark] < len(items) else {}
    state = state_of(table, unit, mark)
    note = STATES.get(state, "")
    if state == "label":
        note = f"not {table.label(int(table.unit_label[unit])) or 'labelled'}"
    if state == "boundaries":
        note = f"boundaries {percent(float(table.alike[mark]))}"
    return Mark(item, table.label(code), _tint(code), state, note)


def state_of(table: RegionTable, unit: int, mark: int) -> State:
    """Return how a mark stands to the consensus."""
    if table.answers[unit] < 2:
        return "same"
    if not table.kept[unit]:
        return "alone" if table.marked[unit] == 1 else "few"
    return "label" if table.differs[mark] else "boundaries" if table.is_far[mark] else "same"


def _tint(code: int) -> int:
    return max(code, 0) % TINTS


def in_words(marks: Sequence[Mark]) -> str:
    """Return in words how an answer differs from the consensus; "" where it does not."""
    number = Counter(mark.state for mark in marks)
    phrases = (
        ("missed", "misses {}"),
        ("alone", "marks {} that nobody else marked"),
        ("few", "marks {} that few others marked"),
        ("label", "gives {} another label"),
        ("boundaries", "has {} with boundaries far from the consensus"),
    )
    said = [words.format(_regions(number[state])) for state, words in phrases if number[state]]  # type: ignore[index]
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _regions(number: int) -> str:
    return f"{number} region{'s' * (number != 1)}"


def quote(item: Mapping[str, Any], longest: int = 80) -> str:
    """Return the text that an item marks, "" where it marks none."""
    value = item.get("value")
    text = " ".join(str(value.get("text") or "").split()) if isinstance(value, Mapping) else ""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
