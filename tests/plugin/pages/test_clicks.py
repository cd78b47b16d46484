"""What a click does."""

import re
from types import SimpleNamespace

import httpx
import pytest

from label_studio_crowd.estimate import Estimate
from label_studio_crowd.scoring.outlook import Curve, DryRun, Forecast
from label_studio_crowd.server.forms import path_within
from label_studio_crowd.service import worker
from label_studio_crowd.service.worker import Worker
from label_studio_crowd.settings import load
from label_studio_crowd.store.jobs import JobProgress
from label_studio_crowd.store.reports import RunReport
from tests.plugin.pages.showing import CHANGES, OWN, PAGES, begun, fill
from tests.plugin.server.serving import STUDIO


@pytest.mark.parametrize(("size", "expected"), [((120, 12, 500, 3), True), ((5, 12, 60, 3), False)])
def test_a_forecast_says_where_it_is_of_tasks_that_nobody_has_labelled(served, size, expected):
    fill(served.backend, size=size)
    curve = Curve(further_labels=(0, 10), mean=(0.5, 0.6), low=(0.4, 0.5), high=(0.6, 0.7))
    made = Forecast(60, {}, needed=Estimate(10.0, 5.0, 20.0), queue=curve, random=curve, control="")
    served.stored.facts.write(made)
    page = served.client.get("/projects/1").text
    assert "forecast was made when there were" in page
    assert ("All tasks count, labelled or not, so it begins lower" in page) == expected


def test_a_rescore_begins_at_once(served):
    served.client.post("/projects/1/rescore", headers=OWN)
    (job,) = served.backend.jobs.claim_due()
    assert (job.project, job.kind) == (1, "rescore")


def test_a_dry_run_is_asked_for_and_shown(served):
    answer = served.client.post("/projects/1/dry-run", headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/projects/1/runs")
    assert [state.word for state in served.backend.jobs.states() if state.kind == "plan"] == ["waiting"]
    assert "Checking what a run would change" in served.client.get("/projects/1/runs").text
    report = RunReport(changes=CHANGES, seconds={"pull": 1.0}, expected_seconds=4.2)
    served.stored.facts.write(DryRun(1_800_000_000.0, report))
    html = served.client.get("/projects/1/runs").text
    assert "3 tasks opened" in html
    assert "Nothing was written" in html
    job = begun(served.backend.jobs, "plan")
    served.backend.jobs.note_progress(job, JobProgress("reading tasks", 30, 120))
    html = served.client.get("/projects/1/runs").text
    assert 'aria-label="Checking what a run would change" value="30" max="120"' in html
    served.backend.jobs.failed(job, "The token is wrong.")
    html = served.client.get("/projects/1/runs").text
    assert re.search(r"would change failed: The token is wrong\. The next try is at <time", html)
    assert " disabled>" not in html, "it can be asked for anew"


@pytest.mark.parametrize("pulled", [0, 3])
def test_a_worker_plans_without_writing(served, monkeypatch, pulled):
    asked = []

    def rescore(_, how):
        asked.append(how.dry_run)
        return SimpleNamespace(report=RunReport, pulled=SimpleNamespace(changed=pulled, deleted=0))

    monkeypatch.setattr(worker, "rescore", rescore)
    jobs = served.backend.jobs
    jobs.drop(1)
    jobs.mark(1, "plan", at_once=True)
    (claimed,) = jobs.claim_due()
    settings = served.backend.settings
    Worker(load(url=STUDIO, store=settings.store, api_key="k")).work(claimed)
    assert asked == [True]
    assert served.stored.facts.read(DryRun).report == RunReport()
    # what the dry run has read, the next look would take for known
    waiting = {state.kind: state.word for state in jobs.states()}
    assert waiting == {"plan": "fresh", **({"rescore": "waiting"} if pulled else {})}


@pytest.mark.parametrize("path", ["/projects/1/rescore", "/projects/1/dry-run", "/names?names=hidden"])
@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://here"}, False),
        ({"Origin": "http://here"}, True),
        ({"Origin": "http://elsewhere"}, False),
        ({"Origin": "null"}, False),
        ({"Host": ""}, False),
        ({}, False),
    ],
)
def test_other_sites_pages_can_change_nothing(served, path, headers, allowed):
    before = served.backend.jobs.states()
    answer = served.client.post(path, headers={"Host": "here", **headers})
    assert answer.status_code == (303 if allowed else 403)
    assert ("set-cookie" in answer.headers) == (allowed and path.startswith("/names"))
    if not allowed:
        assert served.backend.jobs.states() == before


def test_names_are_hidden_and_shown_again_where_one_is(shown):
    with httpx.Client(base_url=shown.client.base_url, auth=shown.client.auth) as client:
        back = "/projects/1/annotators?order_by=labels"
        answer = client.post("/names", params={"names": "hidden", "back": back}, headers=OWN)
        assert answer.headers["location"] == back
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert "@example.org" not in client.get(back).text
        client.post("/names", params={"names": "shown"}, headers=OWN)
        assert "@example.org" in client.get(back).text


@pytest.mark.parametrize(
    "address",
    [
        "//elsewhere/x",
        "http://elsewhere",
        "/\\elsewhere",
        "elsewhere",
        "",
        "/x\r\nSet-Cookie: a=b",
        "javascript:x",
        "//[",
    ],
)
def test_a_click_leads_to_no_other_host(address):
    assert path_within(address) == "/projects"


def test_what_another_release_left_is_waited_for(served, monkeypatch):
    with monkeypatch.context() as other:
        other.setattr("label_studio_crowd.scoring.snapshot.FORMAT", 2)
        content = served.snapshot.to_bytes()
    served.stored.runs.keep_snapshot(content, served.snapshot.taken_at + 1)
    for page in ["/projects", *[f"/projects/1{page}" for page in PAGES if page != "/runs"]]:
        answer = served.client.get(page)
        assert answer.status_code == 200
        assert "There is nothing to show yet" in answer.text
        assert "No run has ended yet" not in answer.text, "there was one"
    assert "change" in served.client.get("/projects/1/runs").text
    answer = served.client.get("/api/projects/1/queue")
    assert (answer.status_code, "Project 1 has had no run yet" in answer.text) == (404, True)
    assert served.client.get("/metrics").status_code == 200
