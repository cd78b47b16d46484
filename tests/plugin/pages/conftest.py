"""Servers whose pages are looked at."""

from types import SimpleNamespace

import pytest

from tests.plugin.pages.showing import fill
from tests.plugin.server.serving import guarded, running


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
