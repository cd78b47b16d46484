"""The local copy of a project: its tasks, annotations, what was published, and the runs.

A cache: deleting it costs time, not data. An SQLite file by default; PostgreSQL for several machines.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
import sqlalchemy as sa
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url

from label_studio_crowd.errors import UserError
from label_studio_crowd.migrations import migrate
from label_studio_crowd.studio import Counts, Prediction, VersionState

DELETED_USER: Final = 0
"""The annotator of an annotation whose user was deleted: Label Studio then keeps no id."""

_CREATED: Final = "created_at"
_STORES: Final = "sqlite:///FILE, or postgresql://USER:PASSWORD@HOST/DATABASE"
_LOCKS: Final = 5_017_663
"""The class of our advisory locks; the key is the project's."""


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
    """

    classifier: str
    summary: str
    classes: tuple[str, ...]
    tasks: NDArray[np.int64]
    pred_probs: NDArray[np.float64]
    answers: int
    newest: str


class Mirror:
    """The store of all projects.

    Parameters
    ----------
    url
        SQLAlchemy URL of an SQLite file or a PostgreSQL database.

    Raises
    ------
    UserError
        If it cannot be opened.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except sa.exc.ArgumentError:
            raise UserError(f"The store is not given as an SQLAlchemy URL: give {_STORES}.") from None
        try:
            backend = parsed.get_backend_name()
            if backend == "postgresql":
                self._engine = sa.create_engine(parsed.set(drivername="postgresql+psycopg"))
            elif backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
                path = Path(str(parsed.database)).expanduser()
                path.parent.mkdir(parents=True, exist_ok=True)
                parsed = parsed.set(database=str(path))
                self._engine = sa.create_engine(parsed)
                event.listen(self._engine, "connect", _tune_sqlite)
                event.listen(self._engine, "begin", _begin_immediately)
            else:
                raise UserError(f"The store cannot be in {backend}, or in memory: give {_STORES}.")
            with self._engine.begin() as connection:
                migrate(connection)
        except sa.exc.NoSuchModuleError:
            raise UserError(f"The store cannot be in {parsed.drivername}: give {_STORES}.") from None
        except ImportError:
            raise UserError("PostgreSQL needs psycopg: pip install 'label-studio-crowd[postgresql]'.") from None
        except (sa.exc.DBAPIError, OSError) as error:
            reason = " ".join(str(getattr(error, "orig", error)).split())
            where = parsed.render_as_string(hide_password=True)
            raise UserError(f"The store {where} cannot be opened ({reason}): correct --store.") from None

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def project(self, server: str, project: int) -> ProjectMirror:
        """Return a project's part of the store; made where there is none yet."""
        with self._engine.begin() as connection:
            where = {"server": server, "project": project}
            insert = "INSERT INTO projects (server, project) VALUES (:server, :project) ON CONFLICT DO NOTHING"
            connection.execute(sa.text(insert), where)
            select = "SELECT id FROM projects WHERE server = :server AND project = :project"
            row = connection.execute(sa.text(select), where).one()
        return ProjectMirror(self._engine, int(row[0]))


def _begin_immediately(connection: Connection) -> None:
    """Lock for writing at once: a reader that comes to write later may find the store changed, and fail."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _tune_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins no transactions of its own: it leaves tables out of them
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA busy_timeout=30000")


class ProjectMirror:
    """What the store holds of one project; every method is one transaction."""

    def __init__(self, engine: sa.Engine, key: int) -> None:
        self._engine = engine
        self._key = key

    def _rows(self, sql: str, **values: Any) -> Sequence[Any]:
        with self._engine.begin() as connection:
            return connection.execute(sa.text(sql), {"key": self._key, **values}).fetchall()

    def _run(self, sql: str, rows: Iterable[Mapping[str, Any]]) -> None:
        with self._engine.begin() as connection:
            self._many(connection, sql, rows)

    def _many(self, connection: Connection, sql: str, rows: Iterable[Mapping[str, Any]]) -> None:
        values = [{"key": self._key, **row} for row in rows]
        if values:
            connection.execute(sa.text(sql), values)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other runs out of this project; the lock ends with the process, however that ends.

        Raises
        ------
        UserError
            If another run is under way.
        """
        with self._lock_of_file() if self._engine.dialect.name == "sqlite" else self._lock_in_database():
            yield

    @contextmanager
    def _lock_of_file(self) -> Iterator[None]:
        lock = FileLock(f"{self._engine.url.database}.{self._key}.lock", blocking=False)
        try:
            lock.acquire()
        except Timeout:
            raise _under_way() from None
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _lock_in_database(self) -> Iterator[None]:
        """Hold an advisory lock of PostgreSQL, which ends with the connection."""
        key = {"class": _LOCKS, "key": self._key}
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.execute(sa.text("SELECT pg_try_advisory_lock(:class, :key)"), key).scalar():
                raise _under_way()
            try:
                yield
            finally:
                connection.execute(sa.text("SELECT pg_advisory_unlock(:class, :key)"), key)

    def belong_to(self, created_at: str) -> None:
        """Forget everything if it is of another project that had the same number.

        On SQLite, Label Studio gives the number of a deleted project to the next one.
        """
        known = self.recall(_CREATED)
        if known == created_at:
            return
        if known is not None:
            with self._engine.begin() as connection:
                for table in ("facts", "tasks", "annotations", "predictions", "probabilities", "runs"):
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
        task_rows: list[dict[str, Any]] = []
        annotation_rows: list[dict[str, Any]] = []
        for task in tasks:
            task_rows.append(
                {
                    "id": task["id"],
                    "data": orjson.dumps(task["data"], option=orjson.OPT_SORT_KEYS).decode(),
                    "overlap": task["overlap"],
                    "is_labeled": int(task["is_labeled"]),
                    "updated_at": _iso(task["updated_at"]),
                }
            )
            annotation_rows.extend(_annotation_row(task["id"], row) for row in task["annotations"])
        with self._engine.begin() as connection:
            before = self._known(connection, [row["id"] for row in task_rows])
            changed: int = sum(before.get(row["id"], ("", ""))[1] != row["updated_at"] for row in task_rows)
            # when the data itself changed, cached probabilities of the task are out of date
            for row in task_rows:
                data, _, data_changed_at = before.get(row["id"], (None, "", ""))
                row["data_changed_at"] = data_changed_at if data == row["data"] else row["updated_at"]
            self._delete_tasks(connection, [row["id"] for row in task_rows])
            self._many(
                connection,
                "INSERT INTO tasks (project, id, data, overlap, is_labeled, updated_at, data_changed_at) "
                "VALUES (:key, :id, :data, :overlap, :is_labeled, :updated_at, :data_changed_at)",
                task_rows,
            )
            self._many(
                connection,
                "INSERT INTO annotations (project, id, task, annotator, result, was_cancelled, ground_truth, "
                "updated_at, lead_time) VALUES (:key, :id, :task, :annotator, :result, :was_cancelled, "
                ":ground_truth, :updated_at, :lead_time)",
                annotation_rows,
            )
        return changed

    def _known(self, connection: Connection, ids: Sequence[int]) -> dict[int, tuple[str, str, str]]:
        query = sa.text(
            "SELECT id, data, updated_at, data_changed_at FROM tasks WHERE project = :key AND id IN :ids"
        ).bindparams(sa.bindparam("ids", expanding=True))
        found: dict[int, tuple[str, str, str]] = {}
        for start in range(0, len(ids), 5000):  # SQLite allows 32,766 parameters
            rows = connection.execute(query, {"key": self._key, "ids": list(ids[start : start + 5000])})
            found.update((row[0], (row[1], row[2], row[3])) for row in rows)
        return found

    def keep_only(self, ids: Iterable[int]) -> int:
        """Forget every task that is not among `ids`; return how many those were."""
        kept = set(ids)
        gone = [task for task in self.tasks().ids.tolist() if task not in kept]
        with self._engine.begin() as connection:
            self._delete_tasks(connection, gone)
        return len(gone)

    def _delete_tasks(self, connection: Connection, ids: Sequence[int]) -> None:
        rows = [{"id": task} for task in ids]
        self._many(connection, "DELETE FROM annotations WHERE project = :key AND task = :id", rows)
        self._many(connection, "DELETE FROM tasks WHERE project = :key AND id = :id", rows)

    def set_states(self, states: Iterable[tuple[int, int, bool]]) -> None:
        """Record (task, overlap, is_labeled) of tasks whose data did not change."""
        rows = [{"id": task, "overlap": overlap, "done": int(done)} for task, overlap, done in states]
        self._run("UPDATE tasks SET overlap = :overlap, is_labeled = :done WHERE project = :key AND id = :id", rows)

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

    def data(self) -> dict[int, dict[str, Any]]:
        """Return the data of each task, by increasing id."""
        rows = self._rows("SELECT id, data FROM tasks WHERE project = :key ORDER BY id")
        return {row[0]: orjson.loads(row[1]) for row in rows}

    def annotations(self) -> list[Annotation]:
        """Return the annotations, by task and id."""
        query = sa.text(
            "SELECT id, task, annotator, result, was_cancelled, ground_truth, updated_at, lead_time "
            "FROM annotations WHERE project = :key ORDER BY task, id"
        )
        with (
            self._engine.begin() as connection
        ):  # plain tuples: of millions of rows, SQLAlchemy's own are most of the time
            rows = connection.execute(query, {"key": self._key}).cursor.fetchall()
        return list(map(Annotation._make, rows))

    # ------------------------------------------------------------------ what was published

    def published(self) -> list[Prediction]:
        """Return our predictions as last seen or written, by id."""
        rows = self._rows(
            "SELECT id, task, model_version, score, result FROM predictions WHERE project = :key ORDER BY id"
        )
        return [Prediction(row[0], row[1], row[2], row[3], orjson.loads(row[4])) for row in rows]

    def set_published(self, predictions: Sequence[Prediction]) -> None:
        """Replace all that is known of our predictions by what was seen in Label Studio."""
        with self._engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM predictions WHERE project = :key"), {"key": self._key})
            self._insert_predictions(connection, predictions)

    def add_published(self, prediction: Prediction) -> None:
        """Record a prediction that was created or changed."""
        with self._engine.begin() as connection:
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
            "SELECT classifier, summary, classes, tasks, pred_probs, answers, newest FROM probabilities "
            "WHERE project = :key"
        )
        if not rows:
            return None
        row = rows[0]
        classes = tuple(orjson.loads(row[2]))
        tasks = np.frombuffer(row[3], dtype=np.int64)
        pred_probs = np.frombuffer(row[4], dtype=np.float64).reshape(len(tasks), len(classes))
        return Probabilities(row[0], row[1], classes, tasks, pred_probs, row[5], row[6])

    def set_probabilities(self, trained: Probabilities) -> None:
        """Keep the probabilities of a training in place of those of the one before."""
        row = {
            "classifier": trained.classifier,
            "summary": trained.summary,
            "classes": orjson.dumps(trained.classes).decode(),
            "tasks": np.ascontiguousarray(trained.tasks, np.int64).tobytes(),
            "pred_probs": np.ascontiguousarray(trained.pred_probs, np.float64).tobytes(),
            "answers": trained.answers,
            "newest": trained.newest,
        }
        with self._engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM probabilities WHERE project = :key"), {"key": self._key})
            self._many(
                connection,
                "INSERT INTO probabilities (project, classifier, summary, classes, tasks, pred_probs, answers, newest) "
                "VALUES (:key, :classifier, :summary, :classes, :tasks, :pred_probs, :answers, :newest)",
                [row],
            )

    # ------------------------------------------------------------------ runs

    def add_run(self, report: Mapping[str, Any]) -> None:
        """Record what a run did."""
        row = {"at": time.time(), "report": orjson.dumps(dict(report)).decode()}
        self._run("INSERT INTO runs (project, finished_at, report) VALUES (:key, :at, :report)", [row])

    def last_run(self) -> tuple[float, dict[str, Any]] | None:
        """Return when the last run ended (Unix time) and what it did."""
        rows = self._rows("SELECT finished_at, report FROM runs WHERE project = :key ORDER BY finished_at DESC LIMIT 1")
        return (rows[0][0], orjson.loads(rows[0][1])) if rows else None


def _under_way() -> UserError:
    return UserError("Another run on this project is under way with this store: wait for it to end, then run again.")


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
