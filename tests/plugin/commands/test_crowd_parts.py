"""`aggregate --parts`, as a user types it."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from crowdcore import Crowd, crowdlab
from crowdcore.aggregate import DawidSkene

pytest.importorskip("pyarrow", reason="pyarrow is not installed: label-studio-crowd[distributed]")
pytest.importorskip("fsspec", reason="fsspec is not installed: label-studio-crowd[distributed]")


@pytest.fixture
def frame(tmp_path, monkeypatch):
    """Answers, which are also in Parquet files of the folder answers."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    truth = np.repeat(rng.integers(3, size=50), 6)
    frame = pd.DataFrame({"task": np.repeat(np.arange(50), 6), "annotator": np.tile(np.arange(6), 50)})
    frame["label"] = np.where(rng.random(300) < 0.7, truth, rng.integers(3, size=300))
    (tmp_path / "answers").mkdir()
    for file in range(3):
        frame[frame["annotator"] % 3 == file].to_parquet(f"answers/{file}.parquet")
    return frame


def test_labels_are_those_of_the_whole_crowd(frame, run, tmp_path):
    code, out, err = run("aggregate", "--parts", "answers", "--out", "labels", "--annotators-out", "annotators.csv")
    assert code == 0
    assert f"Wrote {tmp_path / 'labels'}: 1 Parquet file\n" in out
    assert "Wrote annotators.csv" in out
    assert "50 tasks, 6 annotators, 3 classes, 300 answers" in err
    fitted = DawidSkene().fit(Crowd.from_long(frame))
    found = pd.read_parquet("labels").set_index("task").sort_index()
    assert found["label"].tolist() == fitted.labels_.tolist()
    assert np.allclose(found[["0", "1", "2"]], fitted.probas_, rtol=0, atol=1e-9)
    assert len(pd.read_csv("annotators.csv")) == 6


def test_probabilities_options_and_columns(frame, run):
    P = np.random.default_rng(1).dirichlet(np.ones(3), size=50)
    pd.DataFrame(P, columns=list("012")).assign(question=range(50)).to_parquet("model.parquet")
    for name in range(3):
        file = f"answers/{name}.parquet"
        pd.read_parquet(file).rename(columns={"task": "question"}).to_parquet(file)
    words = "--parts", "answers", "--task-column", "question", "--probabilities", "model.parquet"
    code, out, _ = run("aggregate", *words, "--option", "calibrate_probs=true", "--out", "labels")
    assert code == 0
    found = pd.read_parquet("labels").set_index("task").sort_index()
    expected = crowdlab(Crowd.from_long(frame), P, calibrate_probs=True)
    assert np.allclose(found["quality"], expected.quality, rtol=0, atol=1e-9)
    code, out, _ = run("aggregate", *words)
    assert code == 0
    assert "quality" in out
    assert "--out FOLDER" in out


def test_a_dask_scheduler(frame, run):
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: label-studio-crowd[distributed]")
    with distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster:
        code, _, err = run("aggregate", "--parts", "answers", "--dask", cluster.scheduler_address, "--out", "labels")
    assert code == 0, err
    assert len(pd.read_parquet("labels")) == 50


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give ANSWERS"),
        (("answers", "--parts", "answers"), "ANSWERS cannot be used with --parts"),
        (("--parts", "answers", "--known", "x.csv"), "--known cannot be used with --parts"),
        (("--dask", "tcp://localhost:1"), "--dask goes with --parts"),
        (("--parts", "nowhere"), "There is no folder"),
        (("--parts", "answers", "--method", "glad"), "does not run over parts"),
        (("--parts", "answers", "--method", "hierarchical"), "HierarchicalDawidSkene.* does not run over parts"),
        (("--parts", "answers", "--method", "dawid_skene[depth=2]"), "depth"),
        (("--parts", "answers", "--label-column", "said"), "no column 'said'.*--label-column"),
        (("--parts", "answers", "--scratch", "/dev/null"), "Pass --scratch another"),
        (("--parts", "answers", "--out", "answers"), "already has files"),
        (("--parts", "answers", "--annotators-out", "a.doc"), "--annotators-out"),
        (("--parts", "nothing://bucket/answers"), "fsspec"),
    ],
)
def test_mistakes_are_told_in_a_line(words, message, frame, run):
    code, out, err = run("aggregate", *words)
    assert code == 2
    assert not out
    assert re.search(message, err), err
    assert "Traceback" not in err
