"""What is marked in each task, by the controls that mark regions in one and the same object. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from label_studio_crowd.errors import UserError
from label_studio_crowd.files.agreed import EVERYTHING, Agreed, Wanted, agreed
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.studio.controls import Control, labels_offered
from label_studio_crowd.studio.controls.variables import lookup

Medium = Literal["image", "text"]
"""What regions are in: the tag of the object, in lower case."""

_IN_WORDS: Final[Mapping[Medium, str]] = {"image": "a picture", "text": "a text"}


@dataclass(frozen=True)
class MarkedTask:
    """A task and its regions.

    Attributes
    ----------
    task
        Its id in Label Studio.
    source
        The text, or the picture's address.
    result
        The regions of the consensus, as Label Studio keeps results.
    """

    task: int
    source: str
    result: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Marked:
    """What is marked in the tasks of a project.

    Attributes
    ----------
    tasks
        The tasks that have a consensus.
    labels
        Label → the attributes that the labeling config gives it, in the config's order.
    left_out
        In words, what is not among the tasks.
    """

    tasks: tuple[MarkedTask, ...]
    labels: Mapping[str, Mapping[str, str]]
    left_out: tuple[str, ...]


def marked(
    snapshot: Snapshot,
    data: Mapping[int, Mapping[str, Any]],
    medium: Medium,
    wanted: Wanted = EVERYTHING,
    control: str | None = None,
) -> Marked:
    """Return what is marked in the tasks of a project.

    Parameters
    ----------
    snapshot
        What the last run believed, of the project's first control.
    data
        The tasks' data, by the task.
    medium
        What the regions have to be in.
    wanted
        Which tasks are wanted.
    control
        The control that is wanted; by default all that mark the object of the first of them.

    Raises
    ------
    UserError
        If no control marks regions in such an object.
    """
    controls = _controls(snapshot, medium, control)
    chosen = [one for one in controls if one.fields[0] == controls[0].fields[0]]
    found = agreed(snapshot, data, wanted, [one.name for one in chosen])
    field = chosen[0].fields[0][1]
    tasks = tuple(
        MarkedTask(task.task, source, task.result)
        for task in found.tasks
        if isinstance(source := lookup(task.data, field), str) and source
    )
    labels: dict[str, Mapping[str, str]] = {}
    for one in chosen:
        labels |= labels_offered(snapshot.label_config, one.name)
    aside = [one.name for one in controls if one not in chosen]
    return Marked(tasks, labels, tuple(_left_out(found, len(found.tasks) - len(tasks), field, aside)))


def _controls(snapshot: Snapshot, medium: Medium, name: str | None) -> list[Control]:
    """Return the controls that mark regions in such an object; that of a name, if it is given."""
    parts = [part.scored_control() for part in (snapshot, *snapshot.others)]
    found = [one for one in parts if one.kind == "regions" and one.fields[:1] and one.fields[0][0] == medium]
    chosen = [one for one in found if name in (None, one.name)]
    if not chosen:
        fitting = ", ".join(repr(one.name) for one in found)
        scored = ", ".join(f"{one.name!r} ({one.tag})" for one in parts)
        wanted = f"the control {name!r}" if name else "no control that was scored"
        raise UserError(
            f"This format needs regions in {_IN_WORDS[medium]}, and {wanted} marks "
            + ("none. " if name else "any. ")
            + (f"Choose one of {fitting} with --control." if fitting else f"Scored: {scored}.")
        )
    return chosen


def _left_out(found: Agreed, without: int, field: str, aside: Sequence[str]) -> Iterator[str]:
    yield from (f"{count:,} tasks {why}" for why, count in found.left_out.items())
    if without:
        yield f"{without:,} tasks whose data has nothing, or a list, in {field!r}"
    yield from (f"what {name!r} marks, which is in another object (--control {name})" for name in aside)
