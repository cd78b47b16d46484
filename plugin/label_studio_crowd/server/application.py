"""The application: routes and guards put together, and served."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import uvicorn
from anyio import move_on_after
from anyio.to_thread import current_default_thread_limiter, run_sync
from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.middleware import Middleware
from starlette.responses import Response

from label_studio_crowd import __version__
from label_studio_crowd.access import has_password, listening_host
from label_studio_crowd.errors import UserError
from label_studio_crowd.logs import configure_logs
from label_studio_crowd.server import api_routes, downloads, ml_routes, pages, state_routes
from label_studio_crowd.server.frames import answer_in_kind
from label_studio_crowd.server.guards import OPEN, BodyLimit, LoopbackGuard, PageLimits, PasswordGuard
from label_studio_crowd.server.metrics import Timing
from label_studio_crowd.server.parts import TheParts, assemble
from label_studio_crowd.server.problems import EXPECTED, LastResort, described
from label_studio_crowd.service.backend import Backend
from label_studio_crowd.service.scheduler import Service
from label_studio_crowd.settings import Settings

log = logging.getLogger(__name__)

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_THREADS: Final = 64
_LAST_ANSWERS_SECONDS: Final = 1
_LAST_RUN_SECONDS: Final = 8.5
_BACKLOG: Final = 2048


def create_application(backend: Backend, *, lifespan: Lifespan | None = None, loopback_only: bool = False) -> FastAPI:
    """Return the server's application.

    Parameters
    ----------
    backend
        What it serves; it stays open.
    lifespan
        What runs as long as the application does.
    loopback_only
        Answer only who asks for this machine by a name of its own.
    """
    settings, parts = backend.settings, assemble(backend)
    app = FastAPI(
        title="label-studio-crowd",
        version=__version__,
        description="An ML backend for Label Studio: consensus, annotator quality, and the most useful next task.",
        redirect_slashes=False,
        docs_url=None,  # both would be scripts of other hosts
        redoc_url=None,
        lifespan=lifespan,
        middleware=[
            Middleware(Timing, parts.metrics),
            Middleware(PageLimits),
            Middleware(LastResort),
            Middleware(BodyLimit, settings.max_body_mb),
            *([Middleware(LoopbackGuard)] if loopback_only else []),
            Middleware(PasswordGuard, backend),
        ],
        exception_handlers=dict.fromkeys(EXPECTED, answer_in_kind),
    )
    app.state.parts = parts
    for module in (state_routes, ml_routes, api_routes, downloads, pages):
        app.include_router(module.router)
    app.add_api_route(
        "/metrics",
        _show_metrics,
        operation_id="metrics",
        tags=["state"],
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **described(401)},
    )
    _describe_password(app.openapi())
    return app


def _show_metrics(parts: TheParts) -> Response:
    """Show the metrics, in Prometheus's format."""
    return Response(parts.metrics.as_text(), media_type=CONTENT_TYPE_LATEST)


def _describe_password(schema: dict[str, Any]) -> None:
    """Say in the application's description which routes ask for the password."""
    schema.setdefault("components", {})["securitySchemes"] = {"password": {"type": "http", "scheme": "basic"}}
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            operation["security"] = [] if path in OPEN else [{"password": []}]


def serve(settings: Settings) -> None:
    """Serve until a signal ends it, and keep the projects fresh meanwhile.

    Raises
    ------
    UserError
        If the server may not or cannot listen there, the store cannot be opened, or there is no token.
    """
    host = listening_host(settings)
    configure_logs(settings)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with listen(host, settings.port) as listener:
        backend = Backend(settings)
        service = Service(backend)
        config = uvicorn.Config(
            create_application(backend, lifespan=_lifespan_of(service), loopback_only=_is_open(settings)),
            log_config=None,
            access_log=False,
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=_LAST_ANSWERS_SECONDS,
        )
        server = uvicorn.Server(config)
        open_to = "" if has_password(settings) else ", without a password"
        log.info("Listening on %s, port %d%s.", host, settings.port, open_to)
        here = f"http://{_in_an_address(host)}:{settings.port}"
        log.info("Pages: %s/", here)
        log.info("To connect a project: label-studio-crowd connect PROJECT --backend %s", here)
        try:
            server.run(sockets=[listener])
        except (KeyboardInterrupt, SystemExit):  # it has ended already: uvicorn passes the signal on
            pass
        finally:
            backend.close()
    _leave_who_waits(0 if server.started else 1)


def _in_an_address(host: str) -> str:
    """Return how a browser on this machine writes the host that the server listens on."""
    if host in ("0.0.0.0", "::"):
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _is_open(settings: Settings) -> bool:
    """Return whether everybody on this machine may use the server, and nobody else."""
    return not has_password(settings) and not settings.insecure


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there: before anything is begun that would have to end again.

    Raises
    ------
    UserError
        If that cannot be.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(
            f"The server cannot listen on {host}, port {port} ({reason}): correct --host or --port."
        ) from None
    # asyncio does so only for sockets that it made; without it answers on a kept connection wait 40 ms
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _leave_who_waits(code: int) -> None:
    """End the process at once where requests still wait for the store, which may take them half a minute.

    Nothing is lost: what they would have written is found by the next look at Label Studio.
    """
    until = time.monotonic() + _LAST_ANSWERS_SECONDS
    for thread in threading.enumerate():
        if thread is threading.main_thread() or thread.daemon:
            continue
        thread.join(max(0.0, until - time.monotonic()))
        if thread.is_alive():
            log.warning("The store is busy: requests that wait for it are left.")
            logging.shutdown()
            os._exit(code)
    if code:
        sys.exit(code)


def _lifespan_of(service: Service) -> Lifespan:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = _THREADS
        await run_sync(service.__enter__)
        try:
            yield
        finally:
            with move_on_after(_LAST_RUN_SECONDS):
                await run_sync(service.__exit__, None, None, None, abandon_on_cancel=True)

    return lifespan
