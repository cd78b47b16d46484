"""Exports of other annotation tools are read as they are; each file here is made after its tool's documentation."""

import json

import pandas as pd
import pytest

from crowdcore.formats import read_crowd, read_regions
from crowdcore.kinds import Box, Polygon, Span

ARGILLA_2 = [
    {
        "id": "r1",
        "status": "completed",
        "_server_id": "5c",
        "fields": {"text": "fine"},
        "metadata": {},
        "suggestions": {"mood": {"value": "bad", "score": 0.9, "agent": "gpt"}},
        "responses": {"mood": [{"value": "good", "user_id": "ann"}, {"value": "bad", "user_id": "bob"}]},
        "vectors": {},
    },
    {
        "id": "r2",
        "status": "pending",
        "_server_id": "5d",
        "fields": {"text": "so so"},
        "metadata": {},
        "suggestions": {},
        "responses": {"mood": [{"value": "bad", "user_id": "ann"}]},
        "vectors": {},
    },
]
ARGILLA_1 = [
    {
        "fields": {"text": "fine"},
        "external_id": "r1",
        "responses": [
            {"user_id": "ann", "values": {"mood": {"value": "good"}}, "status": "submitted"},
            {"user_id": "bob", "values": {"mood": {"value": "bad"}}, "status": "submitted"},
            {"user_id": "cyd", "values": {"mood": {"value": "bad"}}, "status": "draft"},
        ],
        "suggestions": [],
    },
    {
        "fields": {"text": "so so"},
        "external_id": "r2",
        "responses": [{"user_id": "ann", "values": {"mood": {"value": "bad"}}, "status": "submitted"}],
    },
]
ARGILLA_FLAT = [
    {
        "id": "r1",
        "text": "fine",
        "mood.responses": ["good", "bad", "good"],
        "mood.responses.users": ["ann", "bob", "cyd"],
        "mood.responses.status": ["submitted", "submitted", "discarded"],
    },
    {
        "id": "r2",
        "text": "so so",
        "mood.responses": ["bad"],
        "mood.responses.users": ["ann"],
        "mood.responses.status": ["submitted"],
    },
]
LISTS = [
    {"id": "r1", "text": "fine", "annotators": ["ann", "bob"], "annotations": ["good", "bad"]},
    {"id": "r2", "text": "so so", "annotators": ["ann"], "annotations": ["bad"]},
]
THREE = [["r1", "ann", "good"], ["r1", "bob", "bad"], ["r2", "ann", "bad"]]


def prodigy(task, who, **more):
    return {"text": "x", "_input_hash": task, "_task_hash": -task, "_annotator_id": who, "_timestamp": 1, **more}


def lines(rows):
    return "\n".join(map(json.dumps, rows))


@pytest.fixture
def written(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        return path

    return write


def answers(path, **given):
    return read_crowd(path, **given).crowd.to_long().to_numpy().tolist()


@pytest.mark.parametrize("records", [ARGILLA_2, ARGILLA_1, ARGILLA_FLAT, LISTS])
@pytest.mark.parametrize("name", ["records.json", "records.jsonl"])
def test_responses_within_records(written, records, name):
    path = written(name, json.dumps(records) if name.endswith(".json") else lines(records))
    assert answers(path) == THREE


ON_THE_HUB = {
    "hatexplain": [
        {"id": "r1", "annotators": {"label": ["good", "bad"], "annotator_id": ["ann", "bob"], "target": [["A"], []]}},
        {"id": "r2", "annotators": {"label": ["bad"], "annotator_id": ["ann"], "target": [[]]}},
    ],
    "le-wi-di": [
        {"id": "r1", "text": "a", "annotations": {"ann": "good", "bob": "bad"}, "soft_label": {"good": 0.5}},
        {"id": "r2", "text": "b", "annotations": {"ann": "bad", "bob": None}, "soft_label": {"good": 0.0}},
    ],
    "objects": [
        {
            "id": "r1",
            "annotations": [{"annotator_id": "ann", "label": "good"}, {"annotator_id": "bob", "label": "bad"}],
        },
        {"id": "r2", "annotations": [{"annotator_id": "ann", "label": "bad"}]},
    ],
    "texts": [
        {"id": "r1", "annotators": "ann,bob", "annotations": "good,bad"},
        {"id": "r2", "annotators": "ann", "annotations": "bad"},
    ],
}


@pytest.mark.parametrize("records", ON_THE_HUB.values(), ids=ON_THE_HUB)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.parquet", "keyed.json"])
def test_the_shapes_that_data_sets_on_the_hub_have(tmp_path, records, name):
    path = tmp_path / name
    if name == "a.parquet":
        pd.DataFrame(records).to_parquet(path)
    elif name == "keyed.json":
        path.write_text(json.dumps({record["id"]: {**record, "task": "irony"} for record in records}))
    else:
        path.write_text(json.dumps(records) if name == "a.json" else lines(records))
    assert answers(path) == THREE


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_a_row_without_lists_is_a_task_without_answers(tmp_path, name):
    path, rows = tmp_path / name, [*LISTS, {"id": "r3", "text": "?", "annotators": None, "annotations": None}]
    pd.DataFrame(rows).to_parquet(path) if name == "a.parquet" else path.write_text(lines(rows))
    assert answers(path) == THREE
    assert read_crowd(path).crowd.tasks.tolist() == ["r1", "r2", "r3"]


def test_labels_of_nobody_in_particular_are_told_apart(written):
    rows = [{"pairID": "p1", "annotator_labels": ["yes", "no", "yes"]}, {"pairID": "p2", "annotator_labels": ["no"]}]
    crowd = read_crowd(written("snli.jsonl", lines(rows))).crowd
    assert crowd.annotators.tolist() == ["unnamed 1", "unnamed 2", "unnamed 3"]
    assert crowd.num_answers.tolist() == [3, 1]


def test_commas_in_names_and_labels_of_a_long_table_are_no_lists(written):
    rows = [
        {"task": 1, "annotator": "Smith, J", "label": "yes, sure"},
        {"task": 1, "annotator": "Roe, R", "label": "no"},
    ]
    assert answers(written("a.jsonl", lines(rows))) == [[1, "Roe, R", "no"], [1, "Smith, J", "yes, sure"]]


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        ({"text": "t", "id": "e", "rater_id": 0, "joy": 1, "anger": 0}, {"label_column": "joy"}),
        ({"comment_id": 7, "annotator_id": 0, "hatespeech": 2.0, "text": "t"},
         {"task_column": "comment_id", "label_column": "hatespeech"}),
        ({"WorkerId": 0, "HITId": "h", "offensiveYN": "0.5", "post": "p"}, {"label_column": "offensiveYN"}),
    ],
)  # fmt: skip
def test_long_data_sets_whose_label_is_named(written, row, columns):
    who = next(name for name in row if name.lower() in ("rater_id", "annotator_id", "workerid"))
    rows = [{**row, who: number} for number in range(3)]
    crowd = read_crowd(written("a.jsonl", lines(rows)), **columns).crowd
    assert (len(crowd.tasks), len(crowd.annotators), len(crowd.label)) == (1, 3, 3)


def test_hugging_faces_parquet_with_lists(tmp_path):
    path = tmp_path / "data.parquet"
    pd.DataFrame(LISTS).to_parquet(path)
    assert answers(path) == THREE


def test_a_tool_is_named(written):
    assert "Argilla's export, as a long table" in read_crowd(written("a.json", json.dumps(ARGILLA_2))).about


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (ARGILLA_2[0], {"id": 9, "fields": {}, "responses": {"mood": [{"value": "good"}]}}),
        (ARGILLA_2[0], {"id": 9, "fields": {}, "responses": {"mood": ["good"]}}),
        (ARGILLA_2[0], {"id": 9, "fields": {}, "responses": {"mood": None}}),
        (ARGILLA_1[0], {"id": 9, "fields": {}, "responses": [None]}),
        (ARGILLA_FLAT[0], {"id": 9, "mood.responses": ["good", "bad"], "mood.responses.users": None}),
        (prodigy(1, "ann", answer="accept", spans=[]), prodigy(2, "ann", answer="accept", spans=[{"label": "A"}])),
    ],
)
def test_a_record_that_the_tool_does_not_write_is_named(written, good, bad):
    path = written("a.json", json.dumps([good, good, bad]))
    with pytest.raises(ValueError, match=r"It looks like \w+'s export, but record 2 \(counted from 0\)"):
        read_crowd(path)


@pytest.mark.parametrize("records", [ARGILLA_2, ARGILLA_1, ARGILLA_FLAT])
@pytest.mark.parametrize("more", [{}, {"responses": None}, {"responses": {}}, {"responses": []}])
@pytest.mark.parametrize("first", [True, False])
def test_records_without_responses_are_tasks_without_answers(written, records, more, first):
    silent = {"id": "r3", "fields": {"text": "new"}, "status": "pending", **more}
    path = written("a.json", json.dumps([silent, *records] if first else [*records, silent]))
    reading = read_crowd(path)
    assert reading.crowd.to_long().to_numpy().tolist() == THREE
    assert reading.crowd.tasks.tolist() == ["r1", "r2", "r3"]
    assert "Argilla's export" in reading.about


def test_a_record_whose_responses_are_drafts_is_a_task_without_answers(written):
    draft = {**ARGILLA_2[1], "id": "r3", "responses": {"mood": [{"value": "bad", "user_id": "ann", "status": "draft"}]}}
    crowd = read_crowd(written("a.json", json.dumps([*ARGILLA_2, draft]))).crowd
    assert crowd.num_answers.tolist() == [2, 1, 0]


def test_of_several_questions_a_record_without_responses_is_a_task_too(written):
    records = [
        {
            "id": 1,
            "fields": {},
            "responses": {name: [{"value": "good", "user_id": "ann"}] for name in ("mood", "tone")},
        },
        {"id": 2, "fields": {}},
    ]
    path = written("a.json", json.dumps(records))
    assert read_crowd(path, label_column="tone.response").crowd.num_answers.tolist() == [1, 0]


def test_spans_of_records_without_responses(written):
    value = [{"start": 0, "end": 4, "label": "PER"}]
    records = [{"id": 1, "fields": {}, "responses": {"spans": [{"value": value, "user_id": "ann"}]}}]
    table = read_regions(written("a.json", json.dumps([*records, {"id": 2, "fields": {}}])))
    assert table.num_answers.tolist() == [1, 0]


def test_an_export_without_answers_says_so(written):
    path = written("a.json", json.dumps([{"id": 1, "fields": {}, "responses": {}}]))
    with pytest.raises(ValueError, match="none of its 1 records has an answer"):
        read_crowd(path)


def test_of_several_questions_one_is_chosen(written):
    both = [{"mood": [{"value": "good", "user_id": "ann"}], "stars": [{"value": 4, "user_id": "ann"}]}]
    path = written("a.json", json.dumps([{"id": 1, "fields": {}, "responses": one} for one in both]))
    with pytest.raises(ValueError, match=r"'mood.response', 'stars.response'"):
        read_crowd(path)
    assert answers(path, label_column="mood.response") == [[1, "ann", "good"]]


def test_argillas_rankings_are_lists_the_best_first(written):
    value = [{"value": "b", "rank": 2}, {"value": "a", "rank": 1}]
    record = {"id": 1, "fields": {}, "responses": {"order": [{"value": value, "user_id": "ann"}]}}
    assert answers(written("a.json", json.dumps([record]))) == [[1, "ann", '["a", "b"]']]


def test_argillas_spans_are_regions(written):
    value = [{"start": 0, "end": 4, "label": "PER"}]
    record = {"id": 1, "fields": {}, "responses": {"spans": [{"value": value, "user_id": "ann"}]}}
    table = read_regions(written("a.json", json.dumps([record])))
    assert [(one.place, one.label) for one in table.values[0]] == [(Span(0, 4), "PER")]


def test_prodigys_yes_and_no(written):
    rows = [
        prodigy(1, "ann", label="SPORT", answer="accept"),
        prodigy(1, "bob", label="SPORT", answer="reject"),
        prodigy(2, "bob", label="SPORT", answer="ignore"),
    ]
    assert answers(written("p.jsonl", lines(rows))) == [[-1, "ann", "accept"], [-1, "bob", "reject"]]


def test_prodigys_choices(written):
    options = [{"id": "a", "text": "A"}, {"id": "b", "text": "B"}]
    rows = [
        prodigy(1, "ann", options=options, accept=["a"], answer="accept"),
        prodigy(1, "bob", options=options, accept=["b"], answer="reject"),
        prodigy(1, "cyd", options=options, accept=["b"], answer="accept"),
    ]
    assert answers(written("p.jsonl", lines(rows))) == [[-1, "ann", "a"], [-1, "cyd", "b"]]


def test_prodigys_spans_and_boxes(written):
    span = {"start": 2, "end": 5, "token_start": 0, "token_end": 0, "label": "PER"}
    rows = [
        prodigy(1, "ann", spans=[span], answer="accept"),
        prodigy(1, "bob", spans=[], answer="accept"),
        prodigy(1, "cyd", spans=[span], answer="ignore"),
    ]
    table = read_regions(written("p.jsonl", lines(rows)))
    assert [[one.place for one in marked] for marked in table.values] == [[Span(2, 5)], []]
    box = {"x": 1, "y": 2, "width": 3, "height": 4, "points": [[1, 2], [1, 6], [4, 6], [4, 2]], "label": "cat"}
    table = read_regions(written("q.jsonl", lines([prodigy(1, "ann", spans=[box], answer="accept")])))
    assert table.values[0][0].place == Box(1, 2, 3, 4)


def test_mturk_and_toloka_without_what_was_rejected(written):
    mturk = "HITId,WorkerId,AssignmentStatus,Answer.mood.label\n1,ann,Approved,good\n1,bob,Rejected,bad\n"
    reading = read_crowd(written("batch.csv", mturk))
    assert reading.crowd.to_long().to_numpy().tolist() == [[1, "ann", "good"]]
    assert "1 of rejected assignments taken as no answer" in reading.about
    columns = ["INPUT:url", "OUTPUT:mood", "ASSIGNMENT:task_id", "ASSIGNMENT:worker_id", "ASSIGNMENT:status"]
    rows = ["u\tgood\tt1\tann\tAPPROVED", "u\tbad\tt1\tbob\tREJECTED"]
    assert answers(written("assignments.tsv", "\n".join(["\t".join(columns), *rows]))) == [["t1", "ann", "good"]]


class TestAFolderWithAFileForEachAnnotator:
    def test_of_doccanos_classes(self, written):
        row = {"id": 1, "text": "fine", "Comments": []}
        written("out/ann.jsonl", lines([{**row, "label": ["good"]}]))
        path = written("out/bob.jsonl", lines([{**row, "label": ["bad"]}, {**row, "id": 2, "label": []}]))
        assert answers(path.parent) == [[1, "ann", "good"], [1, "bob", "bad"]]

    def test_of_doccanos_spans(self, written):
        written("out/ann.jsonl", lines([{"id": 1, "text": "Ann", "label": [[0, 3, "PER"]]}]))
        entity = {"id": 7, "label": "PER", "start_offset": 0, "end_offset": 2}
        path = written("out/bob.jsonl", lines([{"id": 1, "text": "Ann", "entities": [entity]}]))
        table = read_regions(path.parent)
        assert table.annotators.tolist() == ["ann", "bob"]
        assert [marked[0].place for marked in table.values] == [Span(0, 3), Span(0, 2)]

    def test_of_cvats_shapes(self, written):
        head = '<?xml version="1.0"?><annotations><version>1.1</version>'
        image = '<image id="0" name="a.png" width="100" height="80">'
        box = '<box label="cat" occluded="0" xtl="10" ytl="20" xbr="30" ybr="60" rotation="90.0"/>'
        polygon = '<polygon label="cat" points="0,0;10,0;10,10"/>'
        written("out/ann.xml", f"{head}{image}{box}</image></annotations>")
        written("out/bob.xml", f"{head}{image}{polygon}</image></annotations>")
        path = written("out/cyd.xml", f"{head}{image}</image></annotations>")
        ann, bob, cyd = read_regions(path.parent).values
        turned = ann[0].place  # about its middle (20, 40) by 90 degrees: its corner goes to (40, 30)
        assert (turned.x, turned.y, turned.width, turned.height) == pytest.approx((40, 30, 20, 40))
        assert bob[0].place == Polygon(((0, 0), (10, 0), (10, 10)))
        assert cyd == ()

    def test_of_cvats_tags(self, written):
        xml = '<annotations><image id="0" name="a.png"><tag label="{}"/></image></annotations>'
        written("out/ann.xml", xml.format("cat"))
        path = written("out/bob.xml", xml.format("dog"))
        assert answers(path.parent) == [["a.png", "ann", "cat"], ["a.png", "bob", "dog"]]

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("ann.xml", "<annotations>", r"ann.xml: it is not XML"),
            ("ann.xml", "<html/>", "not of a tool that is known"),
            ("ann.xml", '<annotations><image name="a"><points points="1,2"/></image></annotations>', "shape 'points'"),
            ("ann.jsonl", '{"text": "x"}', "not of a tool that is known"),
        ],
    )
    def test_of_something_else_is_refused(self, written, name, content, said):
        with pytest.raises(ValueError, match=said):
            read_crowd(written(f"out/{name}", content).parent)

    def test_of_two_tools_is_refused(self, written):
        written("out/ann.jsonl", lines([{"id": 1, "text": "x", "label": ["a"]}]))
        path = written("out/bob.xml", '<annotations><image id="0" name="a"><tag label="a"/></image></annotations>')
        with pytest.raises(ValueError, match="give the files of one tool"):
            read_crowd(path.parent)
