"""Pictures of tasks, fetched from Label Studio with our token: a browser of ours has no session there."""

from __future__ import annotations

import threading
from typing import Final

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.exceptions import HTTPException
from starlette.responses import Response

from label_studio_crowd.errors import UserError
from label_studio_crowd.settings import Settings
from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.failures import StudioError

_AT_ONCE: Final = 6
_PATIENCE: Final = 10.0
_LARGEST: Final = 20_000_000
_HEADERS: Final = {
    "Cache-Control": "private, max-age=3600",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
"""An SVG that is opened on its own can run nothing and load nothing."""


class Images:
    """Fetches pictures; the token is exchanged once for many of them.

    Parameters
    ----------
    settings
        Label Studio's address, and the token.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._studio: Studio | None = None
        self._turns: CapacityLimiter | None = None

    async def fetch(self, path: str) -> Response:
        """Return a picture that Label Studio serves; few at once, so that threads are left for webhooks.

        Parameters
        ----------
        path
            From `addresses.image_path`.

        Raises
        ------
        HTTPException
            If there is no token, Label Studio does not give it, or it is no picture or a large one.
        """
        if self._turns is None:
            self._turns = CapacityLimiter(_AT_ONCE)
        return await run_sync(self._fetch, path, limiter=self._turns)

    def _fetch(self, path: str) -> Response:
        try:
            with self._lock:
                if self._studio is None:
                    self._studio = Studio.of(self._settings, patience=_PATIENCE)
            kind, content = self._studio.file(path, _LARGEST)
        except StudioError as error:
            raise HTTPException(502, f"Label Studio did not return this picture: {error}") from None
        except UserError as error:
            raise HTTPException(404, str(error)) from None
        if not kind.startswith("image/"):
            raise HTTPException(404, f"This is not a picture ({kind[:40]}): open the task in Label Studio.")
        return Response(content, media_type=kind, headers=_HEADERS)
