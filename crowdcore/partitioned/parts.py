"""A part of a crowd: where it is stored, and what is read of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from crowdcore.crowd.ids import Ids
from crowdcore.crowd.table import Crowd
from crowdcore.partitioned.storage import Folder


@dataclass(frozen=True)
class StoredPart:
    """Some tasks of a crowd with all their answers, in files.

    Attributes
    ----------
    folder : Folder
        Where they are.
    name : str
        How the names of the files begin.
    number, num_tasks, num_answers, num_models : int
        Which part it is, and how large; how many models give probabilities for its tasks.
    num_repeated : int
        How many of its answers, as they were read, repeat an earlier one of the same annotator to the same task.
    """

    folder: Folder
    name: str
    number: int
    num_tasks: int
    num_answers: int
    num_models: int = 0
    num_repeated: int = 0

    def read(self) -> Part:
        """Read the part."""
        tasks, answers = (self.folder.read_batch(f"{self.name}-{what}.arrow") for what in ("tasks", "answers"))
        if not self.num_models:
            return Part(self, tasks, answers, None)
        P = self.folder.read_batch(f"{self.name}-probabilities.arrow")
        return Part(self, tasks, answers, P.column(0).to_numpy(zero_copy_only=False))


@dataclass(frozen=True, eq=False)
class Part:
    """A part that has been read, as compact as in its files.

    Attributes
    ----------
    stored : StoredPart
        Where it comes from.
    tasks : RecordBatch
        Columns task and size, how many answers it has.
    answers : RecordBatch
        Columns annotator and label: codes.
    probabilities : ndarray of shape (P * N * K,), or None
        The models' probabilities.
    """

    stored: StoredPart
    tasks: pa.RecordBatch
    answers: pa.RecordBatch
    probabilities: NDArray[np.floating] | None

    def __sizeof__(self) -> int:
        P = self.probabilities
        return int(self.tasks.nbytes + self.answers.nbytes + (0 if P is None else P.nbytes))

    def crowd(self, annotators: Ids, classes: Ids, named: bool = True) -> Crowd:
        """Return the part as a crowd, whose tasks have their ids if it is `named`, else places."""
        size = _numbers(self.tasks, "size")
        return Crowd(
            tasks=ids_of(self.tasks.column("task")) if named else np.arange(len(size)),
            annotators=annotators.view(),
            classes=classes.view(),
            indptr=np.concatenate([[0], np.cumsum(size)]),
            annotator=_numbers(self.answers, "annotator"),
            label=_numbers(self.answers, "label"),
        )

    def models(self, num_classes: int) -> NDArray[np.float64]:
        """Return the models' probabilities, shape (P, N, K)."""
        shape = self.stored.num_models, self.tasks.num_rows, num_classes
        P = np.empty(shape) if self.probabilities is None else self.probabilities.reshape(shape)
        return P.astype(np.float64, copy=False)


def store_crowd(folder: Folder, name: str, number: int, crowd: Crowd, tasks: pa.Array) -> StoredPart:
    """Write a part: a crowd, and its task ids as they were read."""
    annotator = compact(crowd.annotator, len(crowd.annotators))
    label = compact(crowd.label, len(crowd.classes))
    answers = pa.record_batch({"annotator": annotator, "label": label})
    return store_part(folder, name, number, tasks, crowd.num_answers, answers)


def store_part(
    folder: Folder,
    name: str,
    number: int,
    tasks: pa.Array,
    sizes: NDArray[np.integer],
    answers: pa.RecordBatch,
    models: NDArray[np.floating] | None = None,
) -> StoredPart:
    """Write a part: task ids, how many answers each has, the answers, and the models' probabilities (P, N, K)."""
    num_models = 0 if models is None else len(models)
    stored = StoredPart(folder, f"{name}-{number:05d}", number, len(tasks), answers.num_rows, num_models)
    batches = {"tasks": pa.record_batch({"task": tasks, "size": sizes.astype(np.uint32)}), "answers": answers}
    if models is not None:
        batches["probabilities"] = pa.record_batch({"probability": models.ravel()})
    for what, batch in batches.items():
        folder.write_batches(f"{stored.name}-{what}.arrow", [batch])
    return stored


def compact(codes: NDArray[np.integer], size: int) -> NDArray[np.integer]:
    """Return codes, from -1 to size - 1, in as few bytes as they need."""
    return codes.astype(np.min_scalar_type(-max(size, 1)))


def ids_of(column: pa.Array) -> Ids:
    """Return a column of ids as `Crowd` has them: numbers as they are, text as Python's."""
    found: Ids = column.to_numpy(zero_copy_only=False)
    return found


def _numbers(batch: pa.RecordBatch, name: str) -> NDArray[np.int64]:
    found: NDArray[np.int64] = batch.column(name).to_numpy(zero_copy_only=False).astype(np.int64)
    return found
