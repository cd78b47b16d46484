"""What holds of every page."""

import re

import pytest
import sqlalchemy as sa

from label_studio_crowd.store.jobs import JobProgress
from tests.plugin.pages.showing import BROWSER, PAGES, addresses, begun, fill, is_own
from tests.plugin.server.serving import STUDIO, opened, running


@pytest.mark.parametrize("page", ["/projects", *[f"/projects/1{page}" for page in PAGES], "/projects/7"])
def test_every_page_is_complete_and_asks_no_other_host(shown, page):
    answer = shown.client.get(page)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert not re.search("unsafe|http|\\*", policy)
    links, loaded = addresses(answer.text)
    assert all(is_own(address) or address.startswith((f"{STUDIO}/", "#")) for address in links)
    assert all(is_own(address) for address in loaded)
    assert not re.search(r"<style|<script>| style=| on\w+=", answer.text)  # the policy would forbid them
    for address in re.findall(r'"(/static/[^"]+)"', answer.text):
        assert shown.client.get(address).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(shown, page):
    links, _ = addresses(shown.client.get(f"/projects/1{page}").text)
    addresses_here = {link.replace("&amp;", "&") for link in links if is_own(link)}
    assert {"/projects/1/queue", "/projects/1/annotators", "/projects/1/runs"} <= addresses_here
    for address in addresses_here:
        assert shown.client.get(address).status_code == 200, address


@pytest.mark.parametrize("page", PAGES)
def test_what_people_wrote_is_text(shown, page):
    html = shown.client.get(f"/projects/1{page}").text
    assert "Cats &amp; &lt;b&gt;dogs" in html
    assert not re.search("<script>alert|<b>dogs|<i>text|<b>warning", html)
    if page in ("/annotators", "/agreement"):
        assert "&lt;script&gt;alert" in html


@pytest.mark.parametrize("page", PAGES)
def test_hidden_names_are_nowhere(shown, page):
    cookie = {"Cookie": "names=hidden"}
    html = shown.client.get(f"/projects/1{page}".replace("/101", "/a1"), headers=cookie).text
    assert "@example.org" not in html
    assert not re.search(r"annotators/\d|annotator-\d", html)
    if page in ("/annotators", "/agreement", "/annotators/101"):
        assert "annotator 1" in html


def test_an_annotator_is_found_by_either_key(shown):
    path = "/projects/1/annotators"
    hidden = {"Cookie": "names=hidden"}
    assert shown.client.get(f"{path}/101", headers=hidden).headers["location"] == f"{path}/a1"
    assert shown.client.get(f"{path}/a1").headers["location"] == f"{path}/101"
    for nobody in ("999", "a0", "a999", "x", "1" * 40):
        assert shown.client.get(f"{path}/{nobody}").status_code == 404


def test_a_project_without_a_run_says_so(shown):
    for page in PAGES:
        if page != "/runs":
            assert "There is nothing to show yet" in shown.client.get(f"/projects/7{page}").text


def test_pages_that_are_not_there_say_why(shown):
    answer = shown.client.get("/projects/99", headers=BROWSER)
    assert answer.status_code == 404
    assert "<h1" in answer.text
    assert "served: 1, 7" in answer.text
    assert shown.client.get("/projects/99").json()["detail"].startswith("Project 99 is not served")
    assert shown.client.get("/api/projects/99", headers=BROWSER).headers["content-type"] == "application/json"
    assert shown.client.get("/projects/1/queue?page=0", headers=BROWSER).status_code == 422
    assert shown.client.get("/static/none").status_code == 404


def test_a_store_that_fails_is_said_on_a_page(served, monkeypatch):
    def away():
        raise sa.exc.OperationalError("SELECT", {}, OSError("away"))

    monkeypatch.setattr(served.backend.jobs, "states", away)
    answer = served.client.get("/projects/1", headers=BROWSER)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "The store does not answer" in answer.text
    assert "<h1" in answer.text


def test_a_browser_is_led_to_the_pages_and_label_studio_is_not(shown):
    answer = shown.client.get("/", headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (303, "/projects")
    assert shown.client.get("/", headers={"Accept": "*/*"}).json()["status"] == "UP"


def test_the_queue_is_in_its_order_and_leads_into_label_studio(shown):
    found = []
    for page in range(1, 20):
        html = shown.client.get(f"/projects/1/queue?page={page}").text
        found += re.findall(rf'href="{STUDIO}/projects/1/data\?task=(\d+)"', html)
        if 'rel="next"' not in html:
            break
    assert [int(task) for task in found] == shown.snapshot.queue.tolist()


def test_annotators_are_sorted_as_asked(shown):
    def order(query):
        html = shown.client.get(f"/projects/1/annotators?{query}").text
        return [int(who) for who in re.findall(r'<tr id="annotator-(\d+)"', html)]

    labels = dict(zip(shown.snapshot.annotators.tolist(), shown.snapshot.annotator_labels.tolist(), strict=True))
    assert [labels[who] for who in order("order_by=labels")] == sorted(labels.values())
    assert [labels[who] for who in order("order_by=labels&descending=1")] == sorted(labels.values(), reverse=True)
    assert 'aria-sort="descending"' in shown.client.get("/projects/1/annotators?order_by=labels&descending=1").text


def test_charts_have_their_numbers_as_tables(shown):
    html = shown.client.get("/projects/1").text
    charts = html.count('class="chart" viewBox')
    assert charts >= 1
    assert html.count("<summary>Table</summary>") == charts
    assert len(re.findall(r'<svg class="chart" viewBox="[^"]+" role="img" aria-label="\w', html)) == charts


def test_numbers_that_are_not_known_are_not_shown(tmp_path):
    backend = opened(tmp_path)
    fill(backend, size=(30, 1, 20, 3))  # one annotator: nothing tells how good they are
    with running(backend) as client:
        assert "Not known" in client.get("/projects/1").text
        assert "Not known" in client.get("/projects/1/agreement").text


def test_how_a_run_goes_and_went_is_shown(served):
    jobs = served.backend.jobs
    assert "waiting for a run" in served.client.get("/projects").text
    rescore, train = (begun(jobs, kind) for kind in ("rescore", "train"))
    jobs.note_progress(rescore, JobProgress("reading tasks", 30, 120))
    jobs.note_progress(train, JobProgress("cross-validation", 2, 5))
    for page in ("/projects", "/projects/1"):
        html = served.client.get(page).text
        assert re.search(r'aria-label="Scoring" value="30" max="120"></progress>\s*<[^>]+>reading tasks', html)
        assert re.search(r'"Training the classifier" value="2" max="5"></progress>\s*<[^>]+>cross-valid', html)
    jobs.done(train)
    html = served.client.get("/projects").text
    assert html.count("<progress") == 1
    assert 'value="30" max="120"' in html
    jobs.failed(rescore, "No <i>token</i>: set it.")
    html = served.client.get("/projects/1").text
    assert "No &lt;i&gt;token" in html
    assert "The next try is at" in html
    assert "<progress" not in html


def test_a_label_studio_that_is_away_is_no_failure(served):
    for _ in range(2):
        served.backend.jobs.failed(begun(served.backend.jobs), "Label Studio does not answer here.", away=True)
    for page in ("/projects", "/projects/1", "/projects/1/queue"):
        html = served.client.get(page).text
        assert '<span class="state away">waiting for Label Studio</span>' in html
        assert "Label Studio does not answer here." in html
        assert re.search(r"The next try is at\s+<time", html)
        assert not re.search("failed|bad", html)
    assert "It has not answered 2 times in a row." in html
    begun(served.backend.jobs)
    html = served.client.get("/projects/1").text
    assert "Waiting for Label Studio" in html, "it is only asked again"
    assert "The last run failed" not in html


def test_why_there_is_no_forecast_is_told_where_it_would_be(served):
    def said():
        return [
            re.sub(r"\s+|<[^>]+>", " ", served.client.get(f"/projects/1{page}").text) for page in ("", "/agreement")
        ]

    assert all("computed in the background" in text for text in said())
    job = begun(served.backend.jobs, "forecast")
    assert all("It is being computed." in text for text in said())
    served.backend.jobs.failed(job, "Out of <i>memory</i>.")
    for text in said():
        assert re.search(r"could not be computed: Out of &lt;i&gt;memory&lt;/i&gt;. The next try is at +\d", text)
    served.backend.jobs.failed(begun(served.backend.jobs, "forecast"), "Label Studio does not answer.", away=True)
    assert all(re.search(r"waits for Label Studio. The next try is at +\d", text) for text in said())
