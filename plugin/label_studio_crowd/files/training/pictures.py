"""The pictures of tasks: what each file is called, and the files themselves."""

from __future__ import annotations

import base64
import binascii
import mimetypes
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from label_studio_crowd.feedback import Progress, silent
from label_studio_crowd.files.training.marked import MarkedTask
from label_studio_crowd.studio.addresses import file_name, image_path
from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.failures import StudioError

_ODD: Final = re.compile(r"[^\w.\-]+")
_LONGEST: Final = 150
_LARGEST: Final = 100_000_000
ELSEWHERE: Final = "pictures at other addresses, not fetched: put them into images/"


def file_names(tasks: Sequence[MarkedTask]) -> dict[int, str]:
    """Return what each task's picture is called as a file; all names differ also without their endings.

    It is the name that it has where it lies. One that is in the task's data, or whose name another one has too, is
    called by the task.

    Examples
    --------
    >>> tasks = [MarkedTask(7, "s3://a/cat.jpg", ()), MarkedTask(8, "/data/upload/1/dog.png", ())]
    >>> file_names([*tasks, MarkedTask(9, "s3://b/cat.png", ()), MarkedTask(10, "data:image/png;base64,iVBORw0", ())])
    {7: 'cat-7.jpg', 8: 'dog.png', 9: 'cat-9.png', 10: 'task-10.png'}
    """
    names = {task.task: _name(task) for task in tasks}
    stems = Counter(map(_stem, names.values()))
    return {task: name if stems[_stem(name)] == 1 else _numbered(name, task) for task, name in names.items()}


def _name(task: MarkedTask) -> str:
    if task.source.startswith("data:"):
        kind = task.source[5:60].partition(",")[0].partition(";")[0]
        return f"task-{task.task}{mimetypes.guess_extension(kind) or '.png'}"
    name = PurePosixPath(_ODD.sub("_", file_name(task.source)))
    return f"{name.stem[:_LONGEST]}{name.suffix}" if name.suffix and name.stem.strip("._") else f"task-{task.task}"


def _stem(name: str) -> str:
    return PurePosixPath(name).stem.lower()


def _numbered(name: str, task: int) -> str:
    path = PurePosixPath(name)
    return f"{path.stem}-{task}{path.suffix}"


def fetch_pictures(
    tasks: Iterable[MarkedTask],
    names: Mapping[int, str],
    folder: Path,
    studio: Studio,
    addresses: Sequence[str],
    remarks: Counter[str],
    progress: Progress = silent,
) -> None:
    """Write the pictures of tasks into a folder: those in their data, and those that Label Studio serves.

    Parameters
    ----------
    names
        From `file_names`.
    studio, addresses
        Label Studio, and the addresses by which it is known. No other server is asked for anything.
    remarks
        Counts those that are not fetched, by why.
    """
    folder.mkdir(parents=True, exist_ok=True)
    all_tasks = list(tasks)
    for done, task in enumerate(all_tasks, 1):
        content = _content(task.source, studio, addresses, remarks)
        if content is not None:
            (folder / names[task.task]).write_bytes(content)
        progress("fetching pictures", done, len(all_tasks))


def _content(source: str, studio: Studio, addresses: Sequence[str], remarks: Counter[str]) -> bytes | None:
    if source.startswith("data:"):
        try:
            return base64.b64decode(source.partition(",")[2])
        except binascii.Error:
            remarks["pictures in the tasks' data that cannot be read"] += 1
            return None
    path = image_path(source, addresses)
    if path is None:
        remarks[ELSEWHERE] += 1
        return None
    try:
        return studio.file(path, _LARGEST)[1]
    except StudioError as error:
        remarks[f"pictures that Label Studio did not give: {error}"] += 1
        return None
