"""The consensus of regions in pictures as COCO and YOLO have it."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import orjson

from crowdcore.kinds.region import Mask
from label_studio_crowd.files.training.converting import Converted, convert
from label_studio_crowd.files.training.marked import Marked
from label_studio_crowd.files.training.shapes import Shape, shapes_of, size_of

_TAGS: Final = ("RectangleLabels", "Image")
UNSIZED: Final = "pictures whose size is not known, left out: --with-images gets it"


@dataclass(frozen=True)
class _Picture:
    """A picture: its task, the name of its file, its shapes, and its size (None where that is not known)."""

    task: int
    name: str
    shapes: tuple[Shape, ...]
    size: tuple[int, int] | None

    @property
    def items(self) -> list[dict[str, Any]]:
        """Its boxes and polygons as items of a result."""
        return [shape.as_item() for shape in self.shapes if not isinstance(shape.place, Mask)]


def write_coco(found: Marked, names: Mapping[int, str], out: Path, remarks: Counter[str]) -> list[Path]:
    """Write ``result.json``: pictures, categories, and a box, a polygon or a mask for each region.

    The converter writes boxes and polygons. Masks are added here (uncompressed run lengths, column by column), and so
    are the sizes of pictures in which nothing is.

    Parameters
    ----------
    found
        The tasks and their regions.
    names
        What the file of each task's picture is called; those that are in ``out/images`` tell their size.
    out
        The folder.
    remarks
        Counts what is written in another way, or not at all, by what that is.

    Returns
    -------
    list of Path
        The files.
    """
    pictures = _pictures(found, names, out / "images", remarks, masks=True)
    sized = [picture for picture in pictures if picture.size is not None]
    remarks[UNSIZED] += len(pictures) - len(sized)
    with TemporaryDirectory() as made:
        _convert(sized, found.labels, "COCO", Path(made))
        content = orjson.loads((Path(made) / "result.json").read_bytes())
    _name_and_size(content, sized)
    _add_masks(content, sized)
    out.mkdir(parents=True, exist_ok=True)
    (out / "result.json").write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    return [out / "result.json"]


def write_yolo(found: Marked, names: Mapping[int, str], out: Path, remarks: Counter[str]) -> list[Path]:
    """Write ``classes.txt``, ``data.yaml``, and in ``labels`` a file for each picture, with a line for each region.

    Parameters
    ----------
    found, names, out, remarks
        As for `write_coco`.
    """
    pictures = _pictures(found, names, out / "images", remarks, masks=False)
    with TemporaryDirectory() as made:
        _convert(pictures, found.labels, "YOLO", Path(made))
        out.mkdir(parents=True, exist_ok=True)
        shutil.copytree(Path(made) / "labels", out / "labels", dirs_exist_ok=True)
        classes = (Path(made) / "classes.txt").read_text(encoding="utf-8").splitlines()
    (out / "classes.txt").write_text("".join(f"{name}\n" for name in classes), encoding="utf-8")
    (out / "data.yaml").write_text(_as_yaml(classes), encoding="utf-8")
    return [out / "classes.txt", out / "data.yaml", out / "labels"]


def _pictures(
    found: Marked, names: Mapping[int, str], folder: Path, remarks: Counter[str], *, masks: bool
) -> list[_Picture]:
    pictures = []
    for task in found.tasks:
        name = names[task.task]
        sizes = (size for item in task.result if (size := size_of(item)) is not None)
        shapes = tuple(shapes_of(task.result, remarks, masks=masks))
        pictures.append(_Picture(task.task, name, shapes, _file_size(folder / name) or next(sizes, None)))
    return pictures


def _file_size(path: Path) -> tuple[int, int] | None:
    if not path.exists():
        return None
    from PIL import Image

    with suppress(OSError), Image.open(path) as picture:
        width, height = picture.size
        return int(width), int(height)
    return None


def _convert(pictures: Sequence[_Picture], labels: Mapping[str, Mapping[str, str]], what: str, folder: Path) -> None:
    (folder / "pictures").mkdir()
    for picture in pictures:
        (folder / "pictures" / picture.name).touch()
    tasks = [Converted(one.task, str(folder / "pictures" / one.name), one.items) for one in pictures]
    convert(tasks, labels, what, _TAGS, folder)


def _name_and_size(content: dict[str, Any], pictures: Iterable[_Picture]) -> None:
    """Name each picture as it will lie beside the file, and give its size where the converter found no region."""
    size_of_name = {picture.name: picture.size for picture in pictures}
    for image in content["images"]:
        name = Path(image["file_name"]).name
        image["file_name"] = f"images/{name}"
        image["width"], image["height"] = size_of_name[name] or (None, None)


def _add_masks(content: dict[str, Any], pictures: Iterable[_Picture]) -> None:
    image_of = {image["file_name"]: image["id"] for image in content["images"]}
    category_of = {category["name"]: category["id"] for category in content["categories"]}
    for picture in pictures:
        for shape in picture.shapes:
            if isinstance(shape.place, Mask):
                if shape.label not in category_of:
                    category_of[shape.label] = max(category_of.values(), default=-1) + 1
                    content["categories"].append({"id": category_of[shape.label], "name": shape.label})
                about = {
                    "id": len(content["annotations"]),
                    "image_id": image_of[f"images/{picture.name}"],
                    "category_id": category_of[shape.label],
                }
                content["annotations"].append(about | _mask(shape.place))


def _mask(mask: Mask) -> dict[str, Any]:
    """Return a mask as COCO has it."""
    pixels = mask.to_array()
    down, across = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    box = [0, 0, 0, 0]
    if len(down):
        box = [across[0], down[0], across[-1] - across[0] + 1, down[-1] - down[0] + 1]
    return {
        "segmentation": {"counts": _run_lengths(pixels), "size": [mask.height, mask.width]},
        "bbox": [float(number) for number in box],
        "area": float(pixels.sum()),
        "iscrowd": 0,
        "ignore": 0,
    }


def _run_lengths(pixels: np.ndarray[Any, Any]) -> list[int]:
    """Return the lengths of the runs of a mask's columns, of zeros and ones in turn, zeros first.

    Examples
    --------
    >>> _run_lengths(np.array([[1, 0], [1, 1]], bool))
    [0, 2, 1, 1]
    """
    values = np.concatenate([[False], pixels.ravel(order="F"), [False]])
    changes = np.flatnonzero(values[1:-1] != values[:-2])
    lengths: list[int] = np.diff(np.concatenate([[0], changes, [pixels.size]])).tolist()
    return lengths


def _as_yaml(classes: Sequence[str]) -> str:
    """Return what Ultralytics' programs ask for; JSON's texts are YAML's, too."""
    names = "".join(f"  {number}: {orjson.dumps(name).decode()}\n" for number, name in enumerate(classes))
    return f"path: .\ntrain: images\nval: images # the same pictures: set some of them aside\nnames:\n{names}"
