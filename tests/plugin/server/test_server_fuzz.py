"""Anything may come in over the network: nothing of it may be answered with a 5xx, or change the mirror."""

import asyncio
import copy
import json
import tempfile
from pathlib import Path
from types import SimpleNamespace

import httpx
import hypothesis.strategies as st
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from label_studio_crowd.server.application import create_application
from label_studio_crowd.settings import Settings
from tests.plugin.server.serving import opened, payload, seed

PAYLOADS = [payload(path.stem) for path in sorted((Path(__file__).parents[1] / "payloads").glob("*.json"))]
ANY_SPEED = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance, status_code_conformance]


class Server:
    """An application on a store of its own, asked without a network."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory()
        self.backend = opened(Path(self._folder.name))
        self.backend.studio_problem = self.backend.worker_problem = lambda: None
        self.mirror = seed(self.backend).mirror
        self.app = create_application(self.backend)

    def post(self, *bodies):
        """Send bodies to the webhook, and return the answers' statuses."""

        async def send():
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                headers = {"Content-Type": "application/json"}
                return [(await client.post("/webhook", content=body, headers=headers)).status_code for body in bodies]

        return asyncio.run(send())

    def held(self):
        """Return what the mirror holds."""
        mirror = self.mirror
        return mirror.annotations(), mirror.data(), mirror.counts()


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.backend.close()


# ---------------------------------------------------------------------- everything that is described


OPERATIONS = [
    (path, method)
    for path, row in create_application(SimpleNamespace(settings=Settings())).openapi()["paths"].items()
    for method in row
]


@pytest.fixture(scope="module")
def description(server):
    return schemathesis.openapi.from_asgi("/openapi.json", server.app)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_route_answers_as_described(server, description, path, method):
    @given(case=description[path][method].as_strategy(), real=st.booleans(), task=st.integers(1, 6))
    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    def check(case, real, task):
        if real:  # a number out of the blue is no project's
            case.path_parameters = (
                {**case.path_parameters, **{"project": 1, "task": task}} if case.path_parameters else {}
            )
        case.call_and_validate(checks=CHECKS)

    server.backend.jobs.mark(1)
    check()


# ---------------------------------------------------------------------- webhooks

texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=8)  # lone surrogates and NUL, too
numbers = st.one_of(
    st.integers(),
    st.sampled_from([0, 1, -1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, 10**30]),
    st.floats(),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)
KEYS = ("annotation", "annotations", "task", "tasks")
ACTIONS = sorted({body["action"] for body in PAYLOADS} | {"ANNOTATION_DELETED", "PROJECT_DELETED", "TASK_UPDATED"})


def places(value, path=()):
    """Yield the path of every value within a JSON value."""
    yield path
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


@st.composite
def mutated(draw):
    """Draw a real event in which a few values are dropped, doubled, or something else."""
    body = copy.deepcopy(draw(st.sampled_from(PAYLOADS)))
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(list(places(body))[1:] or [("action",)]))
        parent = body
        for key in path[:-1]:
            parent = parent[key]
        how = draw(st.sampled_from(["drop", "replace", "replace", "list", "twice", "action"]))
        if how == "drop":
            del parent[path[-1]]
        elif how == "replace":
            parent[path[-1]] = draw(st.one_of(values, numbers))
        elif how == "list":
            parent[path[-1]] = [parent[path[-1]]]
        elif how == "twice":
            parent[path[-1]] = [parent[path[-1]]] * draw(st.integers(0, 3))
        else:
            body["action"] = draw(st.sampled_from(ACTIONS))
        if not body:
            break
    return body


made_up = st.fixed_dictionaries(
    {"action": st.sampled_from(ACTIONS), "project": st.one_of(st.just({"id": 1}), values)},
    optional={key: st.one_of(values, st.lists(st.fixed_dictionaries({"id": st.integers(1, 70)}))) for key in KEYS},
)
events = st.one_of(mutated(), mutated(), made_up, values).map(json.dumps)


@given(bodies=st.lists(st.one_of(events, events, events, st.binary(max_size=20)), min_size=1, max_size=5))
@settings(max_examples=200, deadline=None, suppress_health_check=ANY_SPEED)
def test_nothing_that_comes_in_changes_the_mirror(server, bodies):
    before = server.held()
    for status, body in zip(server.post(*bodies), bodies, strict=True):
        assert status in (200, 400, 422), body
    assert server.held() == before
    assert server.post(json.dumps(payload("annotation_created"))) == [200]
    assert server.backend.jobs.serves(1)
