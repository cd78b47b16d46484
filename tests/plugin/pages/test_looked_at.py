"""Pages of a project that was only looked at, and the list where one has failed."""

import re

import numpy as np
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from label_studio_crowd.connection.record import NotConnectedError
from label_studio_crowd.pages import insights
from label_studio_crowd.pages.report import report_html
from label_studio_crowd.pages.words import moment
from label_studio_crowd.service import worker
from label_studio_crowd.settings import load
from label_studio_crowd.store.projects import OnlyLookedAt, Title
from label_studio_crowd.store.tables import runs
from label_studio_crowd.studio.controls import NothingToScoreError, find_controls
from tests.plugin.pages.insights.small_projects import shown, votes
from tests.plugin.pages.showing import BROWSER, OWN, PAGES, fill
from tests.plugin.pages.test_browser import looking
from tests.plugin.server.serving import guarded, running


@pytest.fixture
def looked(tmp_path):
    """A server with a project that was only looked at."""
    backend = guarded(tmp_path)
    stored, snapshot = fill(backend)
    backend.jobs.drop(1)
    stored.facts.write(OnlyLookedAt(snapshot.taken_at))
    with running(backend) as client:
        yield client, backend, stored, snapshot


@pytest.mark.parametrize("page", PAGES)
def test_pages_say_that_a_project_was_only_looked_at(looked, page):
    client = looked[0]
    html = client.get(f"/projects/1{page}").text
    assert "Only looked at." in html
    assert "label-studio-crowd connect 1" in html
    assert "not connected" in html
    assert "are served in this order" not in html
    assert "Rescore now" not in html


def test_it_is_said_when_it_was_and_that_no_queue_is_served(looked):
    client, _, stored, snapshot = looked
    when = str(moment(snapshot.taken_at))
    overview = client.get("/projects/1").text
    assert when in overview
    assert "Label first" in re.sub("<[^>]+>", "", overview)
    assert "No queue is served" in overview
    assert "in the queue: " not in overview
    listed = client.get("/projects").text
    assert "only looked at" in listed
    assert f"looked at</span> {when}" in listed
    with stored.store.writing() as connection:
        connection.execute(sa.delete(runs))
    assert "A look is no run" in client.get("/projects/1/runs").text
    assert "No run has ended yet" not in report_html(stored, snapshot, load(), 1)


def test_where_nobody_has_labelled_anything_it_does_not_send_to_a_queue():
    nothing = votes({}, {})
    assert "Label All Tasks" in insights.next_steps(nothing, shown(nothing)).first
    assert "Label All Tasks" not in insights.next_steps(nothing, shown(nothing), served=False).first


def test_a_project_with_nothing_to_score_has_its_title_and_promises_nothing(tmp_path):
    backend = guarded(tmp_path)
    backend.project(5).facts.write(Title("Only pictures"))
    backend.jobs.mark(5, at_once=True)
    (job,) = backend.jobs.claim_due()
    with pytest.raises(NothingToScoreError) as refused:
        find_controls('<View><Image name="image" value="$image"/></View>')
    backend.jobs.rest(backend.jobs.begin(job), refused.value.short)
    with running(backend) as client:
        for page in ("/projects", "/projects/5"):
            html = client.get(page).text
            assert "Only pictures" in html
            assert "nothing to score" in html
            assert "annotators cannot answer anything" in html
            assert ">failed<" not in html
        assert "updates by itself" not in html
        assert "What can be scored" in html


def test_it_is_in_the_list_and_nothing_can_be_started(looked):
    client, backend, _, _ = looked
    assert "only looked at" in client.get("/projects").text
    assert client.post("/projects/1/rescore", headers=OWN).status_code == 404
    assert backend.jobs.states() == []


def test_once_it_is_connected_pages_say_no_more_of_it(looked):
    client, backend, _, _ = looked
    backend.jobs.mark(1)
    assert "Only looked at." not in client.get("/projects/1").text


def test_without_the_look_a_project_that_is_not_served_has_no_pages(looked):
    client, _, stored, _ = looked
    stored.facts.forget(OnlyLookedAt)
    assert client.get("/projects/1", headers=BROWSER).status_code == 404


def test_a_project_that_was_disconnected_keeps_its_pages_and_gives_out_nothing(tmp_path, monkeypatch):
    def not_connected(*_):
        raise NotConnectedError("not connected")

    monkeypatch.setattr(worker, "rescore", not_connected)
    backend = guarded(tmp_path)
    _, snapshot = fill(backend)
    settled = int(snapshot.tasks[np.flatnonzero(snapshot.settled_by)[0]])
    assert backend.predict(1, [{"id": settled, "data": {}}])[0]["result"]
    backend.jobs.mark(1, at_once=True)
    (job,) = backend.jobs.claim_due()
    worker.Worker(backend.settings.model_copy(update={"api_key": SecretStr("x" * 40)})).work(job)
    assert backend.jobs.states() == []
    assert backend.predict(1, [{"id": settled, "data": {}}])[0]["result"] == []
    with running(backend) as client:
        assert "Only looked at." in client.get("/projects/1", headers=BROWSER).text
        assert "/projects/1" in client.get("/projects").text


def test_the_report_says_so_too(looked):
    _, backend, stored, snapshot = looked
    html = report_html(stored, snapshot, backend.settings, 1)
    assert "Only looked at." in html
    stored.facts.forget(OnlyLookedAt)
    assert "Only looked at." not in report_html(stored, snapshot, backend.settings, 1)


def test_times_in_the_report_say_their_zone_and_arrows_are_text(looked):
    _, backend, stored, snapshot = looked
    html = report_html(stored, snapshot, backend.settings, 1)
    times = re.findall(r"<time [^>]*>([^<]*)</time>", html)
    assert times
    assert all(time.endswith(" UTC") for time in times)
    assert "↗" in html
    assert not re.search("↗(?!&#xFE0E;|\ufe0e)", html), "without the selector some systems draw an emoji"


def test_a_failed_project_does_not_squeeze_the_list(browser, tmp_path):
    backend = guarded(tmp_path)
    long = "No annotation answers the control 'label' (choices), so nothing was published. " * 5
    for project in (1, 2):
        fill(backend, project, title=f"Sentiment of reviews {project}")
    with running(backend) as client, looking(browser, client, viewport={"width": 1280, "height": 800}) as page:

        def widths(reason):
            for project in (1, 2):
                backend.jobs.mark(project, at_once=True)
            for claimed in backend.jobs.claim_due():
                backend.jobs.failed(backend.jobs.begin(claimed), reason)
            page.goto("/projects")
            assert reason.strip() in page.locator("tr.reason").first.inner_text()
            return page.locator("thead th").evaluate_all("all => all.map(it => it.offsetWidth)")

        assert widths("No labels.") == pytest.approx(widths(long), abs=2)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
