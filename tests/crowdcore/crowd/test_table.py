import copy
import json
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdcore import Crowd

LONG = pd.DataFrame(
    {
        "task": ["t2", "t1", "t2", "t1"],
        "annotator": ["bob", "bob", "ann", "ann"],
        "label": ["dog", "cat", "cat", "cat"],
    }
)


def same(a: Crowd, b: Crowd) -> bool:
    names = ("tasks", "annotators", "classes", "indptr", "annotator", "label")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)


def test_answers_are_sorted_by_task_then_annotator():
    crowd = Crowd.from_long(LONG)
    assert crowd.tasks.tolist() == ["t1", "t2"]
    assert crowd.annotators.tolist() == ["ann", "bob"]
    assert crowd.classes.tolist() == ["cat", "dog"]
    assert crowd.indptr.tolist() == [0, 2, 4]
    assert crowd.task.tolist() == [0, 0, 1, 1]
    assert crowd.annotator.tolist() == [0, 1, 0, 1]
    assert crowd.label.tolist() == [0, 0, 0, 1]
    assert crowd.counts.tolist() == [[2, 0], [1, 1]]
    assert crowd.num_answers.tolist() == [2, 2]
    assert repr(crowd) == "Crowd(2 tasks, 2 annotators, 2 classes, 4 answers)"


def test_all_ways_in_give_the_same_crowd():
    ids = {"tasks": ["t1", "t2"], "annotators": ["ann", "bob"], "classes": ["cat", "dog"]}
    crowd = Crowd.from_long(LONG)
    wide = LONG.pivot(index="task", columns="annotator", values="label")
    answers = {"t2": {"bob": "dog", "ann": "cat"}, "t1": {"bob": "cat", "ann": "cat"}}
    assert same(crowd, Crowd.from_codes([1, 0, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0], **ids))
    assert same(crowd, Crowd.from_wide(wide))
    assert same(crowd, Crowd.from_answers_json(answers))
    assert same(crowd, Crowd.from_long(LONG.sample(frac=1, random_state=1)))
    assert same(crowd, Crowd.from_long(LONG.astype("category")))


answers = st.dictionaries(
    st.tuples(st.integers(-200, 200), st.integers(0, 9)), st.one_of(st.none(), st.integers(0, 4)), max_size=60
)
AS_TEXT = ["object", "category", "string", "string[python]"]
AS_NUMBERS = ["int16", "int64", "uint8", "float64", "object", "category", "Int32"]


def frame_of(said, order):
    rows = [(task, annotator, label) for (task, annotator), label in said.items()]
    return pd.DataFrame([rows[at] for at in order], columns=["task", "annotator", "label"], dtype=object)


def expected(said, name=lambda number: number):
    """The crowd of answers task, annotator -> label, put together in plain Python."""
    tasks, annotators = (sorted({name(key[at]) for key in said}) for at in (0, 1))
    classes = sorted({name(label) for label in said.values() if label is not None})
    rows = sorted(
        (tasks.index(name(task)), annotators.index(name(annotator)), classes.index(name(label)))
        for (task, annotator), label in said.items()
        if label is not None
    )
    return tasks, annotators, classes, [list(row) for row in rows]


def content(crowd):
    rows = np.column_stack([crowd.task, crowd.annotator, crowd.label])
    return crowd.tasks.tolist(), crowd.annotators.tolist(), crowd.classes.tolist(), rows.tolist()


@given(said=answers, data=st.data())
def test_answers_in_any_order_and_of_any_type_of_text_are_one_crowd(said, data):
    frame = frame_of(said, data.draw(st.permutations(range(len(said)))))
    for name in frame:
        frame[name] = frame[name].map(str, na_action="ignore").astype(data.draw(st.sampled_from(AS_TEXT)))
    assert content(Crowd.from_long(frame)) == expected(said, str)


@given(said=answers, data=st.data())
def test_answers_in_any_order_and_of_any_type_of_number_are_one_crowd(said, data):
    said = {(abs(task), who): label for (task, who), label in said.items()}
    frame = frame_of(said, data.draw(st.permutations(range(len(said)))))
    whole = [name for name in frame if frame[name].notna().all()]
    for name in frame:
        types = AS_NUMBERS if name in whole else ["float64", "object", "category", "Int32"]
        frame[name] = frame[name].astype(data.draw(st.sampled_from(types)))
    assert content(Crowd.from_long(frame)) == expected(said)


def test_numbers_far_apart_are_ids_like_any_other():
    largest = np.iinfo(np.int64)
    frame = pd.DataFrame({"task": [largest.max, largest.min, 0], "annotator": 1, "label": [7, 7, 10**12]})
    crowd = Crowd.from_long(frame)
    assert crowd.tasks.tolist() == [largest.min, 0, largest.max]
    assert crowd.classes.tolist() == [7, 10**12]
    assert crowd.label.tolist() == [0, 1, 0]
    frame["task"] = np.array([2**64 - 1, 2**63, 5], dtype=np.uint64)
    assert Crowd.from_long(frame).tasks.tolist() == [5, 2**63, 2**64 - 1]


def test_categories_that_do_not_occur_are_no_ids():
    frame = LONG.apply(lambda column: column.astype(pd.CategoricalDtype(["zoe", *column.unique(), "adam"])))
    assert same(Crowd.from_long(frame), Crowd.from_long(LONG))


def test_columns_of_a_long_frame_can_have_other_names():
    other = LONG.rename(columns={"task": "question", "annotator": "worker", "label": "answer"})
    assert same(Crowd.from_long(LONG), Crowd.from_long(other, "question", "worker", "answer"))


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_label_is_no_answer_but_makes_its_task_and_annotator_known(missing):
    more = pd.DataFrame({"task": ["t3"], "annotator": ["eve"], "label": [missing]}, dtype=object)
    crowd = Crowd.from_long(pd.concat([LONG.astype(object), more]))
    assert crowd.tasks.tolist() == ["t1", "t2", "t3"]
    assert crowd.annotators.tolist() == ["ann", "bob", "eve"]
    assert crowd.num_answers.tolist() == [2, 2, 0]


def test_given_ids_are_the_universe_and_the_order():
    crowd = Crowd.from_long(
        LONG, tasks=["t9", "t2", "t1"], annotators=["eve", "bob", "ann"], classes=["dog", "cow", "cat"]
    )
    assert crowd.counts.tolist() == [[0, 0, 0], [1, 0, 1], [0, 0, 2]]
    assert crowd.annotator.tolist() == [1, 2, 1, 2]


def test_whole_numbers_that_became_floats_are_integers_again():
    frame = pd.DataFrame({"task": [1, 2, 3], "annotator": [0, 0, 0], "label": [2, 0, None]})
    assert Crowd.from_long(frame).classes.tolist() == [0, 2]
    assert Crowd.from_long(frame).classes.dtype == np.int64
    assert Crowd.from_long(frame, classes=[0, 1, 2]).label.tolist() == [2, 0]
    assert Crowd.from_wide(np.array([[1.0, np.nan], [0.0, 1.0]])).classes.tolist() == [0, 1]


def test_numbers_and_text_may_be_mixed():
    frame = pd.DataFrame({"task": [1, "1"], "annotator": ["a", "a"], "label": [True, "yes"]})
    crowd = Crowd.from_long(frame)
    assert crowd.tasks.tolist() == [1, "1"]
    assert crowd.classes.tolist() == [True, "yes"]


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_dates_are_ids(unit):
    days = np.array(["2020-01-02", "2020-01-01"], dtype=f"M8[{unit}]")
    frame = pd.DataFrame({"task": days, "annotator": ["ann", "ann"], "label": [1, 2]})
    assert [f"{day:%Y-%m-%d}" for day in Crowd.from_long(frame).tasks] == ["2020-01-01", "2020-01-02"]


def test_from_wide_knows_several_signs_for_no_answer():
    crowd = Crowd.from_wide(np.array([[0, -1, 1], [-1, -1, 1]]))
    assert crowd.num_answers.tolist() == [2, 1]
    assert Crowd.from_wide([["a", "", None], ["b", "a", np.nan]], missing="").num_answers.tolist() == [1, 2]
    assert Crowd.from_wide([[0, 9], [9, 1]], missing=9).num_answers.tolist() == [1, 1]
    frame = pd.DataFrame({"ann": [0, pd.NA], "bob": [1, 1]}, index=["x", "y"], dtype="Int64")
    crowd = Crowd.from_wide(frame)
    assert (crowd.tasks.tolist(), crowd.annotators.tolist()) == (["x", "y"], ["ann", "bob"])
    assert crowd.num_answers.tolist() == [2, 1]
    assert Crowd.from_wide(np.array([["a", "b"], ["b", "a"]])).classes.tolist() == ["a", "b"]


def test_from_answers_json_reads_a_file_and_makes_numbers_of_numeric_keys(tmp_path):
    path = tmp_path / "answers.json"
    path.write_text(json.dumps({"10": {"2": 0, "11": 1}, "9": {"2": 1}, "8": {"7": None}}))
    crowd = Crowd.from_answers_json(path)
    assert crowd.tasks.tolist() == [8, 9, 10]
    assert crowd.annotators.tolist() == [2, 7, 11]
    assert crowd.counts.tolist() == [[0, 0], [0, 1], [1, 1]]
    assert same(crowd, Crowd.from_answers_json(str(path), classes=[0, 1]))


def test_to_long_gives_back_what_came_in():
    crowd = Crowd.from_long(LONG)
    back = crowd.to_long()
    assert sorted(map(tuple, back.to_numpy())) == sorted(map(tuple, LONG.to_numpy()))
    assert same(crowd, Crowd.from_long(back))


def test_select_tasks_takes_a_mask_or_places():
    crowd = Crowd.from_wide([[0, 1, -1], [-1, -1, -1], [1, -1, 0]], classes=[0, 1])
    for which in ([True, False, True], [0, 2]):
        some = crowd.select_tasks(which)
        assert some.tasks.tolist() == [0, 2]
        assert some.counts.tolist() == [[1, 1], [1, 1]]
        assert some.annotator.tolist() == [0, 1, 0, 2]
    assert crowd.select_tasks([2, 0]).annotator.tolist() == [0, 2, 0, 1]
    assert len(crowd.select_tasks([]).label) == 0
    with pytest.raises(IndexError):
        crowd.select_tasks([True])
    with pytest.raises(ValueError, match="listed 2 times in tasks"):
        crowd.select_tasks([0, 0])


def test_a_crowd_does_not_change():
    label = np.array([0, 1])
    crowd = Crowd.from_codes([0, 1], [0, 0], label, tasks=[0, 1], annotators=[0], classes=[0, 1])
    label[0] = 1
    assert crowd.label.tolist() == [0, 1]
    for array in (crowd.label, crowd.annotator, crowd.indptr, crowd.counts, crowd.task, crowd.num_answers):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
    with pytest.raises(AttributeError):
        crowd.tasks = []


@pytest.mark.parametrize("again", [copy.deepcopy, lambda crowd: pickle.loads(pickle.dumps(crowd))])
def test_a_copied_or_pickled_crowd_does_not_change_either(again):
    crowd = Crowd.from_wide([["cat", None], ["dog", "cat"]])
    size = len(pickle.dumps(crowd))
    counts = crowd.counts
    assert len(pickle.dumps(crowd)) == size  # what is cached stays behind
    copied = again(crowd)
    assert copied.to_long().equals(crowd.to_long())
    assert np.array_equal(copied.counts, counts)
    for array in (copied.label, copied.tasks, copied.counts):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5


def test_an_empty_crowd_is_a_crowd():
    empty = Crowd.from_codes([], [], [], tasks=[], annotators=[], classes=["a"])
    assert empty.counts.shape == (0, 1)
    assert len(Crowd.from_long(LONG.iloc[:0]).tasks) == 0
    assert len(Crowd.from_answers_json({}).tasks) == 0
    assert Crowd.from_wide(np.empty((3, 0))).num_answers.tolist() == [0, 0, 0]
    assert len(Crowd.from_wide([]).tasks) == 0
    assert empty.to_long().columns.tolist() == ["task", "annotator", "label"]


IDS = {"tasks": ["t0", "t1"], "annotators": ["ann", "bob"], "classes": ["no", "yes"]}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: Crowd.from_codes([0, 1, 1], [0, 1, 1], [0, 0, 1], **IDS),
            ["'bob'", "'t1'", "more than once", "'no' and 'yes'", "keep the latest"],
        ),
        (
            lambda: Crowd.from_long(pd.concat([LONG, LONG.iloc[:1]]), repeated="error"),
            ["'bob'", "'t2'", "more than once", "keep the latest"],
        ),
        (
            lambda: Crowd.from_codes([1, 0, 1, 0], [1, 1, 0, 1], [0, 1, 0, 0], **IDS),
            ["'bob'", "'t0'", "'yes' and 'no'", "1 extra answers in total"],
        ),
        (lambda: Crowd.from_codes([0, 1], [0], [0, 1], **IDS), ["2 task codes", "1 annotator", "same length"]),
        (lambda: Crowd.from_codes([0], [0], [2], **IDS), ["Answer 0", "label code 2", "0 to 1"]),
        (lambda: Crowd.from_codes([0], [0], [-1], **IDS), ["label code -1", "Leave missing answers out"]),
        (lambda: Crowd.from_codes([2], [0], [0], **IDS), ["task code 2", "0 to 1"]),
        (lambda: Crowd.from_codes([0], [0.5], [0], **IDS), ["annotator codes", "float64", "from_long"]),
        (lambda: Crowd.from_codes([[0]], [[0]], [[0]], **IDS), ["2 dimensions", "one-dimensional"]),
        (
            lambda: Crowd.from_codes([0], [0], [0], **{**IDS, "classes": ["no", "no"]}),
            ["'no'", "2 times", "classes", "once"],
        ),
        (
            lambda: Crowd.from_long(LONG, classes=["cat"]),
            ["'t2'", "'bob'", "'dog'", "1 classes given", "'cat'", "classes="],
        ),
        (
            lambda: Crowd.from_long(LONG.assign(label=[None, "cat", "cow", "cow"]), classes=["cat"]),
            ["'t2'", "'ann'", "'cow'", "2 such answers"],
        ),
        (
            lambda: Crowd.from_long(LONG.assign(label=[None, *LONG["label"][1:]], task=["t2", "t1", None, "t1"])),
            ["Row 2", "no task"],
        ),
        (lambda: Crowd.from_long(LONG, tasks=["t1"]), ["'t2'", "tasks given", "tasks="]),
        (
            lambda: Crowd.from_long(pd.concat([LONG, LONG[["task"]]], axis=1)),
            ["several columns 'task'", "rename or drop"],
        ),
        (lambda: Crowd.from_wide(None), ["not two-dimensional", "row for each task"]),
        (lambda: Crowd.from_long(LONG, annotators=["ann"]), ["'bob'", "annotators given"]),
        (lambda: Crowd.from_long(LONG, task="id"), ["'id'", "its columns are", "task="]),
        (
            lambda: Crowd.from_long(LONG.assign(annotator=["bob", None, "ann", "ann"])),
            ["Row 1", "no annotator", "drop the row"],
        ),
        (lambda: Crowd.from_wide([[0, 1], [0]]), ["Row 1", "1 columns", "row 0 has 2"]),
        (lambda: Crowd.from_wide([0, 1]), ["not two-dimensional", "a column for each"]),
        (lambda: Crowd.from_wide(np.array([0, 1])), ["1 dimensions", "expected 2"]),
        (lambda: Crowd.from_wide([[0, 2]], classes=[0, 1]), ["task 0", "annotator 1", "label 2"]),
        (
            lambda: Crowd.from_wide(pd.DataFrame([[0], [1]], index=["x", "x"])),
            ["'x'", "2 times", "tasks"],
        ),
        (lambda: Crowd.from_answers_json({"0": 1}), ["'0'", "int", "annotator -> label"]),
        (lambda: Crowd.from_answers_json([{"0": 1}]), ["list", "expected"]),
    ],
)
def test_what_is_wrong_is_said(make, words):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the words are checked one by one
        make()
    for word in words:
        assert word.lower() in str(error.value).lower()


def test_frames_of_tasks_and_annotators_are_in_the_crowds_order():
    crowd = Crowd.from_wide(pd.DataFrame([["cat", "dog"], [None, "cat"]], index=[8, 7], columns=["bob", "ann"]))
    tasks = crowd.task_frame({"cat": [0.5, 1.0]}, label=["cat", "cat"])
    assert tasks.index.name == "task"
    assert tasks.to_dict() == {"cat": {8: 0.5, 7: 1.0}, "label": {8: "cat", 7: "cat"}}
    annotators = crowd.annotator_frame(skill=[0.2, 0.9])
    assert annotators.index.name == "annotator"
    assert annotators["skill"].to_dict() == {"bob": 0.2, "ann": 0.9}
