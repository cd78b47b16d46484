"""Regions that two controls share: one has their places, such as ``<Rectangle>``, the other their labels."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.kinds import KINDS, KindBelief, as_belief
from label_studio_crowd.scoring.regional.marked import Believed, MarkedRegions, Unit
from label_studio_crowd.studio.controls import at_the_place_of, place_name, regions_of


def with_shared_ids(
    raw: Sequence[Answers], regions: Sequence[tuple[Answers, KindBelief]]
) -> list[tuple[Answers, KindBelief]]:
    """Return what is believed of controls that mark regions; regions that annotators share have one id and one place.

    A region of the consensus that most of its annotators marked with another control, too, has the id and the place of
    the other control's region of the consensus. The control with most regions keeps its own.

    Parameters
    ----------
    raw, regions
        The answers to each control without and with their consensus, and what is believed of them.
    """
    marked = MarkedRegions([Believed.of(*one) for one in regions])
    found = list(regions)
    for which in marked.by_size()[1:]:
        twins = _twins(marked, which)
        if twins:
            found[which] = _renamed(raw[which], regions[which][1], marked, which, twins)
    return found


def _twins(marked: MarkedRegions, which: int) -> dict[int, Unit]:
    """Return the kept unit of another control that most members of a kept unit are of, too; by unit."""
    control = marked.controls[which]
    places = marked.places_by(place_name)
    others: dict[int, Counter[Unit]] = defaultdict(Counter)
    sizes: Counter[int] = Counter()
    for task, annotator, number, item in control.marks():
        unit = control.unit_of(task, annotator, number)
        sizes[unit] += 1
        other, place = places[task, annotator, place_name(item)]
        if other != which:
            others[unit][other, marked.controls[other].unit_of(task, annotator, place)] += 1
    twins = {unit: counts.most_common(1)[0] for unit, counts in others.items() if control.found.units.kept[unit]}
    return {
        unit: twin
        for unit, (twin, count) in twins.items()
        if 2 * count > sizes[unit] and marked.controls[twin[0]].found.units.kept[twin[1]]
    }


def _renamed(
    raw: Answers, belief: KindBelief, marked: MarkedRegions, which: int, twins: Mapping[int, Unit]
) -> tuple[Answers, KindBelief]:
    """Return what is believed with the twins' ids and places."""
    control = marked.controls[which]
    changed: dict[int, list[Mapping[str, Any]]] = {}
    for unit, (other, twin) in twins.items():
        row = int(control.found.units.task[unit])
        if not control.found.known[row]:
            items = changed.setdefault(row, list(control.answers.written[row].items))
            place = int((control.found.kept_units(row) < unit).sum())
            items[place] = at_the_place_of(items[place], marked.controls[other].item(twin))
    written = [
        _with_ids(regions_of(raw.control, changed[row])) if row in changed else answer
        for row, answer in enumerate(control.answers.written)
    ]
    return as_belief(
        raw,
        belief.found,
        written,
        interval=belief.quality_interval,
        told=belief.told,
        distance=belief.distance,
        compared=belief.compared,
        details=partial(KINDS[raw.control.form.kind].details, belief.found, consensus=written),
    )


def _with_ids(answer: Any) -> Any:
    """Return regions that differ from others in the same places with other ids: they go with other labels."""
    return replace(answer, key=answer.key + "".join(str(item["id"]) for item in answer.items))
