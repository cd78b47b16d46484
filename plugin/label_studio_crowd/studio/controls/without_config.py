"""The control of results that have no labeling config."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from label_studio_crowd.errors import UserError
from label_studio_crowd.studio.controls.control import ANSWER_FIELDS, Control, Result


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
    found: dict[tuple[str, str, str], None] = {}
    others: dict[str, None] = {}
    for result in results:
        for item in result:
            kind, value = item.get("type"), item.get("value")
            fields = set(value) if isinstance(value, Mapping) else set()
            control = f"{item.get('from_name')!r} ({kind})"
            # an answer for a region or an item of a list repeats what it is about
            if kind in ANSWER_FIELDS and fields == {ANSWER_FIELDS[kind]} and "item_index" not in item:
                found[str(item.get("from_name")), str(item.get("to_name")), kind] = None
            else:
                others[control] = None
    fitting = [control for control in found if name in (None, control[0])]
    if len(fitting) == 1:
        return Control(*fitting[0], classes=())
    listed = ", ".join([f"{control!r} ({kind})" for control, _, kind in found] or others) or "no answer at all"
    if fitting:
        raise UserError(
            f"The annotations have several controls whose answer is one class: {listed}. Choose one with --control."
        )
    wanted = f"no control {name!r} whose" if name else "no control whose"
    raise UserError(
        f"The annotations have {wanted} answer is one class of the task; found {listed}. These can be scored: "
        "choices, rating, pairwise and taxonomy."
    )
