"""A control of a labeling config. It turns results into answers, and answers into results.

Nothing else in the plugin knows what the result of a ``<Choices>`` looks like.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from label_studio_crowd.studio.controls.forms import FORMS, PER_REGION, RELATION, SETS, ClassForm, Form
from label_studio_crowd.studio.controls.labels import Path, by_label, paths_in
from label_studio_crowd.studio.controls.tags import TAGS
from label_studio_crowd.studio.controls.variables import filled_in, lookup
from label_studio_crowd.studio.controls.visibility import Visibility

Result = Iterable[Mapping[str, Any]]

EMPTY: Final = "empty"
NO_LABEL: Final = "with something that is no label"
ANSWERING: Final = "answering "
"""How `Control.why_none` begins where a result answers something else than the control."""

_OF_A_REGION: Final = frozenset(
    ("start", "end", "startOffset", "endOffset", "globalOffsets", "x", "y", "points", "rle", "ranges", "sequence")
)
"""What a result's value has besides the answer if that is about a region."""


@dataclass(frozen=True)
class Control:
    """A control whose answers can be scored.

    Attributes
    ----------
    name, tag
        As in the labeling config; the tag in lower case, without a namespace.
    kind
        The form of its answers: a name in `label_studio_crowd.studio.controls.forms.FORMS`.
    objects
        The names of what it points to. A result names one of them.
    classes
        The labels that the config offers in every task, in its order; those of a tree are paths.
    paths
        Label → its path, where the classes are a tree.
    is_tree
        Whether its classes are a tree, of which only those in use are classes of the project.
    nested
        Whether its results have paths even of one step: ``<Choices allowNested="true">``.
    own
        Paths of choices with a ``$name`` in them, which are other texts in each task.
    own_list
        The data field with the choices of each task; "" without one.
    fields
        (object tag in lower case, data field) of what annotators see; what the control points to first.
    required
        Whether annotators must answer it.
    siblings
        The names of all controls of the labeling config.
    takes_several
        Whether an annotator may give several labels although nothing says so: a taxonomy.
    visible
        When annotators see it; None: always.
    written
        How a date or a time is written: year, month, date, datetime or time.
    step, least, most
        Of numbers: the step between two, and the bounds; None where there are none.
    regions
        The names of the controls whose regions its answers are about; () where they are about the task.
    region_labels
        Of answers about regions: the labels of the regions of which annotators are asked; () for any.
    """

    name: str
    tag: str
    objects: tuple[str, ...]
    kind: str = "choice"
    classes: tuple[str, ...] = ()
    paths: Mapping[str, Path] = field(default_factory=dict, compare=False)
    is_tree: bool = False
    nested: bool = False
    own: tuple[Path, ...] = ()
    own_list: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    required: bool = False
    siblings: frozenset[str] = frozenset()
    takes_several: bool = False
    visible: Visibility | None = None
    written: str = "datetime"
    step: float | None = None
    least: float | None = None
    most: float | None = None
    regions: tuple[str, ...] = ()
    region_labels: tuple[str, ...] = ()

    @property
    def has_own(self) -> bool:
        """Whether tasks come with choices of their own."""
        return bool(self.own or self.own_list)

    @property
    def form(self) -> Form:
        """How its answers look."""
        return FORMS[self.kind]

    @property
    def is_class(self) -> bool:
        """Whether an answer is one class."""
        return isinstance(self.form, ClassForm)

    def as_sets(self) -> Control:
        """Return it with sets as answers, where annotators give several labels."""
        return replace(self, kind="set" + PER_REGION * self.form.about_regions)

    def read(self, result: Result) -> Any:
        """Return the answer that a result gives, or None if it gives none: `why_none` says why.

        Raises
        ------
        SeveralLabelsError
            If it gives more than one label, and only one is an answer.
        """
        return self.form.read(self, self._items(result))

    def several_in(self, result: Result) -> bool:
        """Return whether a result gives several labels, of the task or of one region."""
        items = self._items(result)
        parts = [[item] for item in items] if self.form.about_regions else [items]
        return any(len(SETS.read(self, part) or ()) > 1 for part in parts)

    def when_empty(self, result: Result) -> Any:
        """Return the answer that a submitted result gives which has nothing of the control; None if it gives none."""
        names = {str(item.get("from_name")) for item in result if item.get("type") != RELATION}
        hidden = self.visible is not None and not self.form.about_regions and not self.visible.holds(result)
        if not names <= self.siblings or hidden:
            return None  # it answers a control that is no more, or did not see this one
        return self.form.when_empty(self)

    def _items(self, result: Result) -> list[Mapping[str, Any]]:
        return [
            item
            for item in result
            if self.form.concerns(self, item) and not (self.form.of_task and _about_a_part(item))
        ]

    def why_none(self, result: Result) -> str:
        """Return why a result without a label has none: `EMPTY`, `NO_LABEL`, or what else it answers, in words."""
        others: dict[str, None] = {}
        for item in result:
            name, value, kind = item.get("from_name"), item.get("value"), str(item.get("type"))
            if kind == RELATION:
                continue
            part = self.form.of_task and _about_a_part(item)
            if name != self.name or part or kind not in (self.tag, "None"):
                others[ANSWERING + described(item)] = None
            elif isinstance(value, Mapping) and _says(value.get(TAGS[self.tag].field)):
                others[NO_LABEL] = None
        return next(iter(others), EMPTY)

    def write(self, answer: Any, own: Mapping[str, Path] | None = None) -> list[dict[str, Any]]:
        """Return the result that gives an answer, as Label Studio stores it.

        Parameters
        ----------
        own
            The task's own choices, from `choices_of`.
        """
        return self.form.write(self, answer, own or {})

    def show(self, answer: Any) -> str:
        """Return an answer as a person reads it."""
        return self.form.show(self, answer)

    def choices_of(self, data: Mapping[str, Any]) -> dict[str, Path]:
        """Return label → path of the choices that are a task's own, in their order.

        Parameters
        ----------
        data
            The task's data.
        """
        named = [tuple(str(filled_in(step, data) or "") for step in path) for path in self.own]
        return by_label([*(path for path in named if any(path)), *paths_in(lookup(data, self.own_list))])


def described(item: Mapping[str, Any]) -> str:
    """Return an item of a result in words: which control it answers."""
    return f"{item.get('from_name')!r} ({item.get('type')}{_about_a_part(item)})"


def _about_a_part(item: Mapping[str, Any]) -> str:
    """Return, in words, which part of a task an item of a result is about; "" if about all of it."""
    value = item.get("value")
    if "item_index" in item:
        return " of an item"
    return " of a region" if isinstance(value, Mapping) and not _OF_A_REGION.isdisjoint(value) else ""


def _says(answer: Any) -> bool:
    """Return whether an answer has anything in it: not null, "", 0, nor lists of these; false and true do."""
    if isinstance(answer, Sequence) and not isinstance(answer, str):
        return any(map(_says, answer))
    return answer is False or answer not in (None, "", 0)
