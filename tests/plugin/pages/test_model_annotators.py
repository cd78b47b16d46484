"""Models among the annotators are marked on every page, and nobody is told to train them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from harness.snapshots import annotation, control_of, snapshot_of
from label_studio_crowd.pages import insights
from label_studio_crowd.store.people import model_id
from label_studio_crowd.store.reports import RunReport
from tests.plugin.pages.insights.small_projects import shown
from tests.plugin.pages.showing import BROWSER
from tests.plugin.server.serving import STUDIO, guarded, running, task

MODEL, BAD = model_id("gpt-5"), model_id("person6")
NAMES = {5: "person5", 6: "person6", 7: "person7", MODEL: "gpt-5", BAD: "person6"}
"""The second model is called like a person."""
BADGE = '<span class="state model">model</span>'


def labelled(tasks=80, *, copies=False):
    """Three people, one good model, and one that is nearly always wrong, or says what person 7 says."""
    rng = np.random.default_rng(3)
    _, control = control_of(("a", "b", "c"))
    given = []
    for number in range(tasks):
        truth, said = rng.integers(3, size=2)
        for who, accuracy in {5: 0.85, 6: 0.8, 7: 0.8, MODEL: 0.95, BAD: 0.0}.items():
            if number >= tasks - 10 and who < MODEL and who < BAD:
                continue
            code = truth if rng.random() < accuracy else (truth + 1 + rng.integers(2)) % 3
            if copies and who in (7, BAD):
                code = said
            given.append(annotation(control, len(given), number + 1, who, "abc"[code]))
    return snapshot_of(given, tasks)


@pytest.fixture(scope="module")
def snapshot():
    return labelled()


@pytest.fixture(scope="module")
def served(snapshot, tmp_path_factory):
    backend = guarded(tmp_path_factory.mktemp("models"))
    stored = backend.store.project(STUDIO, 1)
    stored.mirror.apply([task(number) for number in snapshot.tasks.tolist()])
    stored.people.keep_names([], {who: name for who, name in NAMES.items() if who < min(MODEL, BAD)})
    stored.people.keep_models(["gpt-5", "person6"])
    item = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["b"]}}
    at = "2026-01-01T00:00:00Z"
    row = {"id": 9, "task": 1, "model_version": "gpt-5", "result": [item], "created_at": at, "updated_at": at}
    stored.model_answers.replace([row], {"gpt-5"})
    stored.runs.keep_snapshot(snapshot.to_bytes(), snapshot.taken_at)
    stored.runs.add(RunReport(labels=210, models={"gpt-5": 80, "person6": 80}, seconds={"pull": 0.5}))
    backend.jobs.mark(1)
    with running(backend) as client:
        yield SimpleNamespace(client=client, snapshot=snapshot)


@pytest.mark.parametrize("page", ["/annotators", "/agreement", "/queue", f"/annotators/{MODEL}", f"/annotators/{BAD}"])
@pytest.mark.parametrize("hidden", [False, True])
def test_a_model_is_marked_wherever_it_is_named(served, page, hidden):
    cookie = {"Cookie": "names=hidden"} if hidden else {}
    answer = served.client.get(f"/projects/1{page}", headers={**BROWSER, **cookie})
    if answer.is_redirect:  # to the page of the pseudonym
        answer = served.client.get(answer.headers["location"], headers={**BROWSER, **cookie})
    html = answer.text
    assert BADGE in html
    assert "gpt-5" in html or page == f"/annotators/{BAD}"
    for name in ("gpt-5", "person6"):
        for place in re.finditer(rf">{name}<", html):
            after = html[place.end() - 1 : place.end() + 60]
            # the person of that name has no badge, and a pseudonym where names are hidden
            assert after.startswith(f"</a> {BADGE}") or (name == "person6" and not hidden), after
    if hidden:
        assert "person5" not in html


def test_a_models_page_gives_no_advice_for_people(served):
    html = served.client.get(f"/projects/1/annotators/{MODEL}", headers=BROWSER).text
    assert f"<h2>gpt-5 {BADGE}</h2>" in html
    assert "no labels of a task" in html
    assert "What it is probably wrong about" in html
    for word in ("Mistakes to learn from", "Quality over time", "Speed"):
        assert word not in html
    assert "Mistakes to learn from" in served.client.get("/projects/1/annotators/5", headers=BROWSER).text


def test_the_overview_counts_people_and_names_the_models(served):
    html = " ".join(served.client.get("/projects/1", headers=BROWSER).text.split())
    assert "by 3 annotators; answers of 2 models do not count" in html
    assert "gpt-5 (80 tasks), person6 (80 tasks)" in html
    assert BADGE not in html, "there is nothing to ask a model for"


def test_the_api_says_who_is_a_model(served):
    rows = served.client.get("/api/projects/1/annotators").json()["items"]
    assert {row["name"]: row["is_model"] for row in rows} == {
        "person5": False,
        "person6": False,
        "person7": False,
        "gpt-5 (model)": True,
        "person6 (model)": True,
    }
    numbers = served.client.get("/api/projects/1").json()["numbers"]
    assert (numbers["labels"], numbers["annotators"], numbers["models"]) == (210, 3, 2)
    details = served.client.get("/api/projects/1/tasks/1").json()
    assert (details["believed"]["labels"], details["believed"]["model_answers"]) == (3, 2)
    (answer,) = details["model_answers"]
    assert (answer["name"], answer["label"], answer["annotator"]) == ("gpt-5 (model)", "b", MODEL)
    assert json.dumps(MODEL) == str(MODEL)


def test_labels_that_are_probably_wrong_are_those_of_people(snapshot):
    people = shown(snapshot, NAMES)
    found = insights.suspect_labels(snapshot, people, 1, 1000)
    assert found.total
    assert not any(row.person.version for row in found.rows)
    bad = snapshot.annotators.tolist().index(BAD)
    details = insights.annotator_details(snapshot, people, bad)
    assert details.is_model
    assert details.mistakes
    assert details.row.trend is details.row.share is details.speed is None
    assert details.periods == ()
    steps = insights.next_steps(snapshot, people)
    assert not [one for one in (*steps.train, *steps.worse) if one.person.version]
    assert steps.suspects == found.total


def test_the_queue_says_what_models_say_apart(snapshot):
    rows = insights.queue_page(snapshot, shown(snapshot, NAMES), 1, 1000).rows
    new = [row for row in rows if row.why == "new"]
    assert len(new) == 10
    assert all(
        row.sentence.startswith("Nobody has labelled it yet. ") and "(model) says" in row.sentence for row in new
    )
    assert all(row.labels == 0 and row.consensus is None for row in new)
    assert any(row.why == "model doubts" for row in rows), "people agree, a model says otherwise"


def test_who_copies_a_model_is_asked_and_models_are_not(tmp_path):
    copied = labelled(copies=True)
    people = shown(copied, NAMES)
    (group,) = insights.copying_groups(copied, people)
    assert [one.person.name for one in group] == ["person7", "person6 (model)"]
    assert insights.next_steps(copied, people).copying == (group,)
    alone = np.where(copied.annotators == 7, -1, copied.copy_group)
    assert insights.next_steps(replace(copied, copy_group=alone), people).copying == ()


def test_agreement_of_models_stands_after_that_of_people(snapshot):
    found = insights.project_agreement(snapshot, shown(snapshot, NAMES), None)
    assert [bool(one.version) for one in found.members] == [False] * 3 + [True] * 2
    assert (found.num_models, found.left_out) == (2, 0)
    assert found.cells[0][3].shared == 70
