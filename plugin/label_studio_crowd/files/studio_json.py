"""Label Studio's JSON: which files are that, their tasks, and what each task's annotations and predictions say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from crowdcore.crowd.ids import as_array
from crowdcore.formats.json_tables import read_json
from crowdcore.formats.opened import read_text
from crowdcore.formats.tools import flattened
from label_studio_crowd.errors import UserError
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.store.people import model_id
from label_studio_crowd.studio.own_annotations import is_own

_WHO: Final = ("id", "email", "username", "name")
"""What names a person in an object, the surest first."""
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False, "none": False, "": False}
"""What a flag may be, as text in small letters."""


def load_export(path: Path) -> list[Any] | None:
    """Return the tasks of what Label Studio wrote, or takes; None if a file or folder is something else.

    Raises
    ------
    ValueError
        If a file is no JSON.
    OSError
        If it cannot be read.
    """
    if path.is_dir():
        return None if (path / "answers.json").exists() else _tasks_of_folder(path)
    try:
        found = orjson.loads(read_text(path))
    except orjson.JSONDecodeError:
        found = read_json(path)  # JSON Lines; or it says what is wrong
    rows = found if isinstance(found, list) else [found]
    if flattened(rows) is not None:
        return None
    if rows and all(isinstance(row, Mapping) and "result" in row and "task" in row for row in rows):
        return _by_task(rows)
    return rows if any(isinstance(row, Mapping) and _is_task(row) for row in rows) else None


def _is_task(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("annotations", row.get("completions")), list) or isinstance(row.get("data"), Mapping)


def _tasks_of_folder(path: Path) -> list[Any] | None:
    """Return the tasks of a target storage's folder, which has a file for each annotation."""
    rows = []
    for file in sorted(path.rglob("*")):
        if file.is_file() and not file.name.startswith(".") and file.suffix.lower() in ("", ".json"):
            try:
                row = orjson.loads(file.read_bytes())
            except orjson.JSONDecodeError:
                raise UserError(f"{file} is not JSON: a target storage's folder has nothing but annotations.") from None
            if not isinstance(row, Mapping) or "result" not in row or "task" not in row:
                return None
            rows.append(row)
    return _by_task(rows) if rows else None


def _by_task(rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return annotations that name their task, by task."""
    tasks: dict[Any, list[Any]] = {}
    for row in rows:
        task = row["task"].get("id") if isinstance(row["task"], Mapping) else row["task"]
        if isinstance(task, list | dict):
            raise UserError(f"An annotation's task is {task!r}; it must be a number, a text, or an object with an id.")
        tasks.setdefault(task, []).append(row)
    return [{"id": task, "annotations": annotations} for task, annotations in tasks.items()]


@dataclass
class Export:
    """What an export says of its tasks and people.

    Attributes
    ----------
    path
        Where it is.
    tasks
        The ids of the tasks, None where one has none.
    people
        Who annotates, by number: what names them.
    names
        What people are called, by what names them, where the export says it: first and last name, else the address.
    unnamed
        Annotations that say nothing of who made them.
    versions
        How many tasks have a prediction of each model version.
    has_bare_ids
        Whether of some predictions only the id is there.
    """

    path: Path
    tasks: list[Any] = field(default_factory=list)
    people: dict[Any, int] = field(default_factory=dict)
    names: dict[Any, str] = field(default_factory=dict)
    unnamed: int = 0
    versions: Counter[str] = field(default_factory=Counter)
    has_bare_ids: bool = False

    def annotations(self, place: int, task: Any) -> Iterator[Annotation]:
        """Give a task's annotations; of the task its place, of the annotator the number."""
        rows = task.get("annotations", task.get("completions")) if isinstance(task, Mapping) else None
        if rows is None and isinstance(task, Mapping) and "data" in task:
            rows = []
        if not isinstance(rows, list):
            found = ", ".join(map(repr, list(task)[:8])) if isinstance(task, Mapping) else repr(task)[:60]
            raise UserError(
                f"{self.path}, task {place} (counted from 0): expected a list of annotations, found "
                f"{found or 'nothing'}: export the format JSON."
            )
        if isinstance(task.get("id"), list | dict):
            raise UserError(
                f"{self.path}, task {place} (counted from 0): its id is {task['id']!r}; it must be a number or a text."
            )
        self.tasks.append(task.get("id"))
        nameless = 0
        for row in rows:
            if not isinstance(row, Mapping):  # a snapshot of ids only
                raise UserError(
                    f"Task {task.get('id', place)} has annotations without content ({row!r}): export them in full, not "
                    "as ids."
                )
            if is_own(row):  # what `write-annotations` wrote is no answer
                continue
            who = _who(row.get("completed_by"))
            if who is None:
                nameless += 1
                self.unnamed += 1
                who = f"unnamed {nameless}"
            elif called := _called(row["completed_by"]):
                self.names[who] = called
            yield Annotation(
                id=row.get("id") or 0,
                task=place,
                annotator=self.people.setdefault(who, len(self.people)),
                result=self._result(row, task.get("id", place)),
                was_cancelled=self._flag(row, "was_cancelled", task.get("id", place)),
                ground_truth=self._flag(row, "ground_truth", task.get("id", place)),
                updated_at=str(row.get("updated_at") or row.get("created_at") or ""),
                lead_time=row.get("lead_time"),
            )

    def _flag(self, row: Mapping[str, Any], name: str, task: Any) -> bool:
        """Return a flag of an annotation; texts are read as they are meant."""
        given = row.get(name)
        if str(given).lower() in _FLAGS:
            return _FLAGS[str(given).lower()]
        raise UserError(
            f"{self.path}, task {task!r}: {name} of the annotation {row.get('id')!r} is {given!r}; it must be true or "
            "false."
        )

    def predictions(self, place: int, task: Any, models: Sequence[str]) -> Iterator[Annotation]:
        """Give what these models predict for a task, the latest of each, as annotations of theirs."""
        rows = task.get("predictions") if isinstance(task, Mapping) and models else None
        latest: dict[str, Mapping[str, Any]] = {}
        given = [row for row in rows or () if isinstance(row, Mapping)]
        self.has_bare_ids |= len(given) < len(rows or ())
        for row in sorted(given, key=lambda row: str(row.get("updated_at") or row.get("created_at") or "")):
            latest[str(row.get("model_version") or "")] = row
        self.versions.update(latest.keys())
        for version, row in latest.items():
            if version in models:
                yield Annotation(
                    id=row.get("id") or 0,
                    task=place,
                    annotator=model_id(version),
                    result=self._result(row, task.get("id", place), "prediction"),
                    was_cancelled=False,
                    ground_truth=False,
                    updated_at="",
                    lead_time=None,
                )

    def _result(self, row: Mapping[str, Any], task: Any, what: str = "annotation") -> str:
        """Return what an annotation, or a prediction, says, as JSON."""
        result = [] if row.get("result") is None else row["result"]
        what = f"{self.path}, task {task!r}: the result of the {what} {row.get('id')!r}"
        if not isinstance(result, list) or not all(isinstance(item, Mapping) for item in result):
            raise UserError(f"{what} is {repr(result)[:60]}; expected a list of objects: export the format JSON anew.")
        try:
            return orjson.dumps(result).decode()
        except TypeError as error:  # a number over 64 bits, or half a character
            raise UserError(f"{what} cannot be read ({error}): mend it there, or leave the task out.") from None

    def task_ids(self) -> Any:
        """Return the tasks' ids; their places, from 1, if one has none."""
        if any(task is None for task in self.tasks):
            return np.arange(1, len(self.tasks) + 1)
        return as_array(self.tasks)


def _who(given: Any) -> Any:
    """Return what names a person: any key, or the surest one of an object; None if nothing does."""
    if isinstance(given, Mapping):
        given = next((given[key] for key in _WHO if given.get(key) not in (None, "")), None)
    if given in (None, "") or isinstance(given, list):
        return None
    text = str(given)
    return int(text) if text.isdecimal() and str(int(text)) == text else given if isinstance(given, str) else text


def _called(given: Any) -> str:
    """Return the first and last name of an object that names a person, else the address; "" without both."""
    if not isinstance(given, Mapping):
        return ""
    parts = (str(given.get(key) or "").strip() for key in ("first_name", "last_name"))
    return " ".join(filter(None, parts)) or str(given.get("email") or "")
