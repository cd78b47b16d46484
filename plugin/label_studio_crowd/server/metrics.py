"""What Prometheus reads: counts of this process, and the states of the projects."""

from __future__ import annotations

import time
from collections import Counter as Counts
from collections.abc import Iterator
from typing import Final, get_args

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from label_studio_crowd import __version__
from label_studio_crowd.pages.insights import labels_needed, project_numbers
from label_studio_crowd.scoring.outlook import Forecast
from label_studio_crowd.server.api_models import State
from label_studio_crowd.service.backend import Backend
from label_studio_crowd.store.database import now
from label_studio_crowd.store.jobs import JobState

_PREFIX: Final = "label_studio_crowd_"
_STATES: Final = get_args(State)
_BUCKETS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 10.0, 30.0, 100.0)


class Metrics:
    """The metrics of one application, in a registry of their own.

    Parameters
    ----------
    backend
        Whose projects are told of.
    """

    def __init__(self, backend: Backend) -> None:
        self._registry = CollectorRegistry()
        self.webhooks = Counter(
            f"{_PREFIX}webhooks",
            "Webhooks, by kind of event and outcome.",
            ("kind", "result"),
            registry=self._registry,
        )
        self.predictions = Counter(f"{_PREFIX}predictions", "Predictions returned.", registry=self._registry)
        self.seconds = Histogram(
            f"{_PREFIX}request_seconds",
            "Seconds that requests took, by route and status.",
            ("route", "status"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._registry.register(_Projects(backend))

    def as_text(self) -> bytes:
        """Return all metrics in Prometheus's format."""
        return generate_latest(self._registry)


class _Projects(Collector):
    """How the projects stand, read from the store when asked for."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def collect(self) -> Iterator[Metric]:
        info = GaugeMetricFamily(f"{_PREFIX}build_info", "1; the version.", labels=("version",))
        info.add_metric((__version__,), 1)
        yield info
        try:
            found = list(self._projects())
        except sa.exc.SQLAlchemyError:
            found = None
        yield GaugeMetricFamily(f"{_PREFIX}store_up", "Whether the store answers.", value=float(found is not None))
        yield from found or ()

    def _projects(self) -> Iterator[Metric]:
        states = self._backend.jobs.states()
        words = Counts(state.word for state in states if state.kind == "rescore")
        by_state = GaugeMetricFamily(f"{_PREFIX}projects", "Projects that are served, by state.", labels=("state",))
        for word in _STATES:
            by_state.add_metric((word,), words[word])
        yield by_state
        failures = GaugeMetricFamily(f"{_PREFIX}failures", "Failures in a row.", labels=("project", "kind"))
        for state in states:
            failures.add_metric((str(state.project), state.kind), state.failures)
        yield failures
        yield from self._numbers(states)

    def _numbers(self, states: list[JobState]) -> Iterator[Metric]:
        one = ("project",)
        age = GaugeMetricFamily(f"{_PREFIX}seconds_since_run", "Seconds since the last run ended.", labels=one)
        stages = GaugeMetricFamily(
            f"{_PREFIX}run_seconds", "Seconds of the last run, by stage.", labels=("project", "stage")
        )
        tasks = GaugeMetricFamily(f"{_PREFIX}tasks", "Tasks.", labels=one)
        settled = GaugeMetricFamily(f"{_PREFIX}settled_tasks", "Tasks that need no more labels.", labels=one)
        labels = GaugeMetricFamily(f"{_PREFIX}labels", "Labels.", labels=one)
        queue = GaugeMetricFamily(f"{_PREFIX}queue_tasks", "Tasks in the queue.", labels=one)
        quality = GaugeMetricFamily(f"{_PREFIX}estimated_quality", "Estimated quality of the consensus.", labels=one)
        needed = GaugeMetricFamily(f"{_PREFIX}labels_needed", "Labels until every task is settled.", labels=one)
        for project in sorted({state.project for state in states}):
            stored, name = self._backend.project(project), (str(project),)
            last = stored.runs.last()
            if last is not None:
                age.add_metric(name, max(now() - last.finished_at, 0.0))
                for stage, seconds in last.report.seconds.items():
                    stages.add_metric((*name, stage), seconds)
            snapshot = self._backend.snapshot(stored)
            if snapshot is not None:
                found = project_numbers(snapshot)
                tasks.add_metric(name, found.tasks)
                settled.add_metric(name, found.settled)
                labels.add_metric(name, found.labels)
                queue.add_metric(name, found.queue)
                more = labels_needed(snapshot, stored.facts.read(Forecast))
                for gauge, estimate in ((quality, found.accuracy), (needed, more)):
                    if estimate.value is not None:
                        gauge.add_metric(name, estimate.value)
        yield from (age, stages, tasks, settled, labels, queue, quality, needed)


class Timing:
    """Measures how long requests take."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._seconds = metrics.seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began, endless = 0, time.perf_counter(), False

        async def noting(message: Message) -> None:
            nonlocal status, endless
            status = message.get("status", status)
            endless |= Headers(raw=message.get("headers", [])).get("content-type", "").startswith("text/event-stream")
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            # paths that are no route's, and what was refused before one was found, share a name
            route = getattr(scope.get("route"), "path", "none")
            if not endless:  # how long somebody listened says nothing
                self._seconds.labels(route, str(status)).observe(time.perf_counter() - began)
