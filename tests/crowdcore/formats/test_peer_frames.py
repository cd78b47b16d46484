"""The peers' frames, there and back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdcore import Crowd, crowdlab
from crowdcore.aggregate import DawidSkene
from crowdcore.formats import from_cleanlab, from_crowd_kit, labels_series, probas_frame, to_cleanlab, to_crowd_kit

matrices = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.sampled_from(["cat", "dog", "eel", None]), min_size=width, max_size=width), min_size=1, max_size=5
    )
)


@given(matrix=matrices)
def test_there_and_back(matrix):
    crowd = Crowd.from_wide(matrix, classes=["eel", "dog", "cat"])
    back = from_cleanlab(to_cleanlab(crowd), classes=crowd.classes)
    for name in ("tasks", "annotators", "classes", "indptr", "annotator", "label"):
        assert getattr(back, name).tolist() == getattr(crowd, name).tolist(), name
    assert from_crowd_kit(to_crowd_kit(crowd), classes=crowd.classes).to_long().equals(crowd.to_long())


def test_crowd_kits_columns_and_results():
    crowd = Crowd.from_wide([["cat", "cat", "dog"], ["dog", "dog", None], [None, None, None]])
    frame = to_crowd_kit(crowd)
    assert list(frame.columns) == ["task", "worker", "label"]
    fitted = DawidSkene().fit(crowd)
    labels, probas = labels_series(crowd, fitted.labels_), probas_frame(crowd, fitted.probas_)
    assert (labels.name, labels.index.name, labels.to_dict()) == ("agg_label", "task", {0: "cat", 1: "dog"})
    assert (probas.index.name, list(probas.columns)) == ("task", ["cat", "dog"])
    assert np.allclose(probas.sum(axis=1), 1)


@pytest.mark.parametrize("module", ["crowdcore.cleanlab_api", "cleanlab.multiannotator"])
def test_cleanlabs_functions_take_the_frame(module):
    functions = pytest.importorskip(module, reason="cleanlab is not installed, so there is nothing to compare with")
    crowd = Crowd.from_wide([["cat", "cat", "dog"], ["dog", "dog", None], ["cat", "dog", "dog"]])
    pred_probs = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
    found = functions.get_label_quality_multiannotator(to_cleanlab(crowd), pred_probs, verbose=False)
    assert np.allclose(found["label_quality"]["consensus_quality_score"], crowdlab(crowd, pred_probs).quality)


def test_a_frame_of_codes_without_names_is_read_by_its_values():
    frame = pd.DataFrame({"ann": [0, np.nan], "bob": [3, pd.NA]}, index=["x", "y"])
    crowd = from_cleanlab(frame)
    assert (crowd.tasks.tolist(), crowd.classes.tolist(), crowd.num_answers.tolist()) == (["x", "y"], [0, 3], [2, 0])
    with pytest.raises(ValueError, match="label 3 is not among the 2 classes"):
        from_cleanlab(frame, classes=["a", "b"])


def test_a_wide_frame_too_large_is_refused(monkeypatch):
    monkeypatch.setattr("crowdcore.formats.peer_frames.MOST_CELLS", 3)
    with pytest.raises(ValueError, match=r"2 tasks by 2 annotators .* crowdcore\.crowdlab"):
        to_cleanlab(Crowd.from_wide([[0, 1], [1, 1]]))
