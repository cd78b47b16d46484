"""What keeps a service going: its worker, its messages, and what it does when its store is gone."""

from __future__ import annotations

import errno
import threading
import time
from contextlib import closing

import pytest

from label_studio_crowd.service import scheduler
from label_studio_crowd.service.dispatch import Dispatch
from label_studio_crowd.service.scheduler import Service
from label_studio_crowd.store.jobs import Job, Jobs
from label_studio_crowd.store.projects import Store
from tests.plugin.server.serving import opened


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def backend(folder):
    found = opened(folder, api_key="a-token")
    yield found
    found.close()


class Alive:
    """A process that lives until it is told to end."""

    returncode = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def poll(self):
        return self.returncode

    def terminate(self):
        self.returncode = 0

    def wait(self, _):
        return self.returncode


def test_a_worker_that_cannot_be_started_is_started_later(backend, monkeypatch, caplog):
    tries, started = [], threading.Event()

    def popen(*_, **__):
        tries.append(1)
        if len(tries) < 3:
            raise OSError(errno.EMFILE, "Too many open files")
        started.set()
        return Alive()

    monkeypatch.setattr(scheduler.subprocess, "Popen", popen)
    monkeypatch.setattr(scheduler, "_LONGEST_PAUSE", 0.05)
    with Service(backend):
        assert started.wait(10)
    assert "cannot be started (OSError: [Errno 24] Too many open files)" in caplog.text


def test_projects_are_served_on_when_the_store_is_deleted(backend, folder, monkeypatch):
    monkeypatch.setattr(scheduler.subprocess, "Popen", lambda *_, **__: Alive())
    monkeypatch.setattr(scheduler, "_SLOW_TICK", 0.1)
    backend.jobs.mark(7)

    def serves():  # as a new process sees it
        with closing(Store(backend.settings.store)) as store:
            return [state.project for state in Jobs(store, backend.settings).states()] == [7]

    with Service(backend):
        time.sleep(0.5)
        (folder / "mirror.sqlite").unlink()
        time.sleep(0.2)
        until = time.monotonic() + 10
        while not serves() and time.monotonic() < until:
            time.sleep(0.1)
    assert serves()


def test_messages_reach_a_new_worker_after_their_file_was_deleted(backend, folder):
    sender, came = Dispatch(backend.settings), []
    for number in (1, 2):
        sender.send(Job(number, number, "rescore", 1))
        stop = threading.Event()
        arguments = (lambda job: came.append(job) or stop.set(), stop)  # noqa: B023
        thread = threading.Thread(target=Dispatch(backend.settings).consume, args=arguments)
        thread.start()
        thread.join(10)
        stop.set()
        thread.join()
        (folder / "mirror.sqlite.queue").unlink()
    assert [job.project for job in came] == [1, 2]
