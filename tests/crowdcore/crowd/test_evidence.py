import numpy as np
import pytest

from crowdcore import Crowd, activelab, crowdlab, majority_vote

CROWD = Crowd.from_codes(
    [0, 0, 1], [0, 1, 0], [0, 1, 1], tasks=["t0", "t1"], annotators=["ann", "bob"], classes=["no", "yes"]
)
GOOD = [[0.5, 0.5], [0.2, 0.8]]


@pytest.mark.parametrize(
    ("pred_probs", "words"),
    [
        ([[0.5, 0.5]], ["shape (1, 2)", "expected (2, 2)", "(models, 2, 2)", "each of the crowd's tasks"]),
        ([[1.0], [1.0]], ["shape (2, 1)", "classes="]),
        ([0.5, 0.5], ["shape (2,)"]),
        (0.5, ["shape ()"]),
        (np.ones((0, 2, 2)), ["shape (0, 2, 2)"]),
        ([GOOD[0], [np.nan, 1]], ["row 1", "'t1'", "nan", "not finite"]),
        ([GOOD[0], [np.inf, 1]], ["row 1", "'t1'", "inf", "not finite"]),
        ([[1.2, -0.2], GOOD[1]], ["row 0", "'t0'", "-0.2", "negative"]),
        ([GOOD[0], [0.5, 0.6]], ["row 1", "'t1'", "sums to 1.1", "0.001", "predict_proba"]),
        ([GOOD, [GOOD[0], [0.5, 0.4]]], ["model 1", "row 1", "'t1'", "sums to 0.9"]),
    ],
)
@pytest.mark.parametrize("function", [crowdlab, activelab, majority_vote])
def test_bad_probabilities_are_refused(function, pred_probs, words):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the words are checked one by one
        function(CROWD, pred_probs)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ([0], ["shape (1,)", "(2,)"]),
        ([0.5, 1], ["float64", "integers"]),
        ([0, 2], ["row 1", "'t1'", "found 2", "0 to 1", "-1"]),
        ([-2, 0], ["row 0", "'t0'", "found -2"]),
    ],
)
@pytest.mark.parametrize("function", [crowdlab, activelab])
def test_bad_known_labels_are_refused(function, known, words):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the words are checked one by one
        function(CROWD, GOOD, known_labels=known)
    for word in words:
        assert word in str(error.value)


def test_zeros_and_rounded_rows_are_fine():
    assert np.isfinite(activelab(CROWD, [[1, 0], [0, 1]])).all()
    assert np.isfinite(activelab(CROWD, [[0.3333, 0.6666], [0.5004, 0.5]])).all()


def test_single_precision_is_fine_and_nothing_is_overwritten():
    P = np.array(GOOD, dtype=np.float32)
    P.flags.writeable = False
    crowdlab(CROWD, P, calibrate_probs=True)
    P = np.array(GOOD)
    P.flags.writeable = False
    activelab(CROWD, P)


def test_a_crowd_without_classes_is_refused():
    with pytest.raises(ValueError, match="no classes"):
        crowdlab(Crowd.from_codes([], [], [], tasks=["a"], annotators=[], classes=[]))


def test_a_frame_is_put_into_the_crowds_order():
    pd = pytest.importorskip("pandas")
    tasks = [f"img{n}" for n in range(12)]
    frame = pd.DataFrame({"task": tasks, "annotator": "ann", "label": ["cat", "dog"] * 6})
    crowd = Crowd.from_long(frame)
    assert crowd.tasks.tolist() != tasks, "strings are sorted"
    P = pd.DataFrame({"dog": np.linspace(0, 1, 12)}, index=tasks).assign(cat=lambda found: 1 - found["dog"])
    ordered = P.loc[crowd.tasks.tolist(), ["cat", "dog"]].to_numpy()
    np.testing.assert_array_equal(crowdlab(crowd, P).posterior, crowdlab(crowd, ordered).posterior)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda P: P.rename(index={"b": "z"}), "without 'b' in its index"),
        (lambda P: P.rename(columns={"dog": 1}), "without 'dog' in its columns"),
        (lambda P: P.reset_index(drop=True), "without 'a' in its index"),
        (lambda P: P.loc[["a", "a", "b"]], "with duplicates in its index"),
    ],
)
def test_a_frame_of_other_tasks_or_classes_is_an_error(change, said):
    pd = pytest.importorskip("pandas")
    crowd = Crowd.from_codes([0, 1], [0, 0], [0, 1], tasks=["a", "b"], annotators=["ann"], classes=["cat", "dog"])
    P = pd.DataFrame({"cat": [0.9, 0.2], "dog": [0.1, 0.8]}, index=["a", "b"])
    with pytest.raises(ValueError, match=said):
        crowdlab(crowd, change(P))


@pytest.mark.parametrize("function", [crowdlab, activelab, majority_vote])
def test_something_that_is_no_crowd_is_an_error(function):
    with pytest.raises(TypeError, match="Expected a Crowd, found a ndarray: make one"):
        function(np.zeros((3, 2)))


def test_the_consensus_can_be_had_as_classes():
    crowd = Crowd.from_codes([0], [0], [1], tasks=["a", "b"], annotators=["ann"], classes=["cat", "dog"])
    assert crowdlab(crowd).labels.tolist() == ["dog", None]
