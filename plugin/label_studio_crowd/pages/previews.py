"""What annotators see of a task, in short: texts, images and other fields."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.mirror import Mirror
from label_studio_crowd.studio.controls import Control
from label_studio_crowd.studio.controls.variables import lookup
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
_SPEAKERS: Final = ("author", "role", "speaker", "name")
_SPEECHES: Final = ("text", "content", "message")
_SERVED: Final = re.compile(r"/(data/|storage-data/|(tasks|projects)/[0-9]+/(resolve|presign)/)[^\\]*")
"""What Label Studio serves files from: uploads, local files, and links to storage that it resolves."""
_CONTROL_CHARACTERS: Final = re.compile(r"[\x00-\x1f\x7f]")
_KEPT: Final = "!#$%&'()*+,/:;=?@[\\]~"
"""What a browser leaves in an address as it is, besides letters and digits; it escapes the rest, blanks and umlauts."""


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


def image_path(address: str, studio: Sequence[str]) -> str | None:
    """Return the path and query of a file that Label Studio serves, or None for any other address.

    Parameters
    ----------
    address
        As task data have it: a path, or an address that begins with one of Label Studio's. What is not escaped in it
        is, as by a browser.
    studio
        The addresses by which Label Studio is known.
    """
    for base in studio:
        if address.startswith(f"{base}/"):
            address = address[len(base) :]
            break
    address = address.partition("#")[0]
    if not _SERVED.fullmatch(address) or _CONTROL_CHARACTERS.search(address):
        return None
    climbs = ".." in unquote(unquote(address.partition("?")[0])).replace("\\", "/").split("/")
    return None if climbs else quote(address, safe=_KEPT, errors="replace")


def _shown(tag: str, name: str, value: Any, studio: Sequence[str]) -> Shown:
    if not isinstance(value, str):
        return Shown(name, "text", _short(_words(value)))
    if value.startswith("data:") and (tag in (*_IMAGES, *_FILES) or ";base64," in value[:100]):
        return _inline(tag, name, value)
    path = image_path(value, studio)
    if tag in _IMAGES and path:
        return Shown(name, "image", _file_name(value), path)
    if tag in (*_IMAGES, *_FILES) or (path and " " not in value):
        is_address = urlsplit(value).scheme in ("http", "https") if _is_sound(value) else False
        return Shown(name, "link", _file_name(value), value if is_address else "")
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


def _file_name(address: str) -> str:
    """Return the last part of an address's path, or of its query where a file is named there."""
    path, _, query = address.partition("#")[0].partition("?")
    named = parse_qsl(query)[-1:] if path.endswith("/") else []
    of_query = _from_storage(named[0][1]) if named else ""
    name = (of_query or unquote(path)).rstrip("/").rpartition("/")[2]
    return _short(name or address)


def _from_storage(name: str) -> str:
    """Return the address in a storage that Label Studio writes as base64, or what it is if that is none."""
    try:
        found = base64.urlsafe_b64decode(name).decode()
    except ValueError:
        return name
    return found if "://" in found else name


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
        speaker, speech = (next((value[key] for key in keys if key in value), None) for keys in (_SPEAKERS, _SPEECHES))
        if isinstance(speaker, str) and isinstance(speech, str):
            return f"{speaker}: {speech[: 4 * _LONGEST]}"
        some = ((key, inner) for key, inner in islice(value.items(), _ITEMS) if inner is not None)
        return ", ".join(f"{key}: {_words(inner, depth + 1)}" for key, inner in some)
    if isinstance(value, list):
        if len(value) > _FEW_NUMBERS and all(isinstance(item, (int, float)) for item in value):
            return f"{len(value):,} numbers"
        return " · ".join(_words(item, depth + 1) for item in value[:_ITEMS] if item is not None)
    return json.dumps(value)
