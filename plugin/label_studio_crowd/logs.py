"""What the service's processes log: lines of time, level and name, and never a token or a body."""

from __future__ import annotations

import logging
from typing import Final

from label_studio_crowd.settings import Settings

_TALKATIVE: Final = ("httpx", "httpcore", "huey", "uvicorn.access", "filelock", "stamina")


def configure_logs(settings: Settings) -> None:
    """Log to the standard error what is of the settings' level."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=settings.log_level, force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)
