"""The store's tables, as the newest step of `migrations` leaves them. Columns are spelt here and nowhere else.

Every table but `projects` has a column `project`: the store's own number of a project, `projects.id`. Yes and no are
1 and 0.
"""

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

    Upsert: TypeAlias = postgresql.Insert | sqlite.Insert
    """An INSERT that knows ON CONFLICT."""

_INTEGER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_REAL: Final[sa.DOUBLE_PRECISION[float]] = sa.DOUBLE_PRECISION()

METADATA: Final = sa.MetaData()

KEY: Final = sa.bindparam("key", type_=_INTEGER)
"""The store's own number of a project, given with every statement that reads or changes its rows."""


def _column(name: str, type_: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, type_, **{"nullable": False, **options})


def _number(name: str, **options: Any) -> sa.Column[Any]:
    return _column(name, _INTEGER, autoincrement=False, **options)


def _counted(name: str) -> sa.Column[Any]:
    """Return a column of numbers that the database counts by itself."""
    return sa.Column(name, _INTEGER, primary_key=True)


projects: Final = sa.Table(
    "projects",
    METADATA,
    _counted("id"),
    _column("server", sa.Text),  # the address of the Label Studio server
    _number("project"),  # its number there
    sa.UniqueConstraint("server", "project"),
)

facts: Final = sa.Table(
    "facts",
    METADATA,
    _number("project", primary_key=True),
    _column("name", sa.Text, primary_key=True),
    _column("value", sa.Text),  # JSON
)

tasks: Final = sa.Table(
    "tasks",
    METADATA,
    _number("project", primary_key=True),
    _number("id", primary_key=True),
    _column("data", sa.Text),  # JSON, its keys sorted: equal data is equal text
    _number("overlap"),  # how many annotators Label Studio is to show it to
    _number("is_labeled"),  # whether Label Studio counts it as finished
    _column("updated_at", sa.Text),  # ISO, with six digits of a second: later is greater
    _column("data_changed_at", sa.Text),  # the `updated_at` with which `data` last became another
)

annotations: Final = sa.Table(
    "annotations",
    METADATA,
    _number("project", primary_key=True),
    _number("id", primary_key=True),
    _number("task", primary_key=True),
    _number("annotator"),  # Label Studio's id of the user; 0 for all whose account was deleted
    _column("result", sa.Text),  # JSON, without the random ids of its items: equal answers are equal text
    _number("was_cancelled"),  # skipped
    _number("ground_truth"),
    _column("updated_at", sa.Text),
    _column("lead_time", _REAL, nullable=True),  # seconds
    _number("parent_prediction", nullable=True),  # Label Studio's id of the prediction that it was made from
    sa.PrimaryKeyConstraint("project", "task", "id"),  # in this order: annotations are read by task
)
sa.Index("annotations_by_id", annotations.c.project, annotations.c.id)

predictions: Final = sa.Table(
    "predictions",
    METADATA,
    _number("project", primary_key=True),
    _number("id", primary_key=True),
    _number("task"),
    _column("model_version", sa.Text),
    _column("score", _REAL, nullable=True),
    _column("result", sa.Text),  # JSON
)

model_predictions: Final = sa.Table(
    "model_predictions",  # of the models that are annotators; `predictions` are ours
    METADATA,
    _number("project", primary_key=True),
    _number("id", primary_key=True),
    _number("task"),
    _column("model_version", sa.Text),
    _column("result", sa.Text),  # JSON, as that of an annotation
    _column("created_at", sa.Text),
    _column("updated_at", sa.Text),
)
sa.Index("model_predictions_by_task", model_predictions.c.project, model_predictions.c.task)

probabilities: Final = sa.Table(
    "probabilities",
    METADATA,
    _number("project", primary_key=True),
    _column(
        "control", sa.Text, primary_key=True, server_default=""
    ),  # "" for the one that `classifier` names, from an earlier release
    _column("classifier", sa.Text),
    _column("summary", sa.Text),
    _column("classes", sa.Text),  # JSON: a list of K names
    _column("tasks", sa.LargeBinary),  # N ids, int64
    _column("pred_probs", sa.LargeBinary),  # N × K, float64, row by row
    _number("answers"),
    _column("newest", sa.Text),
    _column("training", sa.Text, server_default=""),
    _column("trained_at", _REAL, server_default=sa.text("0")),
)

runs: Final = sa.Table(
    "runs",
    METADATA,
    _counted("id"),
    _number("project"),
    _column("finished_at", _REAL),  # Unix time
    _column("report", sa.Text),  # JSON
)
sa.Index("runs_by_time", runs.c.project, runs.c.finished_at)

snapshots: Final = sa.Table(
    "snapshots",
    METADATA,
    _number("project", primary_key=True),
    _column("taken_at", _REAL),  # Unix time
    _column("content", sa.LargeBinary),
)

jobs: Final = sa.Table(
    "jobs",
    METADATA,
    _number("project", primary_key=True),
    _column("kind", sa.Text, primary_key=True),
    _number("generation"),  # goes up with each mark: a run sees whether something came while it was at work
    _number("needs"),  # `Needs`, added up since the last run that ended well
    _column("wanted_since", _REAL, nullable=True),  # the first mark that no run has seen (Unix time)
    _column("wanted_last", _REAL, nullable=True),  # the last one
    _number("claim"),  # goes up whenever the job is sent or begun: who holds an older number has lost the job
    _column("claimed_until", _REAL),  # when the claim runs out (Unix time); 0 where it was given back
    _column("retry_at", _REAL),  # not before then after a failure (Unix time)
    _number("failures"),  # in a row
    _column("problem", sa.Text, nullable=True),  # why it failed the last time
    _column("polled_at", _REAL),  # when somebody last looked for changes (Unix time)
    _column("swept_at", _REAL),  # when every task's state was last looked at (Unix time)
    _number("away", server_default=sa.text("0")),  # whether it failed because Label Studio does not answer
    _column("progress", sa.Text, nullable=True),  # JSON: `JobProgress`
    _column("state", sa.Text, server_default="free"),  # `ClaimState`
)

OF_A_PROJECT: Final = (facts, tasks, annotations, predictions, model_predictions, probabilities, runs, snapshots)
"""What is deleted with a project when another one with its number replaces it."""


def upsert(table: sa.Table, dialect: str) -> "Upsert":
    """Return an INSERT into a table that knows ON CONFLICT; SQLAlchemy has one for each kind of database."""
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert  # slow to import

        return postgresql_insert(table)
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(table)
