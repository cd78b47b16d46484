"""Writes tables to the files that the user names, and says beforehand where it could not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from label_studio_crowd.errors import UserError
from label_studio_crowd.files.user_errors import user_errors

if TYPE_CHECKING:
    import pandas as pd

TABLES: Final = (".csv", ".tsv", ".parquet", ".json")


def check_out(
    path: Path | None, endings: tuple[str, ...], option: str = "--out", *, read: Iterable[Path | None] = ()
) -> None:
    """Raise a `UserError` if nothing can be written there; called before anything is computed.

    What is read, files or peerannot's folder, is not overwritten.
    """
    if path is None:
        return
    for given in read:
        if given is not None and path.exists() and any(path.samefile(file) for file in _files(given)):
            raise UserError(f"{option} is {path}, which this command reads: choose another name.")
    if path.suffix.lower() not in endings:
        raise UserError(f"{option} is {path.name!r}: its ending chooses the format, one of {', '.join(endings)}.")
    if path.is_dir():
        raise UserError(f"{option} is {path}, which is a folder: name a file in it.")
    if not path.parent.is_dir():
        raise UserError(f"{option} is in {path.parent}, which is not a folder: create it, or choose another one.")
    if path.suffix.lower() == ".parquet":
        with user_errors():
            import pyarrow  # noqa: F401


def _files(path: Path) -> list[Path]:
    """Return a file, or peerannot's files in a folder, as far as they are there."""
    from crowdcore.formats.folders import ANSWERS, CONFUSIONS, METADATA, TRUTH

    files = [path / name for name in (ANSWERS, METADATA, TRUTH, CONFUSIONS)] if path.is_dir() else [path]
    return [file for file in files if file.exists()]


def write_frame(frame: pd.DataFrame, path: Path) -> Path:
    """Write a table, its index first where it has a name; the ending chooses the format."""
    table = frame.reset_index() if frame.index.name is not None else frame
    ending = path.suffix.lower()
    if ending == ".parquet":
        table.columns = table.columns.map(str)
        texts = table.select_dtypes(["object"]).columns
        table.astype(dict.fromkeys(texts, "string")).to_parquet(path, index=False)
    elif ending == ".json":
        import orjson

        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        records = [{str(name): value for name, value in row.items()} for row in rows]
        path.write_bytes(orjson.dumps(records, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY))
    elif ending == ".md":
        path.write_text(markdown(table), encoding="utf-8")
    else:
        table.to_csv(path, index=False, sep="\t" if ending == ".tsv" else ",")
    return path


def markdown(table: pd.DataFrame) -> str:
    """Return a table in Markdown; missing values are empty."""
    rows = [list(map(str, table.columns)), ["---"] * len(table.columns)]
    rows += table.astype(object).where(table.notna(), "").map(_cell).to_numpy().tolist()
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "\\|")
