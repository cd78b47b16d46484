"""Long and wide tables: what is written is read again, what is wrong is named with its line."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdcore import Crowd
from crowdcore.formats import read_crowd, read_long, read_wide, write_crowd, write_long, write_wide

characters = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], include_characters="\n\t")
words = st.text(characters, min_size=1, max_size=5)


def is_word(text: str) -> bool:
    """Return whether a text stays text: no number, no missing value."""
    try:
        float(text)
    except ValueError:
        return text not in ("nan", "NaN", "<NA>", "NA", "N/A", "#N/A", "null", "NULL", "None")
    return False


ids = st.one_of(
    st.lists(st.integers(0, 2**60), unique=True, min_size=1, max_size=6),
    st.lists(words.filter(is_word), unique=True, min_size=1, max_size=6),
)


@st.composite
def crowds(draw):
    """Draw a crowd in which somebody chose every class; tasks and annotators may be idle."""
    tasks, annotators, classes = (draw(ids) for _ in range(3))
    cells = st.lists(
        st.tuples(*(st.integers(0, len(some) - 1) for some in (tasks, annotators))), unique=True, max_size=20
    )
    cells = draw(cells)
    labels = [draw(st.integers(0, len(classes) - 1)) for _ in cells]
    used = sorted(set(labels))
    return Crowd.from_codes(
        [task for task, _ in cells],
        [who for _, who in cells],
        [used.index(label) for label in labels],
        tasks=sorted(tasks),
        annotators=sorted(annotators),
        classes=sorted(classes[label] for label in used) if used else [],
    )


def same(one: Crowd, two: Crowd) -> bool:
    """Return whether two crowds have the same ids and answers."""
    lists = ("tasks", "annotators", "classes")
    return all(getattr(one, name).tolist() == getattr(two, name).tolist() for name in lists) and all(
        np.array_equal(getattr(one, name), getattr(two, name)) for name in ("indptr", "annotator", "label")
    )


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".csv.gz", ".parquet"])
@given(crowd=crowds())
def test_a_long_table_is_read_as_it_was_written(tmp_path_factory, ending, crowd):
    if ending == ".parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed, so there is no Parquet")
    path = tmp_path_factory.mktemp("long") / f"answers{ending}"
    assert same(read_long(write_long(crowd, path)), crowd)


@given(crowd=crowds())
def test_a_wide_table_is_read_as_it_was_written(tmp_path_factory, crowd):
    path = tmp_path_factory.mktemp("wide") / "answers.csv"
    assert same(read_wide(write_wide(crowd, path)), crowd)


@pytest.fixture
def file(tmp_path):
    """Write a file: file(text, name="answers.csv") -> its path."""

    def write(text: str, name: str = "answers.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("names", ["task,annotator,label", "Question,worker,answer", "task_id,worker-id,label"])
def test_columns_and_separators_are_found(file, names, separator):
    text = f"{names}\n1,ann,a b\n2,bob,c\n".replace(",", separator)
    assert read_crowd(file(text)).crowd.to_long().values.tolist() == [[1, "ann", "a b"], [2, "bob", "c"]]


def test_other_columns_stay_out_and_may_be_broken_text(file):
    crowd = read_long(file('text,task,annotator,label\n"a, ""b""\nc",1,7,x\n"",2,7,y\n'))
    assert crowd.to_long().values.tolist() == [[1, 7, "x"], [2, 7, "y"]]


def test_ids_with_leading_zeros_stay_apart(file):
    assert read_long(file("task,annotator,label\n01,1,a\n1,1,b\n")).tasks.tolist() == ["01", "1"]


def test_labels_that_pandas_wrote_as_floats_are_whole_numbers(file):
    assert read_long(file("task,annotator,label\n1,1,0.0\n1,2,3.0\n2,1,\n")).classes.tolist() == [0, 3]


def test_words_for_nothing_are_no_answers_and_may_be_classes(file):
    path = file("task,annotator,label\n1,1,NA\n2,1,None\n3,1,null\n4,1,nan\n5,1,\n")
    reading = read_crowd(path)
    assert reading.crowd.num_answers.tolist() == [0, 1, 0, 0, 0]
    for told in ("1 x 'NA' taken as no answer", "1 x 'null' taken as no answer", "'None' is taken as a class"):
        assert told in reading.about
    assert read_crowd(path, missing=[""]).crowd.classes.tolist() == ["NA", "None", "null"]
    assert read_crowd(path, missing=["None"]).crowd.classes.tolist() == ["NA", "null"]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    path = tmp_path / "excel.csv"
    path.write_bytes(b"\xef\xbb\xbftask;annotator;label\r\n1;1;a\r\n")
    assert len(read_long(path).label) == 1


def test_a_compressed_table_is_read(tmp_path):
    path = tmp_path / "answers.csv.gz"
    path.write_bytes(gzip.compress(b"task,annotator,label\n1,1,a\n"))
    assert read_crowd(path).crowd.classes.tolist() == ["a"]


def test_whole_numbers_with_gaps_in_parquet_are_ids(tmp_path):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed, so there is no Parquet")
    frame = pd.DataFrame({"task": [2**60 + 1, 3], "worker": ["b", "a"], "answer": [1.0, np.nan]})
    frame.to_parquet(tmp_path / "answers.parquet")
    crowd = read_crowd(tmp_path / "answers.parquet").crowd
    assert (crowd.tasks.tolist(), crowd.annotators.tolist(), crowd.classes.tolist()) == (
        [3, 2**60 + 1],
        ["a", "b"],
        [1],
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["is empty"]),
        ("task,annotator,label\n1,1,a\n2,1,b,c\n", ["line 3", "quotes"]),
        ("text,task,annotator,label\nwell, then,1,1,a\nno,2,1,a\n", ["have more cells", "quotes"]),
        ("task,annotator,label\n1,1,a\n2,,b\n", ["line 3", "no annotator", "'annotator'", "fill"]),
        ("task,annotator,label\n1,1,a\n\n,1,b\n", ["line 4", "no task"]),
        ("task,annotator,label\n1,1,a\n2,1,b\n1,1,b\n", ["line 2 and line 4", "annotator 1", "task 1", "latest"]),
        ("task,annotator,verdict\n1,1,a\n", ["no column for the label", "'verdict'", "label_column="]),
        ("task,question,worker,label\n1,1,1,a\n", ["several columns", "'task', 'question'", "task_column="]),
        ("item_code,text\n1,a\n", ["neither those of a long table", "'item_code'", "task_column="]),
    ],
)
def test_what_is_wrong_with_a_table_is_said(file, text, words):
    path = file(text)
    with pytest.raises(ValueError, match=r"answers\.csv") as raised:
        read_crowd(path, repeated="error")
    for word in words:
        assert word in str(raised.value)


def test_a_label_that_is_not_allowed_is_named_with_its_line(file):
    with pytest.raises(ValueError, match="line 3: found label 'c'; allowed are the 2 classes"):
        read_long(file("task,annotator,label\n1,1,a\n2,1,c\n"), classes=["a", "b"])


def test_text_that_is_not_utf_8_is_refused(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes("task,annotator,label\n1,1,Käse\n".encode("latin-1"))
    with pytest.raises(ValueError, match="UTF-8"):
        read_long(path)


def test_a_wide_table_says_which_cell_is_wrong(file):
    path = file("task,ann,bob\n1,a,\n2,-1,z\n")
    assert read_crowd(path).crowd.to_long().values.tolist() == [[1, "ann", "a"], [2, "bob", "z"]]
    with pytest.raises(ValueError, match="task '2', annotator 'bob': found label 'z'"):
        read_wide(path, classes=["a"])
    with pytest.raises(ValueError, match=r"1 is listed 2 times in column 'task' of"):
        read_wide(file("task,ann\n1,a\n1,b\n"))
    with pytest.raises(ValueError, match=r"'ann' is listed 2 times in the first line of"):
        read_wide(file("task,ann,ann\n1,a,b\n"))
    with pytest.raises(ValueError, match="line 3: the first cell is empty"):
        read_wide(file("task,ann\n1,a\n,b\n"))


def test_a_wide_table_is_read_in_blocks(file, monkeypatch):
    rng = np.random.default_rng(0)
    crowd = Crowd.from_wide(rng.integers(-1, 3, size=(50, 4)))
    path = file("")
    monkeypatch.setattr("crowdcore.formats.wide_tables._CELLS", 30)
    assert same(read_wide(write_wide(crowd, path)), crowd)


def test_a_matrix_is_read(file):
    crowd = read_crowd(file("0 2 -1\n-1 1 1\n", "answers.txt")).crowd
    assert crowd.to_long().values.tolist() == [[0, 0, 0], [0, 1, 2], [1, 1, 1], [1, 2, 1]]
    for text in ("0 1\n2\n", "a b\n", "0.5 1\n"):
        with pytest.raises(ValueError, match="not a matrix of class codes"):
            read_crowd(file(text, "answers.txt"))
    with pytest.raises(ValueError, match="is empty"):
        read_crowd(file("\n", "answers.txt"))


def test_a_label_of_minus_one_in_a_long_table_is_a_class_and_said(file):
    reading = read_crowd(file("task,annotator,label\n1,a,-1\n1,b,2\n"))
    assert reading.crowd.classes.tolist() == [-1, 2]
    assert "one of which is -1" in reading.about


def test_a_wide_table_is_written_as_its_ending_says(tmp_path):
    crowd = Crowd.from_wide([[0, 1], [1, -1]])
    assert write_crowd(crowd, tmp_path / "a.tsv", "wide").read_text().splitlines()[0] == "task\t0\t1"
    with pytest.raises(ValueError, match="cannot write 'wide'"):
        write_crowd(crowd, tmp_path / "a.parquet", "wide")
    assert not (tmp_path / "a.parquet").exists()


def test_a_path_says_what_is_written(tmp_path):
    crowd = Crowd.from_wide([[0, 1]])
    about = read_crowd(write_crowd(crowd, tmp_path / "a.csv", "wide")).about
    assert "a.csv: a wide table" in about
    assert about.endswith("with 2 answers of 2 annotators to 1 task, 2 classes")
    with pytest.raises(ValueError, match=r"cannot write '\.xlsx'"):
        write_crowd(crowd, tmp_path / "a.xlsx")
    with pytest.raises(ValueError, match="the format is not known from the ending"):
        read_crowd(Path(__file__))
    with pytest.raises(ValueError, match="does not exist"):
        read_crowd(tmp_path / "nowhere.csv")
    with pytest.raises(ValueError, match="format is 'tall'"):
        read_crowd(tmp_path / "a.csv", "tall")
    with pytest.raises(ValueError, match="no columns to name: leave out label_column="):
        read_crowd(tmp_path / "a.csv", "wide", label_column="label")
