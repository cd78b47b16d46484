"""The control of results that have no labeling config."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from label_studio_crowd.errors import UserError
from label_studio_crowd.studio.controls.control import Control, Result, described
from label_studio_crowd.studio.controls.elements import Element
from label_studio_crowd.studio.controls.forms import FORMS, PER_REGION, RELATION, as_place
from label_studio_crowd.studio.controls.forms.numbers import how_written
from label_studio_crowd.studio.controls.tags import CLASS_TAGS, RELATIONS, TAGS

_BARE: Final = Element("", "", {}, ())


def infer_control(results: Iterable[Result], name: str | None = None, kind: str | None = None) -> Control:
    """Return the control that results come from if there is no labeling config; its classes are not known.

    Classes of which some result gives several are sets. Regions are what is scored if nothing else is; what is said
    about them only where its control is named, and relations by `RELATIONS`.

    Parameters
    ----------
    results
        The results of all annotations.
    name
        The control that is wanted; needed if several can be scored.
    kind
        What its answers are: choice, ordered, set or number; None: what they look like.

    Raises
    ------
    UserError
        If none fits, or several do, or its answers are of another kind; it names those that were found.
    """
    found: dict[tuple[str, str], Control] = {}
    regions: dict[tuple[str, str], Control] = {}
    about: dict[tuple[str, str], Control] = {}
    others: dict[str, None] = {}
    names: set[str] = set()
    several: set[tuple[str, str]] = set()
    written: dict[tuple[str, str], Counter[str]] = {}
    for result in results:
        for item in result:
            names |= {str(item["from_name"])} if "from_name" in item else set()
            control = _control(item)
            if control is None:
                others[described(item)] = None
                continue
            key = control.name, control.tag
            (about if control.form.about_regions else regions if control.kind == "regions" else found).setdefault(
                key, control
            )
            if control.tag in CLASS_TAGS and len(_given(control, item)) > 1:
                several.add(key)
            if control.kind.removesuffix(PER_REGION) == "moment":
                written.setdefault(key, Counter()).update(filter(None, [how_written(item["value"].get(control.tag))]))
    fitting = _named(found, name) or _named(regions, name) or (_named(about, name) if name else [])
    if len(fitting) == 1:
        key, control = fitting[0]
        if written.get(key):
            control = replace(control, written=written[key].most_common(1)[0][0])
        if control.form.about_regions:
            control = _about(control, regions.values(), names)
            return control.as_sets() if key in several else control
        return replace(control, kind=_kind(control, key in several, kind))
    scored = [f"{one.name!r} ({one.tag})" for one in (*found.values(), *regions.values(), *about.values())]
    listed = ", ".join(scored or others) or "no answer at all"
    if fitting:
        raise UserError(
            f"The annotations have several controls that can be scored: {listed}. Choose one with --control."
        )
    wanted = f"no control {name!r} that" if name else "no control that"
    raise UserError(
        f"The annotations have {wanted} can be scored; found {listed}. These can be scored: {', '.join(TAGS)}."
    )


def regions_in(results: Iterable[Result], control: Control) -> list[Control]:
    """Return the controls of results that mark the regions which another one is about."""
    found: dict[str, Control] = {}
    for result in results:
        for item in result:
            one = _control(item)
            if one is not None and one.kind == "regions" and one.name in control.regions:
                found.setdefault(one.name, one)
    return list(found.values())


def _about(control: Control, regions: Iterable[Control], names: Iterable[str]) -> Control:
    """Return a control about regions with the controls that mark these."""
    marking = tuple(one.name for one in regions if control.kind == RELATIONS or one.objects == control.objects)
    return replace(control, regions=marking, siblings=frozenset(names))


_Keyed = tuple[tuple[str, str], Control]


def _named(found: Mapping[tuple[str, str], Control], name: str | None) -> list[_Keyed]:
    return [(key, control) for key, control in found.items() if name in (None, control.name)]


def _kind(control: Control, several: bool, wanted: str | None) -> str:
    """Return the kind of a control's answers."""
    seen = "set" if control.is_class and several else control.kind
    allowed = {"choice": ("choice", "ordered", "set"), "set": ("set", "choice"), "ordered": ("ordered", "choice")}
    if wanted is None or FORMS[seen].kind == wanted:
        return seen
    if wanted not in allowed.get(seen, ()):
        raise UserError(
            f"--kind is {wanted}, but the answers to {control.name!r} ({control.tag}) are of the kind "
            f"{FORMS[seen].kind}: leave it out, or choose another control with --control."
        )
    return wanted


def _given(control: Control, item: Mapping[str, Any]) -> Sequence[Any]:
    given = item["value"].get(CLASS_TAGS[control.tag].field)
    return given if isinstance(given, list) else ()


def _control(item: Mapping[str, Any]) -> Control | None:
    """Return the control that an item answers; None if it cannot be scored."""
    tag, value = item.get("type"), item.get("value")
    if tag == RELATION:
        return Control(RELATIONS, RELATIONS, (), RELATIONS)
    # an answer for a region or an item of a list repeats what it is about
    known = TAGS.get(tag) if isinstance(tag, str) else None
    if known is None or not isinstance(value, Mapping) or "item_index" in item or known.field not in value:
        return None
    if not item.get("from_name"):
        raise UserError(
            f"A result of the type {tag} has no from_name, which says what control it answers (value: "
            f"{repr(dict(value))[:80]}). Add it, or export the project anew as JSON."
        )
    kind = known.kind(_BARE)
    if kind != "regions" and len(value) > 1:
        kind += PER_REGION
        if kind not in FORMS or not item.get("id") or (as_place(item) is None and "chatmessage" not in value):
            return None
    return Control(str(item.get("from_name")), known.name, (str(item.get("to_name")),), kind)
