"""The regions that annotators marked, found by their names: what Label Studio calls them differs in each result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from crowdcore.kinds import RegionResult
from crowdcore.kinds.region.about_units import UnitsOfRegions
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.kinds import KindBelief, of_sort, usual_sort
from label_studio_crowd.studio.controls import name_of

Item = Mapping[str, Any]
Place = tuple[int, int]
"""The place of a control, and of a region in an annotator's answer."""
Unit = tuple[int, int]
"""The place of a control, and a unit of its regions."""


@dataclass(frozen=True)
class Believed:
    """The regions of a control, and what is believed of them.

    Attributes
    ----------
    answers
        With the consensus of each task as it is written.
    found
        What crowdcore found; its answers are those of the results.
    """

    answers: Answers
    found: RegionResult

    @classmethod
    def of(cls, answers: Answers, belief: KindBelief) -> Believed:
        """Return what is believed of a control that marks regions."""
        assert isinstance(belief.found, RegionResult)
        return cls(answers, belief.found)

    @cached_property
    def sort(self) -> str:
        """What sort of regions are matched."""
        return usual_sort(self.found.answers)

    @cached_property
    def unit_of(self) -> UnitsOfRegions:
        """Finds the unit of an annotator's region."""
        return UnitsOfRegions(self.found)

    def marks(self) -> Iterator[tuple[Any, Any, int, Item]]:
        """Yield each region of an answer: its task, its annotator, its place in the answer, its item."""
        members, table = self.found.members, self.found.answers
        there = set(zip(members.answer.tolist(), members.region.tolist(), strict=True))
        tasks, annotators = table.tasks[table.task].tolist(), table.annotators[table.annotator].tolist()
        for answer, value in enumerate(table.values):
            for number, region in enumerate(of_sort(value, self.sort)):
                if (answer, number) in there:  # it does not repeat another one
                    yield tasks[answer], annotators[answer], number, value.items[region.meta]

    def item(self, unit: int) -> Item:
        """Return a kept unit as an item of its task's consensus."""
        if unit in self.known:
            return self.known[unit]
        row = int(self.found.units.task[unit])
        place = int(np.searchsorted(self.found.kept_units(row), unit))
        item: Item = self.answers.written[row].items[place]
        return item

    @cached_property
    def known(self) -> dict[int, Item]:
        """The items of the regions that are known to be there, by unit."""
        written = self.answers.written
        return {
            unit: written[row].items[of_sort(written[row], self.sort)[number].meta]
            for row, number, unit in self.found.known_regions.tolist()
        }

    @cached_property
    def known_places(self) -> dict[tuple[int, str], tuple[int, int]]:
        """(Row of the task, name) → place among the known regions, and unit, of those that are kept."""
        return {
            (row, name_of(self.known[unit])): (number, unit)
            for row, number, unit in self.found.known_regions.tolist()
            if self.found.units.kept[unit]
        }


@dataclass(frozen=True)
class MarkedRegions:
    """The regions of several controls.

    Attributes
    ----------
    controls
        What is believed of each.
    """

    controls: Sequence[Believed]

    def place(self, task: Any, annotator: Any, name: str) -> Place | None:
        """Return where the region of a name is; None if there is none."""
        return self._places.get((task, annotator, name))

    @cached_property
    def _places(self) -> dict[tuple[Any, Any, str], Place]:
        return self.places_by(name_of)

    def places_by(self, name: Callable[[Item], str]) -> dict[tuple[Any, Any, str], Place]:
        """Return (task, annotator, name) → region; of two of the same name that of the larger control."""
        found: dict[tuple[Any, Any, str], Place] = {}
        for which in self.by_size():
            for task, annotator, number, item in self.controls[which].marks():
                found.setdefault((task, annotator, name(item)), (which, number))
        return found

    def by_size(self) -> list[int]:
        """Return the places of the controls, the one with most marked regions first."""
        return sorted(range(len(self.controls)), key=lambda at: -len(self.controls[at].found.members.unit))

    def known(self, row: int, name: str) -> tuple[int, int, int] | None:
        """Return the control, the place among its known regions, and the unit of a known region of a name."""
        for which, control in enumerate(self.controls):
            if (row, name) in control.known_places:
                return (which, *control.known_places[row, name])
        return None
