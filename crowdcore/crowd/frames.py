"""Frames of figures, with ids as their index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def indexed_frame(name: str, ids: Iterable[Any], columns: Mapping[Any, Any]) -> pd.DataFrame:
    """Return columns as a frame whose index has the ids and this name."""
    import pandas as pd

    frame: pd.DataFrame = pd.DataFrame(dict(columns), index=pd.Index(ids, name=name))
    return frame
