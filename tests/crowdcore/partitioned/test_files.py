"""Where things are read and written, and what is said when they cannot be."""

import os
import subprocess
import sys

import fsspec
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from crowdcore import Crowd
from crowdcore.aggregate import CROWDLAB, DawidSkene, Wawa
from crowdcore.partitioned import PartitionedCrowd


@pytest.fixture
def answers(noisy, in_files):
    """A folder of answers."""
    return in_files(noisy(N=60))


def test_nothing_is_left_behind(answers, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with PartitionedCrowd.from_parquet(answers, scratch=scratch) as crowd:
        crowd.aggregate("majority-vote")
        assert len(list(scratch.iterdir())) == 1
    assert not list(scratch.iterdir())
    with pytest.raises(ValueError, match="no column"):
        PartitionedCrowd.from_parquet(answers, task="question", scratch=scratch)
    assert not list(scratch.iterdir())


def test_results_are_parquet_files_that_anything_reads(answers, tmp_path):
    with PartitionedCrowd.from_parquet(answers, part_size=100) as crowd:
        result = crowd.aggregate("dawid-skene", tmp_path / "labels")
        frames = list(result.frames())
    assert len(frames) == crowd.num_parts == len(list((tmp_path / "labels").iterdir()))
    table = pq.read_table(tmp_path / "labels")
    assert table.column_names == ["task", "label", "quality", "num_answers", "0", "1", "2"]
    assert table.num_rows == 60
    pd.testing.assert_frame_equal(table.to_pandas().set_index("task"), result.to_frame())


def test_a_folder_with_files_is_not_written_to(answers, tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "mine.txt").write_text("mine")
    with PartitionedCrowd.from_parquet(answers) as crowd:
        with pytest.raises(ValueError, match="already has files"):
            crowd.aggregate("majority-vote", tmp_path / "labels")
        with pytest.raises(ValueError, match="already has files"):
            crowd.aggregate("majority-vote", answers)
    assert [one.name for one in (tmp_path / "labels").iterdir()] == ["mine.txt"]


def test_a_run_that_fails_leaves_no_results(answers, tmp_path):
    def stop(what, done, total):
        if what.endswith("labels") and done == 2:
            raise KeyboardInterrupt

    with PartitionedCrowd.from_parquet(answers, part_size=100, progress=stop) as crowd:
        with pytest.raises(KeyboardInterrupt):
            crowd.aggregate("dawid-skene", tmp_path / "labels")
        assert not list((tmp_path / "labels").iterdir())


def test_object_stores(noisy, whole):
    """fsspec's store in memory stands for those of the network."""
    frame, store = noisy(N=60), fsspec.filesystem("memory")
    for number, rows in enumerate(np.array_split(np.arange(len(frame)), 3)):
        with store.open(f"/bucket/answers/{number}.parquet", "wb") as file:
            frame.iloc[rows].to_parquet(file, index=False)
    with PartitionedCrowd.from_parquet(
        "memory://bucket/answers", scratch="memory://bucket/scratch", part_size=100
    ) as crowd:
        result = crowd.aggregate("majority-vote", "memory://bucket/labels")
        assert store.find("/bucket/scratch")
    assert not store.find("/bucket/scratch")
    assert len(store.find("/bucket/labels")) == crowd.num_parts
    assert len(result.to_frame()) == 60


def test_progress_is_told_to_the_end(answers):
    told = []
    with PartitionedCrowd.from_parquet(answers, part_size=100, progress=lambda *one: told.append(one)) as crowd:
        crowd.aggregate(DawidSkene(n_iter=2))
        crowd.activelab()
    names = list(dict.fromkeys(what for what, _, _ in told))
    assert {"Finding annotators and classes", "Sorting answers", "DawidSkene, iteration 2", "ActiveLab, results"} <= {
        *names
    }
    for name in names:
        steps = [(done, total) for what, done, total in told if what == name]
        assert [done for done, _ in steps] == list(range(steps[-1][1] + 1))


def written(folder, **columns):
    folder.mkdir()
    pd.DataFrame(columns).to_parquet(folder / "a.parquet")
    return folder


ANSWERS = {"task": [1, 1, 2], "annotator": ["x", "y", "x"], "label": ["no", "no", "yes"]}
BAD = {
    "no such folder": (lambda at: at / "nowhere", {}, "There is no folder"),
    "no files": (lambda at: at, {}, "no Parquet files in"),
    "no rows": (lambda at: written(at / "a", task=[], annotator=[], label=[]), {}, "have no rows"),
    "missing column": (lambda at: written(at / "a", task=[1], worker=["x"], label=[1]), {}, "no column 'annotator'"),
    "twice": (
        lambda at: written(at / "a", task=[7, 7], annotator=["x", "x"], label=[0, 1]),
        {"repeated": "error"},
        "Annotator 'x' answered task 7 more than once",
    ),
    "no task": (
        lambda at: written(at / "a", task=[None, 1.0], annotator=["x", "x"], label=[0, 1]),
        {},
        "has a label but no task",
    ),
    "no annotator": (
        lambda at: written(at / "a", task=[1, 2], annotator=["x", None], label=[0, 1]),
        {},
        "has a label but no annotator",
    ),
    "half a task": (
        lambda at: written(at / "a", task=[1.5], annotator=["x"], label=[0]),
        {},
        "a task is not a whole number",
    ),
    "tasks that are dates": (
        lambda at: written(at / "a", task=[pd.Timestamp("2024-01-01")], annotator=["x"], label=[0]),
        {},
        "text or whole numbers",
    ),
    "unknown class": (lambda at: written(at / "a", **ANSWERS), {"classes": ["no"]}, "label 'yes' is not among the 1"),
    "unknown annotator": (lambda at: written(at / "a", **ANSWERS), {"annotators": ["x"]}, "annotator 'y' is not among"),
    "part size": (lambda at: written(at / "a", **ANSWERS), {"part_size": 0}, "part_size is 0"),
    "no such store": (lambda at: "nothing://bucket/answers", {}, "fsspec"),
    "scratch that is a file": (
        lambda at: written(at / "a", **ANSWERS),
        {"scratch": "/dev/null"},
        "Nothing can be written to the scratch folder",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said(name, tmp_path):
    make, options, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        PartitionedCrowd.from_parquet(make(tmp_path), **options)


def test_task_ids_of_two_kinds(tmp_path):
    folder = written(tmp_path / "a", **ANSWERS)
    pd.DataFrame(ANSWERS).astype({"task": str}).to_parquet(folder / "b.parquet")
    with pytest.raises(ValueError, match=r"text in .*b\.parquet and numbers in .*a\.parquet"):
        PartitionedCrowd.from_parquet(folder)


def test_a_file_that_is_not_parquet(tmp_path):
    folder = written(tmp_path / "a", **ANSWERS)
    (folder / "b.parquet").write_text("nothing of the kind")
    with pytest.raises(ValueError, match=r"b\.parquet is not a Parquet file"):
        PartitionedCrowd.from_parquet(folder)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_scratch_folder_that_cannot_be_written(answers, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(ValueError, match="Nothing can be written to the scratch folder"):
        PartitionedCrowd.from_parquet(answers, scratch=tmp_path / "locked")


def test_a_scratch_folder_without_room(answers, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: os.terminal_size((0, 0)) and type("U", (), {"free": 10})())
    with pytest.raises(ValueError, match="Pass scratch= a folder with more space"):
        PartitionedCrowd.from_parquet(answers)


GOOD = {"task": [1, 2], "no": [0.5, 0.1], "yes": [0.5, 0.9]}
BAD_PROBABILITIES = {
    "missing class": ({"task": [1, 2], "no": [1.0, 1.0]}, "has no column 'yes'"),
    "missing task": ({"task": [1], "no": [0.5], "yes": [0.5]}, "task 2 has no probabilities"),
    "twice": ({"task": [1, 2, 2], "no": [0.5] * 3, "yes": [0.5] * 3}, "task 2 has several rows"),
    "no sum": (GOOD | {"no": [0.5, 0.7]}, r"task 2.*sums to 1\.6"),
    "negative": (GOOD | {"no": [-0.5, 0.1], "yes": [1.5, 0.9]}, r"task 1.*negative"),
    "missing value": (GOOD | {"no": [None, 0.1]}, r"task 1.*not finite"),
    "no task": (GOOD | {"task": [1, None]}, "a row of probabilities has no task"),
    "text": (GOOD | {"task": ["1", "2"]}, "task ids are text; those of answers are numbers"),
    "words": (GOOD | {"no": ["much", "little"]}, "are not all numbers"),
}


@pytest.mark.parametrize("name", BAD_PROBABILITIES)
def test_what_is_wrong_with_probabilities_is_said(name, tmp_path):
    columns, message = BAD_PROBABILITIES[name]
    folder = written(tmp_path / "p", **columns)
    with (
        PartitionedCrowd.from_parquet(written(tmp_path / "a", **ANSWERS)) as crowd,
        pytest.raises(ValueError, match=message),
    ):
        crowd.aggregate("crowdlab", pred_probs=folder)


def test_what_does_not_run_over_parts_is_said():
    with PartitionedCrowd.from_crowd(Crowd.from_wide([[0, 1]])) as crowd:
        for method, message in [
            (Wawa(), "does not run over parts"),
            ("glad", "does not run over parts. Those that do are majority-vote"),
            ("dawid", "There is no method"),
            (CROWDLAB(adjust_pred_probs=True), "thresholds of the whole crowd"),
            (CROWDLAB(quality_method="none"), "quality_method is 'none'"),
            (DawidSkene(n_iter=0), "n_iter is 0"),
        ]:
            with pytest.raises(ValueError, match=message):
                crowd.aggregate(method)
        with pytest.raises(ValueError, match="DawidSkene does not use pred_probs: leave them out"):
            crowd.aggregate("dawid-skene", pred_probs="probabilities")
        with pytest.raises(ValueError, match="There is no folder"):
            crowd.aggregate("crowdlab", pred_probs="probabilities")
    with pytest.raises(ValueError, match="parts is 0"):
        PartitionedCrowd.from_crowd(Crowd.from_wide([[0, 1]]), 0)
    with (
        PartitionedCrowd.from_crowd(Crowd.from_wide([[-1]])) as crowd,
        pytest.raises(ValueError, match="has no classes"),
    ):
        crowd.aggregate("majority-vote")


def test_what_has_to_be_installed_is_said():
    code = "import sys; sys.modules['fsspec'] = None; import crowdcore.partitioned"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stderr.strip().endswith(
        "Crowds in parts need fsspec, which is not installed: pip install 'label-studio-crowd[distributed]'"
    )
