"""What a project's tasks are, by their consensus: with their data, and as Label Studio keeps results. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson

from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.studio.controls import RELATION, Control

UNSAID: Final = "without a consensus"
UNSETTLED: Final = "not settled"
UNSURE: Final = "of a lower quality"
UNOFFERED: Final = "with a label that the labeling config does not offer"
UNREAD: Final = "whose data is not here"


@dataclass(frozen=True)
class Wanted:
    """Which tasks are wanted.

    Attributes
    ----------
    min_quality
        Only tasks whose consensus has this quality, by all controls.
    settled
        Only tasks that need no more labels.
    """

    min_quality: float = 0.0
    settled: bool = False


EVERYTHING: Final = Wanted()


@dataclass(frozen=True)
class AgreedTask:
    """A task and its consensus.

    Attributes
    ----------
    task, data
        Its id in Label Studio, and its data.
    quality
        The least of its controls' qualities.
    result
        The consensus as Label Studio keeps results, of all controls, each item with an id of its own.
    """

    task: int
    data: Mapping[str, Any]
    quality: float
    result: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Agreed:
    """The tasks that are wanted and have a consensus, by id, and how many are left out, by the reason why."""

    tasks: tuple[AgreedTask, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)

    def about_left_out(self) -> str:
        """Return, in words, what is left out; "" where that is nothing."""
        return ", ".join(f"{count:,} {why}" for why, count in self.left_out.items())


def agreed(
    snapshot: Snapshot,
    data: Mapping[int, Mapping[str, Any]],
    wanted: Wanted = EVERYTHING,
    controls: Sequence[str] = (),
) -> Agreed:
    """Return the consensus of a project's tasks.

    Parameters
    ----------
    snapshot
        What the last run believed, of the project's first control.
    data
        The tasks' data, by the task.
    wanted
        Which tasks are wanted.
    controls
        The names of the controls that are wanted; empty: all that were scored.
    """
    parts = [
        (part, part.scored_control())
        for part in (snapshot, *snapshot.others)
        if not controls or part.control in controls
    ]
    tasks, left_out = [], Counter[str]()
    for row, task in enumerate(snapshot.tasks.tolist()):
        found = _task(parts, row, task, data, wanted)
        if isinstance(found, str):
            left_out[found] += 1
        else:
            tasks.append(found)
    return Agreed(tuple(tasks), dict(left_out))


def _task(
    parts: Sequence[tuple[Snapshot, Control]],
    row: int,
    task: int,
    data: Mapping[int, Mapping[str, Any]],
    wanted: Wanted,
) -> AgreedTask | str:
    """Return a task, or why it is left out."""
    said = [(part, control) for part, control in parts if _has_consensus(part, row)]
    if not said:
        return UNSAID
    if wanted.settled and not said[0][0].settled_by[row]:
        return UNSETTLED
    quality = min(float(part.quality[row]) for part, _ in said)
    if quality < wanted.min_quality:
        return UNSURE
    if task not in data:
        return UNREAD
    given = [_items(part, control, row, data[task]) for part, control in said]
    if all(items is None for items in given):
        return UNOFFERED
    result = [item for items in given for item in items or ()]
    return AgreedTask(task, data[task], float(np.clip(quality, 0, 1)), tuple(_with_ids(task, result)))


def _has_consensus(part: Snapshot, row: int) -> bool:
    left_out = bool(len(part.left_out)) and bool(part.left_out[row])
    return bool(part.said[row]) and not left_out


def _items(part: Snapshot, control: Control, row: int, data: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the consensus of a task by a control; None where the labeling config does not offer it."""
    answer = part.answer(row, control)
    own = control.choices_of(data) if control.has_own else {}
    offered = {*control.classes, *own}
    if control.is_class and offered and answer not in offered:
        return None
    return control.write(answer, own)


def _with_ids(task: int, result: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the items of a result with ids, always the same ones: what is written twice is the same."""
    for item in result:
        if item.get("type") == RELATION:
            yield dict(item)  # it has the ids of its regions
            continue
        about = orjson.dumps([task, item.get("from_name")], option=orjson.OPT_SORT_KEYS)
        yield {"id": hashlib.sha256(about).hexdigest()[:10], **item}
