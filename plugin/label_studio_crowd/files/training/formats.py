"""The formats that models are trained with, by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from label_studio_crowd.errors import UserError
from label_studio_crowd.files.training.detection import write_coco, write_yolo
from label_studio_crowd.files.training.marked import Marked, Medium
from label_studio_crowd.files.training.pictures import file_names
from label_studio_crowd.files.training.spans import check_spacy, write_conll, write_spacy
from label_studio_crowd.files.writing import check_out

Write = Callable[[Marked, Path, "Counter[str]"], list[Path]]


@dataclass(frozen=True)
class TrainingFormat:
    """A format.

    Attributes
    ----------
    medium
        What the regions are in.
    endings
        Of its file; none where it is a folder.
    write
        Writes what is marked into the file or folder, counts what is written in another way or not at all, and returns
        what it has written.
    """

    medium: Medium
    endings: tuple[str, ...]
    write: Write

    def check(self, out: Path) -> None:
        """Raise a `UserError` if nothing can be written there; called before anything is computed."""
        if self.endings:
            check_out(out, self.endings)
            check_spacy(out)
        elif out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UserError(f"--out is {out}, which is there already: name a folder that is new or empty.")
        elif not out.parent.is_dir():
            raise UserError(f"--out is in {out.parent}, which is not a folder: create it, or choose another one.")


def _of_pictures(write: Callable[[Marked, Mapping[int, str], Path, Counter[str]], list[Path]]) -> Write:
    def named(found: Marked, out: Path, remarks: Counter[str]) -> list[Path]:
        return write(found, file_names(found.tasks), out, remarks)

    return named


TRAINING_FORMATS: Final[Mapping[str, TrainingFormat]] = {
    "coco": TrainingFormat("image", (), _of_pictures(write_coco)),
    "yolo": TrainingFormat("image", (), _of_pictures(write_yolo)),
    "conll": TrainingFormat("text", (".conll", ".txt"), write_conll),
    "spacy": TrainingFormat("text", (".spacy", ".jsonl"), write_spacy),
}
"""The formats, by the names that the command line gives."""
