"""Text tables: comma, semicolon, tab or, in .txt, blanks between the cells; compressed or not."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from crowdcore.crowd.ids import Ids, as_array
from crowdcore.formats.opened import bare_name, encoding_of, file_errors, opened

if TYPE_CHECKING:
    import pandas as pd

MISSING: Final = ("", "nan", "NaN", "<NA>")
"""Cells without a value."""

WORDS: Final = ("NA", "N/A", "#N/A", "null", "NULL")
"""Cells that usually have no value, as R, Excel and databases write them; but a class may be called so."""

_SEPARATORS: Final = (",", ";", "\t")
_BLANKS: Final = r"\s+"
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


@dataclass(frozen=True)
class TextTable:
    """How a text table is written.

    Attributes
    ----------
    path : Path
        The file.
    separator : str
        What is between its cells.
    columns : list of str
        Their names; "1", "2", ... where it has none. R's row names, which have no name, are "".
    has_header : bool
        Whether its first line has the names.
    encoding : str
        Of the text.
    with_blanks : bool
        Whether a blank follows each separator, which is no part of the cells.
    """

    path: Path
    separator: str
    columns: list[str]
    has_header: bool
    encoding: str
    with_blanks: bool = False

    @property
    def first_line(self) -> int:
        """The number of the line that has the first row."""
        return 2 if self.has_header else 1

    def cells(self, names: Sequence[str]) -> pd.DataFrame:
        """Return some columns, each a categorical of texts.

        Raises
        ------
        ValueError
            If a line has more cells than there are columns, or the file is damaged or no text in UTF-8.
        """
        import pandas as pd

        places = [self.columns.index(name) for name in names]
        blocks = [block[places].astype("category") for block in self.blocks()]
        joined = {
            name: pd.api.types.union_categoricals([block.iloc[:, place] for block in blocks])
            for place, name in enumerate(names)
        }
        frame: pd.DataFrame = pd.DataFrame(joined)
        return frame

    def blocks(self, rows: int = _ROWS) -> Iterator[pd.DataFrame]:
        """Read some rows at a time, as texts, columns by their places; at least one block.

        Raises
        ------
        ValueError
            As `cells`.
        """
        import pandas as pd

        names = list(range(len(self.columns)))
        options = _options(self.separator, self.encoding)
        count = 0
        with _table_errors(self.path), opened(self.path) as file:
            blocks = pd.read_csv(
                file,
                **options,
                header=0 if self.has_header else None,
                names=names,
                index_col=False,
                skipinitialspace=self.with_blanks,
                chunksize=rows,
            )
            with blocks:
                while (block := _next(blocks)) is not None:
                    count += 1
                    yield block
        if not count:
            yield pd.DataFrame(columns=names, dtype=str)


def text_table(path: Path, header: bool = True) -> TextTable:
    """Return how a text table is written: the separator is the one that gives its first line most cells.

    Parameters
    ----------
    path : path
        The file.
    header : bool
        Whether its first line names the columns.

    Raises
    ------
    ValueError
        If the file is empty, damaged, or no text in UTF-8.
    """
    encoding = encoding_of(path)
    separators = (*_SEPARATORS, _BLANKS) if bare_name(path).endswith(".txt") else _SEPARATORS
    lines = {separator: _first_rows(path, separator, encoding) for separator in separators}
    separator = max(separators, key=lambda one: len(lines[one][0]))
    first, second = lines[separator]
    if not header:
        return TextTable(path, separator, [str(at + 1) for at in range(len(first))], False, encoding)
    if len(second) == len(first) + 1 and second[0] == "1" and first[0][:1] != "#":
        first = ["", *first]  # R's write.table: the row names, 1, 2, ..., have no name
    if len(first) > 1 and all(name[:1] == " " for name in first[1:]):
        return TextTable(path, separator, [name.strip() for name in first], True, encoding, True)
    return TextTable(path, separator, first, True, encoding)


def looks_like_data(table: TextTable) -> bool:
    """Return whether the names of columns seem to be a first row: a number, or a cell that the next row has again."""
    second = _first_rows(table.path, table.separator, table.encoding)[1]
    numbers = [name for name in table.columns if name and typed([name]).dtype.kind in "iuf"]
    again = [one for one, two in zip(table.columns, second, strict=False) if one and one == two]
    return bool(again) or (bool(numbers) and len(numbers) < len(table.columns) - 1) or table.columns[:1] == numbers[:1]


def _first_rows(path: Path, separator: str, encoding: str) -> tuple[list[str], list[str]]:
    """Return the cells of the first two lines; none of the second where it has far more than the first."""
    import pandas as pd

    options = _options(separator, encoding)
    with file_errors(path), _table_errors(path):
        try:
            with opened(path) as file:
                first = pd.read_csv(file, **options, header=None, nrows=1)
        except pd.errors.EmptyDataError:
            raise ValueError(f"{path} is empty: expected a line of column names and a line for each row.") from None
    names = list(range(len(first.columns) + 1))
    try:
        with opened(path) as file, warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            both = pd.read_csv(file, **options, header=None, nrows=2, names=names, index_col=False)
    except (pd.errors.ParserError, pd.errors.ParserWarning):
        both = first
    rows = [["" if pd.isna(cell) else str(cell) for cell in row] for row in both.to_numpy(dtype=object)]
    second = rows[1] if len(rows) > 1 else []
    return rows[0][: len(first.columns)], second if second[-1:] != [""] else second[:-1]


def _next(blocks: Iterator[pd.DataFrame]) -> pd.DataFrame | None:
    with warnings.catch_warnings():
        import pandas as pd

        warnings.simplefilter("error", pd.errors.ParserWarning)
        return next(blocks, None)


def written_separator(path: Path) -> str:
    """Return the separator to write a file with, by its name."""
    return "\t" if bare_name(path).endswith(".tsv") else ","


def _options(separator: str, encoding: str) -> dict[str, Any]:
    # never "category", which makes one id of "01" and "1"
    return {
        "sep": separator,
        "dtype": "str",
        "keep_default_na": False,
        "na_values": list(MISSING),
        "encoding": encoding,
        "skip_blank_lines": False,
    }


@contextmanager
def _table_errors(path: Path) -> Iterator[None]:
    """Name the file in the error if pandas cannot read it."""
    import pandas as pd

    try:
        yield
    except pd.errors.EmptyDataError:
        return  # the names, and nothing else
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        if isinstance(error, pd.errors.ParserWarning):
            reason = "Lines have more cells than the first"
        raise ValueError(
            f"{path} is not a table ({reason}): every line needs as many cells as the first, and a cell that contains "
            "the separator needs quotes."
        ) from None
