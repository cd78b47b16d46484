"""What goes wrong with Label Studio, each in one clear line, and whether it may work when it is tried again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import httpx
import orjson

from label_studio_crowd.errors import UserError

REFRESH_PATH: Final = "/api/token/refresh/"
"""Where a personal access token is exchanged for a bearer token."""

_NOT_NOW: Final = (429, 502, 503, 504)
"""The answers of a Label Studio that is overloaded, starting or away."""


_USUAL_ADVICE: Final = "start it, or correct LABEL_STUDIO_URL."
_TO_CORRECT: Final = tuple(
    (re.compile(words, re.IGNORECASE), advice)
    for words, advice in (
        (
            r"certificate is not valid for|hostname mismatch|doesn't match",
            "its certificate is for another name; put that name into LABEL_STUDIO_URL, or give Label Studio a "
            "certificate for this one.",
        ),
        ("certificate has expired", "its certificate has expired; renew it."),
        (
            "certificate[ _]verify[ _]failed|unknown ca",
            "its certificate is not trusted here; set SSL_CERT_FILE to a file with the certificate of the authority "
            "that signed it, or with its own if it is self-signed.",
        ),
        (
            "wrong[ _]version[ _]number|record layer failure|unexpected[ _]message|http[ _]request",
            "it speaks plain HTTP there; write http:// instead of https:// in LABEL_STUDIO_URL.",
        ),
        (
            "name or service not known|nodename nor servname|getaddrinfo failed|no address associated",
            "there is no such host; correct LABEL_STUDIO_URL.",
        ),
        (
            "unsupported protocol|missing an 'http",
            "write http:// or https:// before the host in LABEL_STUDIO_URL.",
        ),
    )
)
_MAY_PASS: Final = tuple(
    (re.compile(words, re.IGNORECASE), advice)
    for words, advice in (
        (
            "^http:.*(without sending a response|illegal status line|illegal response|connection reset)",
            "start it; or, if it speaks HTTPS there, write https:// instead of http:// in LABEL_STUDIO_URL.",
        ),
        (
            "temporary failure in name resolution|try again",
            "nobody could say where this host is; check the network, or correct LABEL_STUDIO_URL.",
        ),
    )
)
"""What to do, by words of the address's beginning and of the reason; the first are for the user alone to mend."""


class StudioError(UserError):
    """Label Studio could not be reached, or refused a request."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.may_pass = self.may_pass or status == 500


class NoAnswerError(StudioError):
    """Label Studio does not answer, or says that it cannot answer now; later it may."""

    may_pass = True


class WrongAddressError(NoAnswerError):
    """Nobody can answer at this address until the user has corrected something: the host, the scheme, a certificate.

    A service that was started with a right address waits all the same: hosts and their names come back, too.
    """

    may_pass = False


class UnreadableError(StudioError):
    """Label Studio fails to answer with what it has, or nobody can read its answer."""


class NoSuchProjectError(StudioError):
    """There is no such project, or this token's user may not see it."""


def may_pass(error: Exception) -> bool:
    """Return whether a request that failed with this error may succeed when it is repeated, where others succeeded."""
    return isinstance(error, NoAnswerError) or (isinstance(error, StudioError) and error.may_pass)


def unless_gone(change: Callable[[], object]) -> bool:
    """Make a change; return False if what is to be changed is gone."""
    try:
        change()
    except StudioError as error:
        if error.status == 404:
            return False
        raise
    return True


def no_answer(url: str, request: str, error: Exception) -> NoAnswerError:
    """Return the error for a request that broke off."""
    name = type(error).__name__
    reason = f"{name} in {request}" if isinstance(error, httpx.TimeoutException) else str(error) or name
    for kind, known in ((WrongAddressError, _TO_CORRECT), (NoAnswerError, _MAY_PASS)):
        for words, advice in known:
            if words.search(f"{url[:6]} {reason}"):
                return kind(f"Label Studio does not answer at {url} ({reason}): {advice}")
    return NoAnswerError(f"Label Studio does not answer at {url} ({reason}): {_USUAL_ADVICE}")


def failure(token_kind: str, answer: httpx.Response) -> StudioError | None:
    """Return what is wrong with an answer of Label Studio, or None."""
    if answer.is_success:
        return None
    if answer.request.url.path.endswith(REFRESH_PATH):
        return _no_bearer(answer)
    if answer.status_code == 500:
        return UnreadableError(_refusal(token_kind, answer), 500)
    return _answered_badly(_refusal(token_kind, answer), answer.status_code)


def read_json(path: str, answer: httpx.Response) -> Any:
    """Return the JSON of an answer.

    Raises
    ------
    UnreadableError
        If it is no JSON, or too deeply nested for anybody.
    """
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError as error:
        raise UnreadableError(f"Label Studio's answer to {path} cannot be read: {error}") from None


def refused_personal_token(detail: str) -> StudioError:
    """Return the error for a personal access token that is refused."""
    return StudioError(
        f"Label Studio refuses the personal access token ({detail}): create a new one "
        "under Account & Settings → Personal Access Token and put it into LABEL_STUDIO_API_KEY.",
        401,
    )


def _no_bearer(answer: httpx.Response) -> StudioError:
    detail, status = _detail(answer), answer.status_code
    if status in (400, 401, 403):
        return refused_personal_token(detail)
    return _answered_badly(f"Label Studio answered {status} to a request for a bearer token: {detail}", status)


def _refusal(token_kind: str, answer: httpx.Response) -> str:
    detail, status = _detail(answer), answer.status_code
    asked = f"{answer.request.method} {answer.request.url.path}"
    if status == 401:
        return (
            f"Label Studio refuses the {token_kind} ({detail}): create a personal access token under "
            "Account & Settings → Personal Access Token (legacy tokens are off by default) and put it into "
            "LABEL_STUDIO_API_KEY."
        )
    if status == 403 and "reserved network address" in detail:
        return (
            f"Label Studio refuses a private address ({detail}): start Label Studio with both "
            "LABEL_STUDIO_ML_BLOCK_LOCAL_IP=false and SSRF_PROTECTION_ENABLED=false, or use a public address."
        )
    if status == 403:
        return (
            f"This token's user may not do {asked} ({detail}): ask for the right to do it, or use another user's token."
        )
    return f"Label Studio answered {status} to {asked}: {detail}"


def _answered_badly(message: str, status: int) -> StudioError:
    return (NoAnswerError if status in _NOT_NOW else StudioError)(message, status)


def _detail(answer: httpx.Response) -> str:
    """Return the reason that Label Studio gives for a refusal, in one line."""
    try:
        body = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return f"status {answer.status_code}"
    if not isinstance(body, dict):
        return str(body)[:300]
    found = body.get("validation_errors") or body.get("detail") or f"status {answer.status_code}"
    return str(found)[:300]
