"""Tables with a row for each region."""

import pandas as pd
import pytest

from crowdcore.formats import read_crowd, read_regions, read_true_regions
from crowdcore.formats.region_tables import row_of
from crowdcore.kinds import Box, KeyPoint, Polygon, Region, Span, regions

SPANS = "task,annotator,start,end,label\n7,ann,0,3,PER\n7,ann,8,11,LOC\n7,bob,0,3,PER\n8,ann,,,\n"


@pytest.fixture
def written(tmp_path):
    def write(name, content):
        (tmp_path / name).write_text(content)
        return tmp_path / name

    return write


def marked(table):
    return [[(one.place, one.label) for one in answer] for answer in table.values]


def test_rows_of_one_annotator_and_task_are_one_answer(written):
    table = read_regions(written("a.csv", SPANS))
    assert table.tasks.tolist() == [7, 8]
    assert marked(table) == [[(Span(0, 3), "PER"), (Span(8, 11), "LOC")], [(Span(0, 3), "PER")], []]
    assert regions(table).consensus[0][0].label == "PER"


def test_a_crowd_of_regions_says_what_they_are(written):
    reading = read_crowd(written("a.csv", SPANS))
    assert "a table of regions (task, annotator, start, end, label) with 3 answers" in reading.about
    codes = reading.crowd.label.tolist()
    assert [len(reading.values[code]) for code in codes] == [2, 1, 0]


@pytest.mark.parametrize(
    ("header", "row", "place"),
    [
        ("x,y,width,height", "1,2,3,4", Box(1, 2, 3, 4)),
        ("X,Y,W,H,rotation", "1,2,3,4,15", Box(1, 2, 3, 4, 15)),
        ("xmin,ymin,xmax,ymax", "1,2,4,6", Box(1, 2, 3, 4)),
        ("x1,y1,x2,y2", "1,2,4,6", Box(1, 2, 3, 4)),
        ("start_offset,end_offset", "5,9", Span(5, 9)),
        ("points", '"[[0, 0], [4, 0], [4, 4]]"', Polygon(((0, 0), (4, 0), (4, 4)))),
    ],
)
def test_places_by_the_names_of_their_columns(written, header, row, place):
    path = written("a.csv", f"task,annotator,{header}\n1,ann,{row}\n")
    assert marked(read_regions(path)) == [[(place, None)]]


def test_parquet_is_the_same(tmp_path):
    frame = pd.DataFrame(
        {"task": [1, 1], "annotator": ["a", "b"], "start": [0, 2], "end": [3, 4], "label": ["X", None]}
    )
    frame.to_parquet(tmp_path / "a.parquet")
    assert marked(read_regions(tmp_path / "a.parquet")) == [[(Span(0, 3), "X")], [(Span(2, 4), None)]]


def test_times_of_work_are_no_spans(written):
    path = written("a.csv", "task,annotator,label,start,end\n1,ann,cat,2024-01-01 10:00,2024-01-01 10:01\n")
    assert read_crowd(path).values == ()
    assert read_crowd(path).crowd.classes.tolist() == ["cat"]


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        ("start,end", "17000000{task}0,17000000{task}5"),  # seconds since 1970
        ("x,y,width,height", "{task},2,640,480"),  # where the picture was cut out
        ("xmin,ymin,xmax,ymax", "{task},2,30,40"),
        ("points", "10"),  # what was paid
    ],
)
def test_columns_beside_labels_that_are_no_places(written, columns, cells):
    rows = [(task, who, "cat" if (task + at) % 3 else "dog") for task in range(6) for at, who in enumerate("abc")]
    text = "".join(f"{task},{who},{label},{cells.format(task=task)}\n" for task, who, label in rows)
    found = read_crowd(written("a.csv", f"task,annotator,label,{columns}\n{text}"))
    assert found.values == ()
    assert found.crowd.classes.tolist() == ["cat", "dog"]


def test_annotators_who_agree_where_a_span_is_marked_it_all_the_same(written):
    rows = [(task, who, task, task + 4 + (who == "c" and task == 5)) for task in range(6) for who in "abc"]
    text = "".join(f"{task},{who},{'PER' if who == 'a' else 'ORG'},{start},{end}\n" for task, who, start, end in rows)
    assert read_crowd(written("a.csv", f"task,annotator,label,start,end\n{text}")).values


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("task,annotator,start,end\n1,ann,0,\n", "row 2: of its place, only 1 of 2 numbers are there"),
        ("task,annotator,start,end\n1,ann,5,3\n", "row 2: .*start at most end"),
        ("task,annotator,start,end\n1,,0,3\n", "row 2: the region has no value in 'task' and 'annotator'"),
        ("task,annotator,points\n1,ann,here\n", "row 2: the points are 'here'"),
        ("task,annotator,label\n1,ann,x\n", "do not say where regions are"),
    ],
)
def test_what_is_no_region_is_named_with_its_row(written, content, said):
    with pytest.raises(ValueError, match=said):
        read_regions(written("a.csv", content))


def test_the_truth_needs_no_annotator(written):
    found = read_true_regions(written("t.csv", "task,start,end,label\n7,0,3,PER\n7,8,11,LOC\n8,,,\n"))
    assert {task: len(there) for task, there in found.items()} == {7: 2, 8: 0}


def test_a_place_without_columns_has_no_row():
    with pytest.raises(TypeError, match="KeyPoint has no row"):
        row_of(Region(KeyPoint(1, 2, 10)))
