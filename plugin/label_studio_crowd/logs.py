"""What the service's processes log: lines of local time with its zone, level and name; never a token or a body."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from label_studio_crowd.settings import Settings

_TALKATIVE: Final = ("httpx", "httpcore", "huey", "uvicorn.access", "filelock", "stamina")

_MINUTE: Final = 60.0
_KEPT: Final = 1000
_LONGEST_KEY: Final = 500


def configure_logs(settings: Settings) -> None:
    """Log to the standard error what is of the settings' level."""
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S %z",
        level=settings.log_level,
        force=True,
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(Repetitions())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)


class Repetitions(logging.Filter):
    """Lets a message through once a minute; how often it came meanwhile is said with the next one.

    Parameters
    ----------
    clock
        Gives the time in seconds; it only goes forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._said: OrderedDict[tuple[str, int, str], tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a message is to be logged."""
        message = record.getMessage()
        key = record.name, record.levelno, message[:_LONGEST_KEY]
        with self._lock:
            now = self._clock()
            at, left_out = self._said.get(key, (-_MINUTE, 0))
            if now - at < _MINUTE:
                self._said[key] = at, left_out + 1
                return False
            self._said[key] = now, 0
            self._said.move_to_end(key)
            if len(self._said) > _KEPT:
                self._said.popitem(last=False)
        if left_out:
            record.msg, record.args = f"{message} ({left_out} more of the same since it was last said.)", ()
        return True
