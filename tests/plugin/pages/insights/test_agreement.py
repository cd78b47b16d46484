"""Who agrees with whom."""

import numpy as np

from harness.snapshots import made_up
from label_studio_crowd.pages import insights
from label_studio_crowd.pages.insights import People
from tests.plugin.pages.insights.small_projects import shown, votes


def test_of_many_annotators_those_with_most_labels_are_shown():
    snapshot, _ = made_up(500, 60, 3000, 3)
    found = insights.project_agreement(snapshot, shown(snapshot), None)
    active = int((snapshot.annotator_labels > 0).sum())
    assert (len(found.members), found.left_out, len(found.cells)) == (40, active - 40, 41)
    rows = [shown(snapshot).row(person.key) for person in found.members]
    assert rows == sorted(rows)
    left = np.setdiff1d(np.arange(len(snapshot.annotators)), rows)
    assert snapshot.annotator_labels[rows].min() >= snapshot.annotator_labels[left].max()


def test_without_a_classifier_it_is_in_no_matrix():
    found = insights.project_agreement(votes({1: "a", 2: "b"}), People(votes({1: "a", 2: "b"}), {}), None)
    assert (found.has_model, len(found.cells)) == (False, 2)
    assert found.alpha.value is None
    assert found.alpha.reason
