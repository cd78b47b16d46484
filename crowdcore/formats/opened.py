"""What is in a file, however it is compressed and encoded; what is wrong with it, in a line that names it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

COMPRESSED: Final = (".gz", ".bz2", ".xz", ".zip")
"""Endings of compressed files that are read."""

_MARKS: Final = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_OTHERS: Final = {
    b"PK\x03\x04": "an Excel workbook or another archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "compressed with gzip, which its name does not say (.gz)",
    b"BZh": "compressed with bzip2, which its name does not say (.bz2)",
    b"\xfd7zXZ": "compressed with xz, which its name does not say (.xz)",
    b"\x28\xb5\x2f\xfd": "compressed with zstandard, which is not read",
    b"PAR1": "a Parquet file, which its name does not say (.parquet)",
    b"\x93NUMPY": "a NumPy array, which its name does not say (.npy)",
    b"%PDF": "a PDF",
}
_OPENERS: Final[dict[str, Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def bare_name(path: Path) -> str:
    """Return a file's name in lower case, without the ending that says how it is compressed.

    Examples
    --------
    >>> bare_name(Path("Answers.CSV.gz"))
    'answers.csv'
    """
    name = path.name.lower()
    return next((name.removesuffix(ending) for ending in COMPRESSED if name.endswith(ending)), name)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file's content, decompressed, inside `file_errors`.

    Raises
    ------
    ValueError
        If it cannot be decompressed, or an archive has several files.
    OSError
        If the file cannot be read.
    """
    with file_errors(path):
        ending = path.suffix.lower()
        if ending == ".zip":
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if not name.startswith("__MACOSX") and name[-1:] != "/"]
                if len(names) != 1:
                    raise ValueError(f"{path} has {len(names)} files; expected one: unpack it and name the file.")
                with archive.open(names[0]) as file:
                    yield file
        else:
            with _OPENERS.get(ending, open)(path, "rb") as file:
                yield file


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Name the file in the error if it is cut off, damaged, or no text."""
    try:
        yield
    except (EOFError, zlib.error, zipfile.BadZipFile, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise ValueError(_damaged(path, error)) from None
    except UnicodeError as error:
        where = f" at byte {error.start}" if isinstance(error, UnicodeDecodeError) else ""
        raise ValueError(
            f"{path} is not text in UTF-8 ({getattr(error, 'reason', error)}{where}): save it as UTF-8."
        ) from None
    except OSError as error:
        if error.errno is None and path.suffix.lower() in COMPRESSED:  # bzip2's word for damaged
            raise ValueError(_damaged(path, error)) from None
        raise


def _damaged(path: Path, error: Exception) -> str:
    return (
        f"{path} is cut off or damaged ({error or type(error).__name__}): it cannot be decompressed to its end. Copy "
        "or download it again."
    )


def encoding_of(path: Path) -> str:
    """Return how a file's text is encoded, by the mark it begins with: UTF-8, or UTF-16 as PowerShell and Excel write.

    Raises
    ------
    ValueError
        If it is no text but something else that is known by its first bytes.
    """
    with opened(path) as file:
        start = file.read(8)
    for mark, what in _OTHERS.items():
        if start.startswith(mark):
            raise ValueError(f"{path} is {what}: expected text. Save it as CSV in UTF-8, or correct its name.")
    if start[1:2] == b"\0" != start[:1] or start[:1] == b"\0" != start[1:2]:  # no text of UTF-8 has these
        return "utf-16-le" if start[1:2] == b"\0" else "utf-16-be"
    return next((encoding for mark, encoding in _MARKS.items() if start.startswith(mark)), "utf-8-sig")


def read_text(path: Path) -> str:
    """Return a file's text."""
    encoding = encoding_of(path)
    with opened(path) as file:
        return file.read().decode(encoding)
