"""Pictures in folders, as peerannot has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Ids, as_ids
from crowdcore.learning.networks.extra import needed

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")


class ImageTasks:
    """The pictures of a folder, one a task: ``CLASS/NAME-TASK.png``, as in peerannot's train, val and test.

    It is a torch Dataset: an item is a picture as an array (channels, height, width). The task's id is what follows the
    last hyphen of the name, a number if all are. The folders' names are the classes that whoever made the data set took
    for true; no consensus looks at them.

    Parameters
    ----------
    folder : path
        With a folder for each class, or pictures only.
    size : int or (int, int), optional
        Height and width to which pictures are resized; by default those of the first picture.
    mode : {"RGB", "L"}
        Colours, or shades of grey.
    mean, spread : float or sequence of float
        What is taken off values from 0 to 1, by channel, and what that is divided by.
    transform : callable, optional
        Given each picture as a PIL image before it becomes an array, such as an augmentation.

    Attributes
    ----------
    tasks : ndarray of shape (N,)
        Ids.
    classes : ndarray of shape (K,)
        Names of the folders, sorted; empty without folders.
    labels : ndarray of shape (N,)
        Codes of the folders, -1 without.
    files : list of Path
        The pictures, sorted by task.

    Raises
    ------
    ValueError
        If there is no picture, or a task has two; later, if one cannot be read.
    ImportError
        If Pillow is not installed.
    """

    def __init__(
        self,
        folder: str | Path,
        size: int | tuple[int, int] | None = None,
        *,
        mode: str = "RGB",
        mean: Any = 0.5,
        spread: Any = 0.5,
        transform: Callable[[Any], Any] | None = None,
    ) -> None:
        self.folder, self.mode, self.transform = Path(folder), mode, transform
        self._mean, self._spread = (np.asarray(value, dtype=np.float32).reshape(-1, 1, 1) for value in (mean, spread))
        found = sorted(path for path in self.folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        if not found:
            raise ValueError(f"There is no picture in {self.folder}. Expected files such as CLASS/NAME-TASK.png.")
        ids = _task_ids([path.stem.rpartition("-")[2] for path in found])
        order = sorted(range(len(found)), key=lambda at: ids[at])
        self.files = [found[at] for at in order]
        self.tasks: Ids = as_ids([ids[at] for at in order], f"pictures of {self.folder}")
        names = [path.parent.name if path.parent != self.folder else None for path in self.files]
        self.classes: Ids = as_ids(sorted({name for name in names if name is not None}), "classes")
        codes = {name: code for code, name in enumerate(self.classes.tolist())}
        self.labels = np.array([codes.get(name, -1) for name in names], dtype=np.int64)
        self.size = (size, size) if isinstance(size, int) else size or self._open(0).size[::-1]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, at: int) -> NDArray[np.float32]:
        if not 0 <= at < len(self.files):
            raise IndexError(at)
        picture = self._open(at)
        if picture.size[::-1] != tuple(self.size):
            picture = picture.resize(self.size[::-1])
        if self.transform:
            picture = self.transform(picture)
        values = np.asarray(picture, dtype=np.float32) / 255
        values = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
        return np.ascontiguousarray((values - self._mean) / self._spread)

    def _open(self, at: int) -> Any:
        try:
            with needed("PIL.Image").open(self.files[at]) as picture:
                return picture.convert(self.mode)
        except OSError as error:
            raise ValueError(f"{self.files[at]} is no picture, or damaged ({error}): replace or remove it.") from None


def _task_ids(texts: list[str]) -> list[Any]:
    return [int(text) for text in texts] if all(text.isdecimal() for text in texts) else texts
