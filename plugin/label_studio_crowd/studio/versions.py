"""The model versions of the predictions that we write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from label_studio_crowd.errors import UserError

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


def check_models(versions: Sequence[str]) -> None:
    """Raise a `UserError` if a model version that is to be an annotator is one that the plugin writes.

    Examples
    --------
    >>> check_models(["gpt-5"])
    >>> check_models(["crowd-consensus"])
    Traceback (most recent call last):
    label_studio_crowd.errors.UserError: model_annotators names 'crowd-consensus', which are our own predictions: ...
    """
    for version in versions:
        if is_ours(version) or version.startswith(CONSENSUS_VERSION):
            raise UserError(
                f"model_annotators names {version!r}, which are our own predictions: they would confirm themselves. "
                "Name the versions of other models, as the Data Manager shows them in the column "
                '"Prediction model versions".'
            )
