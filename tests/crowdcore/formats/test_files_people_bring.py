"""Files of all kinds: read rightly, or refused with what to do; what was guessed is said."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import zipfile

import numpy as np
import pandas as pd
import pytest

from crowdcore import Crowd
from crowdcore.formats import read_crowd, read_features, read_probabilities, read_truth

LONG = "task,annotator,label\n1,a,x\n1,b,y\n2,a,y\n"
ROWS = [[1, "a", "x"], [1, "b", "y"], [2, "a", "y"]]
FRAME = pd.DataFrame(ROWS, columns=["task", "annotator", "label"])


@pytest.fixture
def read(tmp_path):
    """Write a file and read it: read(name, content) -> Reading."""

    def write_and_read(name, content, **how):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_crowd(path, **how)

    return write_and_read


def rows(reading):
    return reading.crowd.to_long().values.tolist()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bom.csv", b"\xef\xbb\xbf" + LONG.encode()),
        ("utf16.csv", LONG.replace(",", "\t").encode("utf-16")),  # as Excel's "Unicode text" and PowerShell
        ("tabs.txt", LONG.replace(",", "\t")),
        ("blanks.txt", LONG.replace(",", "  ")),
        ("blank_after_comma.csv", LONG.replace(",", ", ")),
        ("index.csv", FRAME.to_csv()),
        ("r.csv", '"task","annotator","label"\n"1",1,"a","x"\n"2",1,"b","y"\n"3",2,"a","y"\n'),
        ("a.csv.bz2", bz2.compress(LONG.encode())),
        ("a.csv.xz", lzma.compress(LONG.encode())),
        ("records.json", FRAME.to_json(orient="records")),
        ("columns.json", FRAME.to_json()),
        ("by_row.json", FRAME.to_json(orient="index")),
        ("split.json", FRAME.to_json(orient="split")),
        ("table.json", FRAME.to_json(orient="table")),
        ("lines.jsonl", FRAME.to_json(orient="records", lines=True)),
        ("lines.json", FRAME.to_json(orient="records", lines=True)),
        ("bom.json", b"\xef\xbb\xbf" + FRAME.to_json(orient="records").encode()),
        ("records.json.gz", gzip.compress(FRAME.to_json(orient="records").encode(), mtime=0)),
    ],
)
def test_a_long_table_in_any_dress(read, name, content):
    assert rows(read(name, content)) == ROWS


PLATFORMS = {
    "mturk.csv": "HITId,Title,AssignmentId,WorkerId,SubmitTime,Input.url,Answer.category.label\nh,t,n,w,Mon,u,x\n",
    "crowdflower.csv": "_unit_id,_golden,_id,_trust,_worker_id,_country,mood,mood_gold\nh,f,9,1,w,US,x,x\n",
    "toloka.tsv": "INPUT:a\tOUTPUT:result\tGOLDEN:result\tASSIGNMENT:task_id\tASSIGNMENT:worker_id\nu\tx\tx\th\tw\n",
    "zooniverse.csv": 'classification_id,user_name,user_id,annotations,subject_ids\n1,w,7,"[{""value"":""x""}]",h\n',
    "prodigy.jsonl": '{"_input_hash":1,"_task_hash":"h","_annotator_id":"w","_session_id":"s","accept":["x"],'
    '"answer":"accept"}',
    "shouting.csv": "TASK ID,Worker-Id,ANSWER\nh,w,x\n",
}


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_columns_of_platforms_are_known_to_files_and_frames(read, tmp_path, name):
    assert rows(read(name, PLATFORMS[name])) == [["h", "w", "x"]]
    if name.endswith("sv") and "zoo" not in name:
        frame = pd.read_csv(tmp_path / name, sep="\t" if "tsv" in name else ",")
        assert Crowd.from_long(frame).to_long().values.tolist() == [["h", "w", "x"]]


def test_of_three_columns_the_unknown_one_is_the_task(read):
    reading = read("a.csv", "photo,worker,label\nu1,a,x\n")
    assert (reading.task_column, rows(reading)) == ("photo", [["u1", "a", "x"]])


def test_a_table_without_names(read):
    text = "842,79185673,x\n842,79185674,y\n843,79185673,x\n"
    with pytest.raises(ValueError, match="If its first line is a row and not names, use header=False"):
        read("a.csv", text)
    reading = read("a.csv", text, header=False)
    assert len(reading.crowd.label) == 3
    assert "without names (columns 1, 2, 3)" in reading.about
    assert rows(read("a.csv", text, header=False, task_column="2", annotator_column="1")) == [
        [79185673, 842, "x"],
        [79185673, 843, "x"],
        [79185674, 842, "y"],
    ]


def test_three_columns_of_numbers(read):
    reading = read("triples.txt", "1 1 1\n1 2 2\n2 1 1\n2 2 1\n3 1 2\n")
    assert len(reading.crowd.tasks) == 3
    assert "taken as task, annotator, label (format=matrix" in reading.about
    assert read("matrix.txt", "0 1 -1\n-1 1 1\n0 0 1\n").crowd.annotators.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="format=matrix, or format=long and header=False"):
        read("either.txt", "0 1 1\n1 0 1\n1 1 0\n")
    assert len(read("either.txt", "0 1 1\n1 0 1\n1 1 0\n", format="matrix").crowd.label) == 9


def test_rs_na_in_a_wide_table_is_no_answer(read):
    reading = read("r.csv", '"","task","ann","bob"\n"1","t1","cat",NA\n"2","t2","dog","dog"\n')
    assert rows(reading) == [["t1", "ann", "cat"], ["t2", "ann", "dog"], ["t2", "bob", "dog"]]
    assert "1 x 'NA' taken as no answer" in reading.about
    assert "first column, which has no name, is left out" in reading.about
    kept = read("r.csv", "task,ann,bob\nt1,cat,NA\n", missing=["-1"])
    assert kept.crowd.classes.tolist() == ["NA", "cat"]


def test_a_column_of_texts_is_no_annotator(read):
    table = "task,text,ann,bob\n1,Great phone,pos,pos\n2,Broke at once,neg,pos\n3,It is fine,pos,pos\n"
    reading = read("a.csv", table)
    assert (reading.crowd.annotators.tolist(), reading.crowd.classes.tolist()) == (["ann", "bob"], ["neg", "pos"])
    assert "column 'text' left out" in reading.about
    assert read("a.csv", table, annotators=["text", "ann"]).crowd.annotators.tolist() == ["text", "ann"]
    digits = read("b.csv", "task,price,ann,bob\n1,12.5,0,1\n2,30.5,0,0\n3,70.5,10,10\n4,80.25,1,1\n")
    assert digits.crowd.classes.tolist() == [0, 1, 10]


def test_a_column_that_may_be_an_annotators_is_asked_for(read):
    table = "task,source,ann,bob\n1,web,pos,neg\n2,app,pos,pos\n3,web,neg,neg\n4,app,neg,neg\n"
    with pytest.raises(ValueError, match=r"column 'source' .* are in no other column"):
        read("a.csv", table)
    assert len(read("a.csv", table, annotators=["ann", "bob"]).crowd.label) == 8


def test_the_truth_beside_the_answers(read):
    reading = read("a.csv", "task,annotator,label,gold\n1,a,x,x\n1,b,y,x\n2,a,y,y\n")
    assert reading.true_labels.to_dict() == {1: "x", 2: "y"}
    assert "the truth of 2 tasks in column 'gold'" in reading.about
    wide = read("w.csv", "task,gold,ann,bob\n1,x,x,y\n2,,y,y\n")
    assert (wide.true_labels.to_dict(), wide.crowd.annotators.tolist()) == ({1: "x"}, ["ann", "bob"])
    named = read("a.csv", "task,annotator,label,right\n1,a,x,x\n", truth_column="right")
    assert named.true_labels.to_dict() == {1: "x"}
    with pytest.raises(ValueError, match="task 1 has several true labels"):
        read("a.csv", "task,annotator,label,right\n1,a,x,x\n1,b,x,y\n", truth_column="right")
    assert read("a.csv", "task,annotator,label,gold\n1,a,x,x\n1,b,x,y\n").true_labels is None


def test_repeated_answers_in_a_file(read):
    table = "id,annotator,mood,updated_at\n1,2,pos,2024-05-02T10:00:00Z\n1,2,neg,2024-05-01T10:00:00Z\n2,2,pos,\n"
    reading = read("a.csv", table, label_column="mood")
    assert rows(reading) == [[1, 2, "pos"], [2, 2, "pos"]]
    assert (
        "1 answer of annotators who answered a task more than once set aside: the latest counts, by 'updated_at'"
        in (reading.about)
    )
    assert read("a.csv", table, label_column="mood", repeated="all").crowd.counts.tolist() == [[1, 1], [0, 1]]
    assert rows(read("a.csv", table, label_column="mood", repeated="first"))[0] == [1, 2, "neg"]
    by_row = read("a.csv", table.replace("updated_at", "note"), label_column="mood")
    assert rows(by_row)[0] == [1, 2, "neg"]
    assert "the latest counts, the later row" in by_row.about
    with pytest.raises(ValueError, match="line 2 and line 3: annotator 2 answered task 1 more than once"):
        read("a.csv", table, label_column="mood", repeated="error")
    with pytest.raises(ValueError, match="column 'mood': a value is no time"):
        read("a.csv", table, label_column="mood", time_column="mood")


def test_label_studios_csv_is_asked_which_column_has_the_answers(read):
    table = "annotation_id,annotator,id,label,lead_time,mood\n7,2,1,old,1.2,pos\n8,,1,old,1.2,neg\n9,,1,old,1.2,neg\n"
    with pytest.raises(ValueError, match=r"seems to be Label Studio's CSV .* Name it with label_column="):
        read("a.csv", table)
    reading = read("a.csv", table, label_column="mood")
    assert len(reading.crowd.annotators) == 3
    assert "2 answers do not say who gave them" in reading.about


def test_classes_that_differ_in_case_only_are_pointed_out(read):
    assert "'Cat' and 'cat' differ only in case" in read("a.csv", "task,annotator,label\n1,a,cat\n1,b,Cat\n").about


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zip"])
@pytest.mark.parametrize("kind", [".csv", ".json"])
def test_a_file_that_was_cut_off_is_named(tmp_path, read, ending, kind):
    content = (LONG * 300).encode() if kind == ".csv" else json.dumps(ROWS * 300).encode()
    packed = tmp_path / f"packed{ending}"
    if ending == ".zip":
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("a", content)
        content = packed.read_bytes()
    else:
        content = {".gz": gzip, ".bz2": bz2, ".xz": lzma}[ending].compress(content)
    with pytest.raises(ValueError, match=rf"cut{kind}\{ending} is cut off or damaged"):
        read(f"cut{kind}{ending}", content[:50])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("book.csv", b"PK\x03\x04\x14\0", "an Excel workbook"),
        ("packed.csv", gzip.compress(LONG.encode(), mtime=0), "compressed with gzip, which its name does not say"),
        ("values.json", json.dumps(ROWS), "without names of columns"),
        ("broken.jsonl", '{"task": 1}\n{"task": ', r"broken\.jsonl, line 2, is not JSON"),
        ("several.json", '[{"task": 1, "worker": 2, "label": {"x": "y"}}]', "a value of several parts"),
        ("twice.csv", "task,annotator,label,label\n1,a,x,y\n", "several columns 'label'"),
        ("a.csv", "task,annotator,label\n1,a,x\n", None),
    ],
)
def test_what_cannot_be_read_says_what_it_is(read, name, content, words):
    if words is None:
        assert read(name, content).about.endswith("1 class")
        return
    with pytest.raises(ValueError, match=words):
        read(name, content)


CROWD = Crowd.from_wide([["x", "y"], ["y", "y"]])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("task,truth\n0,X\n1,Y\n", "differ only in case or blanks, as 'X' and 'x'"),
        ("task,truth\n0,ham\n1,spam\n", r"none of its labels \('ham', 'spam'\) is a class of the answers"),
        ("task,truth\n0,x\n0,y\n", "task 0 occurs more than once"),
        ("0,x\n1,y\n", "put a line of names, such as task,truth, before it"),
    ],
)
def test_a_truth_that_does_not_fit_is_refused(tmp_path, text, words):
    (tmp_path / "truth.csv").write_text(text)
    with pytest.raises(ValueError, match=words):
        read_truth(tmp_path / "truth.csv", CROWD)


def test_the_truth_is_found_under_the_names_of_the_answers(tmp_path):
    (tmp_path / "truth.csv").write_text("url,id,gold\n0,7,x\n0,7,x\n1,8,NA\n")
    assert read_truth(tmp_path / "truth.csv", CROWD, like="url").to_dict() == {0: "x"}
    (tmp_path / "truth.csv").write_text("photo,gold\n0,x\n")
    assert read_truth(tmp_path / "truth.csv", CROWD).to_dict() == {0: "x"}


@pytest.mark.parametrize("reader", [read_probabilities, read_features])
def test_numbers_without_rows_are_refused(tmp_path, reader):
    (tmp_path / "p.csv").write_text("task,x,y\n")
    with pytest.raises(ValueError, match="has no rows, only the names of its columns"):
        reader(tmp_path / "p.csv", CROWD)


def test_decimal_commas_are_read(tmp_path):
    (tmp_path / "p.csv").write_text("task;x;y\n0;0,25;0,75\n1;1;0\n")
    assert np.array_equal(read_probabilities(tmp_path / "p.csv", CROWD).to_numpy(), [[0.25, 0.75], [1, 0]])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_read(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes("task,annotator,label\n1,a,cat\n1,b,dog\n".encode(encoding))
    assert read_crowd(path).crowd.classes.tolist() == ["cat", "dog"]


@pytest.mark.parametrize("other", ["caf\u00e9\u00a0", "cafe\u0301", "caf\u00e9\u200b", "Caf\u00e9"])
def test_classes_that_look_the_same_are_pointed_out(read, other):
    about = read("a.csv", f"task,annotator,label\n1,a,caf\u00e9\n1,b,{other}\n").about
    assert "differ only in case or blanks, or in signs of one look" in about
    one, two = about.split("the classes ")[1].split(" differ")[0].split(" and ")
    assert one != two


def test_the_text_of_a_table_with_one_annotator_is_no_second_one(read):
    reading = read("a.csv", "task,text,ann\n1,some words,cat\n2,others,dog\n3,more,cat\n")
    assert reading.crowd.annotators.tolist() == ["ann"]
    assert "'text' left out: what annotators saw" in reading.about


def test_annotators_may_be_dates(tmp_path):
    frame = pd.DataFrame(
        {"task": [1, 1], "annotator": pd.to_datetime(["2024-01-01", "2024-01-02"]), "label": ["x", "y"]}
    )
    frame.to_parquet(tmp_path / "a.parquet")
    assert len(read_crowd(tmp_path / "a.parquet").crowd.annotators) == 2
