"""Labels of several types in one column, and numbers among which are some that are none."""

import json

import numpy as np
import pandas as pd
import pytest

from crowdcore import Crowd
from crowdcore.formats import as_answers, guess_kind, read_crowd, read_truth

MIXED = {
    "true beside one": ([True, 1, False, 0], ["0", "1", "False", "True"]),
    "one beside true": ([1, True, 0, False], ["0", "1", "False", "True"]),
    "text beside true": ([True, "True", False, "no"], ["False", "True", "no"]),
    "text beside one": ([1, "1", 2, "2"], [1, 2]),
    "whole numbers with a point": ([1.0, 1, 2, 2.0], [1, 2]),
    "all three": ([True, 1, "1", "a"], ["1", "True", "a"]),
}


def written(labels, path):
    frame = pd.DataFrame({"task": [1, 1, 2, 2], "annotator": ["a", "b"] * 2, "label": pd.Series(labels, dtype=object)})
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.name == "by-task.json":
        rows = {
            str(task): dict(zip(group.annotator, group.label, strict=True)) for task, group in frame.groupby("task")
        }
        path.write_text(json.dumps(rows))
    else:
        rows = list(map(json.dumps, frame.to_dict("records")))
        path.write_text("\n".join(rows) if path.suffix == ".jsonl" else f"[{','.join(rows)}]")
    return path


@pytest.mark.parametrize("name", MIXED)
@pytest.mark.parametrize("file", ["a.csv", "a.json", "a.jsonl", "by-task.json"])
def test_a_column_of_several_types_has_the_same_classes_in_every_file(name, file, tmp_path):
    labels, classes = MIXED[name]
    crowd = read_crowd(written(labels, tmp_path / file)).crowd
    assert crowd.classes.tolist() == classes
    assert list(map(type, crowd.classes.tolist())) == list(map(type, classes))
    assert len(crowd.label) == 4


@pytest.mark.parametrize("labels", [[True, 1, False], [0, "a", False], [1.0, True, None]])
def test_frames_in_which_true_and_one_would_be_the_same_are_refused(labels):
    frame = pd.DataFrame({"task": [1, 2, 3], "annotator": "a", "label": pd.Series(labels, dtype=object)})
    with pytest.raises(ValueError, match="True or False and others are 1 or 0"):
        Crowd.from_long(frame)


@pytest.mark.parametrize("answers", ["a.csv", "a.parquet"])
@pytest.mark.parametrize("truths", ["true,false", "True,False", "TRUE,FALSE", "json"])
def test_a_truth_of_truth_values_fits_answers_that_are_any(answers, truths, tmp_path):
    frame = pd.DataFrame({"task": [1, 1, 2], "annotator": ["a", "b", "a"], "label": [True, True, False]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    if truths == "json":
        path = tmp_path / "truth.json"
        path.write_text('[{"task": 1, "truth": true}, {"task": 2, "truth": false}]')
    else:
        path = tmp_path / "truth.csv"
        path.write_text("task,truth\n1,{}\n2,{}\n".format(*truths.split(",")))
        if answers == "a.csv" and truths != "True,False":
            return  # two texts that differ in case
    crowd = read_crowd(tmp_path / answers).crowd
    assert read_truth(path, crowd).tolist() == crowd.classes[[1, 0]].tolist()
    assert read_crowd(tmp_path / answers, classes=["True", "False"]).crowd.label.tolist() == [0, 0, 1]


def lengths(odd=None):
    rng = np.random.default_rng(0)
    labels = [f"{20 + task * 3.3 + rng.normal():.2f}" for task in range(15) for _ in "abc"]
    frame = pd.DataFrame({"task": np.repeat(range(15), 3), "annotator": list("abc") * 15, "label": labels})
    if odd is not None:
        frame.loc[4, "label"] = odd
    return frame


@pytest.mark.parametrize("odd", ["inf", "-inf", "1e999", "Infinity", "oops", "12 cm"])
@pytest.mark.parametrize("wide", [False, True])
def test_what_is_no_number_among_numbers_is_named(odd, wide, tmp_path):
    path = tmp_path / "a.csv"
    frame = lengths(odd)
    if wide:
        frame.pivot(index="task", columns="annotator", values="label").to_csv(path)
    else:
        frame.to_csv(path, index=False)
    crowd = read_crowd(path).crowd
    with pytest.raises(ValueError, match=rf"'{odd}' for task 1, annotator 'b'.*missing=.*kind=choice"):
        guess_kind(crowd)
    with pytest.raises(ValueError, match=rf"'{odd}' for task 1, annotator 'b'"):
        as_answers(crowd, "number")
    without = read_crowd(path, missing=[odd]).crowd
    assert guess_kind(without) == "number"
    assert len(as_answers(without, "number").values) == 44


@pytest.mark.parametrize("file", ["a.json", "a.parquet"])
@pytest.mark.filterwarnings("error")
def test_an_infinite_number_of_json_and_parquet_is_named_too(file, tmp_path):
    frame = lengths().astype({"label": float})
    frame.loc[4, "label"] = np.inf
    path = tmp_path / file
    if file == "a.json":
        path.write_text(json.dumps(frame.to_dict("records")))
    else:
        frame.to_parquet(path)
    with pytest.raises(ValueError, match="has inf for task 1, annotator 'b'"):
        guess_kind(read_crowd(path).crowd)
    assert len(read_crowd(path, missing=["inf"]).crowd.label) == 44


def test_numbers_with_zeros_at_their_end_are_numbers(tmp_path):
    lengths("21.50").to_csv(tmp_path / "a.csv", index=False)
    crowd = read_crowd(tmp_path / "a.csv").crowd
    assert guess_kind(crowd) == "number"
    assert as_answers(crowd, "number").values[4] == 21.5


def test_codes_with_zeros_before_them_are_classes():
    labels = [f"{number:03}" for number in range(60)]
    frame = pd.DataFrame({"task": [n // 2 for n in range(60)], "annotator": ["a", "b"] * 30, "label": labels})
    assert guess_kind(Crowd.from_long(frame)) == "choice"


def test_a_wide_parquet_file_is_read_as_a_wide_csv_is(tmp_path):
    frame = pd.DataFrame({"task": [1, 2, 3], "ann": ["x", "y", "x"], "bob": ["x", "x", None]})
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_csv(tmp_path / "a.csv", index=False)
    found = [read_crowd(tmp_path / name).crowd.to_long().to_dict("list") for name in ("a.parquet", "a.csv")]
    assert found[0] == found[1]
    assert len(found[0]["task"]) == 5
