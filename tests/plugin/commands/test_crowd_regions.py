"""The commands that need no Label Studio, on answers about regions and relations in its export."""

from __future__ import annotations

import json
import random
import re

import pandas as pd
import pytest

from tests.plugin.scoring.test_regional import NAMES, crowd


@pytest.fixture
def exported(tmp_path):
    """Label Studio's export of a crowd that marks names in texts, and says something of each."""
    tasks = {}
    for row in crowd(random.Random(1)):
        made = {"id": row.id + 1, "completed_by": row.annotator, "result": json.loads(row.result), "lead_time": 1.0}
        tasks.setdefault(row.task, []).append(made | {"was_cancelled": False, "ground_truth": False})
    rows = [{"id": task, "data": {"text": "a"}, "annotations": some} for task, some in tasks.items()]
    (tmp_path / "export.json").write_text(json.dumps(rows))
    return tmp_path


def test_what_is_said_of_regions_has_a_consensus_by_region(good, exported):
    good("aggregate", "export.json", "--control", "mood", "--out", "o.json", "--annotators-out", "a.csv")
    rows = json.loads((exported / "o.json").read_text())
    assert len(rows) == 30
    right = 0
    for row in rows:
        said = {item["value"]["text"]: item["value"]["choices"][0] for item in row["consensus"]}
        assert sorted(said) == sorted(NAMES)
        right += sum(said[word] == ("bad" if (row["task"] + NAMES.index(word)) % 2 else "good") for word in NAMES)
    assert right >= 80
    assert (pd.read_csv(exported / "a.csv")["quality"] > 0.7).all()


def test_regions_are_what_is_aggregated_if_nothing_is_named_and_relations_have_a_name(good, exported):
    assert "regions: 30 of 30 tasks" in good("aggregate", "export.json")
    good("aggregate", "export.json", "--control", "relations", "--out", "o.csv")
    found = json.loads(pd.read_csv(exported / "o.csv")["consensus"][0])
    assert {(one["direction"], *one["labels"]) for one in found["relations"]} == {("bi", "knows"), ("right", "in")}
    assert sorted(found["regions"].values()) == ["“Ann”", "“Bob”", "“Rome”"]


def test_agreement_about_regions_is_by_region(good, exported):
    said = good("identify", "export.json", "--control", "mood")
    alpha = re.search(r"alpha\D*([01]\.\d+)", said)
    assert 0.3 < float(alpha[1]) < 0.9, said
