"""The secret of webhooks: one that somebody has set, or a random one that is kept in the store."""

from __future__ import annotations

from dataclasses import dataclass

from label_studio_crowd.access import has_password, set_secret
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.facts import PlainFact
from label_studio_crowd.store.projects import Store


@dataclass(frozen=True)
class WebhookSecret(PlainFact):
    """What every webhook of this service carries."""

    fact = "webhook_secret"

    secret: str


def known_secret(store: Store, settings: Settings) -> str:
    """Return the secret of webhooks; "" where none is needed, or a service has yet to make it."""
    if secret := set_secret(settings):
        return secret
    kept = store.shared.read(WebhookSecret) if has_password(settings) else None
    return kept.secret if kept else ""


def keep_secret(store: Store, secret: str) -> str:
    """Keep a secret, unless another process has kept one meanwhile; return the one that is kept."""
    return store.shared.write_first(WebhookSecret(secret)).secret
