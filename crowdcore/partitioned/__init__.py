"""Crowds larger than memory, or on many machines: the same algorithms over parts of a crowd.

Answers are Parquet files in a folder, on this machine or in an object store. They are dealt once into parts, each of
which has all answers of its tasks; an algorithm is a few passes over the parts, whose statistics add up. Parts are
read in turn, or live on a Dask cluster; either way results are those that the whole crowd has in memory.

>>> import tempfile
>>> import pandas as pd
>>> from crowdcore.partitioned import PartitionedCrowd
>>> folder = tempfile.TemporaryDirectory()
>>> for number, label in enumerate(["cat", "dog"]):  # each file has one answer of every task
...     frame = pd.DataFrame({"task": [7, 8], "annotator": f"ann-{number}", "label": ["cat", label]})
...     frame.to_parquet(f"{folder.name}/{number}.parquet")
>>> with PartitionedCrowd.from_parquet(folder.name) as crowd:
...     crowd.aggregate("majority-vote").to_frame()["quality"].to_dict()
{7: 1.0, 8: 0.5}
>>> folder.cleanup()
"""

try:
    import fsspec  # noqa: F401
    import pyarrow  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"Crowds in parts need {error.name}, which is not installed: pip install 'label-studio-crowd[distributed]'"
    ) from error

from crowdcore.partitioned.partitioned_crowd import PartitionedCrowd
from crowdcore.partitioned.results import PartitionedResult

__all__ = ["PartitionedCrowd", "PartitionedResult"]
