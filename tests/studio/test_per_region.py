"""Answers about regions, and relations: from annotations to predictions that the editor of Label Studio opens."""

from __future__ import annotations

import pytest

from label_studio_crowd.connection.doctor import examine
from tests.studio.test_regions import PICTURE

MANY = 51
"""So many tasks are written by Label Studio's import; few are created one by one."""
TEXT = "Ann met Bob in Rome"
PLACES = {"Ann": (0, 3), "Bob": (8, 11), "Rome": (15, 19)}
NAMES = """<View>
  <Text name="t" value="$text"/>
  <Labels name="ner" toName="t"><Label value="PER"/><Label value="LOC"/></Labels>
  <Choices name="mood" toName="t" perRegion="true"><Choice value="good"/><Choice value="bad"/></Choices>
  <Choices name="tags" toName="t" perRegion="true" choice="multiple"><Choice value="x"/><Choice value="y"/></Choices>
  <Taxonomy name="sort" toName="t" perRegion="true"><Choice value="A"><Choice value="A1"/></Choice></Taxonomy>
  <Rating name="stars" toName="t" perRegion="true"/>
  <Number name="age" toName="t" perRegion="true"/>
  <DateTime name="born" toName="t" perRegion="true" only="date"/>
  <TextArea name="note" toName="t" perRegion="true"/>
  <Relations><Relation value="knows"/><Relation value="in"/></Relations>
</View>"""
WORDS = """<View>
  <Image name="i" value="$image"/>
  <Labels name="label" toName="i"><Label value="line"/></Labels>
  <Rectangle name="box" toName="i"/>
  <Polygon name="poly" toName="i"/>
  <TextArea name="words" toName="i" perRegion="true" displayMode="region-list"/>
</View>"""
SOUND = """<View>
  <Audio name="a" value="$audio"/>
  <Labels name="label" toName="a"><Label value="Speech"/><Label value="Noise"/></Labels>
  <TextArea name="words" toName="a" perRegion="true" whenTagName="label" whenLabelValue="Speech"/>
  <Choices name="mood" toName="a" perRegion="true" whenTagName="label" whenLabelValue="Speech">
    <Choice value="calm"/><Choice value="angry"/>
  </Choices>
</View>"""
DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5"
    "ErkJggg=="
)


def said_of_names(n, who):
    """What somebody says of task n; the third annotator slips in every fourth task."""
    slip = who == 2 and n % 4 == 0
    for word, (start, end) in PLACES.items():
        place = {"start": start, "end": end, "text": word}
        good = n % 2 == 0
        values = {
            "ner": ("labels", {"labels": ["LOC" if word == "Rome" else "PER"]}),
            "mood": ("choices", {"choices": ["good" if good != slip else "bad"]}),
            "tags": ("choices", {"choices": ["x", "y"] if good else ["y"]}),
            "sort": ("taxonomy", {"taxonomy": [["A", "A1"]]}),
            "stars": ("rating", {"rating": 1 + (n + slip) % 5}),
            "age": ("number", {"number": n}),
            "born": ("datetime", {"datetime": f"2026-01-{1 + n % 28:02}"}),
            "note": ("textarea", {"text": [f"{word} of {n}"]}),
        }
        for name, (kind, value) in values.items():
            row = {"id": f"{word}{n}{who}", "from_name": name, "to_name": "t", "type": kind}
            yield {**row, "value": {**place, **value}}
    for one, other, label, way in (("Ann", "Bob", "knows", "bi"), ("Bob", "Rome", "in", "left" if slip else "right")):
        ends = {"from_id": f"{one}{n}{who}", "to_id": f"{other}{n}{who}"}
        yield {**ends, "type": "relation", "direction": way, "labels": [label]}


def said_of_words(n, who):
    """What somebody draws on task n, and what they read there."""
    box = {"x": 10, "y": 10 + who / 2, "width": 30, "height": 20, "rotation": 0}
    line = {"points": [[50, 50], [90, 50 + who / 2], [90, 90]], "closed": True}
    for name, place, source in (("r", box, "box"), ("p", line, "poly")):
        kind = {"box": "rectangle", "poly": "polygon"}[source]
        rows = [
            (source, kind, place),
            ("label", "labels", {**place, "labels": ["line"]}),
            ("words", "textarea", {**place, "text": [f"{source} {n}"]}),
        ]
        for from_name, what, value in rows:
            row = {"id": f"{name}{n}{who}", "from_name": from_name, "to_name": "i", "type": what, "value": value}
            yield {**row, **PICTURE}


def said_of_sound(n, who):
    """What somebody hears in task n."""
    speech = {"start": 1.0, "end": 2.0 + who / 10, "channel": 0}
    noise = {"start": 4.0, "end": 5.0, "channel": 0}
    rows = [
        ("s", "label", "labels", {**speech, "labels": ["Speech"]}),
        ("s", "words", "textarea", {**speech, "text": [f"said {n}"]}),
        ("s", "mood", "choices", {**speech, "choices": ["calm" if n % 2 else "angry"]}),
        ("n", "label", "labels", {**noise, "labels": ["Noise"]}),
    ]
    for name, source, kind, value in rows:
        row = {"id": f"{name}{n}{who}", "from_name": source, "to_name": "a", "type": kind, "value": value}
        yield {**row, "original_length": 10.0}


@pytest.fixture
def scored(make_project, annotators, plugin):
    """Score a project of three people's answers to all tasks: `scored(config, data, said)`."""

    def make(config, data, said):
        given = [(n, who, list(said(n, at))) for n in range(MANY) for at, who in enumerate(annotators)]
        at_work = plugin(make_project([data] * MANY, config, given))
        at_work.connect()
        run = at_work.sync()
        assert run.report().set_aside == {}
        assert not run.warnings
        assert not at_work.sync().plan
        rows = {row["task"]: row for row in at_work.predictions() if row["model_version"] == "crowd-consensus"}
        assert sorted(rows) == sorted(at_work.tasks)
        return at_work, [rows[task]["result"] for task in at_work.tasks]

    return make


def opened(page, studio, at_work, n):
    """The consensus of a task as Label Studio's editor holds it when it is opened."""
    page.goto(f"{studio.url}/projects/{at_work.project}/data?task={at_work.tasks[n]}")
    page.locator(".lsf-annotation-button").filter(has_text="crowd-consensus").click()
    page.locator(".lsf-annotation-button_selected").filter(has_text="crowd-consensus").wait_for()
    page.wait_for_function("() => window.Htx.annotationStore.selected?.type === 'prediction'")
    return page.evaluate("() => window.Htx.annotationStore.selected.serializeAnnotation()")


def without_ids(result):
    """What a result says: of each region what each control says of it, and of relations their ends."""
    regions, names = {}, {}
    for item in result:
        if item["type"] != "relation":
            regions.setdefault(item["id"], {})[item["from_name"]] = item["value"]
    for name, said in regions.items():
        first = next(iter(said.values()))
        names[name] = (first.get("start"), first.get("x"), str(first.get("points")))
    ends = {
        (names[item["from_id"]], item["direction"], *item["labels"], names[item["to_id"]])
        for item in result
        if item["type"] == "relation"
    }
    return {names[name]: said for name, said in regions.items()}, ends


def test_what_is_said_of_spans_and_their_relations_arrives_and_shows(scored, page, studio):
    at_work, results = scored(NAMES, {"text": TEXT}, said_of_names)
    checks = {check.what for check in examine(at_work.opened)}
    assert "scores the control 'mood' (choices, 2 classes of each region)" in checks
    assert "scores the control 'relations' (relations, relations)" in checks
    for n, result in enumerate(results):
        expected = without_ids(list(said_of_names(n, 0)))
        assert without_ids(result) == expected
        assert len({item["id"] for item in result if item["type"] != "relation"}) == 3
    shown = opened(page, studio, at_work, 1)
    assert without_ids(shown) == without_ids(results[1])
    page.locator(".lsf-tree__node").filter(has_text="Bob").first.click()
    page.locator(".lsf-main-view").get_by_text("Bob of 1").first.wait_for()
    assert page.locator(".ant-rate-star-full").count() == 2


def test_what_is_said_of_boxes_and_polygons_with_labels_of_their_own_arrives_and_shows(scored, page, studio):
    at_work, results = scored(WORDS, {"image": DOT}, said_of_words)
    for n, result in enumerate(results):
        regions, _ = without_ids(result)
        assert sorted(sorted(said) for said in regions.values()) == [
            ["box", "label", "words"],
            ["label", "poly", "words"],
        ]
        for said in regions.values():
            assert said["words"]["text"] == [f"{'box' if 'box' in said else 'poly'} {n}"]
            assert said["label"]["labels"] == ["line"]
    shown, _ = without_ids(opened(page, studio, at_work, 1))
    assert sorted(sorted(said) for said in shown.values()) == [["box", "label", "words"], ["label", "poly", "words"]]


def test_what_is_said_of_some_labels_alone_arrives(scored):
    _, results = scored(SOUND, {"audio": "/static/none.mp3"}, said_of_sound)
    for n, result in enumerate(results):
        regions, _ = without_ids(result)
        said = {next(iter(one["label"]["labels"])): one for one in regions.values()}
        assert list(said["Noise"]) == ["label"]
        assert said["Speech"]["words"]["text"] == [f"said {n}"]
        assert said["Speech"]["mood"]["choices"] == ["calm" if n % 2 else "angry"]


PLAIN = """<View>
  <Text name="t" value="$text"/>
  <Labels name="ner" toName="t"><Label value="PER"/><Label value="LOC"/></Labels>
  <Pdf name="d" value="$pdf"/>
  <OcrLabels name="ocr" toName="d"><Label value="total"/></OcrLabels>
</View>"""


def said_plainly(n, who):
    """Two names of task n, one in the other, and a region on the second page of a document."""
    for word, (start, end) in list(PLACES.items())[1:]:
        value = {"start": start, "end": end, "text": word, "labels": ["LOC" if word == "Rome" else "PER"]}
        yield {"id": f"{word}{n}{who}", "from_name": "ner", "to_name": "t", "type": "labels", "value": value}
    yield {"from_id": f"Bob{n}{who}", "to_id": f"Rome{n}{who}", "type": "relation", "direction": "right"}
    place = {"x": 10, "y": 20, "width": 30, "height": 5, "rotation": 0, "pageIndex": 1}
    value = {**place, "ocrtext": f"sum {n}" if who else f"sun {n}", "ocrlabels": ["total"]}
    yield {"id": f"d{n}{who}", "from_name": "ocr", "to_name": "d", "type": "ocrlabels", "value": value}


def test_relations_that_no_tag_names_and_regions_of_documents_arrive(scored):
    _, results = scored(PLAIN, {"text": TEXT, "pdf": "/static/none.pdf"}, said_plainly)
    for n, result in enumerate(results):
        words = {item["id"]: item["value"]["text"] for item in result if item.get("from_name") == "ner"}
        (related,) = [item for item in result if item["type"] == "relation"]
        assert (words[related["from_id"]], words[related["to_id"]]) == ("Bob", "Rome")
        assert (related["direction"], related["labels"]) == ("right", [])
        (document,) = [item for item in result if item["type"] == "ocrlabels"]
        assert document["value"] == {
            "x": 10, "y": 20, "width": 30, "height": 5, "rotation": 0, "pageIndex": 1,
            "ocrtext": f"sum {n}", "ocrlabels": ["total"],
        }  # fmt: skip
