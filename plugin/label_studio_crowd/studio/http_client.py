"""The httpx client for label-studio-sdk: it knows what may be repeated, and how Label Studio fails.

Whatever the SDK sends passes through here, so that none of its calls has to be guarded. The SDK's own repeating is
off: it would repeat a POST, and Label Studio's import is not idempotent, so that duplicates predictions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import stamina

from label_studio_crowd.studio.failures import REFRESH_PATH, UnreadableError, failure, may_pass, no_answer
from label_studio_crowd.studio.strangers import stranger
from label_studio_crowd.studio.waiting import Waited

stamina.instrumentation.set_on_retry_hooks([])  # what is repeated at once is not worth a line on the screen


class _Hurried(threading.local):
    now = False


class HttpClient(httpx.Client):
    """Sends requests to one Label Studio.

    Parameters
    ----------
    url
        Its address.
    patience
        Seconds to wait for an answer.
    transport
        What carries the requests; a test's way to make a connection fail.

    Attributes
    ----------
    waited
        The time spent waiting for answers.
    token_kind
        Which kind of token the SDK signs requests with.
    renew
        Gives another bearer token where the last is not taken; None for tokens that are not exchanged.
    """

    def __init__(self, url: str, *, patience: float, transport: httpx.BaseTransport | None = None) -> None:
        timeout = httpx.Timeout(patience, connect=min(patience, 5))
        super().__init__(base_url=url, timeout=timeout, transport=transport)
        self.waited = Waited()
        self.token_kind = "token"
        self.renew: Callable[[], str] | None = None
        self._url = url
        self._answered = False
        self._is_known = False
        self._hurried = _Hurried()

    def send(self, request: httpx.Request, *, stream: bool = False, **how: Any) -> httpx.Response:
        """Send a request; repeat it, unless it is a POST, when the connection breaks.

        Raises
        ------
        StudioError
            If Label Studio does not answer, or refuses; an answer that is streamed is for the caller to judge.
        """
        if stream:
            return self._signed(request, stream=True, **how)
        if not self._may_repeat(request):
            return self._good_answer(request, **how)
        for attempt in stamina.retry_context(on=may_pass, attempts=5, timeout=60, wait_initial=0.5):
            with attempt:
                return self._good_answer(request, **how)
        raise AssertionError("unreachable: the last attempt returns or raises")

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Let this thread's requests in the block fail at once; they are not repeated."""
        self._hurried.now = True
        try:
            yield
        finally:
            self._hurried.now = False

    @contextmanager
    def answering(self, request: str) -> Iterator[None]:
        """Measure the time in the block, and turn a broken connection into an error of one line."""
        try:
            with self.waited.measured():
                yield
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise no_answer(self._url, request, error) from None
        except httpx.DecodingError as error:  # of what claims to be compressed
            raise UnreadableError(f"What {self._url} answered to {request} cannot be read: {error}") from None

    def _may_repeat(self, request: httpx.Request) -> bool:
        return self._answered and not self._hurried.now and (request.method != "POST" or _is_refresh(request))

    def _good_answer(self, request: httpx.Request, **how: Any) -> httpx.Response:
        answer = self._signed(request, **how)
        self._answered = True
        wrong = stranger(self._url, answer, is_known=self._is_known) or failure(self.token_kind, answer)
        if wrong is not None:
            raise wrong
        self._is_known = True
        return answer

    def _signed(self, request: httpx.Request, **how: Any) -> httpx.Response:
        """Send a request; repeat it with a new bearer token if a machine slept or a clock differs."""
        answer = self._once(request, **how)
        if answer.status_code == 401 and self.renew is not None and not _is_refresh(request):
            answer.close()
            request.headers["Authorization"] = f"Bearer {self.renew()}"
            answer = self._once(request, **how)
        return answer

    def _once(self, request: httpx.Request, **how: Any) -> httpx.Response:
        with self.answering(f"{request.method} {request.url.path}"):
            return super().send(request, **how)


def _is_refresh(request: httpx.Request) -> bool:
    return request.url.path.endswith(REFRESH_PATH)
