"""Annotations that only repeat what we wrote: our consensus must not come back as evidence for itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from label_studio_crowd.exchange.author import known_author
from label_studio_crowd.project import ScoredProject
from label_studio_crowd.store.facts import PlainFact
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.studio.controls import Control, SeveralLabelsError


@dataclass(frozen=True)
class Repeated(PlainFact):
    """The annotations that were made from our consensus, with what they say (JSON).

    It outlives the predictions: Label Studio forgets what an annotation was made from when that is deleted.
    """

    fact = "repeated"

    by_id: dict[int, str]


def repeats_of_ours(project: ScoredProject, annotations: Iterable[Annotation]) -> frozenset[int]:
    """Return the annotations that were made from predictions of ours and say the same; remember them.

    An annotator who was shown the consensus and changed it has given an answer. Those who confirm it have, too, where
    the project shows it to all annotators on purpose; but what was made without a person has not: it took no time.
    What `write-annotations` wrote never is an answer, even if somebody has changed it since: nobody knows who.
    """
    annotations, author = list(annotations), known_author(project.store.facts)
    known = project.store.facts.read(Repeated)
    before = known.by_id if known else {}
    shown = {row.id: row.result for row in project.store.published.predictions() if row.result}
    now: dict[int, str] = {}
    for annotation in annotations:
        if annotation.id in before:
            repeats = before[annotation.id] == annotation.result
        elif annotation.parent_prediction in shown:
            ours = shown[annotation.parent_prediction]
            repeats = annotation.lead_time is None or all(
                _same(control, ours, annotation.result) for control in project.controls
            )
        else:
            continue
        if repeats and not (project.settings.show_consensus and annotation.lead_time is not None):
            now[annotation.id] = annotation.result
    if now != before:
        project.store.facts.write(Repeated(now))
    return frozenset(now).union(row.id for row in annotations if row.annotator == author)


def _same(control: Control, ours: object, theirs: str) -> bool:
    try:
        return bool(control.read(ours) == control.read(orjson.loads(theirs)))  # type: ignore[arg-type]
    except SeveralLabelsError:
        return False
