"""Connects a project whose owner added our backend in its Model settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from label_studio_crowd.access import webhook_headers
from label_studio_crowd.connection.addresses import note_strange_addresses, strange_addresses
from label_studio_crowd.connection.adoption import Adopted, Declined, Setup
from label_studio_crowd.connection.connect import connect_anew
from label_studio_crowd.connection.record import NotConnectedError, Record, find_record
from label_studio_crowd.exchange.pull import look_up
from label_studio_crowd.project import Project
from label_studio_crowd.settings import parse_options
from label_studio_crowd.store.facts import Facts
from label_studio_crowd.store.webhook_secret import known_secret
from label_studio_crowd.studio.versions import CONSENSUS_VERSION


class BackendRemovedError(NotConnectedError):
    """The owner has removed our backend in the Model settings."""


def remember_setup(facts: Facts, said: Setup) -> bool:
    """Note that somebody set our backend up for a project; return whether that is news."""
    if facts.read(Setup) == said:
        return False
    facts.write(said)
    return True


def adopt(project: Project, *, anew: bool = False) -> bool:
    """Connect a project whose owner added our backend in its Model settings, with the options given there.

    `remember_setup` has noted that somebody said so; what is done is what Label Studio says.

    Returns
    -------
    bool
        Whether our backend has another strange address than before, or one no more.

    Parameters
    ----------
    anew
        See to it that the webhook carries the secret, even if nothing is new.

    Raises
    ------
    BackendRemovedError
        If the owner has removed it there again.
    UserError
        If the options are not valid.
    """
    asked, record = _standing_setup(project), project.store.facts.read(Record)
    if asked is None and not (record and record.backends):
        return False
    backends = project.studio.backends(project.number)
    if asked is not None:
        _adopt(project, _our_backends(project, asked, backends), anew=anew)
    elif record is not None and anew and find_record(project):
        _secure(project, _named_backends(record, backends))
    return note_strange_addresses(project, backends)


def _adopt(project: Project, ours: Sequence[Mapping[str, Any]], *, anew: bool) -> None:
    done = project.store.facts.read(Adopted)
    if not ours and done is None:  # looked at before it was added, or removed before it was seen to
        return
    if not ours:
        raise BackendRemovedError(
            f"Project {project.number}: its ML backend was removed in Label Studio, so nothing is scored or published "
            f"any more. `label-studio-crowd disconnect {project.number}` restores its settings."
        )
    options = parse_options(ours[-1]["extra_params"])
    found = Adopted(tuple(row["created_at"] for row in ours), options)
    if found != done:
        settings = project.settings.model_copy(update=options)
        connect_anew(replace(project, settings=settings), dropped=set(done.options if done else ()) - set(options))
        project.store.facts.write(found)
    if found != done or anew:
        _secure(project, ours)


def _secure(project: Project, backends: Sequence[Mapping[str, Any]]) -> None:
    """See to it that the webhooks of our backends carry the secret, but for those at an address of somebody else."""
    headers = webhook_headers(known_secret(project.store.store, project.settings))
    facts = project.store.facts
    strange = strange_addresses(facts, backends, facts.read(Record)).urls
    for row in (row for row in backends if row["url"] not in strange):
        project.studio.secure_webhook(project.number, row["url"], headers)


def _named_backends(record: Record, backends: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the backends that `connect` was given the addresses of."""
    named = {url.rstrip("/") for url in record.backends}
    return [row for row in backends if row["model_version"] == CONSENSUS_VERSION and row["url"].rstrip("/") in named]


def _standing_setup(project: Project) -> Setup | None:
    """Return what was said of this project, and not of an older one of the same number."""
    asked = project.store.facts.read(Setup)
    if asked is None:
        return None
    info = look_up(project)  # forgets what was noted of an older project, what it said of this one too
    if project.store.facts.read(Setup) is None:
        if not asked.is_of(info):
            return None
        project.store.facts.write(asked)
    return asked


def _our_backends(project: Project, asked: Setup, backends: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    facts = project.store.facts
    declined, done = facts.read(Declined), facts.read(Adopted)
    known, adopted = set(declined.backends if declined else ()), set(done.backends if done else ())
    return [
        row
        for row in backends
        if row["created_at"] not in known
        and (
            row["created_at"] in adopted  # whatever its address is now
            or row["model_version"] == CONSENSUS_VERSION
            or urlsplit(row["url"]).netloc == asked.host
        )
    ]
