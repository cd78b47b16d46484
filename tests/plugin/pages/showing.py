"""A project of a made-up crowd that had a run, as pages show it."""

import re
from dataclasses import replace

import pytest

from harness.snapshots import made_up
from label_studio_crowd.store.reports import Changes, RunReport
from tests.plugin.server.serving import STUDIO

PAGES = ["", "/queue", "/suspects", "/annotators", "/annotators/101", "/tasks/5", "/agreement", "/runs"]
HOSTILE = '<script>alert("name")</script>@example.org'
TITLE = "Cats & <b>dogs</b>"
DESK, PHONE = {"width": 1280, "height": 720}, {"width": 390, "height": 800}
BROWSER = {"Accept": "text/html,application/xhtml+xml"}
OWN = {"Sec-Fetch-Site": "same-origin"}
CHANGES = Changes(queue=40, reopen=3)


def begun(jobs, kind="rescore"):
    """Let somebody be at a job of project 1."""
    jobs.mark(1, kind, at_once=True)
    (claimed,) = [job for job in jobs.claim_due() if (job.project, job.kind) == (1, kind)]
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


def addresses(html):
    """Return where a page leads, and what it loads."""
    return re.findall(r'href="([^"]+)"', html), re.findall(r'(?:src|srcset|action)="([^"]+)"', html)


def is_own(address):
    return address.startswith("/") and not address.startswith("//")


def assert_nobody_is_kept_out(page):
    """In light and dark colours and on a phone, axe finds nothing in an open page, and nothing is cut at its side."""
    for colours, size, rules in (
        ("light", DESK, {}),
        ("dark", DESK, {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}),
        ("light", PHONE, {"rules": {"color-contrast": {"enabled": False}}}),  # colours do not depend on the size
    ):
        page.emulate_media(color_scheme=colours, reduced_motion="reduce")  # no colour is half-way
        page.set_viewport_size(size)
        assert _violations(page, rules) == [], (page.url, colours, size)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (page.url, size)


def _violations(page, rules):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    found = axe.Axe().run(page, options={"resultTypes": ["violations"], **rules}).response["violations"]
    return [(row["id"], row["nodes"][0]["html"][:300]) for row in found]
