"""The forms that answers take: how each is read out of the results of a control, written, shown and kept.

One class a form. A form belongs to a kind of `crowdcore.kinds`, which finds the consensus.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, ClassVar, Final

from label_studio_crowd.studio.controls.labels import PATH_SEPARATOR, NoLabelError, Path, joined
from label_studio_crowd.studio.controls.tags import CLASS_TAGS, TAGS

if TYPE_CHECKING:
    from label_studio_crowd.studio.controls.control import Control

Items = Sequence[Mapping[str, Any]]


class SeveralLabelsError(ValueError):
    """A result that gives more than one label, although a task can have only one."""


class Form(ABC):
    """How answers of some kind look in Label Studio. An answer is hashable; None is none.

    Attributes
    ----------
    kind
        The kind of answers, as in `crowdcore.kinds`.
    """

    kind: ClassVar[str]

    @abstractmethod
    def read(self, control: Control, items: Items) -> Any:
        """Return the answer in the items of a result that are the control's, None if they have none."""

    @abstractmethod
    def write(self, control: Control, answer: Any, own: Mapping[str, Path]) -> list[dict[str, Any]]:
        """Return the answer as items of a result; `own` are the task's own choices."""

    @abstractmethod
    def show(self, control: Control, answer: Any) -> str:
        """Return the answer as a person reads it; different answers read differently."""

    def when_empty(self, control: Control) -> Any:
        """Return the answer that a submitted annotation without items gives; None if it gives none."""
        return None

    def pack(self, answer: Any) -> Any:
        """Return the answer as JSON."""
        return answer

    def unpack(self, packed: Any) -> Any:
        """Return what `pack` made JSON of."""
        return packed


class ClassForm(Form):
    """One class: a label."""

    kind = "choice"

    def read(self, control: Control, items: Items) -> str | None:
        """See `Form`.

        Raises
        ------
        SeveralLabelsError
            If there are several labels.
        """
        found = _labels(control, items)
        if len(found) > 1:
            raise SeveralLabelsError(", ".join(map(repr, found)))
        return found[0] if found else None

    def write(self, control: Control, answer: str, own: Mapping[str, Path]) -> list[dict[str, Any]]:
        """See `Form`."""
        return [_item(control, CLASS_TAGS[control.tag].write(_path(control, answer, own), nested=control.nested))]

    def show(self, control: Control, answer: str) -> str:
        """See `Form`."""
        return answer


class OrderedForm(ClassForm):
    """One class of an order."""

    kind = "ordered"


class SetForm(Form):
    """All the classes that apply: a frozen set of labels. Nothing chosen is an answer, unless one is required."""

    kind = "set"

    def read(self, control: Control, items: Items) -> frozenset[str] | None:
        """See `Form`."""
        return frozenset(_labels(control, items)) or None

    def write(self, control: Control, answer: frozenset[str], own: Mapping[str, Path]) -> list[dict[str, Any]]:
        """See `Form`; an empty set has no items."""
        labels = self._in_order(control, answer)
        values: list[Any] = []
        for label in labels:
            values += CLASS_TAGS[control.tag].write(_path(control, label, own), nested=control.nested)
        return [_item(control, values)] if values else []

    def show(self, control: Control, answer: frozenset[str]) -> str:
        """See `Form`."""
        return ", ".join(self._in_order(control, answer)) or "(none)"

    def when_empty(self, control: Control) -> frozenset[str] | None:
        """See `Form`."""
        return None if control.required else frozenset()

    def pack(self, answer: frozenset[str]) -> list[str]:
        """See `Form`."""
        return sorted(answer)

    def unpack(self, packed: list[str]) -> frozenset[str]:
        """See `Form`."""
        return frozenset(packed)

    @staticmethod
    def _in_order(control: Control, answer: frozenset[str]) -> list[str]:
        place = {label: at for at, label in enumerate(control.classes)}
        return sorted(answer, key=lambda label: (place.get(label, len(place)), label))


class NumberForm(Form):
    """A number."""

    kind = "number"

    def read(self, control: Control, items: Items) -> float | None:
        """See `Form`; of several the last."""
        found = [number for value in _values(control, items) if (number := _number(value)) is not None]
        return found[-1] if found else None

    def write(self, control: Control, answer: float, own: Mapping[str, Path]) -> list[dict[str, Any]]:
        """See `Form`."""
        return [_item(control, int(answer) if float(answer).is_integer() else answer)]

    def show(self, control: Control, answer: float) -> str:
        """See `Form`."""
        return f"{answer:.12g}"


class MomentForm(Form):
    """A date, a time, or both: seconds, from 1970 on or from midnight; of years alone the year."""

    kind = "number"

    def read(self, control: Control, items: Items) -> float | None:
        """See `Form`; of several the last."""
        found = [moment for value in _values(control, items) if (moment := seconds_of(value)) is not None]
        return seconds_of(self.show(control, found[-1])) if found else None

    def write(self, control: Control, answer: float, own: Mapping[str, Path]) -> list[dict[str, Any]]:
        """See `Form`."""
        return [_item(control, self.show(control, answer))]

    def show(self, control: Control, answer: float) -> str:
        """See `Form`."""
        return moment_of(answer, control.written)


SETS: Final = SetForm()

FORMS: Final[Mapping[str, Form]] = {
    "choice": ClassForm(),
    "ordered": OrderedForm(),
    "set": SETS,
    "number": NumberForm(),
    "moment": MomentForm(),
}
"""The forms, by the names that tags give."""

_MOMENTS: Final = {
    "year": (r"\d{1,4}", "%Y"),
    "month": (r"\d{4}-\d{2}", "%Y-%m"),
    "date": (r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d"),
    "datetime": (r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", "%Y-%m-%dT%H:%M"),
    "time": (r"\d{2}:\d{2}", "%H:%M"),
}
_START: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


def seconds_of(value: Any) -> float | None:
    """Return a date or a time as seconds, a year as its number; None if it is neither.

    Examples
    --------
    >>> seconds_of("1970-01-02"), seconds_of("00:30"), seconds_of("1970-01-01T01:00"), seconds_of(2026)
    (86400.0, 1800.0, 3600.0, 2026.0)
    """
    text = str(value).strip().replace(" ", "T")
    for name, (pattern, form) in _MOMENTS.items():
        found = re.fullmatch(
            pattern + (r"(:\d{2}(\.\d+)?)?(Z|[+-]00:?00)?" if name in ("datetime", "time") else ""), text
        )
        if found is None:
            continue
        if name == "year":
            return float(text)
        try:
            moment = datetime.strptime(re.match(pattern, text)[0], form).replace(tzinfo=timezone.utc)  # type: ignore[index]
        except ValueError:
            return None
        more = float((found[1] or ":0")[1:]) if name in ("datetime", "time") else 0.0
        start = moment.replace(hour=0, minute=0) if name == "time" else _START
        return (moment - start).total_seconds() + more
    return None


def moment_of(seconds: float, written: str) -> str:
    """Return seconds as `seconds_of` reads them, rounded to what is written: year, month, date, datetime or time.

    Examples
    --------
    >>> moment_of(86400.0 * 1.6, "date"), moment_of(1830.0, "time"), moment_of(2026.4, "year")
    ('1970-01-03', '00:30', '2026')
    """
    if written == "year":
        return str(round(seconds))
    step = 86400 if written in ("date", "month") else 60
    rounded = math.floor(seconds / step + 0.5) * step if written != "time" else min(round(seconds / 60) * 60, 86340)
    return (_START + timedelta(seconds=rounded)).strftime(_MOMENTS[written][1])


def _number(value: Any) -> float | None:
    try:
        number = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _values(control: Control, items: Items) -> list[Any]:
    """Return what the items have in the tag's field; Label Studio's API takes values of any shape."""
    field = TAGS[control.tag].field
    values = [value.get(field) for item in items if isinstance(value := item.get("value"), Mapping)]
    return [value for value in values if value is not None]


def _labels(control: Control, items: Items) -> list[str]:
    return [joined(path) for value in _values(control, items) for path in _paths(control, value)]


def _paths(control: Control, value: Any) -> list[Path]:
    try:
        return CLASS_TAGS[control.tag].read(value)
    except NoLabelError:
        return []


def _path(control: Control, label: str, own: Mapping[str, Path]) -> Path:
    path = control.paths.get(label) or own.get(label)
    if path is not None:
        return path
    return tuple(label.split(PATH_SEPARATOR)) if control.tag == "taxonomy" else (label,)


def _item(control: Control, answer: Any) -> dict[str, Any]:
    # `value` first: the Data Manager's column of results is cut after a few words
    value = {TAGS[control.tag].field: answer}
    return {"value": value, "from_name": control.name, "to_name": control.objects[0], "type": control.tag}
