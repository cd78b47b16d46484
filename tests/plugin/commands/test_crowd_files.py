"""What people bring to the commands without Label Studio, and what these say of it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

MV = ("-m", "majority-vote", "--out", "labels.csv")


def task(number, *annotations, **more):
    """Return a task as Label Studio writes it; an annotation is (who, label, minute) or (who, label)."""
    rows = []
    for who, label, *minute in annotations:
        result = {"from_name": "c", "to_name": "t", "type": "choices", "value": {"choices": [label]}}
        named = {} if who == "nobody" else {"completed_by": who}
        rows.append({**named, "result": [result], "updated_at": f"2024-05-01T10:{(minute or [0])[0]:02}:00Z"})
    found = {"data": {"text": "a"}, "annotations": rows, **more}
    return found if number is None else {"id": number, **found}


@pytest.fixture
def told(run):
    """Run `aggregate` on tasks: told(tasks, name, ...) -> what was said of them."""

    def aggregate(tasks, name="export.json", *words, encoding="utf-8"):
        text = "\n".join(map(json.dumps, tasks)) if name.endswith("l") else json.dumps(tasks)
        Path(name).write_text(text, encoding=encoding)
        code, _, err = run("aggregate", name, *MV, *words)
        assert code == 0, err
        return err

    return aggregate


@pytest.mark.parametrize(
    "people",
    [
        (1, 2, 3),
        ("a@x.org", "b@x.org", "c@x.org"),
        ({"email": "a@x.org"}, {"email": "b@x.org"}, {"email": "c@x.org"}),
        ({"id": 1, "email": "a@x.org"}, {"id": 2}, {"username": "carl"}),
        (1, "b@x.org", None),
        ("nobody", "nobody", "nobody"),
        (None, None, {}),
    ],
)
def test_who_answered_is_any_key_or_none(told, people):
    said = told([task(number, *((who, "x") for who in people)) for number in (1, 2)])
    assert "with 6 answers of 3 annotators to 2 tasks" in said
    nobody = sum(who in (None, "nobody", {}) for who in people) * 2
    assert (f"{nobody} annotations do not say who made them" in said) == (nobody > 0)


@pytest.mark.parametrize(
    ("name", "encoding"), [("a.json", "utf-8-sig"), ("a.json", "utf-16"), ("a.jsonl", "utf-8"), ("one.jsonl", "utf-8")]
)
def test_an_export_in_any_dress(told, name, encoding):
    tasks = [task(1, (1, "x"), (2, "y")), task(2, (1, "x"))][: 1 if name == "one.jsonl" else 2]
    assert "Label Studio's export (control 'c'" in told(tasks, name, encoding=encoding)


def predicted(version, label, minute=0, number=1):
    result = {"from_name": "c", "to_name": "t", "type": "choices", "value": {"choices": [label] if label else []}}
    return {"id": number, "model_version": version, "result": [result], "created_at": f"2024-05-01T10:{minute:02}:00Z"}


def test_predictions_of_a_model_are_answers_if_it_is_named(told, run):
    tasks = [
        task(n, (1, "a"), (2, "b"), predictions=[predicted("gpt", "a", 1), predicted("gpt", "b"), predicted("m", "b")])
        for n in range(1, 9)
    ]
    tasks[7]["predictions"] = [predicted("gpt", ""), predicted("crowd-consensus", "b")]
    said = told(tasks, "export.json", "--model-annotators", "gpt, nowhere", "--annotators-out", "who.csv")
    assert "23 answers of 3 annotators" in said
    assert "the model 'gpt' is an annotator, with predictions of 8 tasks, 1 are no answers" in said
    assert "no predictions of the model 'nowhere', but of: 'gpt', 'm'" in said
    assert pd.read_csv("who.csv").set_index("annotator").num_answers.to_dict() == {"1": 8, "2": 8, "gpt (model)": 7}
    assert pd.read_csv("labels.csv").label.tolist()[:7] == ["a"] * 7
    assert "16 answers of 2 annotators" in told(tasks)
    code, _, err = run("aggregate", "export.json", *MV, "--model-annotators", "crowd-consensus")
    assert code
    assert "our own predictions" in err
    code, _, err = run("aggregate", "who.csv", *MV, "--model-annotators", "gpt")
    assert code
    assert "--model-annotators is for Label Studio's JSON export" in err


@pytest.mark.parametrize("tag", ["number", "rating", "choices"])
def test_a_model_that_is_far_off_moves_no_consensus(run, tag):
    """What two careful people say together stands, whatever a model says of every task."""

    def said(answer: int) -> list[dict]:
        value = {"choices": [f"c{answer}"]} if tag == "choices" else {tag: answer}
        return [{"from_name": "a", "to_name": "t", "type": tag, "value": value}]

    truth = {task: task * 7 % 5 + 1 for task in range(40)}
    tasks = [
        {
            "id": task,
            "data": {"t": "x"},
            "annotations": [{"completed_by": who, "result": said(answer)} for who in (1, 2)],
            "predictions": [{"model_version": "gpt", "result": said(min(answer + 2, 5) if tag == "rating" else 7)}],
        }
        for task, answer in truth.items()
    ]
    Path("export.json").write_text(json.dumps(tasks))
    code, _, err = run(
        *("aggregate", "export.json", "--model-annotators", "gpt", "--out", "labels.csv"),
        *("--annotators-out", "who.csv"),
    )
    assert code == 0, err
    found = pd.read_csv("labels.csv")
    wanted = [f"c{answer}" if tag == "choices" else answer for answer in truth.values()]
    assert found[found.columns[1]].tolist() == wanted
    quality = pd.read_csv("who.csv").set_index("annotator").filter(["quality", "skill", "accuracy"]).iloc[:, 0]
    assert quality.idxmin() == "gpt (model)"


@pytest.mark.parametrize(("tag", "field", "first"), [("number", "number", 5), ("datetime", "datetime", "2024-05-1")])
def test_what_aggregate_writes_is_a_truth_for_compare(run, tag, field, first):
    values = [first * (task + 1) if tag == "number" else f"{first}{task}" for task in range(9)]
    tasks = [task(n, (1, None), (2, None)) for n in range(9)]
    for one, value in zip(tasks, values, strict=True):
        for annotation in one["annotations"]:
            annotation["result"] = [{"from_name": "a", "to_name": "t", "type": tag, "value": {field: value}}]
    Path("export.json").write_text(json.dumps(tasks))
    assert run("aggregate", "export.json", "--out", "labels.csv")[0] == 0
    code, out, err = run("compare", "export.json", "--truth", "labels.csv", "--json")
    assert code == 0, err
    assert {row["mean_absolute_error"] for row in json.loads(out)} == {0}


def test_tasks_without_ids_are_counted(told):
    said = told([task(None, (1, "x")), task(None, (1, "y"))])
    assert "with 2 answers of 1 annotators to 2 tasks" in said
    assert "not all tasks have an id: their places count, from 1" in said
    assert pd.read_csv("labels.csv")["task"].tolist() == [1, 2]


def test_a_target_storages_folder_is_read(run):
    Path("storage").mkdir()
    for number, (about, who) in enumerate([(7, 1), (7, {"id": 2, "email": "b@x.org"}), (8, 1)]):
        (row,) = task(None, (who, "x"))["annotations"]
        content = {"id": number, "task": {"id": about, "data": {}} if number else about, **row}
        Path(f"storage/{number}").write_text(json.dumps(content))
    code, _, err = run("aggregate", "storage", *MV)
    assert code == 0, err
    assert "with 3 answers of 2 annotators to 2 tasks" in err


def test_repeated_annotations_of_an_export(told, bad):
    tasks = [task(1, (5, "late", 9), (5, "early", 1), (6, "late", 3))]
    said = told(tasks)
    assert "1 superseded by the annotator's later one" in said
    assert "1 classes" in said  # what was corrected is none
    assert pd.read_csv("labels.csv")["quality"].tolist() == [1]
    assert "1 after the annotator's first one" in told(tasks, "a.json", "--repeated", "first")
    assert pd.read_csv("labels.csv")["quality"].tolist() == [0.5]
    assert "count as answers" in told(tasks, "a.json", "--repeated", "all")
    assert pd.read_csv("labels.csv")["late"].round(2).tolist() == [0.67]
    assert "answered task 1 more than once" in bad("aggregate", "a.json", "--repeated", "error")


LONG = "url,worker,label,right\nu1,a,x,x\nu1,b,y,x\nu2,a,y,y\nu2,b,y,y\nu2,b,x,y\n"


def test_the_options_of_tables(run, bad, good):
    Path("a.csv").write_text(LONG)
    code, _, err = run("aggregate", "a.csv", *MV, "--task-column", "url")
    assert code == 0
    assert (
        "1 answer of annotators who answered a task more than once set aside: the latest counts, the later row" in err
    )
    assert "(--repeated latest|first|all|error)" in err
    assert "--repeated is 'newest'; allowed are" in bad("aggregate", "a.csv", "--repeated", "newest")
    Path("b.csv").write_text(LONG.partition("\n")[2])
    assert "use --no-header: then the columns are" in bad("aggregate", "b.csv")
    good("aggregate", "b.csv", "--no-header", *MV)
    Path("w.csv").write_text("task,ann,bob\n1,low,NA\n2,high,mid\n3,mid,mid\n")
    code, out, err = run("identify", "w.csv", "-m", "alpha", "--classes", "low,mid,high", "--missing", "NA")
    assert (code, "alpha_ordinal" in out) == (0, True), err
    assert "alpha_ordinal" not in good("identify", "w.csv", "-m", "alpha")
    good("aggregate", "w.csv", "--annotators", "ann", *MV)


def test_the_options_of_the_truth(good, bad):
    Path("a.csv").write_text(LONG)
    Path("t.csv").write_text("photo,other,answer_is\nu1,p,x\nu2,q,y\n")
    words = ("compare", "a.csv", "--task-column", "url", "--methods", "majority-vote", "--json", "--repeated", "first")
    columns = ("--truth", "t.csv", "--truth-task-column", "photo", "--truth-column", "answer_is")
    for truth in (columns, ("--truth-column", "right")):
        (row,) = json.loads(good(*words, *truth))
        assert row["accuracy"] >= 0.5
    assert "choose one with --truth-task-column" in bad(*words, "--truth", "t.csv")
    assert "--truth-column" in bad(*words)
    Path("t.csv").write_text("url,truth\nu1,X\nu2,Y\n")
    assert "differ only in case or blanks" in bad(*words, "--truth", "t.csv")
    Path("t.csv").write_text("url,truth\nu1,X\nu2,y\n")
    assert json.loads(good(*words, "--truth", "t.csv"))[0]["accuracy"] == 0.5


def test_repeated_answers_in_parts(run, bad):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed, so there is no Parquet")
    Path("parts").mkdir()
    pd.DataFrame({"task": [1, 1, 2], "annotator": ["a", "a", "b"], "label": ["x", "y", "y"]}).to_parquet(
        "parts/a.parquet"
    )
    for how, label in ((), "y"), (("--repeated", "first"), "x"):
        code, out, err = run("aggregate", "--parts", "parts", "-m", "majority-vote", *how)
        assert code == 0, err
        assert "1 answer of annotators who answered a task more than once set aside" in err
        assert f"│    1 │ {label}" in out
    assert "more than once" in bad("aggregate", "--parts", "parts", "-m", "mv", "--repeated", "error")
