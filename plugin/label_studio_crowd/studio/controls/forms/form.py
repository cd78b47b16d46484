"""What a form is: how answers of some kind look in Label Studio."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from label_studio_crowd.studio.controls.labels import Path
from label_studio_crowd.studio.controls.tags import TAGS

if TYPE_CHECKING:
    from label_studio_crowd.studio.controls.control import Control

Items = Sequence[Mapping[str, Any]]


class Form(ABC):
    """How answers of some kind look in Label Studio. An answer is hashable; None is none.

    Attributes
    ----------
    kind
        The kind of answers, as in `crowdcore.kinds`.
    of_task
        Whether an answer is about the whole task; results about a part of it are no answers then.
    about_regions
        Whether an answer is about regions that another control marks: it is believed after them.
    """

    kind: ClassVar[str]
    of_task: ClassVar[bool] = True
    about_regions: ClassVar[bool] = False

    @abstractmethod
    def read(self, control: Control, items: Items) -> Any:
        """Return the answer in the items of a result that are the control's, None if they have none."""

    @abstractmethod
    def write(self, control: Control, answer: Any, own: Mapping[str, Path]) -> list[dict[str, Any]]:
        """Return the answer as items of a result; `own` are the task's own choices."""

    @abstractmethod
    def show(self, control: Control, answer: Any) -> str:
        """Return the answer as a person reads it; different answers read differently."""

    def is_empty(self, answer: Any) -> bool:
        """Return whether an answer about regions says nothing."""
        return False

    def concerns(self, control: Control, item: Mapping[str, Any]) -> bool:
        """Return whether an item of a result is part of an answer to a control."""
        return bool(item.get("from_name") == control.name)

    def when_empty(self, control: Control) -> Any:
        """Return the answer that a submitted annotation without items gives; None if it gives none."""
        return None

    def pack(self, answer: Any) -> Any:
        """Return the answer as JSON."""
        return answer

    def unpack(self, packed: Any) -> Any:
        """Return what `pack` made JSON of."""
        return packed


def values_of(control: Control, items: Items) -> list[Any]:
    """Return what the items have in the tag's field; Label Studio's API takes values of any shape."""
    field = TAGS[control.tag].field
    values = [value.get(field) for item in items if isinstance(value := item.get("value"), Mapping)]
    return [value for value in values if value is not None]


def item_of(control: Control, answer: Any) -> dict[str, Any]:
    """Return an answer to a control as an item of a result."""
    # `value` first: the Data Manager's column of results is cut after a few words
    value = {TAGS[control.tag].field: answer}
    return {"value": value, "from_name": control.name, "to_name": control.objects[0], "type": control.tag}
