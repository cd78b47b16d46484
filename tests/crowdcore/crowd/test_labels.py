"""What a label may be, whether labels have an order, and tables of other libraries."""

from __future__ import annotations

import enum

import numpy as np
import pandas as pd
import pytest

from crowdcore import Crowd, crowdlab
from crowdcore.aggregate import DawidSkene
from crowdcore.formats import add_classes, read_crowd
from crowdcore.identify import find_method, honeypot_scores, krippendorff_alpha

SIZES = ["low", "medium", "high"]


def sized(seed=0, n=60):
    """Return answers of three annotators who are off by one size at most."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    codes = np.concatenate([np.clip(truth + rng.integers(-1, 2, n), 0, 2) for _ in range(3)])
    return pd.DataFrame({"task": np.tile(np.arange(n), 3), "annotator": np.repeat(list("abc"), n), "label": codes})


def test_an_ordered_categorical_keeps_its_order_in_every_ordinal_statistic(tmp_path):
    numbers = sized()
    expected = krippendorff_alpha(numbers, "ordinal").value
    frame = numbers.assign(label=pd.Categorical.from_codes(numbers["label"], SIZES, ordered=True))
    assert Crowd.from_long(frame).classes.tolist() == SIZES
    assert krippendorff_alpha(frame, "ordinal").value == expected
    assert find_method("alpha").run(Crowd.from_long(frame)).loc["krippendorff_alpha_ordinal", "value"] == expected
    wide = frame.pivot(index="task", columns="annotator", values="label")
    assert krippendorff_alpha(Crowd.from_wide(wide), "ordinal").value == expected
    pytest.importorskip("pyarrow", reason="pyarrow is not installed, so there is no Parquet")
    frame.to_parquet(tmp_path / "a.parquet")
    assert krippendorff_alpha(read_crowd(tmp_path / "a.parquet").crowd, "ordinal").value == expected


def test_texts_have_no_order_unless_it_is_given():
    frame = sized().replace({"label": dict(enumerate(SIZES))})
    with pytest.raises(
        ValueError, match=r"'ordinal' needs classes whose order is known; .* Say their order with classes="
    ):
        krippendorff_alpha(frame, "ordinal")
    with pytest.raises(ValueError, match="whose order is known"):
        krippendorff_alpha(Crowd.from_long(frame, classes=set(SIZES)), "ordinal")
    given = Crowd.from_long(frame, classes=SIZES)
    assert krippendorff_alpha(given, "ordinal").value == krippendorff_alpha(sized(), "ordinal").value
    for kept in (
        given.select_tasks([0, 1]),
        given.with_annotator("m", np.zeros(60, int)),
        add_classes(given, ["huge"]),
    ):
        assert kept.ordered


def test_sets_and_members_of_an_enum_are_labels_in_one_order():
    class Size(enum.Enum):
        LOW, HIGH = 1, 2

    for labels in ([frozenset("ab"), frozenset("c"), frozenset("a")], [Size.HIGH, Size.LOW], [("a", 2), ("a", 1)]):
        frame = pd.DataFrame({"task": range(len(labels)), "annotator": "a", "label": labels})
        assert Crowd.from_long(frame).classes.tolist() == Crowd.from_long(frame[::-1]).classes.tolist()
    assert Crowd.from_long(frame).classes.tolist() == [("a", 1), ("a", 2)]


def test_what_has_no_order_at_all_is_no_label():
    class Mixed(enum.Enum):
        ONE, TWO = 1, "two"

    for labels in ([1j, 2j], [("a", 1), (1, "a")], list(Mixed)):
        frame = pd.DataFrame({"task": [1, 2], "annotator": "a", "label": labels})
        with pytest.raises(ValueError, match=r"cannot be an id or a label: .* make texts of them"):
            Crowd.from_long(frame)


def test_truth_values_come_back_as_such():
    frame = pd.DataFrame({"task": [1, 2], "annotator": ["a", "a"], "label": [True, False]})
    labels = DawidSkene().fit(frame).labels_
    assert (~labels).tolist() == [False, True]


def test_known_labels_that_contradict_each_other_are_refused():
    crowd = Crowd.from_long(pd.DataFrame({"task": ["t", "t", "u"], "annotator": list("aba"), "label": list("xyx")}))
    twice = pd.Series(["x", "y"], index=["t", "t"])
    for use in (lambda: DawidSkene().fit(crowd, twice), lambda: honeypot_scores(crowd, twice)):
        with pytest.raises(ValueError, match="task 't' several times, as 'x' and as 'y'"):
            use()
    assert DawidSkene().fit(crowd, pd.Series(["y", "y"], index=["t", "t"])).labels_[0] == "y"


def test_a_class_that_nobody_chose_is_named():
    crowd = Crowd.from_wide([["cat", "dog"], ["cat", None]])
    P = pd.DataFrame([[0.3, 0.2, 0.5], [0.6, 0.3, 0.1]], columns=["cat", "dog", "bird"])
    with pytest.raises(
        ValueError, match=r"probability for class 'bird', which is none of .* classes=\['cat', 'dog', 'bi"
    ):
        crowdlab(crowd, P)
    with pytest.raises(ValueError, match=r"The classes are \['cat', 'dog'\]"):
        crowdlab(crowd, P.to_numpy())
    assert len(crowdlab(crowd, P.assign(cat=[0.8, 0.7], bird=0.0)).quality) == 2


def test_tasks_in_a_column_are_no_annotator():
    wide = pd.DataFrame({"task": ["t", "u"], "ann": ["x", "y"], "bob": ["x", "x"]})
    with pytest.raises(ValueError, match=r"set_index\('task'\)"):
        Crowd.from_wide(wide)


def tables(columns):
    """Return a table of each library that is installed."""
    found = []
    try:
        import polars

        found += [polars.DataFrame(columns), polars.LazyFrame(columns)]
    except ImportError:
        pass
    try:
        import pyarrow

        found += [pyarrow.table(columns)]
    except ImportError:
        pass
    return found or [pytest.skip("neither polars nor pyarrow is installed")]


def test_tables_of_polars_and_pyarrow_are_read():
    for table in tables({"task": [1, 1, None, 2], "worker": ["a", "b", "c", "a"], "label": ["x", "y", None, "x"]}):
        crowd = Crowd.from_long(table)
        assert crowd.to_long().values.tolist() == [[1, "a", "x"], [1, "b", "y"], [2, "a", "x"]]
        assert DawidSkene().fit(table).labels_.tolist()[1] == "x"
    for wide in tables({"task": ["t", "u"], "a": ["x", "y"], "b": ["x", None]}):
        assert Crowd.from_wide(wide).annotators.tolist() == ["a", "b"]


def test_probabilities_of_polars_and_pyarrow_are_put_in_order():
    crowd = Crowd.from_wide([["cat", "dog"], ["dog", "dog"]])
    for table in tables({"task": [1, 0], "dog": [0.9, 0.2], "cat": [0.1, 0.8]}):
        by_task = pd.DataFrame([[0.8, 0.2], [0.1, 0.9]], columns=["cat", "dog"])
        assert np.array_equal(crowdlab(crowd, table).posterior, crowdlab(crowd, by_task).posterior)
