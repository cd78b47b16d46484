"""Regions that people marked: how near the consensus is to the truth."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.stats import spearmanr

from crowdcore.kinds import AnswerTable
from crowdcore.kinds.region import Box, Region, Span, regions
from crowdcore.kinds.region.measures import measure_of

DATA = Path(__file__).parents[5] / "shared" / "data" / "kinds"


def read(name):
    file = DATA / name / "crowd.jsonl"
    if not file.exists():
        pytest.skip(f"{file} is not there")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    people = sorted({given["annotator"] for row in rows for given in row["annotations"]})
    flat = [(task, given) for task, row in enumerate(rows) for given in row["annotations"]]
    table = AnswerTable.from_codes(
        [task for task, _ in flat], [people.index(given["annotator"]) for _, given in flat],
        [regions_of(given["answer"]) for _, given in flat], tasks=[row["task"] for row in rows], annotators=people,
    )  # fmt: skip
    return table, [regions_of(row["truth"]) for row in rows]


def regions_of(given):
    return tuple(
        Region(Span(r["start"], r["end"]) if "start" in r else Box(r["x"], r["y"], r["width"], r["height"]), r["label"])
        for r in given
    )


def f1(found, truth, level):
    right = 0
    for one, there in zip(found, truth, strict=True):
        if one and there:
            measure = measure_of([region.place for region in (*one, *there)])
            rows, columns = (grid.ravel() for grid in np.indices((len(one), len(there))))
            alike = measure.alike(rows, measure, len(one) + columns).reshape(len(one), len(there))
            alike[[[a.label != b.label for b in there] for a in one]] = 0
            enough = np.where(alike >= level - 1e-9, 1 + alike, 0)
            right += (enough[linear_sum_assignment(enough, maximize=True)] > 0).sum()
    total = sum(map(len, found)) + sum(map(len, truth))
    return 2 * right / total if total else np.nan


def order_of_annotators(result, truth, level, least):
    table = result.answers
    quality, true = [], []
    for who in range(len(table.annotators)):
        rows = np.flatnonzero(table.annotator == who)
        there = [truth[task] for task in table.task[rows].tolist()]
        if sum(map(len, there)) >= least:
            quality.append(result.annotators.quality[who])
            true.append(f1([table.values[row] for row in rows.tolist()], there, level))
    return spearmanr(quality, true)[0]


def test_names_in_texts():
    table, truth = read("ner-mturk-val")
    result = regions(table)
    assert f1(result.consensus, truth, 1) >= 0.765  # Dawid-Skene of each token .732
    assert order_of_annotators(result, truth, 1, 30) >= 0.9


def test_people_in_pictures():
    table, truth = read("boxes-people")
    result = regions(table)
    assert f1(result.consensus, truth, 0.5) >= 0.79  # the best quorum .775
    assert f1(result.consensus, truth, 0.75) >= 0.58
    assert order_of_annotators(result, truth, 0.5, 30) >= 0.78
