"""What is let in: with a password (but for `/` and `/health`), and bodies up to a size; and what is let out.

They stand before the routes, so that a new route is guarded, too.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from label_studio_crowd.access import LOOPBACK, SECRET_HEADER, Guesses, has_password, may_send_events, may_use
from label_studio_crowd.server.problems import problem
from label_studio_crowd.service.backend import Backend

OPEN: Final = ("/", "/health")
"""What everybody may ask."""
WEBHOOK: Final = "/webhook"
TOO_MANY_GUESSES: Final = "Wrong passwords came too often: try again in a minute."
_CLOSE: Final = {"Connection": "close"}
_ASK: Final = {"WWW-Authenticate": 'Basic realm="label-studio-crowd", charset="UTF-8"'}


class LoopbackGuard:
    """Lets in requests that name this machine by one of its own names.

    Without a password, a website in the user's browser could otherwise point its own name at this server and read
    everything.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 421."""
        if scope["type"] == "http":
            host = Headers(scope=scope).get("host", "")
            try:
                name = urlsplit(f"//{host}").hostname
            except ValueError:
                name = None
            if name not in LOOPBACK:
                refusal = problem(
                    421,
                    f"This server has no password, so it answers only at {', '.join(LOOPBACK)}, not at {host[:100]!r}: "
                    "set BASIC_AUTH_USER and BASIC_AUTH_PASS to open it to others.",
                    _CLOSE,
                )
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


class PasswordGuard:
    """Lets in requests with the password, and webhooks with the secret; slows down who guesses the password."""

    def __init__(self, app: ASGIApp, backend: Backend) -> None:
        self._app = app
        self._backend = backend
        self._guesses = Guesses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 401 or 429."""
        if scope["type"] == "websocket":  # there are none
            await send({"type": "websocket.close", "code": 1008})
            return
        refusal = None if scope["type"] == "lifespan" or scope["path"] in OPEN else self._refusal(scope)
        await (self._app if refusal is None else refusal)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers, settings = Headers(scope=scope), self._backend.settings
        authorization = headers.get("authorization")
        if authorization is not None and not authorization.isascii():  # no Basic header can be
            authorization = None
        if authorization is not None and has_password(settings):
            address = (scope.get("client") or ("",))[0]
            if seconds := self._guesses.seconds_to_wait(address):
                return problem(429, TOO_MANY_GUESSES, {"Retry-After": f"{seconds:.0f}"})
            self._guesses.note(address, right=may_use(settings, authorization))
        if scope["path"] == WEBHOOK:
            secret = self._backend.secret
            allowed = may_send_events(settings, authorization, headers.get(SECRET_HEADER), secret)
        else:
            allowed = may_use(settings, authorization)
        return None if allowed else problem(401, "The name or the password is missing or wrong.", _ASK)


class PageLimits:
    """Tells browsers what our answers may do: nothing but show what this server itself gives them."""

    _HEADERS: Final = {
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def limiting(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, limiting)


class BodyLimit:
    """Refuses bodies that are too large: by what they say, and by what comes in.

    A connection whose body was not read to its end is closed: the server would go on reading, however much comes.
    """

    def __init__(self, app: ASGIApp, megabytes: float) -> None:
        self._app = app
        self._most = int(megabytes * 1_000_000)
        self._refusal = f"The body is larger than {megabytes:g} MB: send less at once, or raise max_body_mb."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on whose body is counted as it comes, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            await problem(400, "Content-Length is not a number.", _CLOSE)(scope, receive, send)
            return
        if len(length) > 18 or int(length) > self._most:
            await problem(413, self._refusal, _CLOSE)(scope, receive, send)
            return
        came, more = 0, int(length) > 0 or "transfer-encoding" in headers

        async def counted() -> Message:
            nonlocal came, more
            message = await receive()
            came += len(message.get("body", b""))
            if came > self._most:
                raise HTTPException(413, self._refusal)
            more = more and message.get("more_body", False)
            return message

        async def closing(message: Message) -> None:
            if more and message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_CLOSE)
            await send(message)

        await self._app(scope, counted, closing)
