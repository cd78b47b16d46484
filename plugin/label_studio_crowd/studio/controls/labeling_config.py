"""The labeling config: which of its controls is scored, and what annotators see with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

from label_studio_crowd.errors import UserError
from label_studio_crowd.studio.controls.control import PATH_SEPARATOR, Control


def find_control(config: str, name: str | None = None) -> Control:
    """Return the control called `name`, or the first whose answer is one class.

    Raises
    ------
    UserError
        If the config is no XML, or has no such control; it names what was found.
    """
    root = _root(config)
    controls = [(element, _why_not(element)) for element in root.iter() if element.get("toName")]
    for element, reason in controls:
        if reason is None and name in (None, element.get("name")):
            return _control(element, root)
    raise UserError(_nothing_found(controls, name))


def _root(config: str) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(config)
    except ElementTree.ParseError as error:
        raise UserError(
            f"The labeling config is not valid XML ({error}): correct it in Settings → Labeling Interface."
        ) from None


def _nothing_found(controls: Sequence[tuple[ElementTree.Element, str | None]], name: str | None) -> str:
    rejected = [
        f"<{element.tag} name={element.get('name')!r}>" + (f" ({reason})" if reason else "")
        for element, reason in controls
    ]
    found = ", ".join(rejected) or "no control at all"
    wanted = f"no control named {name!r} whose answer is one class" if name else "no control whose answer is one class"
    return (
        f"The labeling config has {wanted}; found {found}. These can be scored: <Choices> with one "
        "choice, <Rating>, <Pairwise>, and <Taxonomy> with one path."
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
    paths = {PATH_SEPARATOR.join(path): path for path in _taxonomy(element)}
    classes = tuple(paths or dict.fromkeys(_classes(element)))
    to_name = element.get("toName", "")
    return Control(element.get("name", ""), to_name, element.tag.lower(), classes, _fields(root, to_name), paths)


def _classes(element: ElementTree.Element) -> Iterator[str]:
    """Yield the labels that a control offers; those of a taxonomy are its paths."""
    if element.tag == "Choices":
        yield from map(_value, element.iter("Choice"))
    elif element.tag == "Rating":
        yield from map(str, range(1, int(element.get("maxRating", "5")) + 1))
    elif element.tag == "Pairwise":
        yield from ("left", "right")


def _taxonomy(element: ElementTree.Element) -> Iterator[tuple[str, ...]]:
    if element.tag == "Taxonomy":
        yield from _paths(element, (), leaves_only=_true(element, "leafsOnly"))


def _fields(root: ElementTree.Element, to_name: str) -> tuple[tuple[str, str], ...]:
    """Return (object tag, data field) of what annotators see; first what the control points to."""
    pointed_at = set(to_name.split(","))
    shown = [
        (node.get("name") not in pointed_at, node.tag, value[1:])
        for node in root.iter()
        if (value := node.get("value") or node.get("valueList") or "").startswith("$") and not node.get("toName")
    ]
    return tuple((tag, name) for _, tag, name in sorted(shown, key=lambda row: row[0]))


def _value(choice: ElementTree.Element) -> str:
    return choice.get("alias") or choice.get("value") or ""


def _paths(node: ElementTree.Element, above: tuple[str, ...], *, leaves_only: bool) -> Iterator[tuple[str, ...]]:
    for choice in node.findall("Choice"):
        path = (*above, _value(choice))
        if not leaves_only or choice.find("Choice") is None:
            yield path
        yield from _paths(choice, path, leaves_only=leaves_only)
