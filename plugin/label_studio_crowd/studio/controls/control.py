"""The labeling config as answer spaces, and a result as a label and back.

Nothing else in the plugin knows what a ``<Choices>`` is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from xml.etree import ElementTree

from label_studio_crowd.errors import UserError

PATH_SEPARATOR: Final = " / "
"""Joins the steps of a taxonomy path into one label."""

Result = Iterable[Mapping[str, Any]]

_KINDS: Final = {"choices": "choices", "rating": "rating", "pairwise": "selected", "taxonomy": "taxonomy"}
"""Kinds of controls, and the field of a result's value that has the answer."""


class SeveralLabelsError(ValueError):
    """A result that gives more than one label where a task can have only one."""


@dataclass(frozen=True)
class Control:
    """A control whose answer is one class: what is scored.

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
        only = value.get(_KINDS[self.kind])
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


def find_control(config: str, name: str | None = None) -> Control:
    """Return the control called `name`, or the first whose answer is one class.

    Raises
    ------
    UserError
        If the config is no XML, or has no such control; it names what was found.
    """
    try:
        root = ElementTree.fromstring(config)
    except ElementTree.ParseError as error:
        raise UserError(f"The labeling config is not valid XML ({error}): mend it in Settings → Labeling.") from None
    rejected: list[str] = []
    for element in root.iter():
        if not element.get("toName"):
            continue
        reason = _why_not(element)
        if reason is None and name in (None, element.get("name")):
            return _control(element, root)
        rejected.append(f"<{element.tag} name={element.get('name')!r}>" + (f" ({reason})" if reason else ""))
    found = ", ".join(rejected) or "no control at all"
    wanted = f"no control named {name!r} whose answer is one class" if name else "no control whose answer is one class"
    raise UserError(
        f"The labeling config has {wanted}; found {found}. Can be scored: <Choices> with one choice, "
        "<Rating>, <Pairwise>, <Taxonomy> with one path."
    )


def infer_control(results: Iterable[Result], name: str | None = None) -> Control:
    """Return the control that results come from, where there is no labeling config: its classes are not known.

    Parameters
    ----------
    results
        The results of all annotations.
    name
        The control that is wanted; needed where several give one class of the task.

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
            if kind in _KINDS and fields == {_KINDS[kind]} and "item_index" not in item:
                found[str(item.get("from_name")), str(item.get("to_name")), kind] = None
            else:
                others[control] = None
    fitting = [control for control in found if name in (None, control[0])]
    if len(fitting) == 1:
        return Control(*fitting[0], classes=())
    listed = ", ".join([f"{control!r} ({kind})" for control, _, kind in found] or others) or "no answer at all"
    if fitting:
        raise UserError(f"The annotations have several controls whose answer is one class: {listed}. Choose --control.")
    wanted = f"no control {name!r} whose" if name else "no control whose"
    raise UserError(
        f"The annotations have {wanted} answer is one class of the task; found {listed}. Can be scored: choices, "
        "rating, pairwise, taxonomy."
    )


def _why_not(element: ElementTree.Element) -> str | None:
    """Return why an element's answer is not one class of the task, or None if it is."""
    if element.tag not in ("Choices", "Rating", "Pairwise", "Taxonomy"):
        return "not a classification of the task"
    if _true(element, "perRegion") or _true(element, "perItem"):
        return "answers per region, not per task"
    if element.tag == "Choices" and element.get("choice", "single") == "multiple":
        return "several choices at once"
    return None


def _true(element: ElementTree.Element, attribute: str) -> bool:
    return element.get(attribute, "").lower() == "true"


def _control(element: ElementTree.Element, root: ElementTree.Element) -> Control:
    to_name = element.get("toName", "")
    kind = element.tag.lower()
    paths: dict[str, tuple[str, ...]] = {}
    if kind == "choices":
        classes = tuple(_value(choice) for choice in element.iter("Choice"))
    elif kind == "taxonomy":
        found = _paths(element, (), leaves_only=_true(element, "leafsOnly"))
        paths = {PATH_SEPARATOR.join(path): path for path in found}
        classes = tuple(paths)
    elif kind == "rating":
        classes = tuple(str(stars) for stars in range(1, int(element.get("maxRating", "5")) + 1))
    else:
        classes = ("left", "right")
    pointed_at = set(to_name.split(","))
    shown = [
        (node.get("name") not in pointed_at, node.tag, value[1:])
        for node in root.iter()
        if (value := node.get("value") or node.get("valueList") or "").startswith("$") and not node.get("toName")
    ]
    fields = tuple((tag, name) for _, tag, name in sorted(shown, key=lambda row: row[0]))
    return Control(element.get("name", ""), to_name, kind, tuple(dict.fromkeys(classes)), fields, paths)


def _value(choice: ElementTree.Element) -> str:
    return choice.get("alias") or choice.get("value") or ""


def _paths(node: ElementTree.Element, above: tuple[str, ...], *, leaves_only: bool) -> Iterator[tuple[str, ...]]:
    for choice in node.findall("Choice"):
        path = (*above, _value(choice))
        if not leaves_only or choice.find("Choice") is None:
            yield path
        yield from _paths(choice, path, leaves_only=leaves_only)
