"""What holds of every project."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdcore.identify import annotator_pairs
from label_studio_crowd.pages import insights
from tests.plugin.pages.insights.small_projects import everything, plain_values, shown, snapshots


@settings(max_examples=40, deadline=None)
@given(snapshots())
def test_views_hold_plain_python_values_and_no_number_that_is_none(snapshot):
    for value in plain_values(everything(snapshot, shown(snapshot))):
        assert value is None or type(value) in (int, float, str, bool), repr(value)
        assert not (isinstance(value, float) and not np.isfinite(value))


@settings(max_examples=40, deadline=None)
@given(snapshots(), st.integers(1, 5))
def test_pages_put_together_are_the_whole(snapshot, size):
    people = shown(snapshot)
    for view in (
        insights.queue_page,
        insights.suspect_labels,
        insights.overruled_majorities,
        insights.annotators_page,
    ):
        whole = view(snapshot, people, 1, 1000)
        pages = [view(snapshot, people, number, size) for number in range(1, whole.total // size + 2)]
        parts = [row for page in pages[: pages[0].pages] for row in page.rows]
        assert parts == list(whole.rows)
        assert len(parts) == whole.total
        beyond = view(snapshot, people, 10_000, size)
        assert (beyond.rows, beyond.number) == (pages[beyond.pages - 1].rows, beyond.pages)


@settings(max_examples=40, deadline=None)
@given(snapshots())
def test_names_that_are_hidden_are_nowhere(snapshot):
    names = {int(who): f"Name {who} <mail{who}@example.org>" for who in snapshot.annotators}
    hidden, open_ = shown(snapshot, names, hidden=True), shown(snapshot, names)
    text = repr(everything(snapshot, hidden))
    assert "Name" not in text
    assert "mail" not in text
    for row, (person, known) in enumerate(zip(hidden.everybody, open_.everybody, strict=True)):
        assert person.name == f"annotator {row + 1}"
        assert person.key != known.key
        for people in (hidden, open_):  # a link stays good when names are switched
            assert people.row(person.key) == people.row(known.key) == row


@settings(max_examples=40, deadline=None)
@given(snapshots())
def test_the_matrix_of_agreement_is_that_of_crowdcore(snapshot):
    found = insights.project_agreement(snapshot, shown(snapshot), None)
    crowd, size = snapshot.crowd, len(snapshot.annotators)
    if found.has_model:
        crowd = crowd.with_annotator("model", snapshot.predicted)
        size += 1
    assert len(found.cells) == size
    pairs = annotator_pairs(crowd)
    share, common = pairs.matrix("agreement").to_numpy(), pairs.matrix("common").to_numpy()
    for i, row in enumerate(found.cells):
        for j, cell in enumerate(row):
            if i == j:
                assert cell is None
            else:
                assert cell.shared == common[i, j]
                assert cell.share == (None if cell.shared == 0 else pytest.approx(share[i, j]))


@settings(max_examples=40, deadline=None)
@given(snapshots())
def test_suspects_are_surely_not_the_consensus_and_the_surest_come_first(snapshot):
    rows = insights.suspect_labels(snapshot, shown(snapshot), 1, 1000).rows
    assert all(row.label != row.consensus and row.probability < 0.5 for row in rows)
    assert [row.probability for row in rows] == sorted(row.probability for row in rows)


@settings(max_examples=40, deadline=None)
@given(snapshots())
def test_an_overruled_majority_has_more_votes_than_the_consensus(snapshot):
    rows = insights.overruled_majorities(snapshot, shown(snapshot), 1, 1000).rows
    for row in rows:
        counts = {vote.label: len(vote.people) for vote in row.votes}
        assert counts[row.majority] == max(counts.values()) > counts.get(row.consensus, 0)
