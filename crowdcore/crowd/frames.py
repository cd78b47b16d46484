"""Frames of figures, with ids as their index; and frames of other libraries as pandas has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def indexed_frame(name: str, ids: Iterable[Any], columns: Mapping[Any, Any]) -> pd.DataFrame:
    """Return columns as a frame whose index has the ids and this name."""
    import pandas as pd

    index = pd.Index(as_column(ids), name=name)
    frame: pd.DataFrame = pd.DataFrame({key: as_column(each, index) for key, each in columns.items()}, index=index)
    return frame


def as_column(values: Any, index: Any = None) -> Any:
    r"""Return what a column or an index is made of: texts with half a character as objects, all else as it is.

    Examples
    --------
    >>> as_column(["whole", "hal\ud83d"]).dtype, as_column(["whole"])
    (dtype('O'), ['whole'])
    """
    import pandas as pd

    try:
        pd.Series(values)
    except UnicodeEncodeError:
        return pd.Series(values, index, dtype=object)
    return values


def is_foreign(table: Any) -> bool:
    """Return whether this is a table of polars or PyArrow."""
    library = type(table).__module__.partition(".")[0]
    return (library == "polars" and hasattr(table, "lazy")) or (library == "pyarrow" and hasattr(table, "schema"))


def as_pandas(table: Any) -> pd.DataFrame:
    """Return a table as pandas' DataFrame; also one of polars (also lazy) or PyArrow.

    Raises
    ------
    TypeError
        If it is no table.
    """
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    library = type(table).__module__.partition(".")[0]
    if library == "polars" and hasattr(table, "lazy"):
        return _of_polars(table.collect() if hasattr(table, "collect") else table)
    converted: Any = None
    if library == "pyarrow" and hasattr(table, "to_pandas"):
        converted = table.to_pandas(integer_object_nulls=True)
    elif hasattr(table, "to_pandas"):
        converted = table.to_pandas()
    if not isinstance(converted, pd.DataFrame):
        raise TypeError(
            f"Found a {type(table).__name__}; expected a DataFrame of pandas or polars, or a PyArrow table: pass "
            "pandas.DataFrame(...)."
        )
    return converted


def _of_polars(table: Any) -> pd.DataFrame:
    """Return a frame of polars as one of pandas; its own way needs PyArrow, and loses the order of an Enum."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for name, column in table.to_dict().items():
        values = column.to_list()
        if type(column.dtype).__name__ == "Enum":
            columns[name] = pd.Categorical(values, list(column.dtype.categories), ordered=True)
        else:
            columns[name] = pd.Series(values, dtype=object if column.null_count() else None)
    frame: pd.DataFrame = pd.DataFrame(columns)
    return frame
