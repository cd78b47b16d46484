"""Who may use the server: people with a name and a password, and webhooks with a secret."""

from __future__ import annotations

import base64
import hmac
from typing import Final

from pydantic import SecretStr

from label_studio_crowd.errors import UserError
from label_studio_crowd.settings import Settings

SECRET_HEADER: Final = "X-Webhook-Secret"
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


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


def may_send_events(settings: Settings, authorization: str | None, secret: str | None) -> bool:
    """Return whether a webhook's headers let it in: the password, or the secret."""
    wanted = webhook_secret(settings)
    if not wanted:
        return True
    by_password = has_password(settings) and may_use(settings, authorization)
    return _same(secret or "", wanted) or by_password


def webhook_secret(settings: Settings) -> str:
    """Return the secret of webhooks; "" where everybody is let in.

    Every annotator can read a webhook's headers in Label Studio. So it is never the password; where no secret is
    set it is derived from the password, from which the password cannot be found.
    """
    if secret := _secret(settings.webhook_secret):
        return secret
    if not has_password(settings):
        return ""
    user, password = basic_auth(settings)
    return hmac.new(password.encode(), f"label-studio-crowd webhook {user}".encode(), "sha256").hexdigest()


def webhook_headers(settings: Settings) -> dict[str, str]:
    """Return what Label Studio must send with a webhook to be let in."""
    secret = webhook_secret(settings)
    return {SECRET_HEADER: secret} if secret else {}


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
