"""The model versions of the predictions that we write."""

from __future__ import annotations

import re
from typing import Final

QUEUE_PREFIX: Final = "crowd-queue-"
CONSENSUS_VERSION: Final = "crowd-consensus"


def is_ours(model_version: str) -> bool:
    """Return whether a model version is one that the plugin writes."""
    return model_version == CONSENSUS_VERSION or queue_number(model_version) is not None


def queue_number(model_version: str) -> int | None:
    """Return the number of a version of the queue; None for any other version.

    Examples
    --------
    >>> queue_number("crowd-queue-12"), queue_number("gpt")
    (12, None)
    """
    match = re.fullmatch(re.escape(QUEUE_PREFIX) + r"(\d+)", model_version)
    return int(match[1]) if match else None
