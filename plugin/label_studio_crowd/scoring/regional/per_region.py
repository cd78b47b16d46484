"""Answers about single regions: believed among those who marked them, of the regions that are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crowdcore.kinds.region import answers_about_units
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.kinds import KindBelief, known_of
from label_studio_crowd.scoring.regional.inner import Inner, believe_inner
from label_studio_crowd.scoring.regional.marked import Believed, MarkedRegions
from label_studio_crowd.scoring.regional.parts import Folded, Part, only, part_table
from label_studio_crowd.studio.controls import (
    Control,
    PerRegionForm,
    SaidOfRegions,
    about_region,
    described,
    inner_control,
    name_of,
    said_of_regions,
)


@dataclass(frozen=True)
class Region(Part):
    """A kept region.

    Attributes
    ----------
    item
        The item of the consensus that marks it.
    seen
        The annotators' codes of those who marked it, and so were asked about it.
    known
        What is known to be true of it, None if nothing is.
    is_true
        Whether the region itself is known to be there.
    """

    item: Mapping[str, Any]
    seen: frozenset[int]
    known: Any = None
    is_true: bool = False


def believe_per_region(answers: Answers, marked: MarkedRegions) -> tuple[Answers, KindBelief]:
    """Return the answers, with the consensus among their values, and what is believed of them."""
    control = answers.control
    code_of = {who: code for code, who in enumerate(answers.crowd.annotators.tolist())}
    said_by_control = _said_by_control(answers, marked)
    known = _known(answers, marked)
    regions: list[Region] = []
    said: dict[tuple[int, int], Any] = {}
    for which, believed in enumerate(marked.controls):
        table, units = answers_about_units(believed.found, said_by_control[which])
        for at, unit in enumerate(units.tolist()):
            seen = _asked(control, believed, unit)
            item = believed.item(unit)
            row = int(believed.found.units.task[unit])
            who = frozenset(code_of[one] for one in seen if one in code_of)
            for answer in range(table.indptr[at], table.indptr[at + 1]):
                said[len(regions), code_of[table.annotators[table.annotator[answer]]]] = table.values[answer]
            is_true = unit in believed.known
            regions.append(Region(row, described(item), item, who, known.get((which, unit)), is_true))
    return believe_regions(answers, regions, said)


def believe_regions(
    answers: Answers, regions: Sequence[Region], said: Mapping[tuple[int, int], Any]
) -> tuple[Answers, KindBelief]:
    """Return what is believed of what annotators say of regions.

    Parameters
    ----------
    said
        (Region, annotator's code) → the answer.
    """
    inner = inner_control(answers.control)
    table = part_table(regions, _with_empty_sets(inner, regions, said), answers.crowd.annotators)
    counted = np.array(
        [at for at, region in enumerate(regions) if _counts(region, int(table.num_answers[at]))], np.int64
    )
    believed = believe_inner(inner, only(table, counted), [regions[at].known for at in counted.tolist()])
    consensus = _consensus(answers, [regions[at] for at in counted.tolist()], believed)
    return Folded(answers, regions, table, counted, believed).belief(consensus)


def _with_empty_sets(
    inner: Control, regions: Sequence[Region], said: Mapping[tuple[int, int], Any]
) -> dict[tuple[int, int], Any]:
    """Return what is said, with what those said who chose nothing where nothing is an answer."""
    if inner.kind != "set" or inner.required:
        return dict(said)
    asked = ((at, who) for at, region in enumerate(regions) for who in sorted(region.seen))
    return {**said, **{key: frozenset() for key in asked if key not in said}}


def _counts(region: Region, answers: int) -> bool:
    """Return whether a region has a consensus: most who were asked about it said something."""
    return region.known is not None or (answers > 0 and 2 * answers >= len(region.seen))


def _consensus(answers: Answers, regions: Sequence[Region], believed: Inner) -> list[SaidOfRegions]:
    """Return the consensus of each task, of what is believed of regions, as it is written."""
    items: list[list[Mapping[str, Any]]] = [[] for _ in answers.crowd.tasks]
    names: list[dict[str, str]] = [{} for _ in answers.crowd.tasks]
    for region, answer, quality in zip(regions, believed.consensus, believed.quality.tolist(), strict=True):
        if answer is None or not region.item.get("id"):
            continue
        if not region.is_true:
            names[region.row][str(region.item["id"])] = name_of(region.item)
        own = answers.own.of_task.get(int(answers.crowd.tasks[region.row]), {}) if answers.own else {}
        written = about_region(answers.control, region.item, answer, own)
        items[region.row] += [{**item, "score": round(quality, 3)} for item in written]
    return list(map(said_of_regions, items, names))


def by_region(answers: Answers) -> Iterator[tuple[int, int, str, Any]]:
    """Yield what is said of each region: the task's row, the annotator's code, the region's name, the answer."""
    control, crowd = answers.control, answers.crowd
    form = control.form
    assert isinstance(form, PerRegionForm)
    read = [form.by_region(control, value) for value in answers.values]
    for row, who, code in zip(crowd.task.tolist(), crowd.annotator.tolist(), crowd.label.tolist(), strict=True):
        for region, answer in read[code].items():
            yield row, who, region, answer


def _said_by_control(answers: Answers, marked: MarkedRegions) -> list[list[tuple[Any, Any, int, Any]]]:
    """Return what is said of the regions of each control, as `answers_about_units` takes it."""
    found: list[list[tuple[Any, Any, int, Any]]] = [[] for _ in marked.controls]
    tasks, annotators = answers.crowd.tasks.tolist(), answers.crowd.annotators.tolist()
    for row, who, region, answer in by_region(answers):
        place = marked.place(tasks[row], annotators[who], region)
        if place is not None:
            found[place[0]].append((tasks[row], annotators[who], place[1], answer))
    return found


def _known(answers: Answers, marked: MarkedRegions) -> dict[tuple[int, int], Any]:
    """Return (control, unit) → what is known to be true of a region."""
    form, found = answers.control.form, {}
    assert isinstance(form, PerRegionForm)
    for row, truth in enumerate(known_of(answers)):
        for name, answer in form.by_region(answers.control, truth).items() if truth is not None else ():
            known = marked.known(row, name)
            if known is not None:
                found[known[0], known[2]] = answer
    return found


def _asked(control: Control, believed: Believed, unit: int) -> set[Any]:
    """Return those who marked a unit with a label of which the control asks."""
    found, members = believed.found, believed.found.members_of(unit)
    if control.region_labels:
        names = [found.labels[code] if code >= 0 else None for code in found.members.label[members].tolist()]
        members = members[np.isin(np.array(names, dtype=object), control.region_labels)]
    return set(found.answers.annotators[found.members.annotator[members]].tolist())
