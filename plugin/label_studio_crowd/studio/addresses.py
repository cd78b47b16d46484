"""Where a project, its tasks and their files are in Label Studio."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl, quote, unquote

from label_studio_crowd.settings import Settings

_SERVED: Final = re.compile(r"/(data/|storage-data/|(tasks|projects)/[0-9]+/(resolve|presign)/)[^\\]*")
"""What Label Studio serves files from: uploads, local files, and links to storage that it resolves."""
_CONTROL_CHARACTERS: Final = re.compile(r"[\x00-\x1f\x7f]")
_KEPT: Final = "!#$%&'()*+,/:;=?@[\\]~"
"""What a browser leaves in an address as it is, besides letters and digits; it escapes the rest, blanks and umlauts."""


def project_url(settings: Settings, project: int) -> str:
    """Return a project's address in Label Studio."""
    return f"{settings.public_url or settings.url}/projects/{project}/data"


def task_url(project_url: str, task: int) -> str:
    """Return a task's address in Label Studio."""
    return f"{project_url}?task={task}"


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


def file_name(address: str) -> str:
    """Return the last part of an address's path, or of its query where a file is named there."""
    path, _, query = address.partition("#")[0].partition("?")
    named = parse_qsl(query)[-1:] if path.endswith("/") else []
    of_query = _from_storage(named[0][1]) if named else ""
    name = (of_query or unquote(path)).rstrip("/").rpartition("/")[2]
    return name or address


def _from_storage(name: str) -> str:
    """Return the address in a storage that Label Studio writes as base64, or what it is if that is none."""
    try:
        found = base64.urlsafe_b64decode(name).decode()
    except ValueError:
        return name
    return found if "://" in found else name
