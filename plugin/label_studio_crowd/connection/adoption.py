"""What Label Studio's Model settings said about our backend, and what was done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from label_studio_crowd.store.facts import Fact, PlainFact


@dataclass(frozen=True)
class Setup(Fact):
    """Somebody added our backend in a project's Model settings.

    Attributes
    ----------
    uid
        The project as Label Studio names it, its number and when it was created: "17.1795211437".
    options
        The extra parameters of the Model settings.
    host
        The address by which we were reached.
    """

    fact = "setup"

    uid: str
    options: Mapping[str, Any]
    host: str

    def is_of(self, info: Mapping[str, Any]) -> bool:
        """Return whether it is of the project with these settings, and not of an older one of the same number."""
        created = datetime.fromisoformat(str(info["created_at"]).replace("Z", "+00:00"))
        return self.uid.partition(".")[2] in ("", str(int(created.timestamp())))


@dataclass(frozen=True)
class Adopted(Fact):
    """The backends for which a project was connected, by when they were added, and the options given there."""

    fact = "adopted"

    backends: tuple[str, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Declined(PlainFact):
    """The backends, by when they were added, that stayed when the project was disconnected: no new wish."""

    fact = "declined_backends"

    backends: tuple[str, ...]
