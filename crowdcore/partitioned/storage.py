"""Folders of Arrow and Parquet files, on this machine or in an object store."""

from __future__ import annotations

import posixpath
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Folder:
    """A folder, which every process that knows the address and the options can read.

    Parameters
    ----------
    address : str
        A path, or a URL that fsspec knows, as ``s3://bucket/folder``.
    options : mapping
        What fsspec needs for it, as a key and a secret.
    """

    address: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def at(cls, address: str | Path, options: Mapping[str, Any] | None = None) -> Folder:
        """Return the folder at a URL, or at a path, which is made absolute: other processes work elsewhere."""
        given = str(address)
        return cls(given if "://" in given else str(Path(given).expanduser().absolute()), dict(options or {}))

    @cached_property
    def _place(self) -> tuple[Any, str]:
        try:
            system, path = fsspec.core.url_to_fs(self.address, **self.options)
        except (ImportError, ValueError) as error:
            raise ValueError(
                f"{self.address!r} cannot be opened: {error}. Give a local path, or a URL that fsspec knows with "
                "its package installed (s3fs for s3://, gcsfs for gs://, adlfs for az://)."
            ) from error
        return system, path

    @property
    def local(self) -> bool:
        """Whether the folder is on this machine."""
        protocol = self._place[0].protocol
        return "file" in ((protocol,) if isinstance(protocol, str) else protocol)

    def parquet_files(self) -> list[str]:
        """Return the paths of all Parquet files in the folder and below, sorted; that of the file, if it is one.

        Raises
        ------
        ValueError
            If there is no such folder, or no such file in it.
        """
        system, path = self._place
        if system.isfile(path):
            return [path]
        if not system.isdir(path):
            raise ValueError(f"There is no folder {self.address!r}. Give a folder of Parquet files, or one such file.")
        names = [name for name in system.find(path) if not _hidden(name[len(path) :])]
        found = sorted(name for name in names if name.endswith((".parquet", ".pq")))
        if not found:
            others = ", ".join(sorted(posixpath.basename(name) for name in names)[:4]) or "no files at all"
            raise ValueError(
                f"There are no Parquet files in {self.address!r}; it has {others}. Parquet files end in .parquet."
            )
        return found

    def open(self, name: str, mode: str = "rb") -> Any:
        """Open a file by a name within the folder, or by a path of `parquet_files`."""
        system, path = self._place
        return system.open(name if name.startswith(path) else posixpath.join(path, name), mode)

    def make(self) -> None:
        """Make the folder, if it is not there."""
        system, path = self._place
        system.makedirs(path, exist_ok=True)

    def is_empty(self) -> bool:
        """Whether nothing is there yet."""
        system, path = self._place
        return not system.exists(path) or not system.find(path)

    def remove(self, *names: str) -> None:
        """Remove files, or the folder with all that is in it; nothing, if they are gone."""
        system, path = self._place
        for target in [posixpath.join(path, name) for name in names] or [path]:
            if system.exists(target):
                system.rm(target, recursive=not names)

    def below(self, name: str) -> Folder:
        """Return a folder in this one."""
        return Folder(posixpath.join(self.address, name), self.options)

    def free_bytes(self) -> int | None:
        """Return how many bytes can still be written; None if that cannot be known."""
        return shutil.disk_usage(self._place[1]).free if self.local else None

    def write_batches(self, name: str, batches: list[pa.RecordBatch]) -> None:
        """Write record batches of one schema to an Arrow file, each of which can be read alone."""
        with self.open(name, "wb") as file, pa.ipc.new_file(file, batches[0].schema) as writer:
            for batch in batches:
                writer.write_batch(batch)

    def read_batch(self, name: str, number: int = 0) -> pa.RecordBatch:
        """Read one record batch of an Arrow file."""
        with self.open(name) as file:
            return pa.ipc.open_file(file).get_batch(number)

    def write_parquet(self, name: str, table: pa.Table) -> None:
        """Write a Parquet file."""
        with self.open(name, "wb") as file:
            pq.write_table(table, file, compression="zstd")


@contextmanager
def scratch_folder(parent: str | Path | None, options: Mapping[str, Any] | None) -> Iterator[Folder]:
    """Make a new folder in another (default: the system's for temporary files), and remove it at the end.

    Raises
    ------
    ValueError
        If nothing can be written there.
    """
    where = Folder.at(tempfile.gettempdir() if parent is None else parent, options)
    folder = where.below(f"crowdcore-{uuid.uuid4().hex[:12]}")
    try:
        folder.make()
        with folder.open("here", "wb") as file:
            file.write(b"written by crowdcore")
    except OSError as error:
        raise ValueError(
            f"Nothing can be written to the scratch folder {where.address!r}: {error}. Pass scratch= another: a "
            "local path or an fsspec URL, with enough space for a copy of the answers."
        ) from error
    try:
        yield folder
    finally:
        folder.remove()


def _hidden(path: str) -> bool:
    """Whether a file, or a folder it is in, is one of those that engines leave beside the data."""
    return any(step.startswith(("_", ".")) for step in path.split("/") if step)
