"""What the routes stand on, one set an application."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from label_studio_crowd.server.images import Images
from label_studio_crowd.server.live import Live
from label_studio_crowd.server.metrics import Metrics
from label_studio_crowd.server.readiness import Readiness
from label_studio_crowd.service.backend import Backend


@dataclass(frozen=True)
class Parts:
    """The backend, what is measured and known of its surroundings, what pages need, and whose turn it is to write."""

    backend: Backend
    metrics: Metrics
    readiness: Readiness
    live: Live
    images: Images
    turn: AbstractContextManager[object]


def assemble(backend: Backend) -> Parts:
    """Return what the routes stand on."""
    # on SQLite, writers wait for each other by looking again after growing pauses: a lock passes the turn on at once
    turn = threading.Lock() if backend.settings.store.startswith("sqlite") else nullcontext()
    return Parts(backend, Metrics(backend), Readiness(backend), Live(backend), Images(backend.settings), turn)


async def parts_of(request: Request) -> Parts:
    """Return the application's parts."""
    parts = request.app.state.parts
    assert isinstance(parts, Parts)
    return parts


TheParts = Annotated[Parts, Depends(parts_of)]
