"""The mirror of a project: its tasks and annotations as Label Studio holds them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import numpy as np
import orjson
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.engine import Connection

from label_studio_crowd.store.database import Database
from label_studio_crowd.store.facts import Facts, PlainFact
from label_studio_crowd.store.part import Part
from label_studio_crowd.store.people import DELETED_USER
from label_studio_crowd.store.rows import annotation_row, annotator_of, as_time, task_row
from label_studio_crowd.store.tables import KEY, annotations, tasks, upsert
from label_studio_crowd.studio.records import Counts

if TYPE_CHECKING:
    from label_studio_crowd.store.tables import Upsert

T = TypeVar("T")

_PAGE: Final = 500
"""Tasks that are taken in with one transaction."""
_PARAMETERS: Final = 5000
"""Parameters of one statement; SQLite allows 32,766."""


@dataclass(frozen=True)
class Tasks:
    """The tasks of a project, by increasing id; arrays of shape (N,)."""

    ids: NDArray[np.int64]
    overlap: NDArray[np.int64]
    is_labeled: NDArray[np.bool_]


class Annotation(NamedTuple):
    """An annotation as Label Studio holds it, its result as JSON: in it, the ids of regions are numbers."""

    id: int
    task: int
    annotator: int
    result: str
    was_cancelled: bool
    ground_truth: bool
    updated_at: str
    lead_time: float | None
    parent_prediction: int | None = None


@dataclass(frozen=True)
class CompleteUntil(PlainFact):
    """Up to when (ISO) the mirror has every change."""

    fact = "complete_until"
    at: str


# ---------------------------------------------------------------------- statements

_TASKS: Final = tasks.c.project == KEY
_ANNOTATIONS: Final = annotations.c.project == KEY
_TASK: Final[sa.BindParameter[int]] = sa.bindparam("of_task")
_SOME_TASKS: Final[sa.BindParameter[int]] = sa.bindparam("some", expanding=True)

_DELETE_TASK: Final = sa.delete(tasks).where(_TASKS, tasks.c.id == _TASK)
_DELETE_ANNOTATIONS_OF_TASK: Final = sa.delete(annotations).where(_ANNOTATIONS, annotations.c.task == _TASK)
_SET_STATE: Final = (
    sa.update(tasks)
    .where(_TASKS, tasks.c.id == _TASK)
    .values(overlap=sa.bindparam("now_overlap"), is_labeled=sa.bindparam("now_labeled"))
)

_READ_TASKS: Final = sa.select(tasks.c.id, tasks.c.overlap, tasks.c.is_labeled).where(_TASKS).order_by(tasks.c.id)
_READ_DATA: Final = sa.select(tasks.c.id, tasks.c.data).where(_TASKS).order_by(tasks.c.id)
_READ_KNOWN: Final = sa.select(tasks.c.id, tasks.c.data, tasks.c.updated_at).where(_TASKS, tasks.c.id.in_(_SOME_TASKS))
_READ_DATA_CHANGED: Final = sa.select(tasks.c.id).where(_TASKS, tasks.c.data_changed_at > sa.bindparam("since"))
_READ_NEWEST: Final = sa.select(sa.func.max(tasks.c.updated_at)).where(_TASKS)
_READ_NEWEST_DATA: Final = sa.select(sa.func.max(tasks.c.data_changed_at)).where(_TASKS)

_READ_ANNOTATIONS: Final = (
    sa.select(*(annotations.c[name] for name in Annotation._fields))
    .where(_ANNOTATIONS)
    .order_by(annotations.c.task, annotations.c.id)
)
_READ_ANNOTATIONS_OF_TASK: Final = _READ_ANNOTATIONS.where(annotations.c.task == _TASK)
_READ_TIMES: Final = sa.select(
    *(annotations.c[name] for name in ("task", "id", "updated_at", "annotator")),
).where(_ANNOTATIONS, annotations.c.task.in_(_SOME_TASKS))


def _number(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).select_from(table).where(table.c.project == KEY, *conditions).scalar_subquery()


_COUNT: Final = sa.select(
    _number(tasks),
    _number(annotations, annotations.c.was_cancelled == 0),
    _number(annotations, annotations.c.was_cancelled == 1),
    _number(tasks, tasks.c.is_labeled == 1),
)


@cache
def _put_task(dialect: str) -> "Upsert":
    insert = upsert(tasks, dialect)
    new = insert.excluded
    # when the data itself changed, probabilities from before are out of date
    changed_at = sa.case((tasks.c.data == new.data, tasks.c.data_changed_at), else_=new.updated_at)
    return insert.on_conflict_do_update(
        index_elements=[tasks.c.project, tasks.c.id],
        set_={
            **{name: new[name] for name in ("data", "overlap", "is_labeled", "updated_at")},
            "data_changed_at": changed_at,
        },
    )


@cache
def _put_annotation(dialect: str) -> "Upsert":
    insert = upsert(annotations, dialect)
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=[annotations.c.project, annotations.c.task, annotations.c.id],
        set_={name: new[name] for name in Annotation._fields if name not in ("id", "task")},
    )


# ---------------------------------------------------------------------- the mirror


class Mirror(Part):
    """The tasks and annotations of one project."""

    def __init__(self, database: Database, key: int) -> None:
        super().__init__(database, key)
        self._facts = Facts(database, key)

    # ------------------------------------------------------------------ what a pull writes

    def apply(self, page: Sequence[Mapping[str, Any]]) -> int:
        """Take in tasks with their annotations, as Label Studio's API gives them.

        A task's annotations are replaced as a whole, so that deleted ones go.

        Returns
        -------
        int
            How many of the tasks are new or changed.
        """
        # others who write have their turn in between
        return sum(self._apply(some) for some in _slices(page, _PAGE))

    def _apply(self, page: Sequence[Mapping[str, Any]]) -> int:
        task_rows = [task_row(task) for task in page]
        annotation_rows = [annotation_row(task["id"], row) for task in page for row in task["annotations"]]
        ids = [row["id"] for row in task_rows]
        with self._database.writing() as connection:
            self._alone(connection)
            before = self._known(connection, ids)
            self._insert(connection, _put_task(self._database.dialect), task_rows)
            self._each(connection, _DELETE_ANNOTATIONS_OF_TASK, [{"of_task": task} for task in ids])
            self._insert(connection, _put_annotation(self._database.dialect), annotation_rows)
        return sum(before.get(row["id"], ("", ""))[1] != row["updated_at"] for row in task_rows)

    def set_states(self, states: Iterable[tuple[int, int, bool]]) -> None:
        """Record (task, overlap, is_labeled) of tasks whose data did not change."""
        rows = [{"of_task": task, "now_overlap": overlap, "now_labeled": int(done)} for task, overlap, done in states]
        for some in _slices(rows, _PAGE):
            with self._database.writing() as connection:
                self._each(connection, _SET_STATE, some)

    def differing(self, page: Sequence[Mapping[str, Any]]) -> list[int]:
        """Return those of some tasks whose annotations, by their ids, times and users, are not those that are here.

        Parameters
        ----------
        page
            Tasks with `id`, and `annotations` with `id`, `updated_at` and `completed_by`, as Label Studio's API gives
            them.
        """
        held: dict[int, set[tuple[int, str, int]]] = {task["id"]: set() for task in page}
        with self._database.reading() as connection:
            for task, *known in self._of_some(connection, _READ_TIMES, list(held)):
                held[task].add(tuple(known))
        there = {
            task["id"]: {(row["id"], as_time(row["updated_at"]), annotator_of(row)) for row in task["annotations"]}
            for task in page
        }
        return [task for task, rows in held.items() if rows != there[task]]

    def keep_only(self, ids: Iterable[int]) -> int:
        """Forget every task that is not among `ids`; return how many there were."""
        kept = set(ids)
        gone = [task for task in self.tasks().ids.tolist() if task not in kept]
        with self._database.writing() as connection:
            self.drop_tasks(connection, gone)
        return len(gone)

    def complete_until(self) -> str | None:
        """Return up to when (ISO) every change is here; None if that is not known."""
        known = self._facts.read(CompleteUntil)
        return None if known is None else known.at

    def set_complete_until(self, at: str | None) -> None:
        """Record up to when (ISO) every change is here."""
        if at is None:
            self._facts.forget(CompleteUntil)
        else:
            self._facts.write(CompleteUntil(at))

    def drop_tasks(self, connection: Connection, ids: Sequence[int]) -> None:
        """Forget tasks with their annotations, within a transaction."""
        self._alone(connection)
        for delete in (_DELETE_ANNOTATIONS_OF_TASK, _DELETE_TASK):
            self._each(connection, delete, [{"of_task": task} for task in ids])

    # ------------------------------------------------------------------ what readers see

    def counts(self) -> Counts:
        """Return how many tasks, annotations and skips there are, and how many tasks are finished."""
        (row,) = self._read(_COUNT)
        return Counts(*row)

    def newest(self) -> str | None:
        """Return when the newest change known happened (ISO), or None for an empty mirror."""
        (row,) = self._read(_READ_NEWEST)
        return None if row[0] is None else str(row[0])

    def newest_data(self) -> str:
        """Return when a task was last added, or its data last changed (ISO)."""
        (row,) = self._read(_READ_NEWEST_DATA)
        return row[0] or ""

    def tasks(self) -> Tasks:
        """Return the tasks without their data."""
        table = np.array(self._read_plain(_READ_TASKS), dtype=np.int64).reshape(-1, 3)
        return Tasks(table[:, 0], table[:, 1], table[:, 2].astype(bool))

    def data(self, ids: Sequence[int] | None = None) -> dict[int, dict[str, Any]]:
        """Return the data of each task, or of these, by increasing id."""
        if ids is None:
            return {task: orjson.loads(text) for task, text in self._read_plain(_READ_DATA)}
        with self._database.reading() as connection:
            known = self._known(connection, sorted(ids))
        return {task: orjson.loads(known[task][0]) for task in sorted(known)}

    def data_changed_since(self, since: str) -> list[int]:
        """Return the tasks that were added, or whose data changed, after a time (ISO)."""
        return [row[0] for row in self._read_plain(_READ_DATA_CHANGED, since=since)]

    def annotations(self) -> list[Annotation]:
        """Return the annotations, by task and id; several of deleted users for a task are of several people."""
        return told_apart(map(Annotation._make, self._read_plain(_READ_ANNOTATIONS)))

    def annotations_of(self, task: int) -> list[Annotation]:
        """Return a task's annotations, by id."""
        return told_apart(map(Annotation._make, self._read_plain(_READ_ANNOTATIONS_OF_TASK, of_task=task)))

    def _known(self, connection: Connection, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Return the data (JSON) and the time of the last change of tasks."""
        return {row[0]: (row[1], row[2]) for row in self._of_some(connection, _READ_KNOWN, ids)}

    def _of_some(self, connection: Connection, read: sa.Executable, ids: Sequence[int]) -> Iterator[Any]:
        for some in _slices(ids, _PARAMETERS):
            yield from connection.execute(read, {"key": self._key, "some": list(some)})


def told_apart(annotations: Iterable[Annotation]) -> list[Annotation]:
    """Return annotations by task, where the second of deleted users for a task is of -1, the third of -2, and so on."""
    found = list(annotations)
    nameless: Counter[int] = Counter()
    for at, annotation in enumerate(found):
        if annotation.annotator == DELETED_USER:
            nameless[annotation.task] += 1
            if nameless[annotation.task] > 1:
                found[at] = annotation._replace(annotator=DELETED_USER + 1 - nameless[annotation.task])
    return found


def _slices(rows: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    return (rows[start : start + most] for start in range(0, len(rows), most))
