"""What annotators see of a task, in short: texts, images and other fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

import orjson

from label_studio_crowd.labels import Control, find_control
from label_studio_crowd.mirror import ProjectMirror
from label_studio_crowd.settings import Settings
from label_studio_crowd.snapshot import Snapshot

_LONGEST: Final = 300
_FIELDS: Final = 12
_IMAGES: Final = ("Image", "HyperImage")
_FILES: Final = ("Audio", "AudioPlus", "Video", "TimeSeries", "PDF")
_SERVED: Final = re.compile(r"/(data/|storage-data/|(tasks|projects)/[0-9]+/(resolve|presign)/)[^\\\s\x00-\x1f\x7f]*")
"""What Label Studio serves files from: uploads, local files, and links to storage that it resolves."""


@dataclass(frozen=True)
class Shown:
    """A field of a task's data.

    Attributes
    ----------
    name
        The field's name.
    kind
        "text": to be written. "image": an image that Label Studio serves. "link": something at another address, or
        that is no picture; it is never loaded.
    text
        The text (at most 300 characters); of an image or a link, its file's name.
    address
        Of an image, its path at Label Studio ("/data/upload/1/cat.png"); of a link, its whole address ("" where it is
        none that a browser opens); "" of a text.
    """

    name: str
    kind: Literal["text", "image", "link"]
    text: str
    address: str = ""


def task_previews(
    mirror: ProjectMirror, snapshot: Snapshot, settings: Settings, tasks: Iterable[int]
) -> dict[int, tuple[Shown, ...]]:
    """Return what annotators see of tasks, by task."""
    control = find_control(snapshot.label_config, snapshot.control)
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
    fields = [(tag, name) for tag, name in control.fields if name in data] or [("", name) for name in data]
    shown: list[Shown] = []
    for tag, name in dict.fromkeys(fields):
        values = data[name] if tag in _IMAGES and isinstance(data[name], list) else [data[name]]
        shown += (_shown(tag, name, value, studio) for value in values if value is not None)
    return tuple(shown[:_FIELDS])


def image_path(address: str, studio: Sequence[str]) -> str | None:
    """Return the path and query of a file that Label Studio serves, or None for any other address.

    Parameters
    ----------
    address
        As task data have it: a path, or an address that begins with one of Label Studio's.
    studio
        The addresses by which Label Studio is known.
    """
    for base in studio:
        if address.startswith(f"{base}/"):
            address = address[len(base) :]
            break
    path = address.partition("?")[0].partition("#")[0]
    climbs = ".." in unquote(unquote(path)).replace("\\", "/").split("/")
    return address.partition("#")[0] if _SERVED.fullmatch(address) and not climbs else None


def _shown(tag: str, name: str, value: Any, studio: Sequence[str]) -> Shown:
    if not isinstance(value, str):
        return Shown(name, "text", _short(orjson.dumps(value).decode()))
    if tag == "HyperText":
        value = _without_tags(value)
    if tag in _IMAGES and (path := image_path(value, studio)):
        return Shown(name, "image", _file_name(value), path)
    if tag in (*_IMAGES, *_FILES):
        is_address = urlsplit(value).scheme in ("http", "https") if _is_sound(value) else False
        return Shown(name, "link", _file_name(value), value if is_address else "")
    return Shown(name, "text", _short(value))


def _is_sound(address: str) -> bool:
    try:
        return bool(urlsplit(address).netloc)
    except ValueError:  # brackets that are no IPv6 address
        return False


def _file_name(address: str) -> str:
    """Return the last part of an address's path, or of its query where a file is named there."""
    if address.startswith("data:"):
        return "inline data"
    path, _, query = address.partition("#")[0].partition("?")
    of_query = query.rpartition("=")[2] if path.endswith("/") else ""
    name = unquote(of_query or path).rstrip("/").rpartition("/")[2]
    return _short(name or address)


def _short(text: str) -> str:
    text = " ".join(text[: 4 * _LONGEST].split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"


class _Words(HTMLParser):
    """What a browser would show of HTML, roughly."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(self._silent - (tag in ("script", "style")), 0)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def _without_tags(html: str) -> str:
    words = _Words()
    words.feed(html[: 20 * _LONGEST])
    words.close()
    return " ".join(words.words)
