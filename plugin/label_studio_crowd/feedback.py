"""How long work tells whoever waits for it how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, done, total)."""


def silent(_what: str, _done: int, _total: int) -> None:
    """Show no progress."""
