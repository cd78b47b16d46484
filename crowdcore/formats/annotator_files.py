"""A folder with a file for each annotator, as doccano and CVAT export it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crowdcore.formats.opened import bare_name, opened
from crowdcore.formats.tools import cvat, doccano, read_records

if TYPE_CHECKING:
    import pandas as pd

Rows = list[dict[str, Any]]


def annotator_files(path: Path) -> list[Path]:
    """Return the files of a folder that may each be an annotator's."""
    files = (file for file in sorted(path.iterdir()) if file.is_file() and not file.name.startswith("."))
    return [file for file in files if bare_name(file).endswith((".jsonl", ".xml"))]


def annotators_table(path: Path, read_json: Callable[[Path], Any]) -> tuple[str, pd.DataFrame]:
    """Return what messages call a folder's files, and a row for each answer in them; a file is called as its annotator.

    Parameters
    ----------
    path : path
        The folder.
    read_json : callable
        Reads JSON Lines.

    Raises
    ------
    ValueError
        If a file is not of a tool that is known, or they are of several.
    """
    import pandas as pd

    tools: set[str] = set()
    rows: Rows = []
    for file in annotator_files(path):
        tool, found = _rows_of(file, read_json)
        tools.add(tool)
        rows += found
    if len(tools) > 1:
        raise ValueError(f"{path} has {' and '.join(sorted(tools))}: give the files of one tool.")
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: pd.Series([row.get(name) for row in rows], dtype=object) for name in names}
    return tools.pop(), pd.DataFrame(columns)


def _rows_of(file: Path, read_json: Callable[[Path], Any]) -> tuple[str, Rows]:
    annotator = bare_name(file).rpartition(".")[0]
    if bare_name(file).endswith(".xml"):
        with opened(file) as content:
            try:
                found, tool = cvat.rows_of(content.read(), annotator), "CVAT's export"
            except ValueError as error:
                raise ValueError(f"{file}: {error}.") from None
    else:
        lines = read_json(file)
        fits = all(isinstance(line, Mapping) for line in lines)
        tool = "doccano's export"
        try:
            read = partial(doccano.rows_of, annotator=annotator)
            found = read_records(tool, read, lines) if fits and lines else [] if fits else None
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from None
    if found is None:
        raise ValueError(
            f"{file} is not of a tool that is known: a folder has a file for each annotator, doccano's JSON Lines or "
            "CVAT's XML, or is peerannot's."
        )
    return tool, found
