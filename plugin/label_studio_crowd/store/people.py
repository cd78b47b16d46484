"""Who annotates a project, people and models: their names, and the numbers that stand for hidden names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

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


_MODEL_NAME: Final = " (model)"
"""How the name of a model ends that is shown among those of people."""
_MODELS: Final = 1 << 40
"""Models have ids from here on: no user of Label Studio has one as large."""


def model_id(version: str) -> int:
    """Return the annotator that stands for a model: always the same for a model version.

    Examples
    --------
    >>> model_id("gpt-5"), is_model(model_id("gpt-5")), is_model(17)
    (1952348627133, True, False)
    """
    return _MODELS + int.from_bytes(hashlib.blake2b(version.encode(), digest_size=5).digest(), "big")


def is_model(annotator: int) -> bool:
    """Return whether an annotator is a model, whose predictions are answers; not somebody who can be asked."""
    return annotator >= _MODELS


def are_models(annotators: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which annotators are models, shape (M,): by their ids, or in files by their names.

    Examples
    --------
    >>> are_models(np.array(["ann", "gpt-5 (model)"])).tolist(), are_models(np.array([17, model_id("gpt-5")])).tolist()
    ([False, True], [False, True])
    """
    return np.array([_is_any_model(one) for one in annotators.tolist()], np.bool_)


def _is_any_model(annotator: Any) -> bool:
    if isinstance(annotator, str):
        return annotator.endswith(_MODEL_NAME)
    return isinstance(annotator, int) and is_model(annotator)  # in files ids may be dates, and what else there is


def shown_model(version: str) -> str:
    """Return what a model is called among people."""
    return f"{version}{_MODEL_NAME}"


@dataclass(frozen=True)
class Models(PlainFact):
    """The model versions that are annotators, or were, by the ids that stand for them."""

    fact = "models"
    by_id: dict[int, str]


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
    """Who annotates one project: people, and models."""

    def __init__(self, database: Database, key: int) -> None:
        self._facts = Facts(database, key)

    def names(self) -> dict[int, str]:
        """Return the annotators' names, as last read, "" if somebody has none any more; those of models, too."""
        known, models = self._facts.read(Names), self._facts.read(Models)
        return {**(known.by_id if known else {}), **(models.by_id if models else {})}

    def keep_models(self, versions: Iterable[str]) -> None:
        """Keep which annotators these model versions are."""
        known = self._facts.read(Models) or Models({})
        named = {model_id(version): version for version in versions}
        if not named.items() <= known.by_id.items():
            self._facts.write(Models({**known.by_id, **named}))

    def are_named(self, annotators: Iterable[int]) -> bool:
        """Return whether the names of all of these are known; a model's is."""
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
        newcomers = sorted({who for who in annotators.tolist() if not is_deleted(who)} - {*known.ids})
        if newcomers:
            known = Numbered([*known.ids, *newcomers])
            self._facts.write(known)
        number_of = {who: number for number, who in enumerate(known.ids, 1)}
        return np.array([number_of.get(who, who) for who in annotators.tolist()], np.int64)


def _with_account(annotators: Iterable[int]) -> set[int]:
    return {annotator for annotator in annotators if not is_deleted(annotator) and not is_model(annotator)}


def annotator_name(annotator: int, names: Mapping[int, str]) -> str:
    """Return what to call an annotator; the name of a model says that it is one.

    Examples
    --------
    >>> names = {7: "ann@example.com", model_id("gpt-5"): "gpt-5"}
    >>> [annotator_name(annotator, names) for annotator in (7, 8, 0, -1)]
    ['ann@example.com', 'user 8', 'deleted users', 'deleted users, second answers']
    >>> annotator_name(model_id("gpt-5"), names)
    'gpt-5 (model)'
    """
    if is_model(annotator):
        return shown_model(model_name(annotator, names))
    if not is_deleted(annotator):
        return names.get(annotator) or f"user {annotator}"
    place = DELETED_USER - annotator
    if not place:
        return "deleted users"
    return f"deleted users, {_PLACES[place]} answers" if place < len(_PLACES) else f"deleted users, answers {place + 1}"


def model_name(annotator: int, names: Mapping[int, str]) -> str:
    """Return the model version that an annotator is, "" for people."""
    return (names.get(annotator) or f"version {annotator}") if is_model(annotator) else ""


_PLACES: Final = ("first", "second", "third", "fourth", "fifth")
