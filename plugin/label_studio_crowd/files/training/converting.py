"""label-studio-sdk's converters, which know the formats."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

_FIELD = "source"
_CONTROL = "regions"


@dataclass(frozen=True)
class Converted:
    """A task as a converter takes it.

    Attributes
    ----------
    task
        Its id.
    source
        The text, or the path of a picture that is there: the converter gives another name to what it does not find.
    items
        Its regions, all of one control.
    """

    task: int
    source: str
    items: Sequence[Mapping[str, Any]]


def convert(
    tasks: Sequence[Converted],
    labels: Mapping[str, Mapping[str, str]],
    what: str,
    tags: tuple[str, str],
    folder: Path,
) -> None:
    """Convert tasks.

    Parameters
    ----------
    labels
        Label → its attributes; `category` is the number of a category.
    what
        The format, as the converter names it.
    tags
        Those of the control and of the object, such as ("Labels", "Text").
    folder
        Where the converter writes, and where it finds nothing yet.
    """
    from label_studio_sdk.converter.converter import Converter

    control, medium = tags
    rows = [
        {
            "id": task.task,
            "data": {_FIELD: task.source},
            "annotations": [{"result": [{**item, "from_name": _CONTROL} for item in task.items]}],
        }
        for task in tasks
    ]
    schema = {
        _CONTROL: {
            "type": control,
            "to_name": [_FIELD],
            "inputs": [{"type": medium, "value": _FIELD}],
            "labels": list(labels),
            "labels_attrs": {label: dict(attributes) for label, attributes in labels.items()},
        }
    }
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "tasks.json"
    file.write_bytes(orjson.dumps(rows))
    with _silenced():
        # nothing is downloaded, and nothing is looked for in Label Studio's own folders
        here = str(folder)
        converter: Any = Converter(schema, here, upload_dir=here, download_resources=False)  # type: ignore[no-untyped-call]
        converter.convert(str(file), here, what, is_dir=False)
    file.unlink()


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep the converter from logging a line for each task that has no region."""
    logger = logging.getLogger("label_studio_sdk.converter")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
