"""What pages, the report and the API say of further labels, of projects of every kind of answers."""

import re
from html import unescape

import numpy as np
import pytest

from harness.snapshots import annotations_of
from label_studio_crowd.pages.report import report_html
from label_studio_crowd.scoring.growth import without_labels
from label_studio_crowd.scoring.joint import joint, score_together
from label_studio_crowd.scoring.outlook import Forecast, renew_outlook
from label_studio_crowd.scoring.reading import read_answers
from label_studio_crowd.scoring.scores import score
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.studio.controls import find_controls
from tests.plugin.pages.projects_of_kinds import MADE, fill_with, made
from tests.plugin.pages.test_pages_of_kinds import words_of
from tests.plugin.server.serving import STUDIO, guarded, running

AIM = {"target_quality": 0.99, "max_labels": 9}
MEASURES = {
    "sets": "expected F1 of the sets of classes",
    "lengths": "chance to be within the tolerance",
    "dates": "chance to be within the tolerance",
    "texts": "expected share of right words",
    "rankings": "expected share of pairs in the right order",
    "spans": "expected F1 of the regions, with their boundaries",
    "boxes": "expected F1 of the regions, with their boundaries",
}


def forecast_of(stored, project, **aim):
    """Forecast as a service does after a run, and return what is kept."""
    annotations = annotations_of(project.rows)
    tasks = np.arange(1, len(project.data) + 1)
    answers = [read_answers(tasks, annotations, control) for control in find_controls(project.config)]

    def scored(some):
        return joint(score_together(some, lambda each, regions: score(each, None, regions=regions, **aim)))

    renew_outlook(
        stored.facts, scored(answers), {}, lambda labels: scored([without_labels(each, labels) for each in answers])
    )
    return stored.facts.read(Forecast)


@pytest.fixture
def backend(tmp_path):
    backend = guarded(tmp_path)
    yield backend
    backend.close()


@pytest.mark.parametrize("kind", MADE)
def test_every_kind_of_answers_has_a_forecast(backend, kind):
    project = made(kind)
    snapshot = fill_with(backend, 1, project, **AIM)
    found = forecast_of(backend.store.project(STUDIO, 1), project, **AIM)
    assert found.reason == ""
    waiting = np.count_nonzero(snapshot.settled_by == 0)
    assert waiting <= found.needed.low <= found.needed.value <= found.needed.high
    with running(backend) as client:
        page = client.get("/projects/1").text
        numbers = client.get("/api/projects/1").json()["numbers"]
    assert numbers["labels_needed"]["value"] == found.needed.value
    quality = numbers["estimated_quality"]
    assert quality["low"] < quality["value"] <= quality["high"]
    shown = words_of(page)
    if kind in MEASURES:
        assert MEASURES[kind] in shown
    report = report_html(backend.store.project(STUDIO, 1), snapshot, backend.settings, 1)
    for html in (page, report):
        assert said_of(html, found, kind in MEASURES)


def said_of(html, found, has_measure):
    """Return whether a page or report says how many labels are needed, and shows what they bring."""
    words = " ".join(re.sub(r"<[^>]+>", " ", unescape(html)).split())  # also at no-break spaces
    if not found.needed.value:
        return "Every task is settled." in words
    chart = html.partition("What more labels are expected to bring</h2>")[2].partition("</section>")[0]
    between = f"until every task is settled; 90 % interval {found.needed.low:,.0f} to {found.needed.high:,.0f}"
    return between in words and "in random order" in chart and ("agreement with the truth" in chart) >= has_measure


def test_with_several_controls_each_has_its_curve_and_all_the_same_number(backend):
    project = made("several")
    snapshot = fill_with(backend, 1, project, **AIM)
    found = forecast_of(backend.store.project(STUDIO, 1), project, **AIM)
    names = snapshot.controls
    assert [each.control for each in (found, *found.others)] == list(names)
    assert len({each.needed.value for each in (found, *found.others)}) == 1
    assert len({each.queue.mean for each in (found, *found.others)}) == len(names)
    with running(backend) as client:
        for name in names:
            shown = words_of(client.get("/projects/1", params={"control": name}).text)
            assert f"The curve is for {name}, and ends when every control of every task is settled." in shown


@pytest.mark.parametrize("silent", ["topic", "stars"])
def test_a_control_that_nobody_answers_takes_no_forecast_from_the_others(backend, silent):
    project = made("several")
    rows = [(task, who, [each for each in items if each["from_name"] != silent]) for task, who, items in project.rows]
    without = type(project)(project.config, project.data, rows)
    snapshot = fill_with(backend, 1, without, **AIM)
    found = forecast_of(backend.store.project(STUDIO, 1), without, **AIM)
    told = {each.control: each for each in (found, *found.others)}
    assert all((told[name].queue is not None) == (name != silent) for name in snapshot.controls)
    assert {each.needed.value for each in told.values()} == {found.needed.value}
    with running(backend) as client:
        assert client.get("/api/projects/1").json()["numbers"]["labels_needed"]["value"] == found.needed.value
        shown = words_of(client.get("/projects/1", params={"control": silent}).text)
    assert "Too few tasks have answers of two annotators" in shown


def test_before_anybody_compares_answers_it_says_why_there_is_no_forecast(backend):
    project = made("spans")
    alone = [row for row in project.rows if row[1] == 101]
    for rows, why in (([], "Nobody has answered yet."), (alone, "Too few tasks have answers of two annotators")):
        few = type(project)(project.config, project.data, rows)
        fill_with(backend, 1, few)
        assert why in forecast_of(backend.store.project(STUDIO, 1), few, target_quality=0.9, max_labels=5).reason
        with running(backend) as client:
            assert why in words_of(client.get("/projects/1").text)


def test_a_project_all_of_whose_tasks_are_settled_needs_no_labels(backend):
    project = made("boxes")
    snapshot = fill_with(backend, 1, project, target_quality=0.05)
    found = forecast_of(backend.store.project(STUDIO, 1), project, target_quality=0.05, max_labels=5)
    assert isinstance(snapshot, Snapshot)
    assert found.needed.value == 0
    with running(backend) as client:
        shown = words_of(client.get("/projects/1").text)
    assert "No more labels are needed: every task is settled." in shown
    assert re.search(r"Labels still needed\W+0\W+Every task is settled", shown)
