"""The store's tables: numbered steps, each run once, in order."""

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
)


_LOCK: Final = 5_017_662
"""Any number of our own: who starts first makes the tables, the others wait."""


def migrate(connection: Connection) -> None:
    """Bring the store to the newest version.

    Raises
    ------
    UserError
        If a newer release of the plugin wrote it.
    """
    postgresql = connection.dialect.name == "postgresql"
    if postgresql:  # on SQLite every transaction locks for writing
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    types = {
        "serial": "BIGSERIAL PRIMARY KEY" if postgresql else "INTEGER PRIMARY KEY",
        "integer": "BIGINT" if postgresql else "INTEGER",
        "blob": "BYTEA" if postgresql else "BLOB",
    }
    connection.execute(sa.text("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)"))
    row = connection.execute(sa.text("SELECT version FROM schema_version")).first()
    version = 0 if row is None else int(row[0])
    if version > len(_STEPS):
        raise UserError(
            f"The store is of version {version}, this release knows {len(_STEPS)}: upgrade label-studio-crowd, or "
            "delete the store (it is a cache; Label Studio keeps the data)."
        )
    if version == len(_STEPS):
        return
    for step in _STEPS[version:]:
        for statement in step:
            connection.execute(sa.text(statement.format(**types)))
    connection.execute(sa.text("DELETE FROM schema_version"))
    connection.execute(sa.text("INSERT INTO schema_version (version) VALUES (:version)"), {"version": len(_STEPS)})
