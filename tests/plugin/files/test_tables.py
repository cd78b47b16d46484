"""What `export` writes."""

import dataclasses
import re
import sys

import numpy as np
import pytest

from harness.snapshots import snapshot_of_kinds
from label_studio_crowd.errors import UserError
from label_studio_crowd.files.tables import check_path, tables, write
from label_studio_crowd.scoring.snapshot import Snapshot
from tests.plugin.pages.insights.small_projects import outweighed, probabilities, votes


def test_the_export_flags_where_the_model_disagrees_and_gives_both_labels():
    rows = tables(outweighed("a", "a"), {}).tasks.set_index("task")
    assert rows.index[rows.model_disagrees].tolist() == [13]
    flagged = rows.loc[13]
    assert (flagged.consensus, flagged.majority_vote, flagged.settled) == ("c", "a", False)
    assert (flagged.quality > 0.5, flagged.agreement) == (True, 0)
    assert rows.predicted[13] == "c", "what the classifier says of a task that people have labelled"


def test_probabilities_are_of_the_consensus_and_of_the_classifier_beside_it():
    snapshot = Snapshot.from_bytes(outweighed("a", "a").to_bytes())
    found = tables(snapshot, {}).probabilities
    of_task = found[found.task == 13].set_index("label")
    assert of_task.probability.idxmax() == "c"
    assert of_task.model_probability["c"] == pytest.approx(0.999)
    assert of_task.model_probability.sum() == pytest.approx(1, abs=0.01)
    assert of_task.probability.sum() == pytest.approx(1, abs=0.01)
    quality = tables(snapshot, {}).tasks.set_index("task").quality
    first = found.groupby("task").first()
    assert np.allclose(first.probability, quality, atol=1e-4)
    unlabelled = tables(votes({1: "a", 2: "a"}, {}, pred_probs=probabilities("a", "b")), {}).probabilities
    assert unlabelled[unlabelled.task == 2].probability.isna().all()
    assert unlabelled[unlabelled.task == 2].model_probability.tolist() == pytest.approx([0.8, 0.1, 0.1])


def test_without_a_classifier_only_the_consensus_has_probabilities():
    found = tables(votes({1: "a", 2: "a"}, {1: "b"}, {}), {}).probabilities
    assert set(found.task) == {1, 2}
    assert found.model_probability.isna().all()
    assert (found.groupby("task").probability.sum() <= 1 + 1e-6).all()


def test_where_several_classes_may_apply_each_has_its_probability():
    config = (
        '<View><Text name="t" value="$t"/><Choices name="tags" toName="t" choice="multiple"><Choice value="x"/>'
        '<Choice value="y"/></Choices></View>'
    )
    item = {"from_name": "tags", "to_name": "t", "type": "choices", "value": {"choices": ["x"]}}
    snapshot = snapshot_of_kinds(config, [(1, who, [item]) for who in (1, 2, 3)], 1)
    found = tables(Snapshot.from_bytes(snapshot.to_bytes()), {}).probabilities.set_index("label").probability
    assert found["x"] > 0.8
    assert found["y"] < 0.2


def test_a_snapshot_of_before_has_no_probabilities():
    new = votes({1: "a", 2: "a"})
    none = dict.fromkeys(("probable_numbers", "probable_label", "probable", "probable_by_model"), np.empty(0, int))
    old = dataclasses.replace(new, **none)
    assert tables(old, {}).probabilities.empty


def test_a_table_without_rows_is_no_file(tmp_path):
    found = tables(votes({1: "a"}), {})
    assert found.agreement.empty
    assert [path.name for path in write(found, tmp_path / "a.csv")] == [
        "a.csv",
        "a-annotators.csv",
        "a-answers.csv",
        "a-probabilities.csv",
    ]


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match=r"pip install pyarrow, or name a file that ends in \.csv"):
        check_path(tmp_path / "labels.parquet")


@pytest.mark.parametrize("ending", [".csv", ".json"])
def test_numbers_have_seven_digits(tmp_path, ending):
    for path in write(tables(outweighed("a", "a"), {}), tmp_path / f"labels{ending}"):
        numbers = re.findall(r"(?<![\w.])-?\d+\.(?:\d+)(?:e-?\d+)?", path.read_text())
        assert numbers
        for number in numbers:
            assert len(number.partition("e")[0].replace("-", "").replace(".", "").strip("0")) <= 7, (path, number)
