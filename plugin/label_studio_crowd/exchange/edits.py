"""The predictions of a model version that are there, and those that are wanted → what to change of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from label_studio_crowd.store.facts import Fact
from label_studio_crowd.studio.records import Prediction


@dataclass(frozen=True)
class Costs(Fact):
    """Seconds of Label Studio's answers, measured on this server and project."""

    fact = "costs"

    edit: float = 0.2
    """One prediction or task created, changed or deleted."""
    bulk: float = 2.0
    """One import of predictions; it recounts all tasks of the project."""
    delete_version: float = 1.5
    """One queue version deleted."""


@dataclass(frozen=True)
class Edits:
    """Changes to the predictions of one model version.

    Attributes
    ----------
    version
        The model version.
    create
        Items as Label Studio imports them.
    bulk
        Whether `create` goes in one import rather than one by one.
    update
        Prediction id → fields to change.
    delete
        Prediction ids.
    """

    version: str
    create: tuple[dict[str, Any], ...] = ()
    bulk: bool = False
    update: Mapping[int, dict[str, Any]] = field(default_factory=dict)
    delete: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.create or self.update or self.delete)

    def seconds(self, costs: Costs) -> float:
        """Return how long they take."""
        creating = costs.bulk if self.bulk and self.create else costs.edit * len(self.create)
        return creating + costs.edit * (len(self.update) + len(self.delete))


def edits_between(
    version: str,
    wanted: Mapping[int, tuple[float, list[dict[str, Any]]]],
    standing: Sequence[Prediction],
    tolerance: Mapping[int, float],
    costs: Costs,
    *,
    bulk: bool = False,
) -> Edits:
    """Return what makes the predictions of a version those that are wanted, one a task."""
    update: dict[int, dict[str, Any]] = {}
    delete: list[int] = []
    found: set[int] = set()
    for prediction in standing:
        if prediction.task not in wanted or prediction.task in found:
            delete.append(prediction.id)
            continue
        found.add(prediction.task)
        value, result = wanted[prediction.task]
        fields: dict[str, Any] = {}
        if prediction.score is None or abs(prediction.score - value) > tolerance[prediction.task]:
            fields["score"] = value
        if _values(prediction.result) != _values(result):
            fields["result"] = result
        if fields:
            update[prediction.id] = fields
    create = tuple(
        {"task": task, "result": result, "score": value, "model_version": version}
        for task, (value, result) in wanted.items()
        if task not in found
    )
    return Edits(version, create, bulk or costs.edit * len(create) > costs.bulk, update, tuple(delete))


_SAID: Final = ("from_name", "to_name", "type", "value", "from_id", "to_id", "direction", "labels")


def _values(result: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Return what a result says, without the ids that Label Studio adds to it; those of relations are ours."""
    return [tuple(item.get(name) for name in _SAID) for item in result]
