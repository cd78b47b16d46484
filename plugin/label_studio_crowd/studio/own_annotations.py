"""How annotations of the consensus are known for ours: by their user, or in an export by their `unique_id`."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

EMAIL: Final = "consensus@label-studio-crowd.invalid"
"""The address of the user that they are by. No mail can go there."""
_PREFIX: Final = "c0a5e05c-9a6b-4"


def own_id() -> str:
    """Return a new `unique_id` for an annotation of ours: a random UUID whose first digits are always the same.

    Label Studio takes it over, writes it into exports, and keeps it when somebody edits the annotation.

    Examples
    --------
    >>> is_own({"unique_id": own_id()}), is_own({"unique_id": str(uuid.uuid4())})
    (True, False)
    """
    return _PREFIX + str(uuid.uuid4())[len(_PREFIX) :]


def is_own(annotation: Mapping[str, Any]) -> bool:
    """Return whether an annotation of an export is one of the consensus that we wrote.

    Examples
    --------
    >>> is_own({"completed_by": {"id": 7, "email": EMAIL}}), is_own({"completed_by": 7})
    (True, False)
    """
    who = annotation.get("completed_by")
    return str(annotation.get("unique_id")).startswith(_PREFIX) or (
        isinstance(who, Mapping) and who.get("email") == EMAIL
    )
