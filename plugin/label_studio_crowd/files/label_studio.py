"""The consensus as Label Studio imports it: tasks with predictions or annotations. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import orjson

from label_studio_crowd.errors import UserError
from label_studio_crowd.files.agreed import AgreedTask
from label_studio_crowd.studio.versions import CONSENSUS_VERSION

As = Literal["predictions", "annotations", "ground truth"]
"""What the consensus becomes: a prediction, an annotation, or an annotation with the ground-truth flag."""


def as_import(tasks: Sequence[AgreedTask], what: As = "predictions") -> list[dict[str, Any]]:
    """Return tasks as Label Studio imports them into any project with the same labeling config.

    The quality is the score of a prediction. An annotation has no such place: it is in the task's ``meta``.

    Parameters
    ----------
    tasks
        The tasks, with their consensus.
    what
        What the consensus becomes.
    """
    return [_task(task, what) for task in tasks]


def _task(task: AgreedTask, what: As) -> dict[str, Any]:
    result, quality = list(task.result), round(task.quality, 3)
    around = {"id": task.task, "data": dict(task.data), "meta": {"consensus_quality": quality}}
    if what == "predictions":
        return {**around, "predictions": [{"model_version": CONSENSUS_VERSION, "score": quality, "result": result}]}
    # an import takes annotations for the truth unless they say otherwise
    return {**around, "annotations": [{"result": result, "ground_truth": what == "ground truth"}]}


def write_import(tasks: Sequence[AgreedTask], path: Path, what: As = "predictions") -> Path:
    """Write tasks as Label Studio imports them, and return the file.

    Raises
    ------
    UserError
        If it cannot be written.
    """
    try:
        path.write_bytes(orjson.dumps(as_import(tasks, what), option=orjson.OPT_INDENT_2))
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}): correct --out.") from None
    return path
