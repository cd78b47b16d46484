"""The store's tables: numbered steps, each run once, in order."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from label_studio_crowd.errors import UserError

_STEPS: Final = (
    (
        """CREATE TABLE projects (id INTEGER PRIMARY KEY, server TEXT NOT NULL, project INTEGER NOT NULL,
           UNIQUE (server, project))""",
        """CREATE TABLE facts (project INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
           PRIMARY KEY (project, name))""",
        """CREATE TABLE tasks (project INTEGER NOT NULL, id INTEGER NOT NULL, data TEXT NOT NULL,
           overlap INTEGER NOT NULL, is_labeled INTEGER NOT NULL, updated_at TEXT NOT NULL,
           data_changed_at TEXT NOT NULL, PRIMARY KEY (project, id))""",
        """CREATE TABLE annotations (project INTEGER NOT NULL, id INTEGER NOT NULL, task INTEGER NOT NULL,
           annotator INTEGER NOT NULL, result TEXT NOT NULL, was_cancelled INTEGER NOT NULL,
           ground_truth INTEGER NOT NULL, updated_at TEXT NOT NULL, lead_time DOUBLE PRECISION,
           PRIMARY KEY (project, task, id))""",
        """CREATE TABLE predictions (project INTEGER NOT NULL, id INTEGER NOT NULL, task INTEGER NOT NULL,
           model_version TEXT NOT NULL, score DOUBLE PRECISION, result TEXT NOT NULL, PRIMARY KEY (project, id))""",
        """CREATE TABLE probabilities (project INTEGER PRIMARY KEY, classifier TEXT NOT NULL, summary TEXT NOT NULL,
           classes TEXT NOT NULL, tasks BLOB NOT NULL, pred_probs BLOB NOT NULL, answers INTEGER NOT NULL,
           newest TEXT NOT NULL)""",
        """CREATE TABLE runs (id INTEGER PRIMARY KEY, project INTEGER NOT NULL, finished_at DOUBLE PRECISION NOT NULL,
           report TEXT NOT NULL)""",
    ),
)


def migrate(connection: Connection) -> None:
    """Bring the store to the newest version.

    Raises
    ------
    UserError
        If a newer release of the plugin wrote it.
    """
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
            connection.execute(sa.text(statement))
    connection.execute(sa.text("DELETE FROM schema_version"))
    connection.execute(sa.text("INSERT INTO schema_version (version) VALUES (:version)"), {"version": len(_STEPS)})
