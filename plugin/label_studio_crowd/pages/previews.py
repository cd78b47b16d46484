"""What annotators see of a task, in short: texts, images and other fields."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.mirror import Mirror
from label_studio_crowd.studio.addresses import file_name, image_path
from label_studio_crowd.studio.controls import Control
from label_studio_crowd.studio.controls.variables import lookup
from label_studio_crowd.studio.dialogues import turn_of
from label_studio_crowd.studio.hypertext import without_tags

_LONGEST: Final = 300
_FIELDS: Final = 12
_ITEMS: Final = 50
_DEEPEST: Final = 4
_FEW_NUMBERS: Final = 12
_LONGEST_HTML: Final = 100_000
_LARGEST_INLINE: Final = 20_000
_IMAGES: Final = ("image", "hyperimage")
_FILES: Final = ("audio", "audioplus", "video", "timeseries", "pdf")


@dataclass(frozen=True)
class Shown:
    """A field of a task's data.

    Attributes
    ----------
    name
        The field's name.
    kind
        "text": to be written. "image": an image that Label Studio serves. "inline": an image that is in the data
        itself. "link": something at another address, or that is no picture; it is never loaded.
    text
        The text (at most 300 characters); of an image or a link, its file's name.
    address
        Of an image, its path at Label Studio ("/data/upload/1/cat.png"), or its data URI; of a link, its whole address
        ("" where it is none that a browser opens); "" of a text.
    """

    name: str
    kind: Literal["text", "image", "inline", "link"]
    text: str
    address: str = ""


def task_previews(
    mirror: Mirror, snapshot: Snapshot, settings: Settings, tasks: Iterable[int]
) -> dict[int, tuple[Shown, ...]]:
    """Return what annotators see of tasks, by task."""
    control = snapshot.scored_control()
    studio = [address for address in (settings.url, settings.public_url) if address]
    return {task: preview(control, row, studio) for task, row in mirror.data(sorted(set(tasks))).items()}


def preview(control: Control, data: Mapping[str, Any], studio: Sequence[str]) -> tuple[Shown, ...]:
    """Return what annotators see of a task: the fields that the labeling config shows; all if it shows none of them.

    Parameters
    ----------
    control
        What is scored; it knows which fields are shown.
    data
        The task's data.
    studio
        The addresses by which Label Studio is known: `url` and `public_url`.
    """
    found = [(tag, name, lookup(data, name)) for tag, name in control.fields]
    found = [field for field in found if field[2] is not None] or [("", *field) for field in data.items()]
    shown: list[Shown] = []
    for tag, name, value in found:
        values = value if tag in _IMAGES and isinstance(value, list) else [value]
        shown += (_shown(tag, name, one, studio) for one in values[:_FIELDS] if one is not None)
    return tuple(shown[:_FIELDS])


def _shown(tag: str, name: str, value: Any, studio: Sequence[str]) -> Shown:
    if not isinstance(value, str):
        return Shown(name, "text", _short(_words(value)))
    if value.startswith("data:") and (tag in (*_IMAGES, *_FILES) or ";base64," in value[:100]):
        return _inline(tag, name, value)
    path = image_path(value, studio)
    if tag in _IMAGES and path:
        return Shown(name, "image", _short(file_name(value)), path)
    if tag in (*_IMAGES, *_FILES) or (path and " " not in value):
        is_address = urlsplit(value).scheme in ("http", "https") if _is_sound(value) else False
        return Shown(name, "link", _short(file_name(value)), value if is_address else "")
    return Shown(name, "text", _short(without_tags(value[:_LONGEST_HTML]) if tag == "hypertext" else value))


def _inline(tag: str, name: str, uri: str) -> Shown:
    """Return a file that is in the data itself; a small picture is shown, for a page has many."""
    kind = uri[5:45].partition(",")[0].partition(";")[0] or "a file"
    is_shown = tag in _IMAGES and kind.startswith("image/") and len(uri) <= _LARGEST_INLINE
    words = f"{kind} in the task's data"
    return Shown(name, "inline", words, uri) if is_shown else Shown(name, "text", words)


def _is_sound(address: str) -> bool:
    try:
        return bool(urlsplit(address).netloc)
    except ValueError:  # brackets that are no IPv6 address
        return False


def _short(text: str) -> str:
    text = " ".join(text[: 4 * _LONGEST].split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"


def _words(value: Any, depth: int = 0) -> str:
    """Return what is not a text as one: its beginning, if it is long."""
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, str):
        return value[: 4 * _LONGEST]
    if isinstance(value, Mapping):
        speaker, speech = turn_of(value)
        if speaker is not None and speech is not None:
            return f"{speaker}: {speech[: 4 * _LONGEST]}"
        some = ((key, inner) for key, inner in islice(value.items(), _ITEMS) if inner is not None)
        return ", ".join(f"{key}: {_words(inner, depth + 1)}" for key, inner in some)
    if isinstance(value, list):
        if len(value) > _FEW_NUMBERS and all(isinstance(item, (int, float)) for item in value):
            return f"{len(value):,} numbers"
        return " · ".join(_words(item, depth + 1) for item in value[:_ITEMS] if item is not None)
    return json.dumps(value)
