"""The hardest tasks by each score, as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.science.papers.hard_tasks import reduced
from benchmarks.science.papers.planted import Planted
from crowdcore.aggregate import DawidSkene
from crowdcore.identify import glad_scores, vote_entropy, waum

SHOWN, SIDE, GAP, MARGIN = 12, 48, 6, 120
FRAMES = {0: (200, 200, 200), 1: (194, 65, 12), 2: (29, 78, 216)}
"""Colours of tasks as they are, blends, and digits taken for another."""


def draw_hardest(planted: Planted) -> Any:
    """Return a PIL image: a row for entropy, GLAD and WAUM, each with its twelve hardest tasks, hardest first.

    A frame is orange around a blend of two digits, blue around a digit that is taken for another, else grey.
    """
    from PIL import Image, ImageDraw

    crowd, step = planted.crowd, SIDE + GAP
    scores = {
        "entropy": vote_entropy(crowd),
        "GLAD": glad_scores(crowd).difficulty,
        "WAUM": -waum(crowd, reduced(planted), DawidSkene().fit(crowd)).area,
    }
    sheet = Image.new("RGB", (MARGIN + SHOWN * step + GAP, len(scores) * step + GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for row, (name, score) in enumerate(scores.items()):
        top = GAP + row * step
        pen.text((GAP, top + SIDE // 2 - 8), name, fill="black", font_size=16)
        for column, task in enumerate(np.argsort(-score, kind="stable")[:SHOWN]):
            left = MARGIN + column * step
            pen.rectangle((left - 3, top - 3, left + SIDE + 2, top + SIDE + 2), fill=FRAMES[int(planted.kind[task])])
            sheet.paste(_picture(planted.X[task]), (left, top))
    return sheet


def _picture(pixels: Any) -> Any:
    from PIL import Image

    side = int(np.sqrt(len(pixels)))
    values = 255 - 255 * pixels.reshape(side, side) / max(pixels.max(), 1e-9)
    return Image.fromarray(values.astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.NEAREST).convert("RGB")
