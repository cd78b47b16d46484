"""A control whose answer is one class. It turns a result into a label, and a label into a result.

Nothing else in the plugin knows what the result of a ``<Choices>`` looks like.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

PATH_SEPARATOR: Final = " / "
"""Joins the steps of a taxonomy path into one label."""

Result = Iterable[Mapping[str, Any]]

ANSWER_FIELDS: Final = {"choices": "choices", "rating": "rating", "pairwise": "selected", "taxonomy": "taxonomy"}
"""Kinds of controls, and the field of a result's value that has the answer."""


class SeveralLabelsError(ValueError):
    """A result that gives more than one label, although a task can have only one."""


@dataclass(frozen=True)
class Control:
    """A control whose answer is one class, so that it can be scored.

    Attributes
    ----------
    name, to_name, kind
        As in the labeling config; `kind` is choices, rating, pairwise or taxonomy.
    classes
        The labels that the config offers, in its order. Empty for choices that come with each task.
    fields
        (object tag, data field) of what annotators see, what the control points to first.
    paths
        Of a taxonomy: label → its path.
    """

    name: str
    to_name: str
    kind: str
    classes: tuple[str, ...]
    fields: tuple[tuple[str, str], ...] = ()
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    def read(self, result: Result) -> str | None:
        """Return the label that a result gives, or None if it gives none.

        Raises
        ------
        SeveralLabelsError
            If it gives more than one.
        """
        found: list[str] = []
        for item in result:
            if item.get("from_name") == self.name:
                found += self._labels(item.get("value"))
        if len(found) > 1:
            raise SeveralLabelsError(", ".join(map(repr, found)))
        return found[0] if found else None

    def _labels(self, value: Any) -> list[str]:
        """Return the labels in an item's value; Label Studio's API takes values of any shape, and those have none."""
        if not isinstance(value, Mapping):
            return []
        if self.kind in ("choices", "taxonomy"):
            several = value.get(self.kind)
            several = several if isinstance(several, list) else []
            if self.kind == "choices":
                return [str(choice) for choice in several]
            return [PATH_SEPARATOR.join(map(str, path)) for path in several if isinstance(path, list)]
        only = value.get(ANSWER_FIELDS[self.kind])
        return [str(only)] if only else []

    def write(self, label: str) -> list[dict[str, Any]]:
        """Return the result that gives `label`, as Label Studio stores it."""
        value: dict[str, Any]
        if self.kind == "choices":
            value = {"choices": [label]}
        elif self.kind == "taxonomy":
            value = {"taxonomy": [list(self.paths.get(label) or label.split(PATH_SEPARATOR))]}
        elif self.kind == "rating":
            value = {"rating": int(label)}
        else:
            value = {"selected": label}
        # `value` first: the Data Manager's column of results is cut after a few words
        return [{"value": value, "from_name": self.name, "to_name": self.to_name, "type": self.kind}]
