"""Whether the classifier that `connect` is given fits the project's tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from label_studio_crowd.errors import UserError
from label_studio_crowd.project import Project
from label_studio_crowd.scoring import classifiers
from label_studio_crowd.scoring.lessons import learns
from label_studio_crowd.studio.controls import Control


def refuse_unfit_classifier(project: Project, spec: str, controls: Iterable[Control]) -> None:
    """Raise if a classifier is to learn from data fields that no task has; a project without tasks may get any.

    Mostly the first page of tasks tells; all are read only before it is refused.

    Raises
    ------
    UserError
        The message lists the fields that there are.
    """
    shown = {control.fields for control in controls if learns(control)}
    if not shown or not classifiers.learns_from_fields(spec):
        return
    pages = project.studio.tasks(project.number, progress=project.progress)
    tasks = [task for page in islice(pages, 1) for task in page.tasks]
    try:
        _refuse(spec, tasks, shown)
    except UserError:
        tasks += [task for page in pages for task in page.tasks]
        _refuse(spec, tasks, shown)


def _refuse(spec: str, tasks: Sequence[Mapping[str, Any]], shown: Iterable[Sequence[tuple[str, str]]]) -> None:
    ids, data = [task["id"] for task in tasks], [task["data"] for task in tasks]
    for fields in shown if tasks else ():
        classifiers.refuse_unfit(spec, classifiers.TaskData(ids=ids, data=data, fields=fields))
