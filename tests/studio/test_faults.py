"""What is killed, locked or lost while people label costs no label, doubles nothing, and touches nobody else's data.

The whole of it, with more kills and other faults: ``python -m benchmarks.service.faults``.
"""

from __future__ import annotations

import pytest

from benchmarks.service.faults import kinds as faults
from benchmarks.service.faults.house import House
from benchmarks.service.faults.outcome import Options, SkippedError

OPTIONS = Options(kills=4, seconds=2.0, tasks=40, answered=8)


@pytest.fixture(scope="module")
def house(studio):
    return House(studio, people=3)


@pytest.fixture
def survives(house, tmp_path):
    """Make a fault while people label: `survives(fault)`; afterwards all is as it should be."""

    def check(fault, **how):
        try:
            outcome = fault(house, tmp_path / "fault", OPTIONS, **how)
        except SkippedError as error:
            pytest.skip(str(error))
        assert outcome.given > 0
        assert outcome.lost == 0
        assert outcome.duplicates == 0
        assert outcome.touched == []
        assert outcome.problems == []

    return check


def test_the_server_is_killed_again_and_again(survives):
    survives(faults.server_killed)


def test_the_worker_is_killed_while_it_publishes(survives):
    survives(faults.worker_killed, at=("importing a queue", "writing a prediction"))


def test_webhooks_are_dropped(survives):
    survives(faults.webhooks_dropped)


def test_the_store_is_locked(survives):
    survives(faults.store_locked, seconds=4.0)


def test_postgresql_is_restarted(survives):
    survives(faults.postgresql_restarted, away=(4.0,))


def test_redis_is_restarted(survives):
    survives(faults.redis_restarted)
