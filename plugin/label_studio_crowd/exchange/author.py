"""The user of Label Studio that annotations of the consensus are by: they are nobody's answers.

Its e-mail address is what it is known by, in every project and from every machine. No mail can go there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from label_studio_crowd.project import Project
from label_studio_crowd.store.facts import Fact, Facts
from label_studio_crowd.store.people import is_deleted
from label_studio_crowd.studio.own_annotations import EMAIL

NAMES: Final = ("Consensus", "(label-studio-crowd)")
"""First and last name."""


@dataclass(frozen=True)
class Author(Fact):
    """The user's id, None while there is none, and the annotators of whom it is known whether they are it."""

    fact = "consensus_author"

    user: int | None
    checked: list[int]


def known_author(facts: Facts) -> int | None:
    """Return the user's id as the last pull found it; None if nobody who has annotated is it."""
    known = facts.read(Author)
    return None if known is None else known.user


def look_for_author(project: Project, annotators: Iterable[int]) -> None:
    """Find out whether the user is among annotators; Label Studio is asked only if one of them is new."""
    known = project.store.facts.read(Author) or Author(None, [])
    everybody = {*known.checked, *(who for who in annotators if not is_deleted(who))}
    if known.user is None and len(everybody) > len(known.checked):
        project.store.facts.write(Author(project.studio.user_with(EMAIL), sorted(everybody)))


def make_author(project: Project) -> int:
    """Return the user's id; make the user if there is none. Nobody can log in as this user: it has no password."""
    user = project.studio.user_with(EMAIL)
    if user is None:
        user = project.studio.create_user(EMAIL, *NAMES)
    project.store.facts.write(Author(user, [user]))
    return user
