"""Label Studio's JSON export as a crowd, without Label Studio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from crowdcore.formats import Reading
from label_studio_crowd.errors import UserError
from label_studio_crowd.scoring.answers import TRUTH, read_answers
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.store.people import DELETED_USER
from label_studio_crowd.studio.controls import infer_control


def read_export(path: Path, control: str | None = None, *, trust_ground_truth: bool = False) -> Reading:
    """Read an export in the format JSON.

    As everywhere else in this package, skipped and empty annotations and drafts are no answers, and of one
    annotator's several annotations of a task the latest counts. An export has no labeling config: the classes are
    those that somebody chose.

    Parameters
    ----------
    path
        The file.
    control
        Name of the control; needed where annotations answer by several.
    trust_ground_truth
        Ground-truth annotations are the truth of their task instead of answers.

    Raises
    ------
    UserError
        If it is another file or another format, no control fits, or several do.
    """
    try:
        tasks = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise UserError(f"{path} is not JSON ({error}): export it again.") from None
    _check(tasks, path)
    annotations = list(_annotations(tasks))
    chosen = infer_control((orjson.loads(row.result) for row in annotations), control)
    ids = np.unique(np.array([task["id"] for task in tasks], dtype=np.int64))
    found = read_answers(ids, annotations, chosen, trust_ground_truth=trust_ground_truth)
    crowd = found.crowd
    aside = ", ".join(f"{count} {reason}" for reason, count in found.set_aside.items())
    flagged = found.ground_truth - found.set_aside.get(TRUTH, 0)
    notes = [f"no answers: {aside}"] if aside else []
    if flagged and not trust_ground_truth:
        notes.append(
            f"{flagged} of the answers are flagged as ground truth; --trust-ground-truth takes them as the truth"
        )
    about = (
        f"{path}: Label Studio's export (control {chosen.name!r}, {chosen.tag}) with {len(crowd.label):,} answers of "
        f"{len(crowd.annotators):,} annotators to {len(crowd.tasks):,} tasks, {len(crowd.classes):,} classes"
    )
    return Reading(crowd, "; ".join([about, *notes]), found.known_labels if trust_ground_truth else None)


def _check(tasks: Any, path: Path) -> None:
    """Raise a `UserError` if this is not Label Studio's JSON."""
    if not isinstance(tasks, list) or not all(isinstance(task, Mapping) for task in tasks):
        raise UserError(f"{path} is not Label Studio's export, a JSON list of tasks: export the format JSON.")
    for place, task in enumerate(tasks):
        if "annotations" not in task and "annotation_id" in task:
            raise UserError(
                f"{path} is Label Studio's JSON-MIN, which does not say which fields are answers, and leaves skipped "
                "and ground-truth flags out: export the format JSON. (Or CSV, with --label-column and the control's "
                "name.)"
            )
        if not isinstance(task.get("annotations"), list) or not isinstance(task.get("id"), int):
            raise UserError(
                f"{path}, task {place} (counted from 0): expected an id and a list of annotations, found "
                f"{', '.join(map(repr, list(task)[:8])) or 'nothing'}: export the format JSON."
            )


def _annotations(tasks: list[dict[str, Any]]) -> Iterator[Annotation]:
    for task in tasks:
        for row in task["annotations"]:
            if not isinstance(row, Mapping):  # a snapshot of ids only
                raise UserError(
                    f"Task {task['id']} has annotations without content ({row!r}): export them in full, not as ids."
                )
            who = row.get("completed_by")
            who = who.get("id") if isinstance(who, Mapping) else who
            result = [item for item in row.get("result") or [] if isinstance(item, Mapping)]
            yield Annotation(
                id=row.get("id") or 0,
                task=task["id"],
                annotator=DELETED_USER if who is None else who,
                result=orjson.dumps(result).decode(),
                was_cancelled=bool(row.get("was_cancelled")),
                ground_truth=bool(row.get("ground_truth")),
                updated_at=str(row.get("updated_at") or "").removesuffix("Z"),  # sorts with and without a fraction
                lead_time=row.get("lead_time"),
            )
