"""Regions of pictures as COCO and YOLO have them."""

from __future__ import annotations

import base64
import io
import json
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from harness.snapshots import snapshot_of_kinds
from label_studio_crowd.errors import UserError
from label_studio_crowd.files.agreed import Wanted
from label_studio_crowd.files.training.formats import TRAINING_FORMATS
from label_studio_crowd.files.training.marked import marked
from label_studio_crowd.files.training.pictures import ELSEWHERE, fetch_pictures, file_names
from label_studio_crowd.studio.controls.forms.masks import packed

WIDTH, HEIGHT = 80, 40
SIZE = {"original_width": WIDTH, "original_height": HEIGHT, "image_rotation": 0}
LABELS = '<Label value="cat"/><Label value="dog"/>'
TAGS = ("Rectangle", "Polygon", "Ellipse", "KeyPoint", "Brush")
CONFIG = (
    '<View><Image name="i" value="$image"/>'
    + "".join(f'<{tag}Labels name="{tag.lower()}" toName="i">{LABELS}</{tag}Labels>' for tag in TAGS)
    + '<Rectangle name="bare" toName="i"/></View>'
)
BOX = {"x": 12.5, "y": 25.0, "width": 31.25, "height": 50.0, "rotation": 0}
CORNERS = [[10.0, 10.0], [40.0, 10.0], [40.0, 60.0]]


def item(tag, value, *labels, number=0):
    kind = f"{tag.lower()}labels"
    given = {kind: list(labels)}
    return {
        "id": f"{tag}{number}",
        "from_name": tag.lower(),
        "to_name": "i",
        "type": kind,
        "value": value | given,
    } | SIZE


def mask_pixels():
    pixels = np.zeros((HEIGHT, WIDTH), bool)
    pixels[10:20, 5:30] = True
    return pixels


def brushed():
    code = packed(np.repeat(mask_pixels().ravel().astype(np.uint8) * 255, 4))
    return item("Brush", {"format": "rle", "rle": code}, "dog")


def agreed_by_three(*results, config=CONFIG):
    """The snapshot of tasks to which three people say the same."""
    rows = [(task, who, result) for task, result in enumerate(results, 1) for who in (1, 2, 3)]
    return snapshot_of_kinds(config, rows, len(results))


def written(name, out, *results, images=None, config=CONFIG, **wanted):
    """Write tasks, and return what is remarked."""
    given = images or [f"/data/upload/1/{task}.jpg" for task in range(1, len(results) + 1)]
    data = {task: {"image": image} for task, image in enumerate(given, 1)}
    format, remarks = TRAINING_FORMATS[name], Counter()
    format.check(out)
    found = marked(agreed_by_three(*results, config=config), data, format.medium, **wanted)
    format.write(found, out, remarks)
    return +remarks


def coco(out):
    return json.loads((out / "result.json").read_text())


def rows_of(path):
    return [[float(number) for number in line.split()] for line in path.read_text().splitlines()]


def test_boxes_and_polygons_are_where_they_were_in_pixels(tmp_path):
    out = tmp_path / "coco"
    marks = [item("Rectangle", BOX, "dog"), item("Polygon", {"points": CORNERS, "closed": True}, "cat")]
    assert written("coco", out, marks, []) == {"pictures whose size is not known, left out: --with-images gets it": 1}
    found = coco(out)
    assert [(image["file_name"], image["width"], image["height"]) for image in found["images"]] == [
        ("images/1.jpg", WIDTH, HEIGHT)
    ]
    names = {category["id"]: category["name"] for category in found["categories"]}
    assert list(names.values()) == ["cat", "dog"]
    assert len({row["id"] for row in found["annotations"]}) == 2
    by_name = {names[row["category_id"]]: row for row in found["annotations"]}
    assert by_name["dog"]["bbox"] == pytest.approx([10, 10, 25, 20], abs=1e-6)
    assert by_name["dog"]["area"] == pytest.approx(500)
    assert by_name["cat"]["segmentation"][0] == pytest.approx([8, 4, 32, 4, 32, 24], abs=1e-6)
    assert by_name["cat"]["area"] == pytest.approx(240)
    assert {row["image_id"] for row in found["annotations"]} == {found["images"][0]["id"]}


def test_a_mask_is_the_same_pixels(tmp_path):
    out = tmp_path / "coco"
    assert written("coco", out, [brushed()]) == {}
    (row,) = coco(out)["annotations"]
    (image,) = coco(out)["images"]
    counts = row["segmentation"]["counts"]
    assert row["segmentation"]["size"] == [image["height"], image["width"]] == [HEIGHT, WIDTH]
    values = np.repeat(np.arange(len(counts)) % 2, counts)
    assert np.array_equal(values.reshape(WIDTH, HEIGHT).T, mask_pixels())
    assert (row["bbox"], row["area"]) == ([5, 10, 25, 10], 250)


def test_yolo_has_a_line_for_each_box_right_to_a_millionth(tmp_path):
    out = tmp_path / "yolo"
    thirds = {"x": 100 / 3, "y": 10.0, "width": 100 / 7, "height": 100 / 9, "rotation": 0}
    several = [item("Rectangle", BOX, "dog"), item("Rectangle", thirds, "cat", "dog", number=1)]
    polygon = [item("Polygon", {"points": CORNERS, "closed": True}, "cat")]
    assert written("yolo", out, several, polygon, []) == {}
    assert (out / "classes.txt").read_text().split() == ["cat", "dog"]
    center = [(12.5 + 31.25 / 2) / 100, 0.5, 0.3125, 0.5]
    other = [1 / 3 + 1 / 14, 0.1 + 1 / 18, 1 / 7, 1 / 9]
    expected = [[0, *other], [1, *center], [1, *other]]
    assert np.allclose(sorted(rows_of(out / "labels/1.txt")), expected, rtol=0, atol=1e-6)
    assert np.allclose(rows_of(out / "labels/2.txt"), [[0, *np.array(CORNERS).ravel() / 100]], rtol=0, atol=1e-6)
    assert (out / "labels/3.txt").read_text() == ""  # nothing is there: a picture to learn that from
    assert '  1: "dog"' in (out / "data.yaml").read_text()


def test_what_a_format_has_not_is_named(tmp_path):
    turned = [item("Rectangle", BOX | {"rotation": 90}, "cat")]
    ellipse = [item("Ellipse", {"x": 50, "y": 50, "radiusX": 20, "radiusY": 10, "rotation": 0}, "cat")]
    point = [item("KeyPoint", {"x": 30, "y": 40, "width": 2}, "cat")]
    bare = [{"from_name": "bare", "to_name": "i", "type": "rectangle", "value": BOX} | SIZE]
    everything = [turned, ellipse, point, bare, [brushed()]]
    said = {
        "turned boxes, written as the upright boxes around them": 1,
        "ellipses, written as polygons of 32 corners": 1,
        "key points, not written: there each belongs to a box": 1,
        "regions without a label, not written": 1,
    }
    assert written("coco", tmp_path / "coco", *everything) == said
    assert written("yolo", tmp_path / "yolo", *everything) == said | {"masks, not written: --format coco has them": 1}
    # turned by 90 degrees about its corner (10, 10): 20 to the left and 25 down
    (box,) = rows_of(tmp_path / "yolo/labels/1.txt")
    assert np.allclose(box, [0, 0 / WIDTH, 22.5 / HEIGHT, 20 / WIDTH, 25 / HEIGHT], rtol=0, atol=1e-6)
    (line,) = rows_of(tmp_path / "yolo/labels/2.txt")
    across, down = np.array(line[1:]).reshape(-1, 2).T
    assert np.allclose([np.ptp(across), np.ptp(down)], [0.4, 0.2], rtol=0.02)
    assert [len(image) for image in ([], coco(tmp_path / "coco")["annotations"])] == [0, 3]


def test_pictures_are_called_what_they_are_called_and_differ():
    png = "data:image/png;base64,iVBORw0KGgo="
    images = [
        "s3://a/cat.jpg",
        "http://x/y/cat.jpg?size=2",
        "/data/upload/1/dog one.png",
        png,
        "/data/local-files/?d=a/b.gif",
    ]
    data = {task: {"image": image} for task, image in enumerate(images, 1)}
    found = marked(agreed_by_three(*[[item("Rectangle", BOX, "cat")]] * 5), data, "image")
    names = file_names(found.tasks)
    assert names == {1: "cat-1.jpg", 2: "cat-2.jpg", 3: "dog_one.png", 4: "task-4.png", 5: "b.gif"}


def test_pictures_come_from_the_data_and_from_label_studio_and_nowhere_else(tmp_path):
    class LabelStudio:
        def __init__(self):
            self.asked = []

        def file(self, path, most):
            self.asked.append(path)
            return "image/jpeg", b"a picture"

    stream = io.BytesIO()
    Image.new("RGB", (7, 5)).save(stream, "PNG")
    inline = "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
    images = [inline, "/data/upload/1/two.jpg", "http://elsewhere/three.jpg"]
    data = {task: {"image": image} for task, image in enumerate(images, 1)}
    found = marked(agreed_by_three([], [item("Rectangle", BOX, "cat")], []), data, "image")
    names, remarks = file_names(found.tasks), Counter()
    studio = LabelStudio()
    fetch_pictures(found.tasks, names, tmp_path / "coco/images", studio, ["http://here"], remarks)
    assert studio.asked == ["/data/upload/1/two.jpg"]
    assert remarks == {ELSEWHERE: 1}
    assert (tmp_path / "coco/images/two.jpg").read_bytes() == b"a picture"
    TRAINING_FORMATS["coco"].write(found, tmp_path / "coco", remarks)
    sizes = {image["file_name"]: (image["width"], image["height"]) for image in coco(tmp_path / "coco")["images"]}
    assert sizes == {"images/task-1.png": (7, 5), "images/two.jpg": (WIDTH, HEIGHT)}


def test_a_control_of_another_object_is_named_and_can_be_chosen(tmp_path):
    config = CONFIG.replace(
        "</View>", '<Image name="j" value="$other"/><RectangleLabels name="more" toName="j"/></View>'
    )
    other = {"from_name": "more", "to_name": "j", "type": "rectanglelabels"} | SIZE
    other["value"] = BOX | {"rectanglelabels": ["bird"]}
    snapshot = agreed_by_three([item("Rectangle", BOX, "cat"), other], config=config)
    data = {1: {"image": "a.jpg", "other": "b.jpg"}}
    found = marked(snapshot, data, "image")
    assert found.tasks[0].source == "a.jpg"
    assert found.left_out == ("what 'more' marks, which is in another object (--control more)",)
    found = marked(snapshot, data, "image", control="more")
    assert [one["value"]["rectanglelabels"] for one in found.tasks[0].result] == [["bird"]]
    assert found.tasks[0].source == "b.jpg"


def test_where_nothing_fits_an_error_says_what_there_is(tmp_path):
    snapshot = agreed_by_three([item("Rectangle", BOX, "cat")])
    with pytest.raises(UserError, match=r"no control that was scored marks any.*'rectangle' \(rectanglelabels\)"):
        marked(snapshot, {}, "text")
    with pytest.raises(UserError, match=r"Choose one of 'rectangle', .* with --control"):
        marked(snapshot, {}, "image", control="nothing")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    with pytest.raises(UserError, match="new or empty"):
        TRAINING_FORMATS["coco"].check(tmp_path / "full")


def test_tasks_without_a_picture_and_unsure_ones_are_counted():
    snapshot = agreed_by_three([item("Rectangle", BOX, "cat")], [item("Rectangle", BOX, "cat")], [])
    found = marked(snapshot, {1: {"image": "a.jpg"}, 2: {"image": ["a.jpg", "b.jpg"]}, 3: {}}, "image")
    assert [task.task for task in found.tasks] == [1]
    assert found.left_out == ("2 tasks whose data has nothing, or a list, in 'image'",)
    found = marked(snapshot, {1: {"image": "a.jpg"}}, "image", Wanted(min_quality=1.0))
    assert not found.tasks
    assert "of a lower quality" in found.left_out[0]
