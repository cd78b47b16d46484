"""Where things are on this machine."""

from __future__ import annotations

from pathlib import Path

__all__ = ["CACHE", "CHECKOUT", "DATA"]

CHECKOUT = Path(__file__).resolve().parent.parent
CACHE = CHECKOUT / ".cache"
"""What is kept between runs, and not committed."""
DATA = CHECKOUT.parent / "shared" / "data"
"""Crowds with ground truth, which are not part of this repository."""
