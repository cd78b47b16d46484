"""Small projects of every kind of answers, drawn with a seed, and hostile ones."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from crowdcore.kinds.region import Mask
from harness.snapshots import snapshot_of_kinds
from label_studio_crowd.store.reports import RunReport
from label_studio_crowd.studio.controls.forms.masks import rle_of
from tests.plugin.server.serving import STUDIO

WHO = (101, 102, 103, 104, 105)
"""105 is careless."""
CARELESS = WHO[-1]
TASKS = 16
TALE = "Mary met the Harbour Museum people in Porto on Monday and left for New Haven with Li Wei"
WORDS = TALE.split()
NAMES = {
    "Mary": "person",
    "the Harbour Museum": "organisation",
    "Porto": "place",
    "New Haven": "place",
    "Li Wei": "person",
}
SPANS = {(at, at + len(name)): label for name, label in NAMES.items() if (at := TALE.index(name)) >= 0}
MONDAY = TALE.index("Monday")
SIZE = (400, 300)


@dataclass(frozen=True)
class Made:
    """A project: its labeling config, its tasks' data, and (task, annotator, items)."""

    config: str
    data: list[dict]
    rows: list[tuple[int, int, list[dict]]]

    def snapshot(self, **given):
        return snapshot_of_kinds(self.config, self.rows, len(self.data), **given)


def item(kind, value, name="c", **more):
    return {"from_name": name, "to_name": "o", "type": kind, "value": value, **more}


def crowd(say, rng, tasks=TASKS):
    """Return what everybody says of every task, but for one in five; ``say(rng, task, careless)`` gives items."""
    return [
        (task, who, say(rng, task, who == CARELESS)) for task in range(1, tasks + 1) for who in WHO if (task + who) % 5
    ]


def view(obj, control):
    return f"<View>{obj}{control}</View>"


LABELS = "".join(f'<Label value="{label}"/>' for label in ("person", "organisation", "place"))
TEXT = '<Text name="o" value="$text"/>'


def spans(rng):
    text = TALE

    def say(rng, task, careless):
        found = []
        for (start, end), label in SPANS.items():
            if rng.random() < (0.5 if careless else 0.05):
                continue
            if rng.random() < (0.5 if careless else 0.05):
                end = text.index(" ", start) if " " in text[start:end] else end
            if rng.random() < (0.3 if careless else 0.03):
                label = "place" if label == "person" else "person"
            found.append((start, end, label))
        if rng.random() < (0.8 if careless else 0.05):
            found.append((MONDAY, MONDAY + 6, "place"))
        return [item("labels", {"start": a, "end": b, "text": text[a:b], "labels": [label]}) for a, b, label in found]

    config = view(TEXT, f'<Labels name="c" toName="o">{LABELS}</Labels>')
    return Made(config, [{"text": text}] * TASKS, crowd(say, rng))


def picture():
    drawn = Image.new("RGB", SIZE, "#dde6d5")
    pen = ImageDraw.Draw(drawn)
    pen.ellipse((40, 60, 120, 140), fill="#b04a3a")
    pen.rectangle((200, 80, 320, 200), fill="#3a5fb0")
    pen.polygon([(100, 280), (150, 190), (200, 280)], fill="#4a8f4a")
    file = io.BytesIO()
    drawn.quantize(16).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


IMAGE = '<Image name="o" value="$image"/>'
SHAPES = {"circle": (10, 20, 20, 26.7), "square": (50, 26.7, 30, 40), "triangle": (25, 63.3, 25, 30)}


def boxes(rng, kind="rectanglelabels", control="RectangleLabels"):
    def say(rng, task, careless):
        found = []
        for label, box in SHAPES.items():
            if rng.random() < (0.4 if careless else 0.05):
                continue
            x, y, width, height = np.array(box) + rng.normal(0, 4 if careless else 0.6, 4)
            found.append((label, x, y, max(width, 3), max(height, 3)))
        if rng.random() < (0.7 if careless else 0.02):
            found.append(("circle", 80.0, 5.0, 12.0, 14.0))
        return [
            item(kind, drawn(kind, label, *box), original_width=SIZE[0], original_height=SIZE[1])
            for label, *box in found
        ]

    labels = "".join(f'<Label value="{label}"/>' for label in SHAPES)
    config = view(IMAGE, f'<{control} name="c" toName="o">{labels}</{control}>')
    return Made(config, [{"image": picture()}] * TASKS, crowd(say, rng))


def drawn(kind, label, x, y, width, height):
    """Return the value of a region of some kind in a box."""
    named = {kind: [label]}
    if kind == "polygonlabels":
        return {"points": [[x, y], [x + width, y], [x + width / 2, y + height]], "closed": True, **named}
    if kind == "ellipselabels":
        return {
            "x": x + width / 2,
            "y": y + height / 2,
            "radiusX": width / 2,
            "radiusY": height / 2,
            "rotation": 0,
            **named,
        }
    if kind == "keypointlabels":
        return {"x": x, "y": y, "width": 1, **named}
    if kind == "brushlabels":
        pixels = np.zeros((SIZE[1], SIZE[0]), np.uint8)
        left, top, right, bottom = (int(v) for v in (4 * x, 3 * y, 4 * (x + width), 3 * (y + height)))
        pixels[max(top, 0) : bottom, max(left, 0) : right] = 1
        pixels[max(top, 0) + 12 : bottom - 12, max(left, 0) + 12 : right - 12] = 0
        return {**rle_of(Mask.of(pixels), {}), **named}
    return {"x": x, "y": y, "width": width, "height": height, "rotation": 0, **named}


def sound(rng):
    true = ((1.0, 4.0, "speech"), (5.0, 9.5, "music"), (12.0, 14.0, "speech"))

    def say(rng, task, careless):
        found = []
        for start, end, label in true:
            if rng.random() > (0.5 if careless else 0.05):
                shift = rng.normal(0, 1.0 if careless else 0.1, 2)
                found.append((start + shift[0], max(end + shift[1], start + shift[0] + 0.3), label))
        return [
            item("labels", {"start": a, "end": b, "channel": 0, "labels": [label]}, original_length=16.0)
            for a, b, label in found
        ]

    labels = '<Label value="speech"/><Label value="music"/>'
    config = view('<Audio name="o" value="$sound"/>', f'<Labels name="c" toName="o">{labels}</Labels>')
    return Made(config, [{"sound": "https://example.org/a.wav"}] * TASKS, crowd(say, rng))


def dialogues(rng):
    data = [
        {"talk": [{"author": "Ada", "text": "We meet in Porto."}, {"author": "Bo", "text": "On Monday, with Mary."}]}
    ]
    true = ((0, 11, 16, "Porto", "place"), (1, 16, 20, "Mary", "person"))

    def say(rng, task, careless):
        return [
            item("paragraphlabels", {**place, "text": text, "paragraphlabels": [label]})
            for at, a, b, text, label in true
            for place in [{"start": str(at), "end": str(at), "startOffset": a, "endOffset": b}]
            if rng.random() > (0.5 if careless else 0.05)
        ]

    config = view(
        '<Paragraphs name="o" value="$talk"/>', f'<ParagraphLabels name="c" toName="o">{LABELS}</ParagraphLabels>'
    )
    return Made(config, data * TASKS, crowd(say, rng))


def texts(rng):
    def say(rng, task, careless):
        words = [word for word in WORDS if rng.random() > (0.15 if careless else 0.01)]
        words = ["the the" if word == "the" and careless and rng.random() < 0.5 else word for word in words]
        words = ["harbor" if word == "Harbour" and careless else word for word in words]
        return [item("textarea", {"text": [" ".join([*words, str(task)])]})]

    return Made(view(TEXT, '<TextArea name="c" toName="o"/>'), [{"text": "a recording"}] * TASKS, crowd(say, rng))


def rankings(rng):
    items = ["apples", "bread", "cheese", "dates", "eggs", "figs"]

    def say(rng, task, careless):
        order = np.argsort(np.arange(6) + rng.normal(0, 3 if careless else 0.4, 6))
        return [item("ranker", {"ranker": {"c": [items[at] for at in order]}})]

    config = view('<List name="o" value="$items"/>', '<Ranker name="c" toName="o"/>')
    data = [{"items": [{"id": one, "title": one} for one in items]}] * TASKS
    return Made(config, data, crowd(say, rng))


def lengths(rng):
    def say(rng, task, careless):
        return [
            item("number", {"number": round(10 * task + rng.normal(8 if careless else 0, 5 if careless else 1), 2)})
        ]

    return Made(view(TEXT, '<Number name="c" toName="o"/>'), [{"text": "how long?"}] * TASKS, crowd(say, rng))


def dates(rng):
    def say(rng, task, careless):
        day = np.datetime64("2026-01-01") + int(7 * task + round(rng.normal(0, 9 if careless else 1)))
        return [item("datetime", {"datetime": str(day)})]

    config = view(TEXT, '<DateTime name="c" toName="o" only="date"/>')
    return Made(config, [{"text": "when?"}] * TASKS, crowd(say, rng))


def sets(rng):
    classes = ("insult", "threat", "spam", "praise")

    def say(rng, task, careless):
        true = {label for at, label in enumerate(classes) if (task >> at) & 1}
        chosen = [label for label in classes if (label in true) != (rng.random() < (0.4 if careless else 0.05))]
        return [item("choices", {"choices": chosen})] if chosen else []

    choices = "".join(f'<Choice value="{label}"/>' for label in classes)
    config = view(TEXT, f'<Choices name="c" toName="o" choice="multiple">{choices}</Choices>')
    return Made(config, [{"text": f"comment {task}"} for task in range(1, TASKS + 1)], crowd(say, rng))


def several(rng):
    """Return a project of a class, a rating and spans."""
    of_spans = spans(rng)
    topics = '<Choices name="topic" toName="o"><Choice value="trip"/><Choice value="work"/></Choices>'
    more = f'{topics}<Rating name="stars" toName="o"/>'

    def also(task):
        topic = item("choices", {"choices": ["trip" if task % 2 else "work"]}, "topic")
        return [topic, item("rating", {"rating": 1 + task % 5}, "stars")]

    rows = [(task, who, [*items, *also(task)]) for task, who, items in of_spans.rows]
    return Made(of_spans.config.replace("</View>", f"{more}</View>"), of_spans.data, rows)


MADE = {
    "spans": spans,
    "boxes": boxes,
    "polygons": lambda rng: boxes(rng, "polygonlabels", "PolygonLabels"),
    "ellipses": lambda rng: boxes(rng, "ellipselabels", "EllipseLabels"),
    "points": lambda rng: boxes(rng, "keypointlabels", "KeyPointLabels"),
    "masks": lambda rng: boxes(rng, "brushlabels", "BrushLabels"),
    "sound": sound,
    "dialogues": dialogues,
    "texts": texts,
    "rankings": rankings,
    "lengths": lengths,
    "dates": dates,
    "sets": sets,
    "several": several,
}
"""The projects by name."""


def made(name):
    return MADE[name](np.random.default_rng(7))


def fill_with(backend, project, one, title="A project", names=None, **given):
    """Let a project have had a run; return its snapshot."""
    snapshot = one.snapshot(title=title, **given)
    stored = backend.store.project(STUDIO, project)
    state = {"overlap": 1, "is_labeled": False, "updated_at": "2026-01-01T00:00:00.500000Z", "annotations": []}
    stored.mirror.apply([{"id": task, "data": data, **state} for task, data in enumerate(one.data, 1)])
    stored.people.keep_names([], names or {who: f"person{who}@example.org" for who in WHO})
    stored.runs.keep_snapshot(snapshot.to_bytes(), snapshot.taken_at)
    stored.runs.add(RunReport(labels=len(one.rows), seconds={"pull": 0.5}))
    backend.jobs.mark(project)
    return snapshot
