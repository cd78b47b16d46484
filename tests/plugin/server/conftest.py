"""Servers to ask."""

import pytest

from tests.plugin.server.serving import guarded, running, seed


@pytest.fixture
def backend(tmp_path):
    return guarded(tmp_path)


@pytest.fixture
def client(backend):
    with running(backend) as client:
        yield client


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """A server that has no project, for requests that leave it so."""
    backend = guarded(tmp_path_factory.mktemp("untouched"))
    with running(backend) as client:
        yield client
        assert backend.jobs.states() == []


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    """A server that has project 1, with a run, and project 7, without; for requests that only read."""
    backend = guarded(tmp_path_factory.mktemp("seeded"))
    seed(backend)
    backend.jobs.mark(7)
    with running(backend) as client:
        yield client
