import doctest
import re
import threading
from collections import namedtuple
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
import sqlalchemy as sa

from harness.service_process import ServiceProcess, until
from label_studio_crowd.estimate import Estimate
from label_studio_crowd.pages import words
from label_studio_crowd.runs.situation import ScoredWith
from label_studio_crowd.scoring.outlook import Curve, DryRun, Forecast
from label_studio_crowd.scoring.snapshot import stored_snapshot
from label_studio_crowd.server.forms import path_within
from label_studio_crowd.server.live import page_versions
from label_studio_crowd.service import worker
from label_studio_crowd.service.backend import Backend
from label_studio_crowd.service.worker import Worker
from label_studio_crowd.settings import load
from label_studio_crowd.store.jobs import JobProgress
from label_studio_crowd.store.reports import Changes, RunReport
from label_studio_crowd.studio import hypertext
from tests.plugin.server.test_server import PASSWORD, STUDIO, USER, guarded, opened, running
from tests.plugin.snapshots import made_up

PAGES = ["", "/queue", "/suspects", "/annotators", "/annotators/101", "/agreement", "/runs"]
HOSTILE = '<script>alert("name")</script>@example.org'
TITLE = "Cats & <b>dogs</b>"
BROWSER = {"Accept": "text/html,application/xhtml+xml"}
OWN = {"Sec-Fetch-Site": "same-origin"}
CHANGES = Changes(queue=40, reopen=3)


def begun(jobs, kind="rescore"):
    """Let somebody be at a job of project 1."""
    jobs.mark(1, kind, at_once=True)
    (claimed,) = [job for job in jobs.claim_due() if job.kind == kind]
    return jobs.begin(claimed)


def fill(backend, project=1, *, size=(120, 12, 500, 3), title=TITLE):
    """Let a project of a made-up crowd have had a run."""
    snapshot = replace(made_up(*size)[0], title=title)
    stored = backend.store.project(STUDIO, project)
    at = "2026-01-01T00:00:00.500000Z"
    state = {"overlap": 1, "is_labeled": False, "updated_at": at, "annotations": []}
    stored.mirror.apply(
        [{"id": task, "data": {"text": f"<i>text</i> {task}"}, **state} for task in snapshot.tasks.tolist()]
    )
    names = {who: f"person{who}@example.org" for who in snapshot.annotators.tolist()}
    stored.people.keep_names([], {**names, 102: HOSTILE})
    stored.runs.keep_snapshot(snapshot.to_bytes(), snapshot.taken_at)
    stored.runs.add(RunReport(labels=500, warnings=("a <b>warning</b>",), seconds={"pull": 0.5}, changes=CHANGES))
    backend.jobs.mark(project)
    return stored, snapshot


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A server with a project that had a run, and project 7, which had none; for requests that only read."""
    backend = guarded(tmp_path_factory.mktemp("shown"))
    _, snapshot = fill(backend)
    backend.jobs.mark(7)
    with running(backend) as client:
        yield SimpleNamespace(client=client, snapshot=snapshot)


@pytest.fixture
def served(tmp_path):
    backend = guarded(tmp_path)
    stored, snapshot = fill(backend)
    with running(backend) as client:
        yield SimpleNamespace(client=client, backend=backend, stored=stored, snapshot=snapshot)


def addresses(html):
    """Return where a page leads, and what it loads."""
    return re.findall(r'href="([^"]+)"', html), re.findall(r'(?:src|srcset|action)="([^"]+)"', html)


def is_own(address):
    return address.startswith("/") and not address.startswith("//")


# ---------------------------------------------------------------------- every page


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
    for address in {link.replace("&amp;", "&") for link in links if is_own(link)}:
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

    assert all("has not been computed yet" in text for text in said())
    job = begun(served.backend.jobs, "forecast")
    assert all("It is being computed." in text for text in said())
    served.backend.jobs.failed(job, "Out of <i>memory</i>.")
    for text in said():
        assert re.search(r"could not be computed: Out of &lt;i&gt;memory&lt;/i&gt;. The next try is at +\d", text)
    served.backend.jobs.failed(begun(served.backend.jobs, "forecast"), "Label Studio does not answer.", away=True)
    assert all(re.search(r"waits for Label Studio. The next try is at +\d", text) for text in said())


# ---------------------------------------------------------------------- what a click does


@pytest.mark.parametrize(("size", "expected"), [((120, 12, 500, 3), True), ((5, 12, 60, 3), False)])
def test_a_forecast_says_where_it_is_of_tasks_that_nobody_has_labelled(served, size, expected):
    fill(served.backend, size=size)
    curve = Curve(further_labels=(0, 10), mean=(0.5, 0.6), low=(0.4, 0.5), high=(0.6, 0.7))
    made = Forecast(60, {}, needed=Estimate(10.0, 5.0, 20.0), queue=curve, random=curve)
    served.stored.facts.write(made)
    page = served.client.get("/projects/1").text
    assert "forecast was made when there were" in page
    assert ("All tasks count, labelled or not." in page) == expected


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


# ---------------------------------------------------------------------- live


def next_event(lines):
    return next(line.removeprefix("data: ") for line in lines if line.startswith("data: "))


@pytest.mark.parametrize("page", ["/projects", "/projects/1"])
def test_open_pages_are_told_when_they_are_out_of_date(served, page):
    html = served.client.get(page).text
    events, version = re.search(r'data-events="([^"]+)" data-version="([^"]+)"', html).groups()
    with served.client.stream("GET", events) as stream:
        lines = stream.iter_lines()
        assert next_event(lines) == version
        newer = replace(served.snapshot, taken_at=served.snapshot.taken_at + 1)
        served.stored.runs.keep_snapshot(newer.to_bytes(), newer.taken_at)
        told = next_event(lines)
        assert told != version
        assert f'data-version="{told}"' in served.client.get(page).text


def test_a_version_changes_with_what_its_pages_show_and_with_nothing_else(store):
    backend = Backend(load(url=STUDIO, store=store))
    try:
        for project in (1, 2):
            backend.jobs.mark(project)
        stored, seen = backend.store.project(STUDIO, 1), [page_versions(backend)]

        def look():
            seen.append(page_versions(backend))
            assert seen[-1][2] == seen[0][2]
            return seen[-1][1] != seen[-2][1]

        assert not look()
        stored.facts.write(ScoredWith({}))
        assert not look()
        for change in (
            lambda: stored.runs.keep_snapshot(b"", 1.0),
            lambda: stored.runs.keep_snapshot(b"", 2.0),
            lambda: backend.jobs.mark(1, "train"),
        ):
            change()
            assert look()
        job = begun(backend.jobs)
        assert look()
        backend.jobs.note_progress(job, JobProgress("scoring", 1, 2))
        assert look()
    finally:
        backend.close()


def test_many_may_listen_and_leave(served):
    for _ in range(3):
        with served.client.stream("GET", "/projects/1/events") as one:
            first = next_event(one.iter_lines())
            with httpx.stream("GET", f"{served.client.base_url}/projects/1/events", auth=served.client.auth) as other:
                assert next_event(other.iter_lines()) == first


def test_the_server_ends_while_somebody_listens(tmp_path):
    with ServiceProcess(tmp_path, {"LABEL_STUDIO_URL": STUDIO, "LABEL_STUDIO_API_KEY": "k"}) as service:
        with service.http.stream("GET", "/events") as stream:
            next_event(stream.iter_lines())
            service.process.terminate()
            until(lambda: service.process.poll() is not None, patience=15)
        assert service.process.returncode == 0
    assert "Traceback" not in service.log.read_text()


# ---------------------------------------------------------------------- pictures of tasks

Picture = namedtuple("Picture", "status kind content")
PICTURES = {
    "/data/upload/1/cat.png": Picture(200, "image/png", b"PNG"),
    "/data/upload/1/page.html": Picture(200, "text/html", b"<script>"),
    "/data/upload/1/gone.png": Picture(404, "text/plain", b""),
    "/data/upload/1/moved.png": Picture(302, "image/png", b""),
    "/data/upload/1/huge.png": Picture(200, "image/png", b"x" * 30_000_000),
}
CONFIG = (
    '<View><Image name="image" value="$image"/><Choices name="c" toName="image"><Choice value="a"/></Choices></View>'
)


class Files(BaseHTTPRequestHandler):
    """Label Studio, as far as it serves files to who has the token."""

    def do_GET(self):
        picture = PICTURES.get(self.path)
        if self.headers.get("Authorization") != "Token k" or picture is None:
            picture = Picture(401, "text/plain", b"")
        self.send_response(picture.status)
        self.send_header("Content-Type", picture.kind)
        self.send_header("Location", "http://elsewhere/")
        self.end_headers()
        self.wfile.write(picture.content)

    def log_message(self, *_):
        pass


@contextmanager
def with_pictures(folder):
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as studio:
        threading.Thread(target=studio.serve_forever, daemon=True).start()
        password = {"basic_auth_user": USER, "basic_auth_pass": PASSWORD}
        url, store = f"http://127.0.0.1:{studio.server_port}", f"sqlite:///{folder}/mirror.sqlite"
        backend = Backend(load(url=url, store=store, api_key="k", **password))
        backend.jobs.mark(1)
        snapshot = replace(made_up(5, 3, 9, 1)[0], label_config=CONFIG, control="c", classes=("a",))
        stored = backend.store.project(backend.settings.url, 1)
        state = {"overlap": 1, "is_labeled": False, "updated_at": "2026-01-01T00:00:00.500000Z", "annotations": []}
        stored.mirror.apply(
            [{"id": at, "data": {"image": path}, **state} for at, path in enumerate([*PICTURES, "/api/users/"], 1)]
        )
        stored.runs.keep_snapshot(snapshot.to_bytes(), snapshot.taken_at)
        yield backend
        studio.shutdown()


@pytest.mark.parametrize("number", range(1, 7))
def test_pictures_come_from_label_studio_and_nothing_else_does(tmp_path, number):
    path = [*PICTURES, "/api/users/"][number - 1]
    with with_pictures(tmp_path) as backend, running(backend) as client:
        answer = client.get(f"/projects/1/tasks/{number}/image", params={"path": path})
        if number == 1:
            assert answer.content == b"PNG"
            assert "sandbox" in answer.headers["content-security-policy"]
        else:
            assert answer.status_code in (404, 502)
        assert client.get("/projects/1/tasks/2/image", params={"path": "/data/upload/1/cat.png"}).status_code == 404


def test_pictures_are_shown_whatever_their_names_and_where_they_are_in_the_data(tmp_path, monkeypatch):
    monkeypatch.setitem(PICTURES, "/data/local-files/?d=my%20cats/%C3%B6.png", Picture(200, "image/png", b"PNG"))
    inline = "data:image/png;base64,iVBORw0KGgo="
    with with_pictures(tmp_path) as backend, running(backend) as client:
        stored = backend.store.project(backend.settings.url, 1)
        state = {"overlap": 1, "is_labeled": False, "updated_at": "2026-01-02T00:00:00.500000Z", "annotations": []}
        addresses = ["/data/local-files/?d=my cats/ö.png", inline]
        stored.mirror.apply([{"id": at, "data": {"image": path}, **state} for at, path in enumerate(addresses, 1)])
        snapshot = replace(stored_snapshot(stored), queue=np.array([1, 2]))
        stored.runs.keep_snapshot(snapshot.to_bytes(), snapshot.taken_at + 1)
        page = unescape(client.get("/projects/1/queue").text)
        found = re.findall(r'<img class="preview" src="([^"]+)"', page)
        assert inline in found
        assert client.get(next(src for src in found if "/tasks/1/" in src)).content == b"PNG"
        assert client.get("/projects/1/tasks/2/image", params={"path": inline}).status_code == 404


# ---------------------------------------------------------------------- in a browser


@contextmanager
def looking(browser, client, **options):
    """Give a page that knows the password; it must ask no other host for anything, and complain of nothing."""
    context = browser.new_context(
        base_url=str(client.base_url), http_credentials={"username": USER, "password": PASSWORD}, **options
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: (
            urlsplit(request.url).netloc == client.base_url.netloc.decode() or complaints.append(request.url)
        ),
    )
    yield page
    context.close()
    assert complaints == []


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 800}}])
def test_nobody_is_kept_out(browser, shown, options):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    with looking(browser, shown.client, **options) as page:
        for address in ["/projects", *[f"/projects/1{page}" for page in PAGES], "/projects/7"]:
            page.goto(address)
            found = axe.Axe().run(page).response["violations"]
            assert [(row["id"], row["nodes"][0]["html"]) for row in found] == [], address
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, address


def test_a_page_follows_and_keeps_what_is_open(browser, served):
    from playwright.sync_api import expect

    with looking(browser, served.client) as page:
        page.goto("/projects/1")
        table = page.locator("figure details").first
        table.locator("summary").click()
        newer = replace(served.snapshot, taken_at=served.snapshot.taken_at + 1, title="Another title")
        served.stored.runs.keep_snapshot(newer.to_bytes(), newer.taken_at)
        expect(page.locator("h1")).to_have_text("Another title")
        assert table.evaluate("it => it.open")
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
        expect(page.locator("#updated")).to_contain_text("Updated at")


def test_a_page_that_could_not_be_fetched_is_fetched_again(browser, served):
    from playwright.sync_api import expect

    with looking(browser, served.client) as page:
        page.add_init_script(
            "const ask = fetch; window.asked = 0; window.fetch = (...what) => "
            "window.asked++ ? ask(...what) : Promise.resolve(new Response('', { status: 503 }));"
        )
        page.goto("/projects/1")
        newer = replace(served.snapshot, taken_at=served.snapshot.taken_at + 1, title="Another title")
        served.stored.runs.keep_snapshot(newer.to_bytes(), newer.taken_at)
        expect(page.locator("h1")).to_have_text("Another title", timeout=15_000)
        assert page.evaluate("asked") == 2


def test_a_page_that_was_made_while_something_passed_is_made_anew(browser, served):
    from playwright.sync_api import expect

    asked = []

    def while_something_passes(route):
        asked.append(route.request.resource_type)
        answer = route.fetch()
        text = re.sub('data-version="[^"]*"', 'data-version="passing"', answer.text())
        route.fulfill(response=answer, body=text.replace("Scoring", "Passing"))

    with looking(browser, served.client) as page:
        page.goto("/projects/1")
        page.route("**/projects/1", while_something_passes, times=1)
        begun(served.backend.jobs)
        expect(page.locator("progress[aria-label=Passing]")).to_be_visible()
        expect(page.locator("progress[aria-label=Scoring]")).to_be_visible()
        assert asked == ["fetch"]
        version = page.locator("#live").get_attribute("data-version")
        assert version == page_versions(served.backend)[1]


def test_a_page_of_a_project_that_is_served_no_longer_says_so_and_asks_no_more(browser, served):
    from playwright.sync_api import expect

    context = browser.new_context(
        base_url=str(served.client.base_url), http_credentials={"username": USER, "password": PASSWORD}
    )
    page = context.new_page()
    page.goto("/projects/1")
    served.backend.jobs.drop(1)
    expect(page.locator("main")).to_contain_text("Project 1 is not served", timeout=15_000)
    expect(page).to_have_title(re.compile("Not found"))
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    served.backend.jobs.mark(1)
    page.wait_for_timeout(3000)
    assert asked == []
    context.close()


def test_a_page_whose_password_has_changed_asks_to_be_loaded_anew(browser, tmp_path):
    from playwright.sync_api import expect

    backend = opened(tmp_path)
    fill(backend)
    backend.close()
    studio = {"LABEL_STUDIO_URL": STUDIO, "LABEL_STUDIO_API_KEY": "k", "BASIC_AUTH_USER": USER}
    with ServiceProcess(tmp_path, {**studio, "BASIC_AUTH_PASS": "before"}) as service:
        context = browser.new_context(base_url=service.url, http_credentials={"username": USER, "password": "before"})
        page = context.new_page()
        with page.expect_response("**/events"):
            page.goto("/projects/1")
        service.stop()
        service.environment["BASIC_AUTH_PASS"] = "after"
        service.http.auth = (USER, "after")
        service.start()
        expect(page.locator("#updated")).to_contain_text("reload it", timeout=30_000)
        expect(page.locator("h1")).to_have_text(TITLE)
        context.close()


def test_a_keyboard_is_enough(browser, shown):
    with looking(browser, shown.client) as page:
        page.goto("/projects/1/annotators")
        page.keyboard.press("Tab")
        assert page.locator(":focus").inner_text() == "Skip to the content"
        page.keyboard.press("Enter")
        assert page.locator(":focus").get_attribute("id") == "content"
        seen = set()
        for _ in range(100):
            page.keyboard.press("Tab")
            address, outline = page.evaluate(
                "(it => [it.getAttribute('href'), getComputedStyle(it).outlineStyle])(document.activeElement)"
            )
            if address is None and seen:  # at the end
                break
            seen.add(address)
            assert outline == "solid"
        people = {f"/projects/1/annotators/{who}" for who in shown.snapshot.annotators.tolist()}
        assert people <= seen


def test_one_switch_hides_names_and_a_button_rescores(browser, served):
    with looking(browser, served.client) as page:
        page.goto("/projects/1/annotators/101")
        page.get_by_role("button", name="Hide names").click()
        page.wait_for_url("**/annotators/a1")
        assert "@example.org" not in page.content()
        page.get_by_role("button", name="Show names").click()
        page.wait_for_url("**/annotators/101")
        page.goto("/projects/1/runs")
        page.get_by_role("button", name="Rescore now").click()
        page.wait_for_url("**/runs")
    assert [job.kind for job in served.backend.jobs.claim_due()] == ["rescore"]


def test_pages_work_without_script(browser, shown):
    with looking(browser, shown.client, java_script_enabled=False) as page:
        page.goto("/projects")
        page.get_by_role("link", name=TITLE).click()
        page.get_by_role("link", name="Queue").click()
        assert page.get_by_role("row").count() == 1 + min(len(shown.snapshot.queue), 25)


# ---------------------------------------------------------------------- words


def test_the_examples_in_docstrings_hold():
    assert doctest.testmod(words).failed == doctest.testmod(hypertext).failed == 0
