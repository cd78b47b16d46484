"""Truth, probabilities and features: by task, in any order, or in the crowd's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdcore import Crowd
from crowdcore.formats import add_classes, read_features, read_probabilities, read_truth, truth_codes

PETS = Crowd.from_wide(pd.DataFrame([["cat", "dog"], ["cat", None], ["dog", "dog"]], index=[10, 20, 30]))


@pytest.fixture
def file(tmp_path):
    """Write a file: file(text or array, name) -> its path."""

    def write(content, name="table.csv"):
        path = tmp_path / name
        np.save(path, content) if name.endswith(".npy") else path.write_text(content)
        return path

    return write


@pytest.mark.parametrize("names", ["question,truth", "task,gold", "task,label", "id,ground_truth"])
def test_truth_is_by_task_and_only_what_is_known(file, names):
    truth = read_truth(file(f"{names}\n30,dog\n10,eel\n20,\n99,cat\n"), PETS)
    assert truth.to_dict() == {30: "dog", 10: "eel", 99: "cat"}
    with pytest.raises(ValueError, match="Task 10: the truth is 'eel'; the crowd's classes are"):
        truth_codes(PETS, truth)
    assert truth_codes(add_classes(PETS, truth), truth).tolist() == [2, -1, 1]


def test_a_truth_of_minus_one_is_not_known_unless_it_is_a_class(file):
    path = file("task,truth\n0,-1\n1,2\n")
    assert read_truth(path, Crowd.from_wide([[2, 3], [3, 2]])).to_dict() == {1: 2}
    assert read_truth(path, Crowd.from_wide([[2, -1], [-1, 2]], missing=None)).to_dict() == {0: -1, 1: 2}
    assert read_truth(file("task,truth\n10,-1\n20,cat\n"), PETS).to_dict() == {20: "cat"}


def test_of_a_table_of_labels_and_truth_the_truth_is_taken(file):
    assert read_truth(file("task,label,truth\n10,cat,dog\n"), PETS).to_dict() == {10: "dog"}


@pytest.mark.parametrize("content", [np.array([1, -1, 0]), np.array([1.0, np.nan, 0])])
def test_truth_in_order_is_of_codes_where_classes_are_words(file, content):
    assert read_truth(file(content, "truth.npy"), PETS).to_dict() == {10: "dog", 30: "cat"}


def test_truth_in_order_is_of_labels_where_classes_are_numbers(file):
    crowd = Crowd.from_wide([[5, 7], [5, -1]])
    assert read_truth(file("7\n5\n", "truth.txt"), crowd).to_dict() == {0: 7, 1: 5}


def test_numbers_are_matched_with_ids_that_are_text(file):
    crowd = Crowd.from_wide(pd.DataFrame([["1", "x"], ["x", "1"]], index=["1", "b"]))
    assert truth_codes(crowd, read_truth(file("task,truth\n1,1\n"), crowd)).tolist() == [0, -1]


def test_text_is_matched_with_ids_that_are_numbers(file):
    crowd = Crowd.from_wide([[0, 1], [1, 1]])
    assert read_truth(file("task,truth\n1,0\n0,spam\n"), crowd).to_dict() == {1: 0, 0: "spam"}


def test_further_classes_keep_the_order():
    assert add_classes(Crowd.from_wide([[2, 0]], classes=[2, 0]), [1]).classes.tolist() == [2, 0, 1]
    crowd = add_classes(PETS, ["bee"])
    assert crowd.classes.tolist() == ["bee", "cat", "dog"]
    assert crowd.to_long().equals(PETS.to_long())
    assert add_classes(PETS, ["cat"]) is PETS


@given(order=st.permutations([0, 1, 2]), columns=st.permutations(["cat", "dog", "eel"]))
def test_probabilities_are_put_in_order(tmp_path_factory, order, columns):
    frame = pd.DataFrame({"task": [10, 20, 30], "cat": [0.1, 0.2, 0.3], "dog": [0.9, 0.7, 0.5], "eel": [0.0, 0.1, 0.2]})
    path = tmp_path_factory.mktemp("p") / "p.csv"
    frame.iloc[order][["task", *columns]].to_csv(path, index=False)
    found = read_probabilities(path, PETS)
    assert found.index.tolist() == [10, 20, 30]
    assert set(found.columns) == {"cat", "dog", "eel"}
    assert found["cat"].tolist() == [0.1, 0.2, 0.3]


@pytest.mark.parametrize("index", [True, False])
def test_probabilities_in_parquet_have_their_tasks_as_index_or_column(tmp_path, index):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed, so there is no Parquet")
    frame = pd.DataFrame({"0": [0.1, 0.2], "1": [0.9, 0.8]}, index=pd.Index([1, 0], name="task" if index else None))
    (frame if index else frame.reset_index(names="task")).to_parquet(tmp_path / "p.parquet", index=index)
    found = read_probabilities(tmp_path / "p.parquet", Crowd.from_wide([[0, 1], [1, 1]]))
    assert found[0].tolist() == [0.2, 0.1]


def test_our_own_results_are_probabilities(file):
    text = "task,label,quality,cat,dog\n10,cat,.6,.6,.4\n20,cat,1,1,0\n30,dog,1,0,1\n"
    assert read_probabilities(file(text), PETS).to_numpy().tolist() == [[0.6, 0.4], [1, 0], [0, 1]]


def test_an_array_of_more_classes_than_were_chosen_is_of_codes(file):
    crowd = Crowd.from_wide([[0, 2]])
    assert read_probabilities(file(np.array([[0.2, 0.3, 0.5]]), "p.npy"), crowd).columns.tolist() == [0, 1, 2]


def test_features_are_of_the_crowds_tasks(file):
    assert read_features(file("task,a,b\n30,5,6\n20,3,4\n10,1,2\n99,0,0\n"), PETS).tolist() == [[1, 2], [3, 4], [5, 6]]
    assert read_features(file(np.eye(3), "f.npy"), PETS).shape == (3, 3)


@pytest.mark.parametrize(
    ("read", "content", "name", "message"),
    [
        (read_truth, "task,truth\n10,cat\n10,dog\n", "t.csv", "task 10 occurs more than once"),
        (read_truth, "task,truth\n1,cat\n", "t.csv", r"none of its 1 tasks \(1, ...\) is among the 3"),
        (read_truth, "task,what\n10,cat\n", "t.csv", "no column for the truth; .* truth_column="),
        (read_truth, np.zeros(2, int), "t.npy", r"shape \(2,\); expected 1 dimension and a row for each of the 3"),
        (read_truth, np.array([0, 1, 9]), "t.npy", "task 30: found 9; .* places 0 to 1"),
        (read_truth, "a\nb\nc\n", "t.txt", "not an array"),
        (read_probabilities, "task,cat\n10,1\n20,1\n30,1\n", "p.csv", "no column for class 'dog'"),
        (read_probabilities, "task,cat,dog\n10,1,0\n20,1,0\n", "p.csv", r"no row for task 30 \(1 of the crowd's 3"),
        (read_probabilities, "task,cat,dog\n10,1,0\n20,1,x\n30,1,0\n", "p.csv", "task 20, column 'dog': expected"),
        (read_probabilities, "task,cat,dog\n10,1,0\n,1,0\n30,1,0\n", "p.csv", "row 1 .* no task"),
        (read_probabilities, np.ones((3, 4)) / 4, "p.npy", "4 columns and the crowd 2 classes"),
        (read_features, "task\n10\n20\n30\n", "f.csv", "has only the column 'task'"),
        (read_features, np.ones(3), "f.npy", "expected 2 dimensions"),
    ],
)
def test_what_does_not_fit_is_said(file, read, content, name, message):
    path = file(content, name)
    with pytest.raises(ValueError, match=message) as raised:
        read(path, PETS)
    assert name in str(raised.value)
