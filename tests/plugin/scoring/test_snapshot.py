import io
from dataclasses import fields, replace
from datetime import timedelta

import numpy as np
import orjson
import pytest

from harness.snapshots import BEGIN, annotation, control_of, made_up, snapshot_of
from label_studio_crowd.scoring.snapshot import Snapshot

CLASSES = ("a", "b", "c")
_, CONTROL = control_of(CLASSES)
AT = int(BEGIN.timestamp())


def test_what_is_stored_is_read_again():
    snapshot, _ = made_up(300, 20, 1500, 4, seed=3)
    found = Snapshot.from_bytes(snapshot.to_bytes())
    for field in fields(snapshot):
        stored, read = getattr(snapshot, field.name), getattr(found, field.name)
        if isinstance(stored, np.ndarray):
            assert read.dtype == stored.dtype
            rough = field.name in (
                "answer_quality",
                "answer_seconds",
                "predicted_probability",
                "crowdlab_quality",
                "activelab",
            )
            np.testing.assert_allclose(read, stored, rtol=1e-6 if rough else 0, err_msg=field.name)
        else:
            assert read == stored


@pytest.mark.parametrize("largest", [127, 128, 2**15, 2**31 - 1, 2**31, 2**63 - 1])
def test_ids_of_any_size_survive(largest):
    snapshot, _ = made_up(300, 20, 1500, 4, seed=3)
    tasks = snapshot.tasks.copy()
    tasks[-1] = max(largest, 301)
    found = Snapshot.from_bytes(replace(snapshot, tasks=tasks).to_bytes())
    assert found.tasks.tolist() == tasks.tolist()


def test_an_empty_project_survives():
    found = Snapshot.from_bytes(snapshot_of([], 0, CLASSES).to_bytes())
    assert (len(found.tasks), len(found.crowd.label), found.accuracy.value) == (0, 0, None)


def test_of_the_version_before_nothing_is_known_to_disagree():
    snapshot, _ = made_up(300, 20, 1500, 4, seed=3)
    with np.load(io.BytesIO(snapshot.to_bytes())) as stored:
        arrays = {name: stored[name] for name in stored.files if name != "model_disagrees"}
    content = io.BytesIO()
    np.savez(content, **arrays)
    found = Snapshot.from_bytes(content.getvalue())
    assert found.consensus.tolist() == snapshot.consensus.tolist()
    assert not found.model_disagrees.any()


def test_what_another_release_stored_is_nothing():
    content = io.BytesIO()
    np.savez(content, words=np.frombuffer(orjson.dumps({"format": 1}), np.uint8))
    assert Snapshot.from_bytes(content.getvalue()) is None


def test_fifty_thousand_labels_take_little_room():
    snapshot, _ = made_up()
    assert len(snapshot.answer_label) == 50_000
    assert len(snapshot.to_bytes()) < 1_700_000


def test_answers_are_the_crowds():
    snapshot, _ = made_up(300, 20, 1500, 4, seed=3)
    crowd = snapshot.crowd
    assert crowd.num_answers.tolist() == snapshot.labels.tolist()
    for row in range(len(snapshot.annotators)):
        theirs = snapshot.answers_of(row)
        assert (crowd.annotator[theirs] == row).all()
        assert len(theirs) == snapshot.annotator_labels[row]


@pytest.mark.parametrize("backwards", [False, True])
def test_the_latest_annotation_tells_when_and_how_long(backwards):
    given = [
        annotation(CONTROL, 1, 1, 7, "a", at=BEGIN, seconds=5.0),
        annotation(CONTROL, 2, 1, 7, "b", at=BEGIN + timedelta(hours=1), seconds=2.5),
        annotation(CONTROL, 3, 1, 7, None, at=BEGIN + timedelta(hours=2), seconds=99.0),  # empty
        annotation(CONTROL, 4, 1, 7, None, at=BEGIN + timedelta(hours=3), seconds=99.0, skipped=True),
        annotation(CONTROL, 5, 2, 8, "a", at=BEGIN + timedelta(hours=4)),
        annotation(CONTROL, 6, 9, 8, "a", at=BEGIN),  # of a task that is gone
    ]
    snapshot = snapshot_of(given[::-1] if backwards else given, 2, CLASSES)
    assert snapshot.answer_label.tolist() == [1, 0]
    assert snapshot.answer_at.tolist() == [AT + 3600, AT + 4 * 3600]
    np.testing.assert_array_equal(snapshot.answer_seconds, [2.5, np.nan])


def test_the_classifiers_guess_is_its_most_probable_class():
    P = np.array([[0.1, 0.7, 0.2], [0.6, 0.3, 0.1]])
    snapshot = snapshot_of([annotation(CONTROL, 1, 1, 7, "a")], 2, CLASSES, pred_probs=P)
    assert snapshot.predicted.tolist() == [1, 0]
    assert snapshot.predicted_probability.tolist() == [0.7, 0.6]
    assert snapshot_of([], 2, CLASSES).predicted.tolist() == [-1, -1]
