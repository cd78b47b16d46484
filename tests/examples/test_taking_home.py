"""What the example crowds agree on trains models: CoNLL of names in texts, COCO and YOLO of boxes in pictures."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np

from examples.boxes import HEIGHT, WIDTH, boxes_crowd
from examples.ner import ner_crowd
from harness.snapshots import snapshot_of_kinds
from label_studio_crowd.files.agreed import EVERYTHING, Wanted
from label_studio_crowd.files.training.formats import TRAINING_FORMATS
from label_studio_crowd.files.training.marked import marked


def exported(crowd, medium, name, out, wanted=EVERYTHING):
    """Write what a crowd agrees on; return what is written, and what is remarked."""
    number = {who: place for place, who in enumerate(crowd.annotators, 1)}
    rows = [(answer.task + 1, number[answer.annotator], crowd.result(answer.label)) for answer in crowd.answers]
    data = dict(enumerate(crowd.tasks, 1))
    found = marked(snapshot_of_kinds(crowd.label_config, rows, len(data)), data, medium, wanted)
    remarks = Counter()
    TRAINING_FORMATS[name].write(found, out, remarks)
    assert wanted is not EVERYTHING or found.left_out == ()
    return found, +remarks


def names_in(block):
    """The (label, tokens) that the tags of a text mark; a tag I- continues one of the same label, or the test fails."""
    found = []
    for line in block.splitlines():
        token, tag = line.split(" -X- _ ")
        if tag.startswith("B-"):
            found.append((tag[2:], [token]))
        elif tag.startswith("I-"):
            assert found[-1][0] == tag[2:]
            found[-1][1].append(token)
    return [(label, "".join(tokens)) for label, tokens in found]


def test_names_in_texts_have_the_tags_of_the_consensus(tmp_path):
    crowd = ner_crowd()
    found, remarks = exported(crowd, "text", "conll", tmp_path / "names.conll")
    blocks = (tmp_path / "names.conll").read_text().partition("\n")[2].strip().split("\n\n")
    tagged = [names_in(block) for block in blocks]
    told = [
        [(item["value"]["labels"][0], item["value"]["text"].replace(" ", "")) for item in task.result]
        for task in found.tasks
    ]
    both = sum(((Counter(a) & Counter(b)) for a, b in zip(tagged, told, strict=True)), Counter()).total()
    assert 0 < both == sum(map(len, told)) - sum(remarks.values())
    assert sum(map(len, tagged)) == sum(map(len, told))


def test_what_is_agreed_with_quality_is_right(tmp_path):
    crowd = ner_crowd()
    found, _ = exported(crowd, "text", "spacy", tmp_path / "names.jsonl", Wanted(min_quality=0.8))
    assert len(found.tasks) > 20
    right = given = true = 0
    for line in map(json.loads, (tmp_path / "names.jsonl").read_text().splitlines()):
        told = {(line["text"][start:end], label) for start, end, label in line["entities"]}
        expected = {(span.text, span.label) for span in crowd.truth[line["id"] - 1][0]}
        right, given, true = right + len(told & expected), given + len(told), true + len(expected)
    assert 2 * right / (given + true) > 0.85


def test_boxes_are_those_of_the_consensus_in_both_formats(tmp_path):
    crowd = boxes_crowd()
    found, remarks = exported(crowd, "image", "coco", tmp_path / "coco")
    content = json.loads((tmp_path / "coco/result.json").read_text())
    category = {row["id"]: row["name"] for row in content["categories"]}
    image = {row["id"]: row["file_name"] for row in content["images"]}
    assert set(category.values()) == {"circle", "square", "triangle"}
    found_again, _ = exported(crowd, "image", "yolo", tmp_path / "yolo")
    classes = (tmp_path / "yolo/classes.txt").read_text().split()
    sides = np.array([WIDTH, HEIGHT, WIDTH, HEIGHT])
    for task in found.tasks:
        given = {
            (item["value"]["rectanglelabels"][0], *(item["value"][side] for side in ("x", "y", "width", "height")))
            for item in task.result
        }
        expected = np.array(sorted((classes.index(label), *box) for label, *box in given)).reshape(-1, 5)
        boxes = expected[:, 1:] / 100
        rows = [
            [classes.index(category[row["category_id"]]), *(np.array(row["bbox"]) / sides)]
            for row in content["annotations"]
            if image[row["image_id"]] == f"images/task-{task.task}.png"
        ]
        assert np.allclose(sorted(rows), np.column_stack([expected[:, 0], boxes]), rtol=0, atol=1e-6)
        lines = (tmp_path / f"yolo/labels/task-{task.task}.txt").read_text().splitlines()
        centred = np.column_stack([expected[:, 0], boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:]])
        numbers = np.array([[float(one) for one in line.split()] for line in lines]).reshape(-1, 5)
        assert np.allclose(
            numbers[np.lexsort(numbers.T[::-1])], centred[np.lexsort(centred.T[::-1])], rtol=0, atol=1e-6
        )
    assert len(found_again.tasks) == len(found.tasks) == len(content["images"]) + sum(remarks.values())
