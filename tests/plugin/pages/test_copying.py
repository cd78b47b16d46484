"""Who gives the same labels as others is said wherever people look."""

import io
from dataclasses import fields

import numpy as np
import pytest

from crowdcore import hierarchical_dawid_skene
from label_studio_crowd.files.tables import tables
from label_studio_crowd.pages import insights
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.server.tables import annotators_of
from tests.plugin.pages.insights.small_projects import CLASSES, shown, votes
from tests.plugin.pages.test_next_steps import NAMES, lines
from tests.plugin.pages.test_report import of

COPY = ("copy_group", "copy_shared", "copy_same", "copy_expected")


def labelled(*, bots):
    """Return the snapshot of 80 tasks: six annotators, right in three of four, and the accounts of a bot."""
    rng = np.random.default_rng(1)
    rows = []
    for _ in range(80):
        truth, says = rng.integers(3, size=2)
        given = np.where(rng.random(6) < 0.75, truth, rng.integers(3, size=6))
        given = [*given.tolist(), *[int(says)] * bots]
        rows.append({who: CLASSES[code] for who, code in enumerate(given, 1)})
    return votes(*rows)


@pytest.fixture(scope="module")
def copied():
    return labelled(bots=2)


def test_who_copies_is_known_with_what_they_share_and_what_is_expected(copied):
    (group,) = insights.copying_groups(copied, shown(copied, NAMES))
    assert [one.person.name for one in group] == ["person 7", "person 8"]
    assert [other.name for other in group[0].others] == ["person 8"]
    assert all((one.shared, one.same) == (80, 80) and one.expected < 50 for one in group)
    assert insights.same_labels(copied, shown(copied), 0) is None


def test_the_report_says_so_and_what_to_do(copied, tmp_path):
    assert any(
        line == "Ask user 7 and user 8 whether they label on their own: they give the same labels, also where "
        "everybody else says otherwise. Equal labels of theirs count as one."
        for line in lines(tmp_path, copied)
    )
    words = " ".join(of(tmp_path, copied).split())
    assert "also where everybody else says otherwise: 80 of 80 shared tasks" in words
    assert "The same labels" in words


def test_nobody_is_accused_where_nobody_copies(tmp_path):
    snapshot = labelled(bots=1)
    assert insights.copying_groups(snapshot, shown(snapshot)) == ()
    assert "everybody else says otherwise" not in of(tmp_path, snapshot)


def test_of_many_accounts_three_are_named(tmp_path):
    found = insights.next_steps(labelled(bots=5), shown(labelled(bots=5), NAMES))
    assert [len(group) for group in found.copying] == [5]
    assert any("user 9 and 2 more" in line for line in lines(tmp_path, labelled(bots=5)))


def test_export_and_api_name_the_group(copied):
    exported = tables(copied, NAMES).annotators.set_index("annotator")["copy_group"]
    assert exported.dropna().to_dict() == {7: 1, 8: 1}
    found = {one.annotator: one.copies for one in annotators_of(copied, NAMES, slice(None))}
    assert (found[7], found[8], found[1]) == ([8], [7], [])


def test_their_labels_are_one_in_the_consensus(copied):
    alone = labelled(bots=1)
    np.testing.assert_allclose(copied.quality, alone.quality)
    assert (copied.labels == 8).all()
    assert hierarchical_dawid_skene(copied.crowd).heard.num_answers.tolist() == [7] * 80


def test_two_labels_of_copies_settle_nothing():
    rng = np.random.default_rng(1)
    rows = [dict(zip(range(1, 9), row, strict=True)) for row in _many(rng)]
    snapshot = votes(*rows, {7: "a", 8: "a"})
    assert snapshot.reason(len(rows)) == ""
    assert not snapshot.judged[-1]


def _many(rng):
    for _ in range(80):
        truth, says = rng.integers(3, size=2)
        honest = np.where(rng.random(6) < 0.75, truth, rng.integers(3, size=6))
        yield [CLASSES[code] for code in [*honest.tolist(), says, says]]


def test_a_snapshot_of_before_has_no_copies(copied):
    with np.load(io.BytesIO(copied.to_bytes())) as stored:
        kept = {name: stored[name] for name in stored.files if name not in COPY}
    content = io.BytesIO()
    np.savez(content, **kept)
    found = Snapshot.from_bytes(content.getvalue())
    assert (found.copy_group == -1).all()
    assert [len(getattr(found, name)) for name in COPY] == [8] * 4
    assert {field.name for field in fields(found)} >= set(COPY)
