"""Scripted annotators who take the tasks that Label Studio serves, and whether it served the queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from examples.kinds_crowd import KindsCrowd
from examples.simulated_crowd import ExampleCrowd
from harness.accounts import Annotator
from harness.working import counting

__all__ = ["Pick", "Verdict", "label_in_turns", "verdict"]


@dataclass(frozen=True)
class Pick:
    """One task served to one annotator.

    Attributes
    ----------
    number
        The how-manieth pick of all, from 1.
    annotator
        Who was served.
    task
        What was served; None when Label Studio said that there are no tasks.
    position
        The task's place in the queue, from 1; None when it was not in the queue.
    expected
        The place of the task that should have come: the first that nobody had taken.
    label
        What the annotator answered; None when there was no task.
    """

    number: int
    annotator: str
    task: int | None
    position: int | None
    expected: int | None
    label: Any


@dataclass(frozen=True)
class Verdict:
    """What the picks show.

    Attributes
    ----------
    in_order
        Whether each pick was the first task of the queue that nobody had taken.
    distinct
        Whether no task went to two annotators.
    """

    in_order: bool
    distinct: bool


def label_in_turns(
    crowd: ExampleCrowd | KindsCrowd,
    project: int,
    queue: Sequence[int],
    people: Mapping[str, Annotator],
    answer: Callable[[str, int], Any],
    picks_each: int,
) -> list[Pick]:
    """Let annotators label in rounds: all of them open a task, then all of them submit.

    While a round is open every task in it is locked, so the next-task API has to pass over it.

    Parameters
    ----------
    crowd
        Whose labeling config the answers are for.
    project
        The project's number.
    queue
        Task ids in the order in which they should come.
    people
        Who labels, by name; nobody who has answers in this project yet.
    answer
        (name, task id) -> the label that this person gives.
    picks_each
        How many tasks each person takes.
    """
    place = {task: position for position, task in enumerate(queue, start=1)}
    picks: list[Pick] = []
    with counting("labelling", picks_each * len(people)) as advance:
        for _ in range(picks_each):
            opened: list[Pick] = []
            for name, person in people.items():
                served = person.next(project)
                task = int(served["id"]) if served else None
                taken = {pick.task for pick in (*picks, *opened)}
                expected = next((place[candidate] for candidate in queue if candidate not in taken), None)
                label = answer(name, task) if task is not None else None
                position = place.get(task) if task is not None else None
                opened.append(Pick(len(picks) + len(opened) + 1, name, task, position, expected, label))
            for pick in opened:
                if pick.task is not None:
                    people[pick.annotator].label(pick.task, crowd.result(pick.label), seconds=5.0)
                advance()
            picks += opened
    return picks


def verdict(picks: Sequence[Pick]) -> Verdict:
    """Say whether the queue was followed."""
    served = [pick.task for pick in picks if pick.task is not None]
    return Verdict(
        in_order=bool(picks) and all(pick.position is not None and pick.position == pick.expected for pick in picks),
        distinct=len(served) == len(set(served)),
    )
