"""The store: all projects, each with its parts.

A cache: deleting it costs time, not data. An SQLite file by default; PostgreSQL for several machines.
"""

from __future__ import annotations

import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from label_studio_crowd.store.database import Database
from label_studio_crowd.store.facts import Facts, PlainFact
from label_studio_crowd.store.mirror import Mirror
from label_studio_crowd.store.model_answers import ModelAnswers
from label_studio_crowd.store.people import People
from label_studio_crowd.store.published import Published
from label_studio_crowd.store.runs import Runs
from label_studio_crowd.store.tables import KEY, OF_A_PROJECT, facts, projects, snapshots, upsert
from label_studio_crowd.store.trainings import Trainings

if TYPE_CHECKING:
    from label_studio_crowd.store.tables import Upsert

_ON_SERVER: Final = projects.c.server == sa.bindparam("on_server")
_READ_KEY: Final = sa.select(projects.c.id).where(_ON_SERVER, projects.c.project == sa.bindparam("number"))
_READ_SNAPSHOT_TIMES: Final = (
    sa.select(projects.c.project, snapshots.c.taken_at)
    .join_from(projects, snapshots, snapshots.c.project == projects.c.id)
    .where(_ON_SERVER)
)
_READ_ONLY_LOOKED_AT: Final = (
    sa.select(projects.c.project)
    .join_from(projects, facts, facts.c.project == projects.c.id)
    .where(_ON_SERVER, facts.c.name == "only_looked_at")
    .order_by(projects.c.project)
)
_NO_PROJECT: Final = 0
"""No project's number in the store."""
_LARGEST_KEY: Final = 2**31 - 1
"""PostgreSQL's locks take no larger one."""
_DELETE_PROJECT: Final = [sa.delete(table).where(table.c.project == KEY) for table in OF_A_PROJECT]


class Store(Database):
    """The projects of all Label Studio servers, in one database."""

    @property
    def shared(self) -> Facts:
        """The facts that are of no project."""
        return Facts(self, _NO_PROJECT)

    def project(self, server: str, project: int) -> ProjectStore:
        """Return a project's part of the store; it is made if there is none yet."""
        return ProjectStore(self, self.key(server, project))

    def known_project(self, server: str, project: int) -> ProjectStore | None:
        """Return a project's part of the store, or None if there is none."""
        key = self.known_key(server, project)
        return None if key is None else ProjectStore(self, key)

    def key(self, server: str, project: int) -> int:
        """Return the store's own number of a project; it gets one if it has none yet."""
        known = self.known_key(server, project)
        if known is not None:
            return known
        with self.writing() as connection:
            # a number that was never given before: a run of a store that was deleted meanwhile writes under its own
            row = {"id": 1 + secrets.randbelow(_LARGEST_KEY), "server": server, "project": project}
            connection.execute(_put_project(self.dialect), row)
        return self.key(server, project)

    def known_key(self, server: str, project: int) -> int | None:
        """Return the store's own number of a project, or None if it has none."""
        with self.reading() as connection:
            found = connection.execute(_READ_KEY, {"on_server": server, "number": project}).scalar()
        return None if found is None else int(found)

    def snapshots_taken_at(self, server: str) -> dict[int, float]:
        """Return when the snapshots were taken (Unix time) of those projects of a server that have one."""
        with self.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(_READ_SNAPSHOT_TIMES, {"on_server": server})}

    def only_looked_at(self, server: str) -> list[int]:
        """Return the projects of a server that have `OnlyLookedAt`."""
        with self.reading() as connection:
            return [row[0] for row in connection.execute(_READ_ONLY_LOOKED_AT, {"on_server": server})]


@dataclass(frozen=True)
class OnlyLookedAt(PlainFact):
    """When a project that is not connected was last looked at (Unix time): it was scored, and nothing was written.

    Or it was connected, and this is when the last run before `disconnect` ended.
    """

    fact = "only_looked_at"
    at: float


@dataclass(frozen=True)
class Title(PlainFact):
    """What the project is called in Label Studio, as it was last looked up."""

    fact = "title"
    title: str


@dataclass(frozen=True)
class CreatedAt(PlainFact):
    """When Label Studio created the project (ISO): tells it from a deleted one that had its number."""

    fact = "created_at"
    at: str


class ProjectStore:
    """What the store holds of one project.

    Parameters
    ----------
    store
        Where it is.
    key
        The store's own number of the project.

    Attributes
    ----------
    mirror
        The copy of its tasks and annotations.
    facts
        Small records.
    people
        The annotators' names and numbers.
    published
        Our predictions in Label Studio.
    model_answers
        The predictions of the models that are annotators.
    trainings
        The class probabilities of the last training.
    runs
        Reports of runs, and what the last one believed.
    """

    def __init__(self, store: Store, key: int) -> None:
        self.store, self.key = store, key
        self.mirror = Mirror(store, key)
        self.facts = Facts(store, key)
        self.people = People(store, key)
        self.published = Published(store, key)
        self.model_answers = ModelAnswers(store, key)
        self.trainings = Trainings(store, key)
        self.runs = Runs(store, key)

    def exclusive(self, patience: float = 0.0) -> AbstractContextManager[None]:
        """Keep other runs out of this project, as `Store.exclusive` does."""
        return self.store.exclusive(self.key, patience)

    def belong_to(self, created_at: str) -> None:
        """Forget everything if it belongs to another project that had the same number.

        On SQLite, Label Studio gives the number of a deleted project to the next one.
        """
        known, wanted = self.facts.read(CreatedAt), CreatedAt(created_at)
        if known == wanted:
            return
        if known is not None:
            self.forget_everything()
        self.facts.write(wanted)

    def forget_everything(self) -> None:
        """Delete all that is stored of the project, but for the jobs of a service."""
        with self.store.writing() as connection:
            for delete in _DELETE_PROJECT:
                connection.execute(delete, {"key": self.key})


@cache
def _put_project(dialect: str) -> Upsert:
    return upsert(projects, dialect).on_conflict_do_nothing()
