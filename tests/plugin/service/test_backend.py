"""What the backend sees to by itself, between events and runs."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from label_studio_crowd.studio.events import Event, read_event
from tests.plugin.server.serving import believed, opened, payload, seed


@pytest.fixture
def backend(tmp_path):
    found = opened(tmp_path, quiet_seconds=100, longest_wait=1000)
    yield found
    found.close()


@pytest.mark.parametrize(("told", "hurried"), [(0, False), (2, False), (3, True)])
def test_a_queue_of_which_less_than_a_third_is_left_is_not_kept_waiting(backend, told, hurried):
    stored = seed(backend)
    snapshot = believed(queue=np.array([1, 2, 3, 5]))
    stored.runs.keep_snapshot(snapshot.to_bytes(), snapshot.taken_at)
    for _ in range(told):
        assert backend.take(read_event(payload("annotation_created"))) == "marked"
    backend.hurry_dry_queues()
    assert bool(backend.jobs.claim_due()) == hurried


def test_events_of_projects_that_nobody_knows_do_not_keep_workers_busy(backend):
    seed(backend)
    for number in range(2, 1000):
        backend.take(Event("ANNOTATION_CREATED", "annotations", number))
    assert len({state.project for state in backend.jobs.states()}) < 50
    assert backend.take(Event("ANNOTATION_CREATED", "annotations", 1)) == "marked"


def test_of_projects_that_are_served_no_longer_nothing_is_kept(backend):
    mirrors = {project: seed(backend, project) for project in (1, 2, 3)}

    def kept(project):
        return weakref.ref(backend.snapshot(mirrors[project]))

    gone, stays = kept(1), kept(2)
    backend.jobs.drop(1)
    assert kept(3)() is not None
    gc.collect()
    assert gone() is None
    assert backend.snapshot(mirrors[2]) is stays()


def test_a_snapshot_of_another_release_is_none(backend):
    stored = seed(backend)
    stored.runs.keep_snapshot(b"something else", 5.0)
    assert backend.snapshot(stored) is None
    assert backend.predict(1, [{"id": 1}])[0]["result"] == []
