"""The local copy of a project: its tasks, annotations, what was published, and the runs.

A cache: deleting it costs time, not data. An SQLite file by default; PostgreSQL for several machines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.engine import Connection

from label_studio_crowd.store.database import Store, execute_many, now
from label_studio_crowd.studio.records import Counts, Prediction, VersionState

DELETED_USER: Final = 0
"""The annotator of an annotation whose user was deleted: Label Studio then keeps no id."""

_CREATED: Final = "created_at"
_CHUNK: Final = 500
"""Tasks that one transaction takes in."""
_PARAMETERS: Final = 5000
"""Of one statement; SQLite allows 32,766."""
_RUNS_KEPT: Final = 1000


_DELETE_ANNOTATIONS: Final = "DELETE FROM annotations WHERE project = :key AND task = :task"
_PUT_TASK: Final = (
    "INSERT INTO tasks (project, id, data, overlap, is_labeled, updated_at, data_changed_at) "
    "VALUES (:key, :id, :data, :overlap, :is_labeled, :updated_at, :updated_at) "
    "ON CONFLICT (project, id) DO UPDATE SET data = excluded.data, overlap = excluded.overlap, "
    "is_labeled = excluded.is_labeled, updated_at = excluded.updated_at, "
    # when the data itself changed, probabilities from before are out of date
    "data_changed_at = CASE WHEN tasks.data = excluded.data THEN tasks.data_changed_at ELSE excluded.updated_at END"
)
_PUT_ANNOTATION: Final = (
    "INSERT INTO annotations (project, id, task, annotator, result, was_cancelled, ground_truth, updated_at, "
    "lead_time) VALUES (:key, :id, :task, :annotator, :result, :was_cancelled, :ground_truth, :updated_at, :lead_time) "
    "ON CONFLICT (project, task, id) DO UPDATE SET annotator = excluded.annotator, result = excluded.result, "
    "was_cancelled = excluded.was_cancelled, ground_truth = excluded.ground_truth, "
    "updated_at = excluded.updated_at, lead_time = excluded.lead_time"
)


@dataclass(frozen=True)
class Tasks:
    """The tasks of a project, by increasing id; arrays of shape (N,)."""

    ids: NDArray[np.int64]
    overlap: NDArray[np.int64]
    is_labeled: NDArray[np.bool_]


class Annotation(NamedTuple):
    """An annotation as Label Studio holds it, its result as JSON without the items' ids."""

    id: int
    task: int
    annotator: int
    result: str
    was_cancelled: bool
    ground_truth: bool
    updated_at: str
    lead_time: float | None


@dataclass(frozen=True)
class Probabilities:
    """Out-of-sample class probabilities of a training, kept for the next runs.

    Attributes
    ----------
    classifier
        The setting they were trained under.
    summary
        What was chosen, why and how it went, for people.
    classes
        The K classes of the columns.
    tasks, pred_probs
        Ids (N,) and probabilities (N, K).
    answers
        How many answers the training saw.
    newest
        The newest change (ISO) that it saw.
    training
        Names the trained model, which may be at hand for tasks that it did not see.
    trained_at
        When it was trained (Unix time).
    """

    classifier: str
    summary: str
    classes: tuple[str, ...]
    tasks: NDArray[np.int64]
    pred_probs: NDArray[np.float64]
    answers: int
    newest: str
    training: str = ""
    trained_at: float = 0.0


class Mirror(Store):
    """The copies of all projects, in a store."""

    def project(self, server: str, project: int) -> ProjectMirror:
        """Return a project's part of the store; made where there is none yet."""
        return ProjectMirror(self, self.key(server, project))

    def known_project(self, server: str, project: int) -> ProjectMirror | None:
        """Return a project's part of the store, or None where there is none."""
        key = self.known_key(server, project)
        return None if key is None else ProjectMirror(self, key)

    def snapshots_taken_at(self, server: str) -> dict[int, float]:
        """Return when the snapshots were taken (Unix time) of those projects of a server that have one."""
        sql = (
            "SELECT projects.project, taken_at FROM projects JOIN snapshots ON snapshots.project = projects.id "
            "WHERE server = :server"
        )
        with self.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(sa.text(sql), {"server": server})}


class ProjectMirror:
    """What the store holds of one project. Methods without a `connection` are transactions, long ones several."""

    def __init__(self, store: Store, key: int) -> None:
        self._store = store
        self._key = key

    @property
    def store(self) -> Store:
        """The store it is in."""
        return self._store

    @property
    def key(self) -> int:
        """The store's own number of the project."""
        return self._key

    def _rows(self, sql: str, **values: Any) -> Sequence[Any]:
        with self._store.reading() as connection:
            return connection.execute(sa.text(sql), {"key": self._key, **values}).fetchall()

    def _run(self, sql: str, rows: Iterable[Mapping[str, Any]]) -> None:
        with self._store.writing() as connection:
            self._many(connection, sql, rows)

    def _many(self, connection: Connection, sql: str, rows: Iterable[Mapping[str, Any]]) -> None:
        execute_many(connection, sql, ({"key": self._key, **row} for row in rows))

    def exclusive(self, patience: float = 0.0) -> AbstractContextManager[None]:
        """Keep other runs out of this project, as `Store.exclusive` does."""
        return self._store.exclusive(self._key, patience)

    def may_be_of(self, created_at: str) -> bool:
        """Return whether the mirror is, or may become, that of the project that was created then."""
        return self.recall(_CREATED) in (None, created_at)

    def belong_to(self, created_at: str) -> None:
        """Forget everything if it is of another project that had the same number.

        On SQLite, Label Studio gives the number of a deleted project to the next one.
        """
        known = self.recall(_CREATED)
        if known == created_at:
            return
        if known is not None:
            with self._store.writing() as connection:
                for table in ("facts", "tasks", "annotations", "predictions", "probabilities", "runs", "snapshots"):
                    connection.execute(sa.text(f"DELETE FROM {table} WHERE project = :key"), {"key": self._key})
        self.remember(_CREATED, created_at)

    # ------------------------------------------------------------------ small facts, by name

    def remember(self, name: str, value: Any) -> None:
        """Keep a JSON value under a name."""
        self._run(
            "INSERT INTO facts (project, name, value) VALUES (:key, :name, :value) "
            "ON CONFLICT (project, name) DO UPDATE SET value = excluded.value",
            [{"name": name, "value": orjson.dumps(value).decode()}],
        )

    def recall(self, name: str) -> Any:
        """Return the value kept under a name, or None."""
        rows = self._rows("SELECT value FROM facts WHERE project = :key AND name = :name", name=name)
        return orjson.loads(rows[0][0]) if rows else None

    def forget(self, *names: str) -> None:
        """Forget what is kept under these names."""
        self._run("DELETE FROM facts WHERE project = :key AND name = :name", [{"name": name} for name in names])

    # ------------------------------------------------------------------ tasks and annotations

    def apply(self, tasks: Sequence[Mapping[str, Any]]) -> int:
        """Take in tasks with their annotations, as Label Studio's API gives them.

        A task's annotations are replaced as a whole, so that deleted ones go.

        Returns
        -------
        int
            How many of the tasks are new or changed.
        """
        # others who write have their turn in between
        return sum(self._apply(tasks[start : start + _CHUNK]) for start in range(0, len(tasks), _CHUNK))

    def _apply(self, tasks: Sequence[Mapping[str, Any]]) -> int:
        task_rows: list[dict[str, Any]] = []
        annotation_rows: list[dict[str, Any]] = []
        for task in tasks:
            task_rows.append(_task_row(task))
            annotation_rows.extend(_annotation_row(task["id"], row) for row in task["annotations"])
        ids = [row["id"] for row in task_rows]
        with self._store.writing() as connection:
            self._alone(connection)
            before = self._known(connection, ids)
            changed: int = sum(before.get(row["id"], ("", ""))[1] != row["updated_at"] for row in task_rows)
            self._many(connection, _PUT_TASK, task_rows)
            self._many(connection, _DELETE_ANNOTATIONS, [{"task": task} for task in ids])
            self._many(connection, _PUT_ANNOTATION, annotation_rows)
        return changed

    def _known(self, connection: Connection, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Return the data (JSON) and the time of the last change of tasks."""
        query = sa.text("SELECT id, data, updated_at FROM tasks WHERE project = :key AND id IN :ids").bindparams(
            sa.bindparam("ids", expanding=True)
        )
        found: dict[int, tuple[str, str]] = {}
        for start in range(0, len(ids), _PARAMETERS):
            rows = connection.execute(query, {"key": self._key, "ids": list(ids[start : start + _PARAMETERS])})
            found.update((row[0], (row[1], row[2])) for row in rows)
        return found

    def keep_only(self, ids: Iterable[int]) -> int:
        """Forget every task that is not among `ids`; return how many those were."""
        kept = set(ids)
        gone = [task for task in self.tasks().ids.tolist() if task not in kept]
        with self._store.writing() as connection:
            self._alone(connection)
            self._delete_tasks(connection, gone)
        return len(gone)

    def _delete_tasks(self, connection: Connection, ids: Sequence[int]) -> None:
        rows = [{"id": task} for task in ids]
        self._many(connection, _DELETE_ANNOTATIONS, [{"task": task} for task in ids])
        self._many(connection, "DELETE FROM tasks WHERE project = :key AND id = :id", rows)

    def put_annotations(
        self, connection: Connection, annotations: Sequence[Mapping[str, Any]], tasks: Sequence[Mapping[str, Any]]
    ) -> bool:
        """Take in annotations and their tasks as webhooks tell them, within a transaction; what is newer stays.

        Returns
        -------
        bool
            Whether each of these tasks now has as many annotations as Label Studio says. Otherwise something else
            was not told, and only a pull finds it.
        """
        self._alone(connection)
        newer = "updated_at <= excluded.updated_at"
        self._many(connection, f"{_PUT_TASK} WHERE tasks.{newer}", map(_task_row, tasks))
        told_at = {row["id"]: _iso(row["updated_at"]) for row in tasks}
        known = self._known(connection, sorted({row["task"] for row in annotations} | told_at.keys()))
        rows = [_annotation_row(row["task"], row) for row in annotations if row["task"] in known]
        self._many(connection, f"{_PUT_ANNOTATION} WHERE annotations.{newer}", rows)
        held = self._annotation_counts(connection, sorted(told_at))
        told = {row["id"]: row.get("total_annotations", 0) + row.get("cancelled_annotations", 0) for row in tasks}
        # of a task that is known to be newer, an annotation that is told late may be gone already
        late = any(known[task][1] > at for task, at in told_at.items())
        all_there = all(held.get(task, 0) == count for task, count in told.items())
        return len(rows) == len(annotations) and all_there and not late

    def drop_annotations(self, connection: Connection, ids: Sequence[int]) -> None:
        """Forget annotations, within a transaction."""
        self._alone(connection)
        delete = "DELETE FROM annotations WHERE project = :key AND id = :id"
        self._many(connection, delete, [{"id": annotation} for annotation in ids])

    def drop_tasks(self, connection: Connection, ids: Sequence[int]) -> None:
        """Forget tasks with their annotations, within a transaction."""
        self._alone(connection)
        self._delete_tasks(connection, ids)

    def annotation_counts(self, tasks: Sequence[int]) -> dict[int, int]:
        """Return how many annotations tasks have, skips included; those without any are left out."""
        with self._store.reading() as connection:
            return self._annotation_counts(connection, tasks)

    def _annotation_counts(self, connection: Connection, tasks: Sequence[int]) -> dict[int, int]:
        query = sa.text(
            "SELECT task, count(*) FROM annotations WHERE project = :key AND task IN :tasks GROUP BY task"
        ).bindparams(sa.bindparam("tasks", expanding=True))
        found: dict[int, int] = {}
        for start in range(0, len(tasks), _PARAMETERS):
            some = list(tasks[start : start + _PARAMETERS])
            found.update((row[0], row[1]) for row in connection.execute(query, {"key": self._key, "tasks": some}))
        return found

    def _alone(self, connection: Connection) -> None:
        """Let nobody else change this project until the transaction ends; on SQLite nobody else writes anyway.

        Transactions that each lock some rows, in orders of their own, would wait for one another for ever.
        """
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT id FROM projects WHERE id = :key FOR UPDATE"), {"key": self._key})

    def set_states(self, states: Iterable[tuple[int, int, bool]]) -> None:
        """Record (task, overlap, is_labeled) of tasks whose data did not change."""
        rows = [{"id": task, "overlap": overlap, "done": int(done)} for task, overlap, done in states]
        for start in range(0, len(rows), _CHUNK):
            self._run(
                "UPDATE tasks SET overlap = :overlap, is_labeled = :done WHERE project = :key AND id = :id",
                rows[start : start + _CHUNK],
            )

    def counts(self) -> Counts:
        """Return how many tasks, annotations and skips there are, and how many tasks are finished."""
        (row,) = self._rows(
            "SELECT (SELECT count(*) FROM tasks WHERE project = :key), "
            "(SELECT count(*) FROM annotations WHERE project = :key AND was_cancelled = 0), "
            "(SELECT count(*) FROM annotations WHERE project = :key AND was_cancelled = 1), "
            "(SELECT count(*) FROM tasks WHERE project = :key AND is_labeled = 1)"
        )
        return Counts(*row)

    def newest(self) -> str | None:
        """Return when the newest change known happened (ISO), or None for an empty mirror."""
        (row,) = self._rows("SELECT max(updated_at) FROM tasks WHERE project = :key")
        return None if row[0] is None else str(row[0])

    def newest_data(self) -> str:
        """Return when a task last came or had its data changed (ISO)."""
        (row,) = self._rows("SELECT max(data_changed_at) FROM tasks WHERE project = :key")
        return row[0] or ""

    def tasks(self) -> Tasks:
        """Return the tasks without their data."""
        rows = self._rows("SELECT id, overlap, is_labeled FROM tasks WHERE project = :key ORDER BY id")
        table = np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, 3)
        return Tasks(table[:, 0], table[:, 1], table[:, 2].astype(bool))

    def data_changed_since(self, since: str) -> list[int]:
        """Return the tasks that came, or had their data changed, after a time (ISO)."""
        rows = self._rows("SELECT id FROM tasks WHERE project = :key AND data_changed_at > :since", since=since)
        return [row[0] for row in rows]

    def data(self, tasks: Sequence[int] | None = None) -> dict[int, dict[str, Any]]:
        """Return the data of each task, or of these, by increasing id."""
        if tasks is None:
            rows = self._rows("SELECT id, data FROM tasks WHERE project = :key ORDER BY id")
            return {row[0]: orjson.loads(row[1]) for row in rows}
        with self._store.reading() as connection:
            known = self._known(connection, sorted(tasks))
        return {task: orjson.loads(known[task][0]) for task in sorted(known)}

    def annotations(self) -> list[Annotation]:
        """Return the annotations, by task and id."""
        query = sa.text(
            "SELECT id, task, annotator, result, was_cancelled, ground_truth, updated_at, lead_time "
            "FROM annotations WHERE project = :key ORDER BY task, id"
        )
        with self._store.reading() as connection:  # plain tuples: SQLAlchemy's own rows are most of the time otherwise
            rows = connection.execute(query, {"key": self._key}).cursor.fetchall()
        return list(map(Annotation._make, rows))

    def annotations_of(self, task: int) -> list[Annotation]:
        """Return a task's annotations, by id."""
        rows = self._rows(
            "SELECT id, task, annotator, result, was_cancelled, ground_truth, updated_at, lead_time "
            "FROM annotations WHERE project = :key AND task = :task ORDER BY id",
            task=task,
        )
        return [Annotation(*row) for row in rows]

    # ------------------------------------------------------------------ what was published

    def published(self) -> list[Prediction]:
        """Return our predictions as last seen or written, by id."""
        rows = self._rows(
            "SELECT id, task, model_version, score, result FROM predictions WHERE project = :key ORDER BY id"
        )
        return [Prediction(row[0], row[1], row[2], row[3], orjson.loads(row[4])) for row in rows]

    def set_published(self, predictions: Sequence[Prediction]) -> None:
        """Replace all that is known of our predictions by what was seen in Label Studio."""
        with self._store.writing() as connection:
            connection.execute(sa.text("DELETE FROM predictions WHERE project = :key"), {"key": self._key})
            self._insert_predictions(connection, predictions)

    def add_published(self, prediction: Prediction) -> None:
        """Record a prediction that was created or changed."""
        with self._store.writing() as connection:
            self._many(
                connection,
                "DELETE FROM predictions WHERE project = :key AND id = :id",
                [{"id": prediction.id}],
            )
            self._insert_predictions(connection, [prediction])

    def drop_published(self, prediction: int) -> None:
        """Record that a prediction was deleted."""
        self._run("DELETE FROM predictions WHERE project = :key AND id = :id", [{"id": prediction}])

    def _insert_predictions(self, connection: Connection, predictions: Sequence[Prediction]) -> None:
        self._many(
            connection,
            "INSERT INTO predictions (project, id, task, model_version, score, result) "
            "VALUES (:key, :id, :task, :version, :score, :result)",
            [
                {
                    "id": row.id,
                    "task": row.task,
                    "version": row.model_version,
                    "score": row.score,
                    "result": orjson.dumps(row.result).decode(),
                }
                for row in predictions
            ],
        )

    def versions(self) -> dict[str, VersionState]:
        """Return our model versions as they were when `published` was true."""
        found = self.recall("versions") or {}
        return {version: VersionState(**state) for version, state in found.items()}

    def set_versions(self, versions: Mapping[str, VersionState]) -> None:
        """Record our model versions."""
        self.remember("versions", {version: vars(state) for version, state in versions.items()})

    # ------------------------------------------------------------------ trained probabilities

    def probabilities(self) -> Probabilities | None:
        """Return the probabilities of the last training, or None."""
        rows = self._rows(
            "SELECT classifier, summary, classes, tasks, pred_probs, answers, newest, training, trained_at "
            "FROM probabilities WHERE project = :key"
        )
        if not rows:
            return None
        row = rows[0]
        classes = tuple(orjson.loads(row[2]))
        tasks = np.frombuffer(row[3], dtype=np.int64)
        pred_probs = np.frombuffer(row[4], dtype=np.float64).reshape(len(tasks), len(classes))
        return Probabilities(row[0], row[1], classes, tasks, pred_probs, *row[5:])

    def set_probabilities(self, trained: Probabilities, *, instead_of: str | None = None) -> None:
        """Keep the probabilities of a training in place of those of the one before.

        Parameters
        ----------
        instead_of
            Only if those of this training are there still: another may have ended meanwhile.
        """
        row = {
            "classifier": trained.classifier,
            "summary": trained.summary,
            "classes": orjson.dumps(trained.classes).decode(),
            "tasks": np.ascontiguousarray(trained.tasks, np.int64).tobytes(),
            "pred_probs": np.ascontiguousarray(trained.pred_probs, np.float64).tobytes(),
            "answers": trained.answers,
            "newest": trained.newest,
            "training": trained.training,
            "trained_at": trained.trained_at,
        }
        with self._store.writing() as connection:
            self._alone(connection)
            delete = "DELETE FROM probabilities WHERE project = :key" + " AND training = :training" * bool(instead_of)
            gone = connection.execute(sa.text(delete), {"key": self._key, "training": instead_of}).rowcount
            if instead_of and not gone:
                return
            self._many(
                connection,
                "INSERT INTO probabilities (project, classifier, summary, classes, tasks, pred_probs, answers, newest, "
                "training, trained_at) VALUES (:key, :classifier, :summary, :classes, :tasks, :pred_probs, :answers, "
                ":newest, :training, :trained_at)",
                [row],
            )

    # ------------------------------------------------------------------ what was last believed

    def snapshot_taken_at(self) -> float | None:
        """Return when the stored snapshot was taken (Unix time), or None without one."""
        rows = self._rows("SELECT taken_at FROM snapshots WHERE project = :key")
        return float(rows[0][0]) if rows else None

    def snapshot(self) -> bytes | None:
        """Return what the last run believed, as it was stored."""
        rows = self._rows("SELECT content FROM snapshots WHERE project = :key")
        return bytes(rows[0][0]) if rows else None

    def drop_snapshot(self) -> None:
        """Forget what the last run believed."""
        self._run("DELETE FROM snapshots WHERE project = :key", [{}])

    def set_snapshot(self, content: bytes, taken_at: float) -> None:
        """Keep what a run believes in place of what the one before did."""
        self._run(
            "INSERT INTO snapshots (project, taken_at, content) VALUES (:key, :at, :content) "
            "ON CONFLICT (project) DO UPDATE SET taken_at = excluded.taken_at, content = excluded.content",
            [{"at": taken_at, "content": content}],
        )

    # ------------------------------------------------------------------ runs

    def add_run(self, report: Mapping[str, Any]) -> None:
        """Record what a run did, and forget the oldest of many."""
        row = {"at": now(), "report": orjson.dumps(dict(report)).decode()}
        with self._store.writing() as connection:
            insert = "INSERT INTO runs (project, finished_at, report) VALUES (:key, :at, :report)"
            self._many(connection, insert, [row])
            old = "SELECT id FROM runs WHERE project = :key ORDER BY id DESC LIMIT 1 OFFSET :most"
            delete = f"DELETE FROM runs WHERE project = :key AND id <= ({old})"
            self._many(connection, delete, [{"most": _RUNS_KEPT}])

    def runs(self, most: int) -> list[tuple[float, dict[str, Any]]]:
        """Return when the last runs ended (Unix time) and what they did, the newest first."""
        sql = "SELECT finished_at, report FROM runs WHERE project = :key ORDER BY finished_at DESC, id DESC LIMIT :most"
        return [(row[0], orjson.loads(row[1])) for row in self._rows(sql, most=most)]

    def last_run(self) -> tuple[float, dict[str, Any]] | None:
        """Return when the last run ended (Unix time) and what it did."""
        return next(iter(self.runs(1)), None)


def _task_row(task: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": task["id"],
        "data": orjson.dumps(task["data"], option=orjson.OPT_SORT_KEYS).decode(),
        "overlap": task["overlap"],
        "is_labeled": int(task["is_labeled"]),
        "updated_at": _iso(task["updated_at"]),
    }


def _annotation_row(task: int, annotation: Mapping[str, Any]) -> dict[str, Any]:
    annotator = annotation["completed_by"]
    if isinstance(annotator, Mapping):
        annotator = annotator["id"]
    return {
        "id": annotation["id"],
        "task": task,
        "annotator": DELETED_USER if annotator is None else annotator,
        "result": orjson.dumps([_without_id(item) for item in annotation["result"] or []]).decode(),
        "was_cancelled": int(bool(annotation["was_cancelled"])),
        "ground_truth": int(bool(annotation["ground_truth"])),
        "updated_at": _iso(annotation["updated_at"]),
        "lead_time": annotation["lead_time"],
    }


def _without_id(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item of a result without its random id, so that equal answers are equal text."""
    return {name: value for name, value in item.items() if name != "id"}


def _iso(timestamp: str) -> str:
    """Return a time with its six digits of a second: Label Studio leaves them out when they are zero."""
    return timestamp if "." in timestamp else timestamp.replace("Z", ".000000Z")
