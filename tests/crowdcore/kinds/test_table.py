"""The table of answers that are not one class."""

import numpy as np
import pandas as pd
import pytest

from crowdcore.kinds import AnswerTable, texts


def frame(rows):
    return pd.DataFrame(rows, columns=["task", "annotator", "answer"])


def test_an_answer_that_is_missing_is_none_but_its_task_and_annotator_are_known():
    table = AnswerTable.from_long(frame([("a", "x", 1.0), ("b", "y", np.nan), ("a", "z", 3.0)]))
    assert table.tasks.tolist() == ["a", "b"]
    assert table.annotators.tolist() == ["x", "y", "z"]
    assert (table.values.tolist(), table.num_answers.tolist()) == ([1.0, 3.0], [2, 0])


def test_an_empty_set_is_an_answer():
    table = AnswerTable.from_long(frame([("a", "x", []), ("a", "y", None), ("a", "z", ["cat"])]))
    assert table.values.tolist() == [[], ["cat"]]


@pytest.mark.parametrize("answers", [[1, 2.5, 4], [{"a"}, set(), {"b"}], ["one", "two", "three"], [True, False, True]])
def test_rows_in_any_order_make_the_same_table_and_to_long_gives_them_back(answers):
    rows = list(zip(["a", "a", "b"], ["x", "y", "x"], answers, strict=True))
    tables = [AnswerTable.from_long(frame(rows)), AnswerTable.from_long(frame(rows[::-1]))]
    tables.append(AnswerTable.from_long(tables[0].to_long()))
    given = [answers[i] for i in (2, 0, 1)]
    tables.append(AnswerTable.from_codes([1, 0, 0], [0, 0, 1], given, tasks="ab", annotators="xy"))
    for table in tables:
        assert table.values.tolist() == answers
        assert table.task.tolist() == [0, 0, 1]
        assert table.annotators[table.annotator].tolist() == ["x", "y", "x"]


def test_no_answers_at_all_are_a_table():
    table = AnswerTable.from_codes([], [], [], tasks=["a", "b"], annotators=["x"])
    assert (len(table.values), table.num_answers.tolist(), table.compared.tolist()) == (0, [0, 0], [False])
    empty = AnswerTable.from_long(frame([]).astype(object), tasks=["a"], annotators=["x"])
    assert empty.num_answers.tolist() == [0]


def test_ids_that_are_given_keep_their_order():
    table = AnswerTable.from_long(frame([("a", "x", 1)]), tasks=["b", "a"], annotators=["y", "x"])
    assert (table.tasks.tolist(), table.num_answers.tolist(), table.annotator.tolist()) == (["b", "a"], [0, 1], [1])


@pytest.mark.parametrize(
    ("rows", "options", "told"),
    [
        ([("a", "x", 1)], {"answer": "value"}, r"no column 'value'; its columns are .* answer="),
        ([("a", "x", 1)], {"task": "item"}, "item"),
        ([("a", "x", 1)], {"tasks": ["b"]}, "'a'"),
        ([(None, "x", 1)], {}, "task"),
        ([("a", "x", 1), ("a", "x", 2)], {"repeated": "error"}, "'a'"),
        ([("a", "x", 1), ("a", "x", 1)], {"repeated": "error"}, "'a'"),
        ([("a", "x", 1), ("a", "x", 1)], {"repeated": "error"}, "Annotator 'x' answered task 'a' more than once"),
        ([("a", "x", 1)], {"repeated": "all"}, "'latest', 'first' and 'error'"),
        ([("a", "x", 1)], {"task": "annotator"}, "are three different ones"),
    ],
)
def test_what_is_wrong_is_said(rows, options, told):
    with pytest.raises(ValueError, match=told):
        AnswerTable.from_long(frame(rows), **options)


def test_a_column_that_is_there_twice_and_what_is_no_frame_are_named():
    twice = frame([("a", "x", 1)])
    twice.insert(3, "answer", [2], allow_duplicates=True)
    with pytest.raises(ValueError, match="2 columns 'answer'"):
        AnswerTable.from_long(twice)
    with pytest.raises(TypeError, match=r"Found a dict; .* pandas.DataFrame"):
        AnswerTable.from_long({"task": ["a"], "annotator": ["x"], "answer": [1]})


def test_a_frame_of_polars_is_read():
    polars = pytest.importorskip("polars")
    rows = {"task": ["a", "a"], "annotator": ["x", "y"], "answer": [1.5, 2.0]}
    assert AnswerTable.from_long(polars.DataFrame(rows)).values.tolist() == [1.5, 2.0]


def test_half_a_character_has_its_place_in_frames():
    half = "smile \ud83d"
    table = AnswerTable.from_codes([0, 0], [0, 1], [half, half], tasks=[half], annotators=["x", "y"])
    assert table.to_long()["answer"].tolist() == [half, half]
    assert texts(table).to_frame()["consensus"].to_dict() == {half: half}


def test_of_repeated_answers_the_latest_counts_and_it_is_said():
    rows = frame([("a", "x", {"cat"}), ("a", "x", {"dog"})])
    with pytest.warns(UserWarning, match="Annotator 'x' answered task 'a' more than once .* 1 earlier answers"):
        assert AnswerTable.from_long(rows).values.tolist() == [{"dog"}]
    assert AnswerTable.from_long(rows, repeated="first").values.tolist() == [{"cat"}]


def test_codes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="task"):
        AnswerTable.from_codes([2], [0], [1.0], tasks="ab", annotators="x")
    with pytest.raises(ValueError, match="annotator"):
        AnswerTable.from_codes([0, 1], [0, 0], [1.0], tasks="ab", annotators="x")


def test_a_table_cannot_be_changed_by_accident():
    table = AnswerTable.from_codes([0], [0], [1.0], tasks="a", annotators="x")
    with pytest.raises(ValueError, match="read-only"):
        table.values[0] = 2
