"""peerannot's folder: what we write we read, and peerannot reads."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdcore import Crowd, majority_vote
from crowdcore.formats import label_file, read_crowd, read_folder, read_probabilities, write_folder, write_simulation
from crowdcore.simulation import find_strategy
from harness.peers import peers_python

ROOT = Path(__file__).parents[3]
SETS = ROOT.parent / "shared" / "data" / "peerannot-simulations"

ids = st.one_of(
    st.lists(st.integers(-5, 2**60), unique=True, min_size=1, max_size=5),
    st.lists(st.text(max_size=4), unique=True, min_size=1, max_size=5),
)


@given(data=st.data(), tasks=ids, annotators=ids, classes=ids)
def test_a_folder_is_read_as_it_was_written(tmp_path_factory, data, tasks, annotators, classes):
    cells = data.draw(
        st.lists(st.tuples(*(st.integers(0, len(some) - 1) for some in (tasks, annotators))), unique=True)
    )
    label = [data.draw(st.integers(0, len(classes) - 1)) for _ in cells]
    truth = [data.draw(st.integers(-1, len(classes) - 1)) for _ in tasks]
    task, annotator = [at for at, _ in cells], [who for _, who in cells]
    crowd = Crowd.from_codes(task, annotator, label, tasks=tasks, annotators=annotators, classes=classes)
    confusions = np.full((len(annotators), len(classes), len(classes)), 1 / len(classes))
    path = tmp_path_factory.mktemp("folder")
    found = read_folder(write_folder(crowd, path, name="set", truth=truth, confusions=confusions))
    for name in ("tasks", "annotators", "classes", "indptr", "annotator", "label"):
        assert getattr(found.crowd, name).tolist() == getattr(crowd, name).tolist(), name
    assert found.truth.tolist() == truth
    assert np.array_equal(found.confusions, confusions)


@pytest.mark.parametrize("name", ["independent", "independent-imbalanced", "discrete_difficulty"])
def test_peerannots_own_folders_are_read(name):
    if not SETS.exists():
        pytest.skip(f"peerannot's simulations are not there: {SETS}")
    reading = read_crowd(SETS / name)
    metadata = json.loads((SETS / name / "metadata.json").read_text())
    assert reading.crowd.classes.tolist() == list(range(metadata["n_classes"]))
    assert len(reading.crowd.annotators) == metadata["n_workers"]
    accuracy = (majority_vote(reading.crowd) == reading.truth).mean()
    assert 0.74 < accuracy < 0.84  # published: .76 and .82, ties at random


def test_a_folder_keeps_what_is_only_in_the_metadata(tmp_path):
    (tmp_path / "answers.json").write_text('{"0": {"1": 0}, "2": {"0": 1}}')
    (tmp_path / "metadata.json").write_text('{"name": "x", "n_classes": 3, "n_workers": 4}')
    crowd = read_folder(tmp_path).crowd
    assert (crowd.tasks.tolist(), crowd.annotators.tolist(), crowd.classes.tolist()) == (
        [0, 2],
        [0, 1, 2, 3],
        [0, 1, 2],
    )
    np.save(tmp_path / "ground_truth.npy", np.array([0, 1, 1, 2]))
    assert read_folder(tmp_path).crowd.num_answers.tolist() == [1, 0, 1, 0]


def test_annotators_that_are_not_numbered_from_0_are_those_with_answers(tmp_path):
    (tmp_path / "answers.json").write_text('{"0": {"7": 0, "AI": 1}}')
    (tmp_path / "metadata.json").write_text('{"name": "x", "n_classes": 2, "n_workers": 2}')
    assert read_folder(tmp_path).crowd.annotators.tolist() == ["7", "AI"]


def test_what_another_crowd_left_is_removed(tmp_path):
    student = find_strategy("student-teacher")(n_tasks=5, n_annotators=4, ratio=0.5)
    write_simulation(student, tmp_path, name="s")
    pairs = np.load(tmp_path / "student_teacher_association.npy")
    assert (student.teacher[pairs[:, 0]] == pairs[:, 1]).all()
    assert len(pairs) == 2
    write_folder(Crowd.from_wide([[0, 1]]), tmp_path, name="other")
    left = {file.name for file in tmp_path.iterdir()}
    assert not left & {"ground_truth.npy", "matrices.npy", "student_teacher_association.npy"}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"metadata.json": '{"n_classes": 2}'}, ["answers.json does not exist"]),
        ({"answers.json": "{}"}, ["metadata.json does not exist", "n_classes"]),
        ({"answers.json": "{", "metadata.json": "{}"}, ["answers.json is not JSON"]),
        ({"answers.json": "[]", "metadata.json": "{}"}, ["holds a list"]),
        ({"answers.json": "{}", "metadata.json": '{"n_classes": "2"}'}, ["n_classes is '2'"]),
        ({"answers.json": '{"0": {"1": 5}}', "metadata.json": '{"n_classes": 2}'}, ["answers.json", "label 5"]),
        ({"answers.json": '{"0": 1}', "metadata.json": '{"n_classes": 2}'}, ["answers.json", "Task '0'"]),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(tmp_path, files, words):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=words[0]) as raised:
        read_folder(tmp_path)
    for word in words:
        assert word in str(raised.value)


@pytest.mark.parametrize(
    ("file", "array", "message"),
    [
        ("ground_truth.npy", [0], r"has 1 labels .* 2 tasks"),
        ("ground_truth.npy", [0, 7], r"task 1: found 7; allowed are the class codes 0 to 1"),
        ("ground_truth.npy", ["a", "b"], "expected numbers"),
        ("matrices.npy", [[1.0]], r"has shape \(1, 1\); expected \(2, 2, 2\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, file, array, message):
    write_folder(Crowd.from_wide([[0, 1], [1, -1]]), tmp_path, name="x")
    np.save(tmp_path / file, np.array(array))
    with pytest.raises(ValueError, match=message):
        read_folder(tmp_path)


def test_label_files_have_peerannots_names(tmp_path):
    write_folder(Crowd.from_wide([[0, 1]]), tmp_path, name="toy")
    assert label_file(tmp_path, "GLAD") == tmp_path / "labels" / "labels_toy_glad.npy"
    assert label_file(tmp_path, "wawa", hard=True).name == "labels_toy_wawa_hard.npy"


THEIRS = """
import importlib, importlib.util, json, pathlib, sys
import numpy as np

# peerannot's package imports its deep part, which aggregating labels does not use
sys.modules["peerannot.models"] = importlib.util.module_from_spec(importlib.util.find_spec("peerannot.models"))
folder, module, name = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
answers, metadata = (json.loads((folder / file).read_text()) for file in ("answers.json", "metadata.json"))
strategy = getattr(importlib.import_module(f"peerannot.models.aggregation.{module}"), name)
found = strategy(answers, metadata["n_classes"], n_workers=metadata["n_workers"], dataset=folder)
if hasattr(found, "run"):
    found.run()
(folder / "labels").mkdir(exist_ok=True)
np.save(folder / "labels" / f"labels_{metadata['name']}_{module}.npy", found.get_probas())
"""


@pytest.mark.parametrize(("module", "name"), [("naive_soft", "NaiveSoft"), ("glad", "GLAD")])
def test_peerannot_reads_a_folder_that_we_write_and_we_its_labels(tmp_path, module, name):
    python = peers_python()
    if python is None:
        pytest.skip(
            "peerannot is not installed: python -m benchmarks.science.speed install, or name a Python in PEERS_PYTHON"
        )
    made = find_strategy("hammer-spammer")(n_tasks=60, n_annotators=8, n_classes=3, ratio=0.25, seed=1)
    folder = write_simulation(made, tmp_path / "set", name="set")
    done = subprocess.run([python, "-c", THEIRS, folder, module, name], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    theirs = read_probabilities(label_file(folder, module), read_folder(folder).crowd)
    assert (theirs.to_numpy().argmax(axis=1) == made.truth).mean() > 0.9
