"""Pages of answers about regions: each region, what is believed of it, and who said what."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from label_studio_crowd.files.tables import tables
from label_studio_crowd.pages import insights
from label_studio_crowd.pages.report import report_html
from label_studio_crowd.scoring.accuracy import consensus_accuracy
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.scoring.snapshot_taking import take_snapshot
from label_studio_crowd.store.trainings import Probabilities
from tests.plugin.scoring.test_regional import MOOD, RELATIONS, TASKS, config, crowd, scored
from tests.plugin.server.serving import STUDIO, opened

CONTROLS = (MOOD, RELATIONS)


@pytest.fixture(scope="module")
def snapshot():
    """What a run believed of names in texts, of what was said of each, and of their relations."""
    given = list(crowd(random.Random(1)))
    scores, parts = scored(CONTROLS, given)
    queue = TASKS[np.argsort(scores.priority, kind="stable")]
    each = [
        take_snapshot(
            {"title": "names", "label_config": config(*CONTROLS)},
            part,
            tuple(queue.tolist()),
            Probabilities("", "none", "", (), TASKS[:0], np.empty((0, 0)), 0, ""),
            given,
            consensus_accuracy(part.result),
            np.arange(1, 6),
            show_consensus=False,
            target_quality=0.8,
            taken_at=1_800_000_000.0,
            all_controls=tuple(parts),
        )
        for part in parts.values()
    ]
    whole = replace(each[0], others=tuple(each[1:]))
    again = Snapshot.from_bytes(whole.to_bytes())
    assert again is not None
    return again


def test_the_queue_has_each_region_with_what_is_believed_and_who_said_what(snapshot):
    about = snapshot.of_control("mood")
    people = insights.People(about, {who: f"person {who}" for who in range(1, 6)})
    rows = {row.task: row for row in insights.queue_page(about, people, 1, 40).rows}
    parts = rows[1].parts
    assert [one.part for one in parts] == ["“Ann”", "“Bob”", "“Rome”"]
    assert [one.consensus for one in parts] == ["bad", "good", "bad"]
    assert all(0.5 < one.quality <= 1 for one in parts)
    said = [(vote.label, len(vote.people)) for one in parts for vote in one.votes]
    assert sum(number for _, number in said) == 9
    assert {person.name for vote in parts[0].votes for person in vote.people} <= {
        f"person {who}" for who in range(1, 6)
    }
    assert rows[40].parts == ()


def test_the_queue_has_each_pair_of_regions_that_somebody_related(snapshot):
    about = snapshot.of_control("relations")
    people = insights.People(about, {})
    row = next(row for row in insights.queue_page(about, people, 1, 40).rows if row.task == 1)
    assert [one.part for one in row.parts] == ["“Ann” and “Bob”", "“Bob” and “Rome”"]
    assert row.parts[0].votes[0].label == "↔ knows"


def test_the_report_and_the_export_have_them(snapshot, tmp_path):
    backend = opened(tmp_path)
    stored = backend.store.project(STUDIO, 1)
    html = report_html(stored, snapshot.of_control("mood"), backend.settings, 1)
    backend.close()
    assert "<b>“Rome”</b>" in html
    frames = tables(snapshot, {})
    assert frames.tasks["consensus:mood"][0] == "“Ann”: bad; “Bob”: good; “Rome”: bad"
    assert frames.tasks["told:mood"][0].startswith("3 regions with answers, the least sure with ")
    regions = frames.regions
    columns = ["control", "task", "region", "annotator", "name", "label", "consensus", "quality"]
    assert list(regions.columns) == columns
    mine = regions[(regions["control"] == "mood") & (regions["task"] == 1)]
    assert mine["region"].tolist() == ["“Ann”"] * 3 + ["“Bob”"] * 3 + ["“Rome”"] * 3
    assert set(mine["annotator"]) <= set(range(1, 6))
