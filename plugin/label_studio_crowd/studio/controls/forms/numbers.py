"""Answers that are numbers, dates and times."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from label_studio_crowd.studio.controls.forms.form import Form, Items, item_of, values_of
from label_studio_crowd.studio.controls.labels import Path

if TYPE_CHECKING:
    from label_studio_crowd.studio.controls.control import Control


class NumberForm(Form):
    """A number."""

    kind = "number"

    def read(self, control: Control, items: Items) -> float | None:
        """See `Form`; of several the last."""
        found = [number for value in values_of(control, items) if (number := _number(value)) is not None]
        return found[-1] if found else None

    def write(self, control: Control, answer: float, own: Mapping[str, Path]) -> list[dict[str, Any]]:
        """See `Form`."""
        return [item_of(control, int(answer) if float(answer).is_integer() else answer)]

    def show(self, control: Control, answer: float) -> str:
        """See `Form`."""
        return f"{answer:.12g}"


class MomentForm(Form):
    """A date, a time, or both: seconds, from 1970 on or from midnight; of years alone the year."""

    kind = "number"

    def read(self, control: Control, items: Items) -> float | None:
        """See `Form`; of several the last."""
        values = [value for value in values_of(control, items) if _fits(how_written(value), control.written)]
        found = [moment for value in values if (moment := seconds_of(value)) is not None]
        return seconds_of(self.show(control, found[-1])) if found else None

    def write(self, control: Control, answer: float, own: Mapping[str, Path]) -> list[dict[str, Any]]:
        """See `Form`."""
        return [item_of(control, self.show(control, answer))]

    def show(self, control: Control, answer: float) -> str:
        """See `Form`."""
        return moment_of(answer, control.written)


_MOMENTS: Final = {
    "year": (r"\d{1,4}", "%Y"),
    "month": (r"\d{4}-\d{2}", "%Y-%m"),
    "date": (r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d"),
    "datetime": (r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", "%Y-%m-%dT%H:%M"),
    "time": (r"\d{2}:\d{2}", "%H:%M"),
}
_LARGEST: Final = 1e15
"""Label Studio's API takes any number; larger ones are slips that would hide all others."""
_UNITS: Final = ((86400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
_START: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


def seconds_of(value: Any) -> float | None:
    """Return a date or a time as seconds, a year as its number; None if it is neither.

    Examples
    --------
    >>> seconds_of("1970-01-02"), seconds_of("00:30"), seconds_of("1970-01-01T01:00"), seconds_of(2026)
    (86400.0, 1800.0, 3600.0, 2026.0)
    >>> seconds_of("1970-01-01T03:00+02:00")
    3600.0
    """
    text = str(value).strip().replace(" ", "T")
    for name, (pattern, form) in _MOMENTS.items():
        found = re.fullmatch(pattern + _rest(name), text)
        if found is None:
            continue
        if name == "year":
            return float(text)
        try:
            moment = datetime.strptime(re.match(pattern, text)[0], form).replace(tzinfo=timezone.utc)  # type: ignore[index]
        except ValueError:
            return None
        more = float((found[1] or ":0")[1:]) - _offset(found[3]) if name in ("datetime", "time") else 0.0
        start = moment.replace(hour=0, minute=0) if name == "time" else _START
        return (moment - start).total_seconds() + more
    return None


def how_written(value: Any) -> str | None:
    """Return how a date or a time is written: year, month, date, datetime or time; None if it is neither.

    Examples
    --------
    >>> [how_written(value) for value in ("2026", "2026-05", "2026-05-01", "2026-05-01T10:00", "10:00", "May")]
    ['year', 'month', 'date', 'datetime', 'time', None]
    """
    text = str(value).strip().replace(" ", "T")
    return next((name for name, (pattern, _) in _MOMENTS.items() if re.fullmatch(pattern + _rest(name), text)), None)


def _rest(name: str) -> str:
    """Return the pattern of what may follow a date or a time: seconds, and a zone; a time of no day has none."""
    zone = {"datetime": r"[+-]\d{2}:?\d{2}", "time": "[+-]00:?00"}
    return rf"(:\d{{2}}(\.\d+)?)?(Z|{zone[name]})?" if name in zone else ""


def _offset(zone: str | None) -> float:
    """Return how many seconds the clocks of a zone are ahead of UTC."""
    if zone in (None, "Z"):
        return 0.0
    seconds = 60.0 * (60 * int(zone[1:3]) + int(zone[-2:]))
    return -seconds if zone[0] == "-" else seconds


def _fits(written: str | None, wanted: str) -> bool:
    """Return whether something is on the same scale as is wanted: years, times of a day, or dates."""
    return written is not None and (written == wanted or {written, wanted}.isdisjoint({"year", "time"}))


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


def length_of(seconds: float) -> str:
    """Return a difference of two moments as a person reads it.

    Examples
    --------
    >>> length_of(264000.0), length_of(-24000.0), length_of(90.0), length_of(0.2)
    ('3.1 days', '-6.7 h', '1.5 min', '0.2 s')
    """
    size = abs(seconds)
    unit, name = next(((unit, name) for unit, name in _UNITS if size >= unit), _UNITS[-1])
    return f"{seconds / unit:.1f} {name}"


def _number(value: Any) -> float | None:
    try:
        number = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError):
        return None
    return number if abs(number) <= _LARGEST else None  # NaN is not
