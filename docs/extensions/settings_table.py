"""Every setting with its flag, default, limits and meaning, from the pydantic model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from docs.extensions.command_line import all_flags
from label_studio_crowd.settings import PREFIX, PROJECT_OPTIONS, Settings

_REACH = ("url", "public_url", "api_key", "store", "project")
_SIGNS = {"ge": "≥", "gt": ">", "le": "≤"}
_LIMITLESS = 1_000_000_000  # what only keeps numbers within a column of a database


def settings() -> str:
    """Return all settings as Markdown tables; those of no other section are the service's."""
    service = [name for name in Settings.model_fields if name not in (*_REACH, *PROJECT_OPTIONS)]
    sections = {"Label Studio and the store": _REACH, "A project's own": PROJECT_OPTIONS, "The service's": service}
    return "\n\n".join(f"## {title}\n\n{_table(names)}" for title, names in sections.items())


def _table(names: Any) -> str:
    flags = all_flags()
    head = ["| setting | meaning | default | values | flag |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *(_row(name, Settings.model_fields[name], flags) for name in names)])


def _row(name: str, field: FieldInfo, flags: set[str]) -> str:
    flag = "--" + name.replace("_", "-")
    cells = (
        _names(name, field),
        field.description or "",
        _default(field),
        _values(field),
        f"`{flag}`" if flag in flags else "",
    )
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _names(name: str, field: FieldInfo) -> str:
    """Return the setting's name, and the environment variables that other tools know, too."""
    alias = field.validation_alias
    known = alias.choices if isinstance(alias, AliasChoices) else ()
    also = [f"`{other}`" for other in known if isinstance(other, str) and not other.startswith(PREFIX)]
    return f"`{name}`" + (f", also {', '.join(also)}" if also else "")


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    data = os.environ.get("XDG_DATA_HOME", str(Path.home() / ".local" / "share"))
    return f"`{str(value).replace(data, '~/.local/share')}`"


def _values(field: FieldInfo) -> str:
    kinds = {field.annotation, *get_args(field.annotation)}
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(field.annotation))
    if bool in kinds:
        return "yes, no"
    if SecretStr in kinds or not kinds & {int, float}:
        return "text"
    return " ".join(["whole number" if int in kinds else "number", _limits(field)]).strip()


def _limits(field: FieldInfo) -> str:
    found = [
        (sign, getattr(limit, name))
        for limit in field.metadata
        for name, sign in _SIGNS.items()
        if hasattr(limit, name)
    ]
    return ", ".join(f"{sign} {value:,}" for sign, value in found if value != _LIMITLESS)
