"""Every tag that marks regions, from annotators' regions to the consensus that Label Studio takes and gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from label_studio_crowd.connection.doctor import examine
from label_studio_crowd.studio.controls.forms.masks import packed

MANY = 51
TEXT = "Ann met Bob in Paris on Monday."
PICTURE = {"original_width": 40, "original_height": 20, "image_rotation": 0}
HTML = {"start": "/p[1]/text()[1]", "end": "/p[1]/text()[1]"}
DATA = {
    "text": TEXT,
    "html": f"<p>{TEXT}</p>",
    "image": "data:image/png;base64,iVBORw0KGgo=",
    "audio": "/static/none.mp3",
    "video": "/static/none.mp4",
    "csv": "/static/none.csv",
    "talk": [{"author": "Ann", "text": "Hello Bob"}, {"author": "Bob", "text": "Hello"}],
}


def brushed(shift):
    """A mask of 40 x 20 pixels with a square in it."""
    pixels = np.zeros((20, 40), np.uint8)
    pixels[5:15, 10 + shift : 20 + shift] = 255
    return {"format": "rle", "rle": packed(np.repeat(pixels.ravel(), 4))}


@dataclass(frozen=True)
class Drawing:
    """A tag, and what annotators mark with it; the number is how far off they are: 0, 0 or 1.

    Attributes
    ----------
    config
        Inside the <View>; the control is "c", what it points to "o".
    tag
        The type of its results.
    value
        Of a region.
    beside
        What a result has beside its value.
    """

    config: str
    tag: str
    value: Callable[[int], dict[str, Any]]
    beside: dict[str, Any]


def labels(tag, inside="<Label value='PER'/><Label value='LOC'/>"):
    return f"<{tag} name='c' toName='o'>{inside}</{tag}>"


DRAWINGS = {
    "spans": Drawing(
        f"<Text name='o' value='$text'/>{labels('Labels')}",
        "labels",
        lambda off: {"start": 0, "end": 3 + off, "text": TEXT[: 3 + off], "labels": ["PER"]},
        {},
    ),
    "hypertext": Drawing(
        f"<HyperText name='o' value='$html'/>{labels('HyperTextLabels')}",
        "hypertextlabels",
        lambda off: {
            **HTML,
            "startOffset": 0,
            "endOffset": 3 + off,
            "globalOffsets": {"start": 0, "end": 3 + off},
            "text": TEXT[: 3 + off],
            "hypertextlabels": ["PER"],
        },
        {},
    ),
    "paragraphs": Drawing(
        f"<Paragraphs name='o' value='$talk' nameKey='author' textKey='text'/>{labels('ParagraphLabels')}",
        "paragraphlabels",
        lambda off: {
            "start": "0",
            "end": "0",
            "startOffset": 0,
            "endOffset": 5 + off,
            "text": "Hello Bob"[: 5 + off],
            "paragraphlabels": ["PER"],
        },
        {},
    ),
    "audio": Drawing(
        f"<Audio name='o' value='$audio'/>{labels('Labels')}",
        "labels",
        lambda off: {"start": 1.5, "end": 4.0 + off / 10, "channel": 0, "labels": ["PER"]},
        {"original_length": 10.0},
    ),
    "time series": Drawing(
        f"<TimeSeries name='o' value='$csv' timeColumn='t'><Channel column='x'/></TimeSeries>"
        f"{labels('TimeSeriesLabels')}",
        "timeserieslabels",
        lambda off: {"start": 1.5, "end": 4.0 + off / 10, "instant": False, "timeserieslabels": ["PER"]},
        {},
    ),
    "frames": Drawing(
        f"<Video name='o' value='$video'/>{labels('TimelineLabels')}",
        "timelinelabels",
        lambda off: {"ranges": [{"start": 1, "end": 9 + off}], "timelinelabels": ["PER"]},
        {},
    ),
    "boxes": Drawing(
        f"<Image name='o' value='$image'/>{labels('RectangleLabels')}",
        "rectanglelabels",
        lambda off: {"x": 10, "y": 10 + off, "width": 20, "height": 30, "rotation": 0, "rectanglelabels": ["PER"]},
        PICTURE,
    ),
    "boxes without labels": Drawing(
        "<Image name='o' value='$image'/><Rectangle name='c' toName='o'/>",
        "rectangle",
        lambda off: {"x": 10, "y": 10 + off, "width": 20, "height": 30, "rotation": 15},
        PICTURE,
    ),
    "ellipses": Drawing(
        f"<Image name='o' value='$image'/>{labels('EllipseLabels')}",
        "ellipselabels",
        lambda off: {"x": 40, "y": 40 + off, "radiusX": 20, "radiusY": 10, "rotation": 0, "ellipselabels": ["PER"]},
        PICTURE,
    ),
    "polygons": Drawing(
        f"<Image name='o' value='$image'/>{labels('PolygonLabels')}",
        "polygonlabels",
        lambda off: {
            "points": [[10, 10 + off], [40, 10], [40, 60], [10, 60]],
            "closed": True,
            "polygonlabels": ["PER"],
        },
        PICTURE,
    ),
    "key points": Drawing(
        f"<Image name='o' value='$image'/>{labels('KeyPointLabels')}",
        "keypointlabels",
        lambda off: {"x": 30 + off / 10, "y": 40, "width": 2, "keypointlabels": ["PER"]},
        PICTURE,
    ),
    "brushes": Drawing(
        f"<Image name='o' value='$image'/>{labels('BrushLabels')}",
        "brushlabels",
        lambda off: {**brushed(off), "brushlabels": ["PER"]},
        PICTURE,
    ),
}


def test_the_consensus_of_regions_is_taken_by_label_studio_and_stays(make_project, annotators, plugin):
    drawings = list(DRAWINGS.values())

    def result(n, place):
        if n % 10 == 9:
            return []  # nothing is there
        named = {"id": f"r{n}"}
        return [
            {
                **named,
                **drawing.beside,
                "from_name": f"c{at}",
                "to_name": f"o{at}",
                "type": drawing.tag,
                "value": drawing.value(int(place == 2)),
            }
            for at, drawing in enumerate(drawings)
        ]

    config = "".join(
        drawing.config.replace("name='c'", f"name='c{at}'").replace("'o'", f"'o{at}'")
        for at, drawing in enumerate(drawings)
    )
    answers = [(n, who, result(n, place)) for n in range(MANY) for place, who in enumerate(annotators)]
    at_work = plugin(make_project([DATA] * MANY, f"<View>{config}</View>", answers))
    at_work.connect()
    checks = [check.what for check in examine(at_work.opened)]
    assert sum(", regions)" in what for what in checks) == len(drawings)
    run = at_work.sync()
    assert run.report().set_aside == {}
    rows = {row["task"]: row for row in at_work.predictions() if row["model_version"] == "crowd-consensus"}
    assert len(rows) == MANY - MANY // 10
    for n, task in enumerate(at_work.tasks):
        if n % 10 == 9:
            assert task not in rows
            continue
        found = {item["from_name"]: item for item in rows[task]["result"]}
        for at, drawing in enumerate(drawings):
            item = found[f"c{at}"]
            assert item["value"] == drawing.value(0)
            assert item["type"] == drawing.tag
            assert item["id"]
            assert 0.5 < item["score"] <= 1
            assert all(item[name] == value for name, value in drawing.beside.items())
        assert len({item["id"] for item in found.values()}) == len(drawings)
    assert not at_work.sync().plan
