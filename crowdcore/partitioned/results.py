"""What algorithms over parts find: a folder of Parquet files for the tasks, a frame for the annotators."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from crowdcore.crowd.ids import Codes, Ids
from crowdcore.kernels import Floats
from crowdcore.partitioned.parts import Part
from crowdcore.partitioned.storage import Folder

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class PartitionedResult:
    """What was found.

    Attributes
    ----------
    folder : str
        Where the Parquet files are, one for each part. Columns: task, label (null where there is none), quality,
        num_answers, and the probability of each class; of ActiveLab: task and score.
    files : tuple of str
        Their names.
    annotators : DataFrame
        Figures of each annotator, index annotator, as in memory.
    aggregator : Aggregator or None
        The fitted aggregator with its parameters, as ``confusion_``, but nothing that has a row for each task. None
        for CROWDLAB and ActiveLab.
    model_weight : float, or ndarray of shape (P,) for an ensemble
        Weight of the model, in CROWDLAB and ActiveLab; 0 without one.
    """

    folder: str
    files: tuple[str, ...]
    annotators: pd.DataFrame
    aggregator: Any
    model_weight: float | Floats
    _place: Folder

    def frames(self) -> Iterator[pd.DataFrame]:
        """Read the results part by part, index task."""
        for name in self.files:
            with self._place.open(name) as file:
                yield pq.read_table(file).to_pandas().set_index("task")

    def to_frame(self) -> pd.DataFrame:
        """Return all results as one frame, in the order of the parts, which is not that of the answers."""
        import pandas as pd

        frame: pd.DataFrame = pd.concat(list(self.frames()))
        return frame


def result_file(number: int) -> str:
    """Return the name of the file with a part's results."""
    return f"part-{number:05d}.parquet"


def write_labels(out: Folder, part: Part, classes: Ids, codes: Codes, quality: Floats, probas: Floats) -> None:
    """Write labels (-1 for none), how far they are believed, and the probabilities of the classes."""
    columns: dict[str, Any] = {
        "task": part.tasks.column("task"),
        "label": pa.array(classes).take(pa.array(codes, mask=codes < 0)),
        "quality": pa.array(quality, from_pandas=True),
        "num_answers": part.tasks.column("size"),
    }
    taken = set(columns)
    for code, name in enumerate(map(str, classes.tolist())):
        columns[f"class {name}" if name in taken else name] = probas[:, code]
    out.write_parquet(result_file(part.stored.number), pa.table(columns))


def write_scores(out: Folder, part: Part, scores: Floats) -> None:
    """Write a score for each task."""
    out.write_parquet(result_file(part.stored.number), pa.table({"task": part.tasks.column("task"), "score": scores}))
