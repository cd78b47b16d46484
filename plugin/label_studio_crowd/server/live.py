"""Lets open pages know that they are out of date, over server-sent events.

One poller a process looks at the store, once a second and only while somebody listens.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import sqlalchemy as sa
from anyio.to_thread import run_sync

from label_studio_crowd.server.projects import shown_projects
from label_studio_crowd.service.backend import Backend
from label_studio_crowd.store.database import store_reason

log = logging.getLogger(__name__)

_PAUSE: Final = 1.0

Versions = Mapping[int, str]


def page_versions(backend: Backend) -> Versions:
    """Return a word for each project that has pages; it changes when the project's pages do."""
    taken_at = backend.store.snapshots_taken_at(backend.settings.url)
    return {
        project: _word(
            [(job.kind, job.word, job.problem, job.failures, job.progress) for job in jobs], taken_at.get(project)
        )
        for project, jobs in shown_projects(backend).items()
    }


def version_of(versions: Versions, project: int | None) -> str:
    """Return the version of a project's pages, or for None of those that show all."""
    if project is None:
        return _word(sorted(versions.items()))
    return versions.get(project, "none")


def _word(*things: Any) -> str:
    return hashlib.sha256(repr(things).encode(errors="replace")).hexdigest()[:12]


class Live:
    """Looks up the current version of each page, for all who listen.

    Parameters
    ----------
    backend
        Whose projects are shown.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._listeners = 0
        self._poller: asyncio.Task[None] | None = None
        self._versions: Versions | None = None
        self._changed = asyncio.Event()

    async def versions(self, project: int | None) -> AsyncIterator[dict[str, str]]:
        """Yield the version that there is of a project's pages, and each one that comes after it, as events."""
        self._listeners += 1
        if self._poller is None:
            self._poller = asyncio.create_task(self._poll())
        told = None
        try:
            while True:
                changed = self._changed
                if self._versions is not None and (version := version_of(self._versions, project)) != told:
                    told = version
                    yield {"data": version}
                await changed.wait()
        finally:
            self._listeners -= 1
            if not self._listeners and self._poller is not None:
                self._poller.cancel()
                self._poller, self._versions = None, None

    async def _poll(self) -> None:
        while True:
            found: Versions | None
            try:
                found = await run_sync(page_versions, self._backend)
            except sa.exc.SQLAlchemyError as error:  # looked at again: pages show what they showed
                log.debug("The store fails (%s): pages cannot be updated.", store_reason(error))
                found = self._versions
            except Exception:
                log.exception("It cannot be checked whether pages have changed: trying again.")
                found = self._versions
            if found != self._versions:
                self._versions = found
                self._changed.set()
                self._changed = asyncio.Event()
            await asyncio.sleep(_PAUSE)
