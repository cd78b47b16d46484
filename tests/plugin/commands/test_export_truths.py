"""The truth of a Label Studio export: from a table, from another export, and from what `aggregate` wrote."""

import json

import pandas as pd
import pytest


def item(kind, value, name="c", **more):
    return {"id": f"{name}{value}", "from_name": name, "to_name": "t", "type": kind, "value": value, **more}


def task(number, results, flagged=()):
    annotations = [
        {"id": 100 * number + who, "completed_by": who + 1, "result": result, "ground_truth": who in flagged}
        for who, result in enumerate(results)
    ]
    return {"id": number, "data": {"t": "x"}, "annotations": annotations}


def span(start, end, label="PER"):
    return item("labels", {"start": start, "end": end, "text": "x", "labels": [label]})


def box(x, y, width, height, label="cat"):
    value = {"x": x, "y": y, "width": width, "height": height, "rotation": 0, "rectanglelabels": [label]}
    return item("rectanglelabels", value, original_width=200, original_height=50)


def ranked(*items):
    return item("ranker", {"ranker": {"best": list(items)}})


SAID = {
    "spans": [[span(0, 4)], [span(0, 4)], [span(7, 9)]],
    "boxes": [[box(10, 10, 20, 40)], [box(10, 10, 20, 40)], [box(60, 10, 20, 40)]],
    "rankings": [[ranked("a", "b", "c")], [ranked("a", "b", "c")], [ranked("c", "b", "a")]],
    "texts": [[item("textarea", {"text": [text]})] for text in ("a red car", "a red car", "the cart")],
    "sets": [[item("choices", {"choices": said})] for said in (["p", "q"], ["p", "q"], ["p"])],
    "classes": [[item("choices", {"choices": [said]})] for said in ("p", "p", "q")],
}
TABLES = {
    "spans": {"start": [0] * 6, "end": [4] * 6, "label": ["PER"] * 6},
    "boxes": {"x": [10] * 6, "y": [10] * 6, "width": [20] * 6, "height": [40] * 6, "label": ["cat"] * 6},
    "rankings": {"truth": ["a > b > c"] * 6},
    "texts": {"truth": ["a red car"] * 6},
    "sets": {"truth": ["p;q"] * 6},
    "classes": {"truth": ["p"] * 6},
}
OURS = {"classes": "dawid-skene"}


@pytest.fixture
def right(good):
    """Return how often our own way is right by the truth: right("spans", "--truth", "t.csv")."""

    def right(name, *words):
        rows = {row["method"]: row for row in json.loads(good("compare", "export.json", *words, "--json"))}
        row = rows[OURS.get(name, name if name in rows else "regions")]
        return row.get("exactly_right", row.get("accuracy"))

    return right


@pytest.fixture
def tasks(tmp_path):
    def write(name, to="export.json", flagged=(), results=None):
        rows = [task(number, results or SAID[name], flagged) for number in range(1, 7)]
        (tmp_path / to).write_text(json.dumps(rows))

    return write


@pytest.mark.parametrize("name", SAID)
@pytest.mark.parametrize("truth", ["table", "export", "flagged", "own", "written.csv", "written.json"])
def test_an_export_is_compared_with_a_truth_of_any_form(name, truth, tasks, right, good, tmp_path):
    tasks(name)
    said = SAID[name]
    if truth == "table":
        pd.DataFrame({"task": range(1, 7), **TABLES[name]}).to_csv(tmp_path / "t.csv", index=False)
        assert right(name, "--truth", "t.csv") == 1
    elif truth == "export":  # by one annotator, who is right
        tasks(name, "t.json", results=said[:1])
        assert right(name, "--truth", "t.json") == 1
    elif truth == "flagged":  # the flagged one differs from what most say
        tasks(name, "t.json", flagged=[2])
        assert right(name, "--truth", "t.json") == 0
    elif truth == "own":
        tasks(name, flagged=[0], results=[said[0], *said])
        assert right(name, "--trust-ground-truth") == 1
    else:
        good("aggregate", "export.json", "--out", truth)
        assert right(name, "--truth", truth) == 1


def test_a_truth_of_which_it_cannot_be_said_which_is_true_is_refused(tasks, bad):
    tasks("spans")
    tasks("spans", "t.json")
    assert "two annotations that may be the truth differ" in bad("compare", "export.json", "--truth", "t.json")


def test_a_truth_of_other_tasks_is_refused(tasks, bad, tmp_path):
    tasks("spans")
    pd.DataFrame({"task": [77], "start": [0], "end": [4], "label": ["PER"]}).to_csv(tmp_path / "t.csv", index=False)
    assert "none of its 1 tasks" in bad("compare", "export.json", "--truth", "t.csv")


def test_a_known_answer_of_a_file_is_the_consensus(tasks, good, tmp_path):
    tasks("spans")
    pd.DataFrame({"task": [1, 2], "start": [20, None], "end": [25, None], "label": ["LOC", None]}).to_csv(
        tmp_path / "t.csv", index=False
    )
    good("aggregate", "export.json", "--known", "t.csv", "--out", "o.json")
    found = json.loads((tmp_path / "o.json").read_text())
    assert [row["quality"] for row in found[:2]] == [1, 1]
    assert [(one["value"]["start"], one["value"]["end"]) for one in found[0]["consensus"]] == [(20, 25)]
    assert found[1]["consensus"] == []


def test_rankings_in_several_buckets_need_a_truth_with_buckets(bad, right, tmp_path):
    results = [[item("ranker", {"ranker": {"good": ["a", "b"], "poor": ["c"]}})]] * 3
    (tmp_path / "export.json").write_text(json.dumps([task(number, results) for number in (1, 2)]))
    truth = pd.DataFrame({"task": [1, 2], "truth": ["a > b"] * 2})
    truth.to_csv(tmp_path / "t.csv", index=False)
    assert "are in several buckets (good, poor)" in bad("compare", "export.json", "--truth", "t.csv")
    truth.assign(truth=json.dumps({"good": ["a", "b"], "poor": ["c"]})).to_csv(tmp_path / "t.csv", index=False)
    assert right("rankings", "--truth", "t.csv") == 1


def test_what_is_said_of_single_regions_is_compared_with_an_export_only(bad, good, tmp_path):
    marked = {**span(0, 4), "id": "r"}
    about = {"id": "r", "from_name": "m", "to_name": "t", "type": "choices"}
    said = [[marked, {**about, "value": {"start": 0, "end": 4, "text": "x", "choices": [mood]}}] for mood in "ggb"]
    (tmp_path / "export.json").write_text(json.dumps([task(number, said) for number in (1, 2)]))
    (tmp_path / "t.json").write_text(json.dumps([task(number, said[:1]) for number in (1, 2)]))
    (tmp_path / "t.csv").write_text("task,truth\n1,g\n")
    words = ("compare", "export.json", "--control", "m", "--truth")
    assert "No table has true answers of the kind per region" in bad(*words, "t.csv")
    rows = {row["method"]: row for row in json.loads(good(*words, "t.json", "--json"))}
    assert rows["answers per region"]["exactly_right"] == 1


def test_a_table_is_not_compared_with_an_export(tasks, bad, tmp_path):
    tasks("classes", "t.json")
    (tmp_path / "a.csv").write_text("task,annotator,label\n1,a,p\n1,b,q\n")
    assert "is Label Studio's export, and the answers are none" in bad("compare", "a.csv", "--truth", "t.json")


def test_no_true_text_or_ranking_of_a_table_has_to_be_one_that_was_given(good, tmp_path):
    rows = [(number, who, f"a red car number {number} of {who}") for number in range(6) for who in "abc"]
    pd.DataFrame(rows, columns=["task", "annotator", "label"]).to_csv(tmp_path / "a.csv", index=False)
    pd.DataFrame({"task": [0, 1], "truth": ["the car 0", "the car 1"]}).to_csv(tmp_path / "t.csv", index=False)
    assert json.loads(good("compare", "a.csv", "--kind", "text", "--truth", "t.csv", "--json"))
