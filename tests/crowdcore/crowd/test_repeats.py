"""Repeated answers: several of one annotator to one task."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from crowdcore import Crowd, activelab, crowdlab, hierarchical_dawid_skene
from crowdcore.aggregate import DawidSkene
from crowdcore.aggregate.methods import METHODS, run_method
from crowdcore.formats import to_cleanlab, write_folder, write_wide
from crowdcore.identify import annotator_agreement, annotator_pairs, copied_answers, fleiss_kappa, krippendorff_alpha
from crowdcore.kinds import AnswerTable

# Dawid & Skene 1979, table 1: of each patient the three answers of the first anaesthetist, and those of the other four
ANAESTHETISTS = """
111 1 1 1 1, 333 4 3 3 4, 112 2 1 2 2, 222 3 1 2 1, 222 3 2 2 2, 222 3 3 2 2, 122 2 1 1 1, 333 3 4 3 3, 222 2 2 2 3,
232 2 2 2 3, 444 4 4 4 4, 222 3 3 4 3, 111 1 1 1 1, 222 3 2 1 2, 121 1 1 1 1, 111 2 1 1 1, 111 1 1 1 1, 111 1 1 1 1,
222 2 2 2 1, 222 1 3 2 2, 222 2 2 2 2, 222 2 2 2 1, 222 3 2 2 2, 221 2 2 2 2, 111 1 1 1 1, 111 1 1 1 1, 232 2 2 2 2,
111 1 1 1 1, 111 1 1 1 1, 112 1 1 2 1, 111 1 1 1 1, 333 3 2 3 3, 111 1 1 1 1, 222 2 2 2 2, 222 3 2 3 2, 433 4 3 4 3,
221 2 2 3 2, 232 3 2 3 3, 333 3 4 3 2, 111 1 1 1 1, 111 1 1 1 1, 121 2 1 1 1, 232 2 2 2 2, 121 1 1 1 1, 222 2 2 2 2
"""
PATIENTS = pd.DataFrame(
    [
        (patient, who, int(label))
        for patient, line in enumerate(ANAESTHETISTS.split(","), 1)
        for who, labels in enumerate(line.split(), 1)
        for label in labels
    ],
    columns=["task", "annotator", "label"],
)
TWICE = pd.DataFrame({"task": [1, 1, 1, 2], "annotator": ["a", "b", "a", "b"], "label": ["x", "y", "y", "x"]})


def test_the_table_of_1979_is_reproduced():
    crowd = Crowd.from_long(PATIENTS, repeated="all")
    assert (len(crowd.label), crowd.num_repeated) == (7 * 45, 2 * 45)
    found = DawidSkene(n_iter=1000, tol=1e-10).fit(crowd)
    assert found.prior_.round(2).tolist() == [0.40, 0.42, 0.11, 0.07]
    assert found.confusion_[0].round(2).tolist() == [  # the first anaesthetist's, of table 2
        [0.89, 0.11, 0.00, 0.00],
        [0.07, 0.88, 0.05, 0.00],
        [0.00, 0.34, 0.66, 0.00],
        [0.00, 0.00, 0.56, 0.44],
    ]


def test_the_latest_counts_and_it_is_said_how_many_do_not():
    with pytest.warns(UserWarning, match="'a' answered task 1 more than once .* 1 earlier answers were set aside"):
        crowd = Crowd.from_long(TWICE)
    assert crowd.to_long().values.tolist() == [[1, "a", "y"], [1, "b", "y"], [2, "b", "x"]]
    with pytest.warns(UserWarning, match="set aside"):
        assert DawidSkene().fit(TWICE).labels_.tolist() == ["y", "x"]


@pytest.mark.parametrize(("how", "labels"), [("latest", ["y"]), ("first", ["x"]), ("all", ["x", "y"])])
def test_whoever_says_what_counts_is_not_warned(how, labels):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        crowd = Crowd.from_long(TWICE, repeated=how)
    assert [label for task, who, label in crowd.to_long().values.tolist() if (task, who) == (1, "a")] == labels


def test_a_label_that_was_corrected_is_no_class():
    frame = pd.DataFrame({"task": [1, 1], "annotator": ["a", "a"], "label": ["ct", "cat"]})
    assert Crowd.from_long(frame, repeated="latest").classes.tolist() == ["cat"]


@pytest.mark.parametrize("times", [["2024-05-02", "2024-05-01", "2024-05-01T09:30:00Z", None], [20, 10, 9.5, None]])
@pytest.mark.parametrize("name", ["updated_at", "SubmitTime", "when"])
def test_the_latest_by_its_time(name, times):
    frame = TWICE.assign(**{name: times})
    crowd = Crowd.from_long(frame, repeated="latest", time=name if name == "when" else None)
    assert crowd.to_long()["label"].tolist() == ["x", "y", "x"]


def test_what_is_no_time_or_no_choice_is_said():
    with pytest.raises(ValueError, match="a value that is no time"):
        Crowd.from_long(TWICE.assign(when="soon"), repeated="latest", time="when")
    with pytest.raises(ValueError, match="repeated= is 'newest'; allowed are 'latest'"):
        Crowd.from_long(TWICE, repeated="newest")
    with pytest.raises(ValueError, match="more than once"):
        Crowd.from_long(TWICE, repeated="error")


def test_methods_take_all_answers_or_say_that_they_do_not():
    crowd = Crowd.from_long(PATIENTS.assign(label=PATIENTS["label"] > 1), repeated="all")
    once = crowd.one_answer_each()
    P = np.full((45, 2), 0.5)
    refused = set()
    for name in METHODS:
        if METHODS[name].needs - {"pred_probs"}:
            continue
        try:
            found = run_method(name, crowd, pred_probs=P if METHODS[name].needs else None)
        except ValueError as error:
            assert "takes one answer of an annotator to a task; 90 answers repeat" in str(error)  # noqa: PT017
            run_method(name, once, pred_probs=P)
            refused.add(name)
        else:
            assert len(found.labels) == 45
    assert "crowdlab" in refused
    assert refused.isdisjoint({"dawid-skene", "majority-vote", "glad", "mace", "hierarchical-dawid-skene"})
    for call in (crowdlab, activelab):
        with pytest.raises(ValueError, match="takes one answer"):
            call(crowd, P)
    assert len(hierarchical_dawid_skene(crowd).label_quality) == len(crowd.label)


def test_files_without_room_for_several_answers_are_not_written(tmp_path):
    crowd = Crowd.from_long(TWICE, repeated="all")
    for write in (
        lambda: write_wide(crowd, tmp_path / "wide.csv"),
        lambda: write_folder(crowd, tmp_path / "folder", name="x"),
        lambda: to_cleanlab(crowd),
    ):
        with pytest.raises(ValueError, match="takes one answer"):
            write()
    assert not list(tmp_path.iterdir())


def test_annotators_are_compared_with_each_other_and_not_with_themselves():
    crowd = Crowd.from_long(PATIENTS, repeated="all")
    once = crowd.one_answer_each()
    assert len(once.label) == 5 * 45
    for measure in (krippendorff_alpha, fleiss_kappa):
        assert measure(crowd).value == measure(once).value
    assert annotator_pairs(crowd).to_frame().equals(annotator_pairs(once).to_frame())
    assert annotator_agreement(crowd).to_frame().equals(annotator_agreement(once).to_frame())


def test_nobody_copies_themselves():
    rng = np.random.default_rng(0)
    truth = rng.integers(4, size=(60, 1))
    honest = np.where(rng.random((60, 7)) < 0.75, truth, rng.integers(4, size=(60, 7)))
    again = pd.concat([Crowd.from_wide(honest).to_long()] * 3)
    assert len(copied_answers(Crowd.from_long(again, repeated="all")).groups) == 0


def test_answers_of_other_kinds_too():
    frame = pd.DataFrame({"task": [1, 1, 2], "annotator": ["a", "a", "b"], "answer": [1.5, 2.5, 7.0]})
    with pytest.warns(UserWarning, match="1 earlier answers were set aside"):
        assert AnswerTable.from_long(frame).values.tolist() == [2.5, 7.0]
    assert AnswerTable.from_long(frame, repeated="first").values.tolist() == [1.5, 7.0]
    with pytest.raises(ValueError, match="allowed are 'latest', 'first' and 'error'"):
        AnswerTable.from_long(frame, repeated="all")


def test_a_part_and_one_annotator_more_keep_the_repeated_answers():
    crowd = Crowd.from_long(TWICE, repeated="all")
    assert crowd.select_tasks([1, 0]).num_repeated == 1
    assert crowd.with_annotator("model", [0, 1]).num_repeated == 1
