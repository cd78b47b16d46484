"""The control of results that have no labeling config."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from label_studio_crowd.errors import UserError
from label_studio_crowd.studio.controls.control import Control, Result, described
from label_studio_crowd.studio.controls.elements import Element
from label_studio_crowd.studio.controls.tags import TAGS

_BARE: Final = Element("", "", {}, ())


def infer_control(results: Iterable[Result], name: str | None = None) -> Control:
    """Return the control that results come from if there is no labeling config; its classes are not known.

    Parameters
    ----------
    results
        The results of all annotations.
    name
        The control that is wanted; needed if several give one class of the task.

    Raises
    ------
    UserError
        If none fits, or several do; it names those that were found.
    """
    found: dict[tuple[str, str], Control] = {}
    others: dict[str, None] = {}
    for result in results:
        for item in result:
            control = _control(item)
            if control is None:
                others[described(item)] = None
            else:
                found.setdefault((control.name, control.tag), control)
    fitting = [control for control in found.values() if name in (None, control.name)]
    if len(fitting) == 1:
        return fitting[0]
    scored = [f"{control.name!r} ({control.tag})" for control in found.values()]
    listed = ", ".join(scored or others) or "no answer at all"
    if fitting:
        raise UserError(
            f"The annotations have several controls whose answer is one class: {listed}. Choose one with --control."
        )
    wanted = f"no control {name!r} whose" if name else "no control whose"
    raise UserError(
        f"The annotations have {wanted} answer is one class of the task; found {listed}. These can be scored: "
        f"{', '.join(TAGS)}."
    )


def _control(item: Mapping[str, Any]) -> Control | None:
    """Return the control that an item answers; None if that is no class of the task."""
    tag, value = item.get("type"), item.get("value")
    # an answer for a region or an item of a list repeats what it is about
    known = TAGS.get(tag) if isinstance(tag, str) else None
    if known is None or not isinstance(value, Mapping) or set(value) != {known.field} or "item_index" in item:
        return None
    return Control(str(item.get("from_name")), known.name, (str(item.get("to_name")),), known.kind(_BARE))
