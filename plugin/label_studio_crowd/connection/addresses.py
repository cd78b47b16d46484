"""Whether our backend still has an address of ours in Label Studio, where every user can change it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from label_studio_crowd.connection.adoption import Adopted, Setup
from label_studio_crowd.connection.record import Record
from label_studio_crowd.project import Project
from label_studio_crowd.store.facts import Facts, PlainFact
from label_studio_crowd.studio.requests.backends import BACKEND_TITLE
from label_studio_crowd.studio.versions import CONSENSUS_VERSION

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StrangeAddresses(PlainFact):
    """Addresses of our backend in Label Studio at which this service was never reached."""

    fact = "strange_addresses"

    urls: tuple[str, ...] = ()

    def in_words(self) -> str:
        """Return what that means, and what to do."""
        return (
            f"In Label Studio the address of the ML backend is {', '.join(self.urls)}, at which this service was never "
            "reached. Label Studio sends the backend's password there. If that was nobody you trust, change "
            "BASIC_AUTH_PASS, then correct address and password in the project's Settings → Model"
        )


def strange_addresses(facts: Facts, backends: Sequence[Mapping[str, Any]], record: Record | None) -> StrangeAddresses:
    """Return the addresses of our backend that are none of ours.

    Ours are those that `connect` was given, and the one by which Label Studio reached us last; without either nothing
    can be said.

    Parameters
    ----------
    backends
        The project's ML backends in Label Studio.
    record
        What `connect` recorded, if anything.
    """
    asked, done = facts.read(Setup), facts.read(Adopted)
    known = {_host(url) for url in (record.backends if record else ())} | ({asked.host.lower()} if asked else set())
    added = done.backends if done else ()
    ours = [
        row["url"]
        for row in backends
        if row["created_at"] in added or row["title"] == BACKEND_TITLE or row["model_version"] == CONSENSUS_VERSION
    ]
    return StrangeAddresses(tuple(sorted(url for url in ours if known and _host(url) not in known)))


def note_strange_addresses(project: Project, backends: Sequence[Mapping[str, Any]]) -> bool:
    """Note for the next run, and log, which addresses of our backend are none of ours; return whether that is news."""
    facts = project.store.facts
    before = facts.read(StrangeAddresses) or StrangeAddresses()
    found = strange_addresses(facts, backends, facts.read(Record))
    if found.urls:
        log.warning("Project %d: %s.", project.number, found.in_words())
    if found != before:
        facts.write(found)
    return found != before


def _host(url: str) -> str:
    """Return an address as a request names it: without the port that its scheme has anyway."""
    parts = urlsplit(url)
    usual = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return parts.netloc.lower().removesuffix(usual) if usual else parts.netloc.lower()
