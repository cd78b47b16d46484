"""Pages that follow what happens."""

import re
from dataclasses import replace

import httpx
import pytest

from harness.service_process import ServiceProcess, until
from label_studio_crowd.runs.situation import ScoredWith
from label_studio_crowd.server.live import page_versions
from label_studio_crowd.service.backend import Backend
from label_studio_crowd.settings import load
from label_studio_crowd.store.jobs import JobProgress
from tests.plugin.pages.showing import begun
from tests.plugin.server.serving import STUDIO


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
            until(lambda: service.process.poll() is not None)
        assert service.process.returncode == 0
    assert "Traceback" not in service.log.read_text()
