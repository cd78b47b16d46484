"""The truth in a Label Studio export beside the answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crowdcore.formats.by_task import check_overlap
from crowdcore.formats.delimited import typed
from crowdcore.formats.tables import is_json
from label_studio_crowd.errors import UserError
from label_studio_crowd.files.studio_export import ExportReading
from label_studio_crowd.files.studio_json import Export, load_export
from label_studio_crowd.scoring.reading import read_answers

if TYPE_CHECKING:
    import pandas as pd

    from crowdcore.formats import Reading
    from label_studio_crowd.studio.controls import Control


def exported_tasks(path: Path) -> list[Any] | None:
    """Return the tasks of a truth that is Label Studio's export, None if it is another file."""
    return load_export(path) if path.is_dir() or is_json(path) else None


def true_answers_of_export(path: Path, tasks: list[Any], control: Control, reading: ExportReading) -> dict[Any, Any]:
    """Return the answer of each task's ground truth, or, where none is flagged in the file, of its only annotation."""
    export = Export(path)
    rows = [row for place, task in enumerate(tasks) for row in export.annotations(place, task)]
    flagged = [row for row in rows if row.ground_truth]
    given = [row._replace(annotator=number, ground_truth=False) for number, row in enumerate(flagged or rows)]
    found = read_answers(np.arange(len(tasks)), given, control)
    ids, crowd = export.task_ids(), found.crowd
    names = found.values or crowd.classes.tolist()
    known: dict[Any, Any] = {}
    for task, code in zip(ids[crowd.task].tolist(), crowd.label.tolist(), strict=True):
        if known.setdefault(task, names[code]) != names[code]:
            raise UserError(
                f"{path}, task {task!r}: two annotations that may be the truth differ. Flag the true one of each task "
                "as ground truth in Label Studio, and export again."
            )
    if not known:
        raise UserError(f"{path}: no annotation has an answer to {control.name!r}: export the project with the truth.")
    check_overlap(path, np.array([*known, None], dtype=object)[:-1], reading.crowd)
    return known


def true_classes_of_export(path: Path, tasks: list[Any], reading: Reading) -> pd.Series[Any]:
    """Return the true class of each task in Label Studio's export.

    Raises
    ------
    UserError
        If the answers are a table, or as `true_answers`.
    """
    import pandas as pd

    if not isinstance(reading, ExportReading) or reading.control is None:
        raise UserError(
            f"{path} is Label Studio's export, and the answers are none: give the truth as a table with the columns "
            "task and truth."
        )
    known = true_answers_of_export(path, tasks, reading.control, reading)
    labels = list(known.values())
    found: pd.Series[Any] = pd.Series(
        typed(labels) if reading.control.tag == "rating" else labels, index=list(known), name="truth"
    )
    return found
