"""Who may use the server: people with a name and a password, and webhooks with a secret."""

from __future__ import annotations

import base64
import hmac
import math
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final, TypeVar

from pydantic import SecretStr

from label_studio_crowd.errors import UserError
from label_studio_crowd.settings import Settings

SECRET_HEADER: Final = "X-Webhook-Secret"
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")

_MADE: Final = "made-"
"""Tells a secret of ours from one that somebody has set, or that an older release derived from the password."""
_MINUTE: Final = 60.0
_GUESSES: Final = 10
"""Wrong passwords in a minute, from one address."""
_ALL_GUESSES: Final = 60
"""The same, from all addresses."""
_TRUSTED_SECONDS: Final = 24 * 3600.0
_ADDRESSES: Final = 10_000

T = TypeVar("T")


def basic_auth(settings: Settings) -> tuple[str, str]:
    """Return the name and the password that the server asks for; two empty ones where it asks for none."""
    return settings.basic_auth_user or "", _secret(settings.basic_auth_pass)


def has_password(settings: Settings) -> bool:
    """Return whether the server asks for a name and a password."""
    return all(basic_auth(settings))


def listening_host(settings: Settings) -> str:
    """Return where the server may listen: everywhere with a password, otherwise on loopback.

    Raises
    ------
    UserError
        If it shall listen beyond loopback and asks for no password, or has only half of one.
    """
    if any(basic_auth(settings)) and not has_password(settings):
        raise UserError("Only one of BASIC_AUTH_USER and BASIC_AUTH_PASS is set: set both, or neither.")
    if has_password(settings) or settings.insecure:
        return settings.host or "0.0.0.0"
    if settings.host is None:
        return "127.0.0.1"
    if settings.host not in LOOPBACK:
        raise UserError(
            f"The server would listen on {settings.host} and let anybody in: set BASIC_AUTH_USER and BASIC_AUTH_PASS, "
            "or give --insecure if the network itself keeps others out."
        )
    return settings.host


def may_use(settings: Settings, authorization: str | None) -> bool:
    """Return whether an Authorization header lets its sender in; everybody is where no password is set."""
    if not has_password(settings):
        return True
    # both are always compared, and in constant time: how long it takes tells nothing
    same = [_same(*pair) for pair in zip(_basic(authorization), basic_auth(settings), strict=True)]
    return all(same)


def may_send_events(settings: Settings, authorization: str | None, given: str | None, secret: str) -> bool:
    """Return whether a webhook's headers let it in: the password, or the secret.

    Parameters
    ----------
    given
        The secret that the webhook carries.
    secret
        The one that it should; "" where none is known, or needed.
    """
    if not has_password(settings) and not secret:
        return True
    by_password = has_password(settings) and may_use(settings, authorization)
    return (bool(secret) and _same(given or "", secret)) or by_password


def set_secret(settings: Settings) -> str:
    """Return the secret of webhooks that somebody has set; "" for none."""
    return _secret(settings.webhook_secret)


def new_secret() -> str:
    """Return a random secret of webhooks.

    Every annotator can read a webhook's headers in Label Studio. So it must tell nothing of the password, nor be made
    of it: a list of words would find a weak one.
    """
    return _MADE + secrets.token_urlsafe(32)


def is_made(secret: str) -> bool:
    """Return whether a secret is one that `new_secret` made."""
    return secret.startswith(_MADE) and len(secret) == len(new_secret())


def webhook_headers(secret: str) -> dict[str, str]:
    """Return what Label Studio must send with a webhook to be let in."""
    return {SECRET_HEADER: secret} if secret else {}


class Guesses:
    """Slows down whoever guesses the password: after some wrong ones no further one is looked at for a while.

    Wrong passwords are counted by the address that they come from, and all together. An address from which the right
    one came lately is not held back by the wrong ones of others.

    Parameters
    ----------
    clock
        Gives the time in seconds; it only goes forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()
        self._all: deque[float] = deque()
        self._right: OrderedDict[str, float] = OrderedDict()

    def seconds_to_wait(self, address: str) -> float:
        """Return how long no password from an address is looked at; 0 where one is."""
        with self._lock:
            now = self._clock()
            own = _wait(self._wrong.get(address, deque()), _GUESSES, now)
            trusted = now - self._right.get(address, -math.inf) < _TRUSTED_SECONDS
            return own if trusted else max(own, _wait(self._all, _ALL_GUESSES, now))

    def note(self, address: str, *, right: bool) -> None:
        """Count a password that was looked at."""
        with self._lock:
            now = self._clock()
            if right:
                _put(self._right, address, now)
                return
            for counted in (self._wrong.get(address) or _put(self._wrong, address, deque()), self._all):
                counted.append(now)


def _wait(wrong: deque[float], most: int, now: float) -> float:
    """Return the seconds until there are fewer than `most` wrong passwords in a minute."""
    while wrong and now - wrong[0] >= _MINUTE:
        wrong.popleft()
    return 0.0 if len(wrong) < most else _MINUTE - (now - wrong[-most])


def _put(kept: OrderedDict[str, T], address: str, value: T) -> T:
    """Keep something of an address; the oldest of very many are forgotten."""
    kept[address] = value
    kept.move_to_end(address)
    if len(kept) > _ADDRESSES:
        kept.popitem(last=False)
    return value


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value else ""


def _basic(authorization: str | None) -> tuple[str, str]:
    """Return the name and password of a Basic header; empty ones for anything else."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return (user, password) if colon else ("", "")


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogatepass"), wanted.encode(errors="surrogatepass"))
