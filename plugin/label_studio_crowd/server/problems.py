"""What went wrong, as an answer: in words if the user can fix it, otherwise without internals."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Mapping
from typing import Any, Final

import orjson
import sqlalchemy as sa
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from label_studio_crowd.errors import UserError
from label_studio_crowd.store.database import store_reason
from label_studio_crowd.studio.events import MalformedEventError

log = logging.getLogger(__name__)


class Problem(BaseModel):
    """Why a request was not answered."""

    detail: str = Field(description="What was found, what is allowed, what to do.")


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the problems that a route may answer with, for its description."""
    guessed = (429,) if 401 in statuses else ()
    return {status: {"model": Problem, "description": _MEANINGS[status]} for status in (*statuses, *guessed)}


_MEANINGS: Final[Mapping[int, str]] = {
    400: "The body is not what it should be.",
    401: "The name or the password is missing or wrong.",
    404: "There is no such project or task, or nothing is known about it yet.",
    413: "The request is too large.",
    415: "The body is not sent as application/json.",
    422: "A value is not what it should be.",
    429: "Wrong passwords came too often, from this address or from all.",
    503: "The store does not answer.",
}


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer that says what went wrong."""
    words = detail.encode(errors="backslashreplace").decode()  # lone surrogates cannot be sent
    return Response(orjson.dumps({"detail": words}), status, headers, "application/json")


def wants_page(request: Request) -> bool:
    """Return whether the request comes from a person with a browser."""
    return "text/html" in request.headers.get("accept", "")


async def answer_error(_: Request, error: Exception) -> Response:
    """Return the answer to an error of a kind in `EXPECTED`."""
    if isinstance(error, HTTPException):
        return problem(error.status_code, error.detail, error.headers)
    if isinstance(error, MalformedEventError):
        log.warning("Malformed webhook: %s.", error.field)
        return problem(422, str(error))
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        return problem(422, f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}.")
    if isinstance(error, sa.exc.SQLAlchemyError):
        log.error("The store fails (%s).", store_reason(error))
        return problem(503, "The store does not answer: try again.", {"Retry-After": "1"})
    if isinstance(error, RecursionError):
        return problem(400, "The body is nested too deeply.")
    if isinstance(error, ClientDisconnect):  # nobody is there to read it
        return problem(400, "The request ended before its body did.")
    return problem(400, str(error))


EXPECTED: Final[tuple[type[Exception], ...]] = (
    HTTPException,
    MalformedEventError,
    UserError,
    RequestValidationError,
    sa.exc.SQLAlchemyError,
    RecursionError,
    ClientDisconnect,
)


class LastResort:
    """Answers defects with a bare 500, and logs where they are.

    Neither messages nor values are logged: they may hold what people labelled, or a token.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except asyncio.CancelledError:  # the server ends; it would log a traceback for each who still waits
            if not started:
                await problem(503, "The server is ending: try again.")(scope, receive, send)
        except Exception as error:
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error(
                "%s failed with %s:\n%s",
                scope["path"][:100].encode("unicode_escape").decode(),
                type(error).__name__,
                where.rstrip(),
            )
            if not started:
                await problem(500, "Something is wrong here: the server's log says where.")(scope, receive, send)
