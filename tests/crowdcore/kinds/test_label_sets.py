"""The consensus of sets."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdcore.kinds import AnswerTable, label_sets
from crowdcore.kinds.expected_f1 import expected_f1
from tests.crowdcore.kinds.crowds import draw_sets, everybody, shuffled, table

law = settings(max_examples=30)
CLASSES = ["p", "q", "r"]


@st.composite
def sets(draw):
    """A table of sets of three classes, some of them missing."""
    N, M = draw(st.integers(1, 8)), draw(st.integers(1, 4))
    answer = st.none() | st.frozensets(st.sampled_from(CLASSES))
    return everybody([[draw(answer) for _ in range(M)] for _ in range(N)])


def f1(found, truth):
    return np.mean([2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0 for a, b in zip(found, truth, strict=True)])


@law
@given(sets(), st.integers(0, 99))
def test_the_order_of_rows_tasks_and_annotators_does_not_matter(answers, seed):
    again, tasks, annotators = shuffled(answers, seed)
    one, other = label_sets(answers, classes=CLASSES), label_sets(again, classes=CLASSES)
    assert np.allclose(one.probability[tasks], other.probability)
    assert np.allclose(one.quality[tasks], other.quality)
    assert np.allclose(one.annotators.quality[annotators], other.annotators.quality)
    assert np.allclose(one.annotators.more["recall"][annotators], other.annotators.more["recall"], equal_nan=True)


@law
@given(sets())
def test_everything_is_a_probability_and_the_consensus_what_is_likely(answers):
    result = label_sets(answers, classes=CLASSES)
    for values in (result.probability, result.quality, result.confidence, result.answer_quality,
                   result.annotators.quality, result.annotators.interval):  # fmt: skip
        assert ((values >= 0) & (values <= 1)).all()
    for chosen, row, n in zip(result.consensus, result.probability, answers.num_answers, strict=True):
        assert chosen == ({c for c, p in zip(CLASSES, row, strict=True) if p > 0.5 - 1e-9} if n else None)


@law
@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.floats(0, 1), st.floats(0, 1)), max_size=20),
)
def test_expected_f1_is_a_share(things):
    group, kept, right, share = (
        (np.array(column) for column in zip(*things, strict=True)) if things else [np.empty(0)] * 4
    )
    found = expected_f1(group.astype(int), kept.astype(bool), right * share, right, 4)
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("say", [frozenset("p"), frozenset()])
def test_one_more_who_agrees_never_lowers_a_classs_probability(say):
    """The parameters stay as they are: the task is one of many."""
    others = [
        [row[0], row[0] if i % 4 else row[1], row[2]] for i, row in enumerate([["p", "q", "p"], ["q", "q", "q"]] * 60)
    ]
    before = -np.inf
    for n in range(1, 6):
        rows = [[{labels} for labels in row] + [None] * 2 for row in others]
        rows.append([say] * n + [None] * (5 - n))
        believed = label_sets(everybody(rows), classes=["p", "q"]).probability[-1, 0]
        believed = believed if say else 1 - believed
        assert believed >= before - 2e-3  # the others' answers are judged a little anew
        before = believed


def test_careless_annotators_are_found_and_outvoted():
    answers, truth, classes = draw_sets(found=0.95, made_up=0.05, num_annotators=8, each=3)
    rng = np.random.default_rng(1)
    values = [frozenset([str(rng.choice(classes))]) if who >= 6 else value
              for who, value in zip(answers.annotator, answers.values, strict=True)]  # fmt: skip
    result = label_sets(answers.with_values(values), classes=classes)
    assert set(np.argsort(result.annotators.quality)[:2]) == {6, 7}
    assert result.annotators.more["precision"][6] < 0.3 < 0.8 < result.annotators.more["precision"][:6].min()
    majority = [
        {c for c in classes if np.mean([c in v for v in np.array(values, object)[answers.task == i]]) > 0.5}
        for i in range(len(truth))
    ]
    assert f1(result.consensus, truth) > f1(majority, truth) + 0.05


@pytest.mark.parametrize("num_classes", [4, 20, 60, 200])
def test_rare_classes_are_believed_as_often_as_they_are_true(num_classes):
    """Of 20 classes each applies to one task in thirteen, of 200 to one in 130."""
    answers, truth, classes = draw_sets(num_classes)
    result = label_sets(answers, classes=classes)
    assert f1(result.consensus, truth) > 0.9
    assert result.quality.mean() == pytest.approx(f1(result.consensus, truth), abs=0.1)
    share = np.mean([len(labels) for labels in truth]) / num_classes
    assert result.probability.mean() == pytest.approx(share, rel=0.6)


def test_of_many_classes_an_empty_task_is_not_sure_to_be_empty():
    answers, _, classes = draw_sets(200)
    rows = answers.to_long()
    lone = pd.DataFrame({"task": ["lone", "pair", "pair"], "annotator": [0, 1, 2], "answer": [set()] * 3})
    rows = pd.concat([rows.astype({"task": object}), lone])
    result = label_sets(AnswerTable.from_long(rows, tasks=[*range(300), "lone", "pair", "none"]), classes=classes)
    lone_quality, pair_quality, unanswered = result.quality[-3:]
    assert result.consensus[-3:].tolist() == [frozenset(), frozenset(), None]
    assert 0.4 < lone_quality < pair_quality < 0.99
    assert unanswered < 0.4  # three in four tasks have a class


def test_of_many_classes_the_model_speaks_for_a_task_without_answers():
    answers, truth, classes = draw_sets(200)
    P = np.array([[0.8 if c in labels else 0.02 for c in classes] for labels in truth] + [[0.9] + [0.001] * 199])
    rows = answers.to_long()
    result = label_sets(AnswerTable.from_long(rows, tasks=range(301)), P, classes=classes)
    assert result.consensus[-1] == {classes[0]}
    assert result.quality[-1] == pytest.approx(0.87, abs=0.05)


def test_without_answers_nothing_is_known():
    for classes in (None, CLASSES):
        empty = AnswerTable.from_codes([], [], [], tasks=["a", "b"], annotators=["x"])
        result = label_sets(empty, classes=classes)
        assert result.consensus.tolist() == [None, None]
        assert (result.quality < 0.7).all()
        assert not result.founded.any()
        assert result.probability.shape == (2, len(classes or ()))
        assert np.isnan(result.agreement).all()


def test_nobody_names_a_class():
    result = label_sets(everybody([[set(), set()], [set(), None]]))
    assert result.consensus.tolist() == [frozenset(), frozenset()]
    assert 0.5 < result.quality[1] < result.quality[0] < 1
    assert result.classes.tolist() == []


def test_all_answers_equal_are_believed():
    result = label_sets(everybody([[{"p", "q"}] * 3] * 5))
    assert result.consensus.tolist() == [{"p", "q"}] * 5
    assert (result.quality > 0.95).all()
    assert (result.agreement == 1).all()


def test_a_lone_answer_is_the_consensus_and_never_sure():
    for answers in (
        [[{"p"}], [{"q"}], [{"p"}]] * 4,
        [[{"p"}, None, None], [None, {"q"}, None], [None, None, set()]] * 4,
    ):
        result = label_sets(everybody(answers))
        assert [set(found) for found in result.consensus] == [next(a for a in row if a is not None) for row in answers]
        assert (result.quality < 0.9).all()
        assert not result.founded.any()


def test_known_sets_are_the_consensus_and_teach():
    answers = [[{"p"}, {"q"}, {"q"}]] * 30
    believed = label_sets(everybody(answers))
    known = [{"p"} if i < 20 else None for i in range(29)] + [set()]
    result = label_sets(everybody(answers), known=known)
    assert believed.consensus[25] == {"q"}
    assert result.consensus[25] == {"p"}
    assert result.consensus[-1] == frozenset()
    assert (result.quality[result.known] == 1).all()
    assert result.known.sum() == 21
    assert result.annotators.quality[0] > 0.8 > 0.4 > result.annotators.quality[1]
    by_task = label_sets(everybody(answers), known={i: labels for i, labels in enumerate(known) if labels is not None})
    assert np.array_equal(by_task.probability, result.probability)


def test_a_known_set_may_have_a_class_that_nobody_gave():
    result = label_sets(everybody([[{"p"}, {"p"}], [{"p"}, set()]]), known=[{"z"}, None])
    assert result.consensus[0] == {"z"}
    assert result.classes.tolist() == ["p", "z"]


def test_a_model_is_heard_as_far_as_it_foretells_the_answers():
    answers, truth, classes = draw_sets(6, 300, each=2, found=0.7)
    rng = np.random.default_rng(3)
    good = np.array([[0.9 if c in labels else 0.05 for c in classes] for labels in truth])
    alone, informed = label_sets(answers, classes=classes), label_sets(answers, good, classes=classes)
    misled = label_sets(answers, rng.random((300, 6)), classes=classes)
    assert f1(informed.consensus, truth) > f1(alone.consensus, truth) + 0.05
    assert f1(misled.consensus, truth) > f1(alone.consensus, truth) - 0.02


def test_a_frame_of_probabilities_is_put_in_order():
    answers, truth, classes = draw_sets(6, 100)
    P = pd.DataFrame([[0.9 if c in labels else 0.05 for c in classes] for labels in truth], columns=classes)
    mixed = P.sample(frac=1, random_state=0)[classes[::-1]]
    one, other = label_sets(answers, P.to_numpy(), classes=classes), label_sets(answers, mixed, classes=classes)
    assert np.array_equal(one.probability, other.probability)


def test_a_parent_is_no_contradiction_of_its_child():
    dog, cat, animal, plant = ("animal", "dog"), ("animal", "cat"), ("animal",), ("plant",)
    rows = [[[dog], [animal], [dog]], [[plant], [plant], [plant]], [[cat], [cat], [cat]], [[dog], [cat], [animal]]] * 10
    result = label_sets(everybody(rows), paths=True)
    assert result.consensus[:4].tolist() == [{dog}, {plant}, {cat}, {animal}]
    of = {node: code for code, node in enumerate(result.classes.tolist())}
    assert (result.probability[:, of[dog]] <= result.probability[:, of[animal]]).all()
    assert result.probability[3, of[animal]] > 0.95


def test_paths_of_mixed_types_keep_parents_above_their_children():
    result = label_sets(everybody([[[("a", 1)], [("a", "b")]], [[("a",)], [("a", 1)]]]), paths=True)
    of = {node: code for code, node in enumerate(result.classes.tolist())}
    assert (result.probability[:, of["a", 1]] <= result.probability[:, of[("a",)]]).all()


def test_frames_have_a_row_for_each():
    result = label_sets(table([("a", "x", ["p"]), ("a", "y", ["p", "q"]), ("b", "x", [])]))
    assert result.to_frame().loc["a", "consensus"] >= {"p"}
    assert result.to_frame().columns.tolist() == ["consensus", "quality", "agreement", "num_answers"]
    assert result.answers_frame().shape == (3, 4)
    assert set(result.annotators_frame().columns) > {"quality", "low", "high", "precision", "recall"}
    assert result.class_figures()["share"].shape == (2,)


@pytest.mark.filterwarnings("error")
def test_of_no_tasks_no_class_has_a_share():
    nothing = AnswerTable.from_codes([], [], [], tasks=[], annotators=[])
    assert np.isnan(label_sets(nothing, classes=["p", "q"]).class_figures()["share"]).all()


@pytest.mark.parametrize(
    ("answer", "options", "told"),
    [
        ("p", {}, "answer to task 0 is 'p'; expected a set or a list"),
        (1.0, {}, "answer to task 0 is 1.0; expected a set"),
        ({"p": False}, {}, "expected a set or a list"),
        (["p", None], {}, "task 0 has None; expected classes"),
        (["p", float("nan")], {}, "task 0 has nan; expected classes"),
        ([["p"]], {}, r"has \['p'\]; expected classes"),
        (["p"], {"classes": ["q"]}, "Task 0 has the class 'p', which is not among classes"),
        (["p"], {"classes": ["p"], "known": [["q"]]}, "Task 0 has the class 'q', which is not among classes"),
        (["p"], {"known": ["p"]}, "known set of task 0 is 'p'"),
        (["p"], {"known": []}, "known has 0; expected 1, a set for each task"),
        (["p"], {"known": {7: ["p"]}}, "known has the task 7, which is not among the 1 tasks"),
        (["p"], {"classes": ["p", "p"]}, "'p' is listed 2 times"),
        (["p"], {"pred_probs": [[0.1, 0.2]]}, r"shape \(1, 2\); expected \(1, 1\)"),
        (["p"], {"pred_probs": [0.1]}, r"shape \(1,\); expected \(1, 1\)"),
        (["p"], {"pred_probs": [[1.5]]}, "have 1.5 for class 'p' in task 0"),
        (["p"], {"pred_probs": [[np.nan]]}, "have nan for class 'p'"),
        (["p"], {"pred_probs": [["x"]]}, "is not an array of numbers"),
        (["p"], {"pred_probs": pd.DataFrame([[0.5]], columns=["q"])}, "DataFrame without 'p' in its columns"),
        (["p"], {"paths": True}, "has 'p'; expected tuples from the root"),
        (("a", "b"), {"paths": True}, "has 'a'; expected tuples from the root"),
        ([()], {"paths": True}, r"has \(\); expected tuples from the root"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(answer, options, told):
    pred_probs = options.pop("pred_probs", None)
    with pytest.raises(ValueError, match=told):
        label_sets(everybody([[answer]]), pred_probs, **options)
