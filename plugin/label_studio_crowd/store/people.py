"""The people who annotate a project: their names, and the numbers that stand for them where names are hidden."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.store.database import Database
from label_studio_crowd.store.facts import Facts, PlainFact

DELETED_USER: Final = 0
"""The annotator of an annotation whose user was deleted: Label Studio then keeps no id. Where a task has several of
these, they are of several people: the second is -1, the third -2, and so on."""


def is_deleted(annotator: int) -> bool:
    """Return whether an annotator stands for users who were deleted."""
    return annotator <= DELETED_USER


def account(annotator: int) -> int:
    """Return the user's id in Label Studio, to which all deleted users are one."""
    return DELETED_USER if is_deleted(annotator) else annotator


@dataclass(frozen=True)
class Names(PlainFact):
    """The annotators' names, as last read."""

    fact = "names"
    by_id: dict[int, str]


@dataclass(frozen=True)
class Numbered(PlainFact):
    """The annotators' ids, in the order in which runs first saw them."""

    fact = "annotators"
    ids: list[int]


class People:
    """Who annotates one project."""

    def __init__(self, database: Database, key: int) -> None:
        self._facts = Facts(database, key)

    def names(self) -> dict[int, str]:
        """Return the annotators' names, as last read; "" if somebody has none any more."""
        known = self._facts.read(Names)
        return {} if known is None else known.by_id

    def are_named(self, annotators: Iterable[int]) -> bool:
        """Return whether the names of all of these are known."""
        return self.names().keys() >= _with_account(annotators)

    def keep_names(self, annotators: Iterable[int], found: Mapping[int, str]) -> None:
        """Keep the names that were found, and "" for annotators who are not among them: they may have left."""
        self._facts.write(Names({**dict.fromkeys(_with_account(annotators), ""), **found}))

    def numbers(self, annotators: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the annotators' numbers, which stand for them where names are hidden.

        They are counted from 1 in the order in which runs first saw them, and by id where that was the same run:
        whoever comes or leaves, a number stays somebody's. The store remembers them; when it is deleted they are given
        anew. Those who stand for deleted users keep 0, -1 and so on.
        """
        known = self._facts.read(Numbered) or Numbered([])
        newcomers = sorted(_with_account(annotators.tolist()) - {*known.ids})
        if newcomers:
            known = Numbered([*known.ids, *newcomers])
            self._facts.write(known)
        number_of = {who: number for number, who in enumerate(known.ids, 1)}
        return np.array([number_of.get(who, who) for who in annotators.tolist()], np.int64)


def _with_account(annotators: Iterable[int]) -> set[int]:
    return {annotator for annotator in annotators if not is_deleted(annotator)}


def annotator_name(annotator: int, names: Mapping[int, str]) -> str:
    """Return what to call an annotator.

    Examples
    --------
    >>> [annotator_name(annotator, {7: "ann@example.com"}) for annotator in (7, 8, 0, -1)]
    ['ann@example.com', 'user 8', 'deleted users', 'deleted users, second answers']
    """
    if not is_deleted(annotator):
        return names.get(annotator) or f"user {annotator}"
    place = DELETED_USER - annotator
    if not place:
        return "deleted users"
    return f"deleted users, {_PLACES[place]} answers" if place < len(_PLACES) else f"deleted users, answers {place + 1}"


_PLACES: Final = ("first", "second", "third", "fourth", "fifth")
