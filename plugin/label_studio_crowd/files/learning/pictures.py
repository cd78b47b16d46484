"""peerannot's folder: train/CLASS/NAME-TASK.png, test/, val/, answers.json, metadata.json."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.errors import UserError
from label_studio_crowd.files.learning.lessons import Known, Lessons, with_n_classes

if TYPE_CHECKING:
    from crowdcore import Crowd
    from crowdcore.learning.networks import ImageTasks

Codes = NDArray[np.int64]

SHEAR = 15.0
"""Degrees by which a picture is sheared at most."""
LEAST_SHARE = 0.25
"""Of a picture that a random part of it has, about."""


def lessons_of_pictures(
    folder: Path,
    *,
    answers: Path | None = None,
    metadata: Path | None = None,
    n_classes: int | None = None,
    size: int | None = None,
    augment_with: int | None = None,
) -> Lessons:
    """Return a folder's pictures and answers.

    Parameters
    ----------
    folder
        With train, and where there are any test and val.
    answers, metadata
        Other files than answers.json and metadata.json in it.
    n_classes
        What the user says that K is.
    size
        Height and width of pictures; those of the first picture for None.
    augment_with
        The seed of random changes of the pictures that are learned from; None: no changes.

    Raises
    ------
    UserError, ValueError, OSError
        If something is missing, or does not fit.
    """
    from crowdcore.formats import read_folder

    crowd = read_folder(folder, answers=answers, metadata=metadata).crowd
    crowd = with_n_classes(crowd, n_classes, str(metadata or folder / "metadata.json"))
    if not len(crowd.label):
        raise UserError(f"{answers or folder / 'answers.json'} has no answers.")
    train = _part(folder / "train", size, None if augment_with is None else augmented(augment_with))
    pictured = np.isin(crowd.tasks.astype(object), train.tasks.astype(object))
    if not pictured.any():
        raise UserError(
            f"None of the {len(crowd.tasks)} tasks with answers ({crowd.tasks[0]}, ...) has a picture in "
            f"{train.folder} ({train.files[0].name}, ...). The task is what follows the last hyphen of a file's name."
        )
    notes = [f"{pictured.sum():,} pictures of {len(crowd.tasks):,} tasks with answers, {len(crowd.label):,} answers"]
    if not pictured.all():
        notes.append(f"{(~pictured).sum():,} tasks have answers and no picture; they are left out.")
    parts = {name: _part(folder / name, train.size) for name in ("test", "val") if (folder / name).is_dir()}
    names = sorted({name for part in (train, *parts.values()) for name in part.classes.tolist()})
    known = {name: _known(part, crowd, names) for name, part in parts.items()}
    whole, crowd = crowd, crowd.select_tasks(pictured)
    places, files = _training_order(train, crowd)
    return Lessons(
        folder, crowd, whole, train, places, files, test=known.get("test"), val=known.get("val"), notes=tuple(notes)
    )


def _part(folder: Path, size: Any, transform: Callable[[Any], Any] | None = None) -> ImageTasks:
    from crowdcore.learning.networks import ImageTasks

    if not folder.is_dir():
        raise UserError(f"{folder} does not exist: give peerannot's folder, with {folder.name}/CLASS/NAME-TASK.png.")
    return ImageTasks(folder, size, transform=transform)


def _known(part: ImageTasks, crowd: Crowd, names: list[str]) -> Known:
    """Return pictures with the classes that their folders are named after.

    Raises
    ------
    UserError
        If the folders do not fit the classes of the answers.
    """
    classes = [str(one) for one in crowd.classes.tolist()]
    if not set(names) <= set(classes):
        if len(names) != len(classes):
            raise UserError(
                f"{part.folder.parent} has {len(names)} folders of classes ({', '.join(names[:8])}), and the answers "
                f"have {len(classes)} classes ({', '.join(classes[:8])}). Name the classes, in the order of their "
                'numbers, in metadata.json: "class_names": ["cat", ...].'
            )
        classes = names  # in their order they are 0, 1, ...
    code = {name: code for code, name in enumerate(classes)}
    without = next((file for file, label in zip(part.files, part.labels, strict=True) if label < 0), None)
    if without is not None:
        raise UserError(f"{without} is in no folder of a class: move it to {part.folder}/CLASS/{without.name}.")
    return Known(part, np.array([code[name] for name in part.classes.tolist()], dtype=np.int64)[part.labels])


def _training_order(train: ImageTasks, crowd: Crowd) -> tuple[Codes, tuple[str, ...]]:
    """Return, of each of the crowd's tasks, the place of its picture's file in order, and the file's name."""
    file_of = dict(zip(train.tasks.tolist(), train.files, strict=True))
    place_of = {file: place for place, file in enumerate(sorted(train.files))}
    files = [file_of[task] for task in crowd.tasks.tolist()]
    return np.array([place_of[file] for file in files], dtype=np.int64), tuple(file.name for file in files)


def smaller(lessons: Lessons, most: int) -> Lessons:
    """Return the lessons with pictures of at most this height and width."""
    from crowdcore.learning.networks import ImageTasks

    pictures = lessons.X
    if max(pictures.size) <= most:
        return lessons
    size = tuple(min(side, most) for side in pictures.size)
    return replace(lessons, X=ImageTasks(pictures.folder, size))


def augmented(seed: int) -> Callable[[Any], Any]:
    """Return a function that shears, mirrors or cuts a PIL image at random, or leaves it: peerannot's augmentation."""
    rng = np.random.default_rng(seed)

    def change(picture: Any) -> Any:
        which, (width, height) = rng.integers(3), picture.size
        if which == 0:
            slope = float(np.tan(np.deg2rad(rng.uniform(-SHEAR, SHEAR))))
            affine = 0  # PIL's Image.Transform.AFFINE
            return picture.transform(picture.size, affine, (1, slope, -slope * height / 2, 0, 1, 0))
        if which == 1:
            from_left_to_right = 0  # PIL's Image.Transpose.FLIP_LEFT_RIGHT
            return picture.transpose(from_left_to_right) if rng.random() < 0.5 else picture
        wide, high = (max(1, round(side * rng.uniform(LEAST_SHARE**0.5, 1))) for side in (width, height))
        left, top = rng.integers(width - wide + 1), rng.integers(height - high + 1)
        return picture.resize((width, height), box=(int(left), int(top), int(left + wide), int(top + high)))

    return change
