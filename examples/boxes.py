"""Boxes in pictures: 90 pictures in which circles, squares and triangles are to be boxed; nine simulated annotators.

The pictures are drawn here. Some shapes are faint. Crosses and blots are there as well, and are not to be boxed. All
pictures have one to four annotations.

An annotator overlooks a shape in `misses` of the cases, a faint one three times as often (never more than nine in ten),
boxes a cross or a blot in `invents` of the cases, and takes a shape for another in `mislabels`, a faint one twice as
often. Each side of a box is off by a normal number with a standard deviation of `jitter` of the shape's size.

========  ======  =======  ======  =========
name      misses  invents  jitter  mislabels
========  ======  =======  ======  =========
anna        0.02     0.02    0.02       0.01
ben         0.04     0.04    0.04       0.03
chloe       0.06     0.05    0.05       0.04
dina        0.10     0.10    0.06       0.05
emil        0.25     0.03    0.05       0.05
flora       0.05     0.50    0.06       0.08
goran       0.10     0.10    0.22       0.06
hilde       0.10     0.10    0.06       0.30
igor        0.50     0.60    0.25       0.50
========  ======  =======  ======  =========

emil overlooks shapes, flora boxes everything, goran's boxes are loose, hilde mixes shapes up, igor does all of it.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from examples.kinds_crowd import KindsCrowd, Said, answers_of
from examples.questions import Box, Boxes, overlap

__all__ = ["PERSONAS", "Boxer", "boxes_crowd"]


class Boxer(NamedTuple):
    """A simulated annotator; see above."""

    misses: float
    invents: float
    jitter: float
    mislabels: float
    activity: float = 1.0


PERSONAS = {
    "anna": Boxer(0.02, 0.02, 0.02, 0.01, 0.8),
    "ben": Boxer(0.04, 0.04, 0.04, 0.03),
    "chloe": Boxer(0.06, 0.05, 0.05, 0.04),
    "dina": Boxer(0.10, 0.10, 0.06, 0.05, 1.4),
    "emil": Boxer(0.25, 0.03, 0.05, 0.05),
    "flora": Boxer(0.05, 0.50, 0.06, 0.08),
    "goran": Boxer(0.10, 0.10, 0.22, 0.06, 1.2),
    "hilde": Boxer(0.10, 0.10, 0.06, 0.30),
    "igor": Boxer(0.50, 0.60, 0.25, 0.50, 1.2),
}
NEWCOMER = Boxer(0.03, 0.03, 0.03, 0.02)

LABELS = ("circle", "square", "triangle")
DECOYS = ("cross", "blot")
WIDTH, HEIGHT = 320, 240
PAPER = (246, 244, 238)
INKS = ((196, 60, 52), (44, 110, 184), (40, 140, 84), (214, 146, 32))

LABEL_CONFIG = f"""<View>
  <Image name="picture" value="$image"/>
  <RectangleLabels name="shapes" toName="picture">
    {"".join(f'<Label value="{label}"/>' for label in LABELS)}
  </RectangleLabels>
</View>"""


@dataclass(frozen=True)
class Drawing:
    """A picture as a data URI, its shapes, those of them that are faint, and what is not to be boxed."""

    image: str
    shapes: frozenset[Box]
    faint: frozenset[Box]
    decoys: tuple[Box, ...]


def boxes_crowd(n_tasks: int = 90, seed: int = 0) -> KindsCrowd:
    """Return the crowd described above.

    Parameters
    ----------
    n_tasks
        How many pictures.
    seed
        The same seed gives the same tasks and answers.
    """
    rng = np.random.default_rng(seed)
    drawings = [_drawing(rng) for _ in range(n_tasks)]
    activity = {name: persona.activity for name, persona in PERSONAS.items()}
    return KindsCrowd(
        title="Shapes in pictures",
        label_config=LABEL_CONFIG,
        questions=(Boxes("shapes", "picture", (WIDTH, HEIGHT)),),
        tasks=[{"image": drawing.image} for drawing in drawings],
        answers=answers_of(rng, activity, n_tasks, lambda name, task: _say(rng, PERSONAS[name], drawings[task])),
        truth=[(drawing.shapes,) for drawing in drawings],
        newcomer=lambda rng, task: _say(rng, NEWCOMER, drawings[task]),
        notes=(
            "emil overlooks shapes, flora boxes everything, goran's boxes are loose, hilde mixes shapes up, "
            "igor does all of it",
        ),
    )


def _drawing(rng: np.random.Generator) -> Drawing:
    picture = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    pen = ImageDraw.Draw(picture)
    boxes: list[Box] = []
    faint: set[Box] = set()
    for what in [*rng.choice(LABELS, size=rng.integers(2, 6)), *rng.choice(DECOYS, size=rng.integers(0, 3))]:
        box = _free_place(rng, boxes, str(what))
        if box is None:
            continue
        boxes.append(box)
        strength = 1.0
        if what in LABELS and rng.random() < 0.3:
            strength = 0.25
            faint.add(box)
        ink = INKS[int(rng.integers(len(INKS)))]
        _draw(pen, box, tuple(round(p + (i - p) * strength) for i, p in zip(ink, PAPER, strict=True)))
    file = io.BytesIO()
    picture.quantize(64).save(file, "PNG", optimize=True)
    return Drawing(
        "data:image/png;base64," + base64.b64encode(file.getvalue()).decode(),
        frozenset(box for box in boxes if box.label in LABELS),
        frozenset(faint),
        tuple(box for box in boxes if box.label in DECOYS),
    )


def _free_place(rng: np.random.Generator, taken: list[Box], what: str) -> Box | None:
    """Return a place that hides little of what is drawn already; None if none was found."""
    for _ in range(30):
        side = float(rng.uniform(0.16, 0.34)) * HEIGHT
        x, y = float(rng.uniform(2, WIDTH - side - 2)), float(rng.uniform(2, HEIGHT - side - 2))
        across, down = 100 / WIDTH, 100 / HEIGHT
        box = Box(round(x * across, 2), round(y * down, 2), round(side * across, 2), round(side * down, 2), what)
        if all(overlap(box, other) < 0.08 for other in taken):
            return box
    return None


def _draw(pen: ImageDraw.ImageDraw, box: Box, ink: tuple[int, ...]) -> None:
    left, right = box.x * WIDTH / 100, (box.x + box.width) * WIDTH / 100
    top, bottom = box.y * HEIGHT / 100, (box.y + box.height) * HEIGHT / 100
    if box.label == "circle":
        pen.ellipse((left, top, right, bottom), fill=ink)
    elif box.label == "square":
        pen.rectangle((left, top, right, bottom), fill=ink)
    elif box.label == "triangle":
        pen.polygon([((left + right) / 2, top), (right, bottom), (left, bottom)], fill=ink)
    elif box.label == "cross":
        pen.line((left, top, right, bottom), fill=ink, width=5)
        pen.line((left, bottom, right, top), fill=ink, width=5)
    else:
        pen.ellipse((left, top + (bottom - top) / 3, right, bottom), fill=ink)
        pen.ellipse((left + (right - left) / 4, top, right, bottom - (bottom - top) / 3), fill=ink)


def _say(rng: np.random.Generator, who: Boxer, drawing: Drawing) -> Said:
    given = []
    for box in sorted(drawing.shapes):
        is_faint = box in drawing.faint
        if rng.random() < min(who.misses * (3 if is_faint else 1), 0.9):
            continue
        label = box.label
        if rng.random() < min(who.mislabels * (2 if is_faint else 1), 0.9):
            label = str(rng.choice([other for other in LABELS if other != label]))
        given.append(_loose(rng, box, who.jitter, label))
    invented = [box for box in drawing.decoys if rng.random() < who.invents]
    given += [_loose(rng, box, who.jitter, str(rng.choice(LABELS))) for box in invented]
    return (frozenset(given),)


def _loose(rng: np.random.Generator, box: Box, jitter: float, label: str) -> Box:
    """Return a box whose sides are off."""
    off = np.clip(jitter * rng.standard_normal(4), -0.4, 0.4) * [box.width, box.height, box.width, box.height]
    left, top = max(box.x + off[0], 0.0), max(box.y + off[1], 0.0)
    right, bottom = min(box.x + box.width + off[2], 100.0), min(box.y + box.height + off[3], 100.0)
    x, y, width, height = (round(float(v), 2) for v in (left, top, right - left, bottom - top))
    return Box(x, y, width, height, label)
