"""ML backends, and the webhooks that tell them what happens."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from label_studio_crowd.studio.failures import StudioError, unless_gone
from label_studio_crowd.studio.requests.server import Server

if TYPE_CHECKING:
    from label_studio_sdk.types.webhook import Webhook

BACKEND_TITLE: Final = "label-studio-crowd"
"""The title of a backend that `connect` adds."""


class Backends(Server):
    """Requests about the backends of a project, and their webhooks."""

    def backends(self, project: int) -> list[dict[str, Any]]:
        """Return the ML backends connected to a project.

        Label Studio sets up every backend of its list of backends at each look; beside the model versions it lists them
        without. So whoever is set up knows that somebody else asked for it.
        """
        asked = {"extended": "true", "include_live_models": "true"}
        return list(self._read(f"/api/projects/{project}/model-versions/", **asked)["live"])

    def add_backend(self, project: int, url: str, user: str = "", password: str = "") -> None:
        """Connect an ML backend, whose health Label Studio checks at once; if it is refused, leave nothing."""
        access: dict[str, Any] = {}
        if user:
            access = {"auth_method": "BASIC_AUTH", "basic_auth_user": user, "basic_auth_pass": password}
        try:
            self._sdk.ml.create(project=project, url=url, title=BACKEND_TITLE, **access)
        except StudioError as error:
            self.remove_backend(project, url)
            if error.status != 400:
                raise
            raise _refused_backend(url, error) from None

    def remove_backend(self, project: int, url: str) -> None:
        """Remove an ML backend and its webhook, which Label Studio made and would leave behind."""
        for row in self.backends(project):
            if row["url"].rstrip("/") == url.rstrip("/"):
                unless_gone(partial(self._sdk.ml.delete, row["id"]))
        for hook in self._sdk.webhooks.list(project=str(project)):
            if hook.url.startswith(url.rstrip("/") + "/"):
                unless_gone(partial(self._sdk.webhooks.delete, hook.id))

    def webhook_headers(self, project: int, backend: str) -> dict[str, str] | None:
        """Return the headers of a backend's webhook, or None if it has no webhook; every annotator can read them."""
        found = self._webhooks(project, backend)
        return dict(found[0].headers or {}) if found else None

    def header_values(self, header: str) -> list[str]:
        """Return the value of a header in each webhook of all projects that has it."""
        found = (dict(hook.headers or {}) for hook in self._sdk.webhooks.list())
        return [str(headers[header]) for headers in found if header in headers]

    def secure_webhook(self, project: int, backend: str, headers: Mapping[str, str]) -> None:
        """Give a backend's webhook these headers, which Label Studio forgets; create the webhook if there is none."""
        found = self._webhooks(project, backend)
        for hook in found:
            wanted = {**(hook.headers or {}), **headers}
            if hook.headers != wanted:
                # a change that does not name the actions would empty them
                self._sdk.webhooks.update(hook.id, headers=wanted, actions=hook.actions)
        if not found:
            self._sdk.webhooks.create(
                project=project,
                url=_webhook_url(backend),
                headers=dict(headers),
                send_payload=True,
                send_for_all_actions=True,
            )

    def remove_left_webhooks(self, project: int, host: str) -> None:
        """Remove the webhooks of removed backends at a host: Label Studio leaves them behind."""
        there = {_webhook_url(row["url"]) for row in self.backends(project)}
        for hook in self._sdk.webhooks.list(project=str(project)):
            parts = urlsplit(hook.url)
            if parts.netloc == host and parts.path.endswith("/webhook") and hook.url not in there:
                unless_gone(partial(self._sdk.webhooks.delete, hook.id))

    def _webhooks(self, project: int, backend: str) -> list[Webhook]:
        hooks = self._sdk.webhooks.list(project=str(project))
        return [hook for hook in hooks if hook.url == _webhook_url(backend)]


def _webhook_url(backend: str) -> str:
    return f"{backend.rstrip('/')}/webhook"


def _refused_backend(url: str, error: StudioError) -> StudioError:
    if "401" in str(error) or "authentication" in str(error):
        return StudioError(
            f"The backend at {url} asks for a password: set BASIC_AUTH_USER and BASIC_AUTH_PASS here to the "
            "same values as there.",
            400,
        )
    return StudioError(
        f"Label Studio cannot use {url} as a backend: check that `label-studio-crowd serve` runs there and "
        f"that Label Studio can reach it. {error}",
        400,
    )
