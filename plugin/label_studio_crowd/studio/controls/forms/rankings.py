"""Answers that put items in order, in one list or in several buckets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from label_studio_crowd.studio.controls.forms.form import Form, Items, item_of, values_of
from label_studio_crowd.studio.controls.labels import Path

if TYPE_CHECKING:
    from label_studio_crowd.studio.controls.control import Control

Ranking = tuple[tuple[str, tuple[str, ...]], ...]
"""Buckets by name, as the results have them, each with its items, the best first."""


class RankingForm(Form):
    """A ranking: what each bucket holds."""

    kind = "ranking"

    def read(self, control: Control, items: Items) -> Ranking | None:
        """See `Form`; of several the last."""
        found = [value for value in values_of(control, items) if isinstance(value, Mapping)]
        placed: set[str] = set()
        buckets: dict[str, tuple[str, ...]] = {}
        for name, held in sorted(found[-1].items(), key=lambda bucket: str(bucket[0])) if found else ():
            buckets[str(name)] = tuple(item for item in _items(held) if item not in placed)  # an item has one place
            placed.update(buckets[str(name)])
        return tuple(sorted(buckets.items())) if any(buckets.values()) else None

    def write(self, control: Control, answer: Ranking, own: Mapping[str, Path]) -> list[dict[str, Any]]:
        """See `Form`."""
        return [item_of(control, {name: list(held) for name, held in answer})]

    def show(self, control: Control, answer: Ranking) -> str:
        """See `Form`."""
        if len(answer) == 1:
            return " > ".join(answer[0][1])
        return "; ".join(f"{name}: {' > '.join(held)}" for name, held in answer if held)

    def pack(self, answer: Ranking) -> Any:
        """See `Form`."""
        return [[name, list(held)] for name, held in answer]

    def unpack(self, packed: Any) -> Ranking:
        """See `Form`."""
        return tuple((name, tuple(held)) for name, held in packed)


def _items(held: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(item) for item in held if item is not None)) if isinstance(held, list) else ()
