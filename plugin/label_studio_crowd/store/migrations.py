"""How the store's tables are made: numbered steps, each run once, in order.

A new store takes them all. `tables` says what they lead to, and a test compares the two.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from label_studio_crowd.errors import UserError

_STEPS: Final = (
    (
        """CREATE TABLE projects (id {serial}, server TEXT NOT NULL, project {integer} NOT NULL,
           UNIQUE (server, project))""",
        """CREATE TABLE facts (project {integer} NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
           PRIMARY KEY (project, name))""",
        """CREATE TABLE tasks (project {integer} NOT NULL, id {integer} NOT NULL, data TEXT NOT NULL,
           overlap {integer} NOT NULL, is_labeled {integer} NOT NULL, updated_at TEXT NOT NULL,
           data_changed_at TEXT NOT NULL, PRIMARY KEY (project, id))""",
        """CREATE TABLE annotations (project {integer} NOT NULL, id {integer} NOT NULL, task {integer} NOT NULL,
           annotator {integer} NOT NULL, result TEXT NOT NULL, was_cancelled {integer} NOT NULL,
           ground_truth {integer} NOT NULL, updated_at TEXT NOT NULL, lead_time DOUBLE PRECISION,
           PRIMARY KEY (project, task, id))""",
        """CREATE TABLE predictions (project {integer} NOT NULL, id {integer} NOT NULL, task {integer} NOT NULL,
           model_version TEXT NOT NULL, score DOUBLE PRECISION, result TEXT NOT NULL, PRIMARY KEY (project, id))""",
        """CREATE TABLE probabilities (project {integer} PRIMARY KEY, classifier TEXT NOT NULL, summary TEXT NOT NULL,
           classes TEXT NOT NULL, tasks {blob} NOT NULL, pred_probs {blob} NOT NULL, answers {integer} NOT NULL,
           newest TEXT NOT NULL)""",
        """CREATE TABLE runs (id {serial}, project {integer} NOT NULL, finished_at DOUBLE PRECISION NOT NULL,
           report TEXT NOT NULL)""",
    ),
    (
        "CREATE INDEX annotations_by_id ON annotations (project, id)",
        "CREATE INDEX runs_by_time ON runs (project, finished_at)",
        "ALTER TABLE probabilities ADD COLUMN training TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE probabilities ADD COLUMN trained_at DOUBLE PRECISION NOT NULL DEFAULT 0",
        """CREATE TABLE snapshots (project {integer} PRIMARY KEY, taken_at DOUBLE PRECISION NOT NULL,
           content {blob} NOT NULL)""",
        """CREATE TABLE jobs (project {integer} NOT NULL, kind TEXT NOT NULL, generation {integer} NOT NULL,
           needs {integer} NOT NULL, wanted_since DOUBLE PRECISION, wanted_last DOUBLE PRECISION,
           claim {integer} NOT NULL, claimed_until DOUBLE PRECISION NOT NULL, retry_at DOUBLE PRECISION NOT NULL,
           failures {integer} NOT NULL, problem TEXT, polled_at DOUBLE PRECISION NOT NULL,
           swept_at DOUBLE PRECISION NOT NULL, PRIMARY KEY (project, kind))""",
    ),
    (
        "ALTER TABLE jobs ADD COLUMN away {integer} NOT NULL DEFAULT 0",
        "ALTER TABLE jobs ADD COLUMN progress TEXT",
        "DELETE FROM facts WHERE name = 'progress'",
    ),
    (
        # so far an odd claim was sent, an even one begun, or given back where it had no time to run out at
        "ALTER TABLE jobs ADD COLUMN state TEXT NOT NULL DEFAULT 'free'",
        """UPDATE jobs SET state = CASE WHEN claim % 2 = 1 THEN 'sent' WHEN claimed_until > 0 THEN 'begun'
           ELSE 'free' END""",
    ),
    (
        # the next pull reads all anew, because it is not known of the annotations at hand
        "ALTER TABLE annotations ADD COLUMN parent_prediction {integer}",
        "DELETE FROM facts WHERE name = 'complete_until'",
    ),
    (
        # so far annotations were kept without the ids that say which region an answer is about
        "DELETE FROM facts WHERE name = 'complete_until'",
    ),
    (
        """CREATE TABLE model_predictions (project {integer} NOT NULL, id {integer} NOT NULL, task {integer} NOT NULL,
           model_version TEXT NOT NULL, result TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
           PRIMARY KEY (project, id))""",
        "CREATE INDEX model_predictions_by_task ON model_predictions (project, task)",
    ),
    (
        # one training of each control instead of one of the project; which one that was, `classifier` says
        "ALTER TABLE probabilities RENAME TO probabilities_before",
        """CREATE TABLE probabilities (project {integer} NOT NULL, control TEXT NOT NULL DEFAULT '',
           classifier TEXT NOT NULL, summary TEXT NOT NULL, classes TEXT NOT NULL, tasks {blob} NOT NULL,
           pred_probs {blob} NOT NULL, answers {integer} NOT NULL, newest TEXT NOT NULL,
           training TEXT NOT NULL DEFAULT '', trained_at DOUBLE PRECISION NOT NULL DEFAULT 0,
           PRIMARY KEY (project, control))""",
        """INSERT INTO probabilities (project, control, classifier, summary, classes, tasks, pred_probs, answers,
           newest, training, trained_at)
           SELECT project, '', classifier, summary, classes, tasks, pred_probs, answers, newest, training, trained_at
           FROM probabilities_before""",
        "DROP TABLE probabilities_before",
    ),
)

_VERSION: Final = sa.Table("schema_version", sa.MetaData(), sa.Column("version", sa.Integer, nullable=False))

_LOCK: Final = 5_017_662
"""A number of our own: the first process makes the tables, the others wait."""
_TAKE_TURNS: Final = sa.select(sa.func.pg_advisory_xact_lock(_LOCK))

_SQLITE: Final = {"serial": "INTEGER PRIMARY KEY", "integer": "INTEGER", "blob": "BLOB"}
_POSTGRESQL: Final = {"serial": "BIGSERIAL PRIMARY KEY", "integer": "BIGINT", "blob": "BYTEA"}


def migrate(connection: Connection) -> None:
    """Bring the store to the newest version.

    Raises
    ------
    UserError
        If a newer release of the plugin wrote it.
    """
    if connection.dialect.name == "postgresql":  # on SQLite every transaction locks for writing
        connection.execute(_TAKE_TURNS)
    version = _version(connection)
    if version > len(_STEPS):
        raise UserError(
            f"The store has version {version}, this release knows up to {len(_STEPS)}: upgrade label-studio-crowd, or "
            "delete the store (it is a cache; Label Studio keeps the data)."
        )
    if version < len(_STEPS):
        _take_steps(connection, version)


def _version(connection: Connection) -> int:
    """Return how many steps a store has taken."""
    _VERSION.create(connection, checkfirst=True)
    return connection.execute(sa.select(_VERSION.c.version)).scalar() or 0


def _take_steps(connection: Connection, version: int) -> None:
    types = _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE
    for step in _STEPS[version:]:
        for statement in step:
            connection.execute(sa.text(statement.format(**types)))
    connection.execute(sa.delete(_VERSION))
    connection.execute(sa.insert(_VERSION).values(version=len(_STEPS)))
