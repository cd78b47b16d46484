"""Text tables: comma, semicolon or tab between the cells, compressed or not."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from crowdcore.crowd.ids import Ids, as_array

if TYPE_CHECKING:
    import pandas as pd

MISSING: Final = ("", "nan", "NaN", "<NA>")
"""Cells without a value. "NA", "None" and "null" are words, which a class may be called."""

_SEPARATORS: Final = (",", ";", "\t")
_EXACT: Final = 2**53
_ROWS: Final = 1_000_000


def typed(texts: Iterable[str]) -> Ids:
    """Return texts as numbers if all of them are written as Python writes numbers, otherwise as they are.

    So "007" stays text, and ids never become one by being read.

    Examples
    --------
    >>> typed(["3", "12"])
    array([ 3, 12])
    >>> typed(["3", "012"])
    array(['3', '012'], dtype=object)
    """
    listed = [str(text) for text in texts]
    try:
        numbers: list[Any] = [int(text) for text in listed]
        if all(map(_same, numbers, listed)) and all(-(2**63) <= number < 2**63 for number in numbers):
            return np.array(numbers, dtype=np.int64)
    except ValueError:
        pass
    try:
        numbers = [float(text) for text in listed]
    except ValueError:
        return as_array(listed)
    exact = (
        abs(number) < _EXACT and (_same(number, text) or _same(int(number), text))
        for number, text in zip(numbers, listed, strict=True)
    )
    return np.array(numbers) if all(exact) else as_array(listed)


def _same(number: int | float, text: str) -> bool:
    return repr(number) == text


def separator_of(path: Path) -> tuple[str, list[str]]:
    """Return a file's separator, the one that gives its first line most cells, and that line's cells.

    Raises
    ------
    ValueError
        If the file is empty or no text in UTF-8.
    """
    import pandas as pd

    lines = {}
    for separator in _SEPARATORS:
        with _read_errors(path):
            first = pd.read_csv(path, **_options(separator), header=None, nrows=1)
        lines[separator] = ["" if pd.isna(cell) else str(cell) for cell in first.iloc[0]]
    best = max(_SEPARATORS, key=lambda separator: len(lines[separator]))
    return best, lines[best]


def written_separator(path: Path) -> str:
    """Return the separator to write a file with, by its name."""
    return "\t" if path.name.lower().removesuffix(".gz").endswith(".tsv") else ","


def read_cells(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Return some columns of a text table, each a categorical of texts; row r is the file's line r + 2.

    Raises
    ------
    ValueError
        If a line has more cells than the first, or the file is not text in UTF-8.
    """
    import pandas as pd

    header = separator_of(path)[1]
    blocks = [block[[header.index(name) for name in columns]].astype("category") for block in read_blocks(path)]
    joined = {
        name: pd.api.types.union_categoricals([block.iloc[:, place] for block in blocks])
        for place, name in enumerate(columns)
    }
    frame: pd.DataFrame = pd.DataFrame(joined)
    return frame


def read_blocks(path: Path, rows: int = _ROWS) -> Iterator[pd.DataFrame]:
    """Read a text table some rows at a time, as texts, columns by their places; at least one block.

    Raises
    ------
    ValueError
        If a line has more cells than the first, or the file is not text in UTF-8.
    """
    import pandas as pd

    separator, header = separator_of(path)
    columns = list(range(len(header)))
    with _read_errors(path):
        blocks = pd.read_csv(path, **_options(separator), header=0, names=columns, index_col=False, chunksize=rows)
    count = 0
    with blocks:
        while True:
            with _read_errors(path):
                block = next(blocks, None)
            if block is None:
                break
            count += 1
            yield block
    if not count:
        yield pd.DataFrame(columns=columns, dtype=str)


def _options(separator: str) -> dict[str, Any]:
    # never "category", which makes one id of "01" and "1"
    return {
        "sep": separator,
        "dtype": "str",
        "keep_default_na": False,
        "na_values": list(MISSING),
        "encoding": "utf-8-sig",
        "skip_blank_lines": False,
    }


@contextmanager
def _read_errors(path: Path) -> Iterator[None]:
    """Name the file in the error if pandas cannot read it."""
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            yield
    except pd.errors.EmptyDataError:
        raise ValueError(f"{path} is empty: expected a line of column names and a line for each row.") from None
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        if isinstance(error, pd.errors.ParserWarning):
            reason = "Lines have more cells than the first"
        raise ValueError(
            f"{path} is not a table ({reason}): every line needs as many cells as the first, and a cell that contains "
            "the separator needs quotes."
        ) from None
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not text in UTF-8 ({error.reason} at byte {error.start}): save it as UTF-8."
        ) from None
