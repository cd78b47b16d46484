"""The routes that Label Studio asks of an ML backend."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson
import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from label_studio_crowd.errors import UserError
from label_studio_crowd.server.bodies import Body, parse_object
from label_studio_crowd.server.parts import TheParts
from label_studio_crowd.server.problems import described
from label_studio_crowd.service.backend import MODEL_VERSION, project_number
from label_studio_crowd.settings import parse_options
from label_studio_crowd.studio.events import MalformedEventError, read_event

log = logging.getLogger(__name__)

_SENT: Final = re.compile(r"'.*'|\".*\"|\(found .*\)")

router = APIRouter(tags=["Label Studio"])


class Setup(BaseModel):
    """Which version predictions will have."""

    model_version: str


class Prediction(BaseModel):
    """A task's prediction, as Label Studio stores it."""

    result: list[dict[str, Any]] = Field(description="The consensus as a result; empty if it must not be shown.")
    score: float = Field(ge=0, le=1, description="How certain the label is.")
    model_version: str


class Predictions(BaseModel):
    """The predictions of the tasks that were sent, in their order."""

    results: list[Prediction]


class Taken(BaseModel):
    """What was done with an event."""

    status: str = Field(description="marked (a run will read what happened from Label Studio), known or ignored.")


class Versions(BaseModel):
    """The model versions that there are."""

    versions: list[str]


def _body(properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    """Return the description of a body, which is parsed here."""
    schema = {"type": "object", "properties": dict(properties), "required": required}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


_PROJECT: Final = {
    "description": 'The project\'s number, or the name that Label Studio gives it: "17.1795211437".',
    "anyOf": [{"type": "string", "pattern": r"^[1-9][0-9]{0,17}(\.[0-9]+)?$"}, {"type": "integer", "minimum": 1}],
}
_SETUP: Final = _body(
    {
        "project": _PROJECT,
        "extra_params": {
            "description": "Options of the project, as in the Model settings: an object, its JSON, or nothing.",
            "type": ["object", "string", "null"],
        },
    },
    ["project"],
)
_PREDICT: Final = _body(
    {
        "project": {"anyOf": [*_PROJECT["anyOf"], {"type": "null"}]},
        "tasks": {
            "type": "array",
            "items": {"type": "object", "properties": {"id": {"type": "integer"}, "data": {"type": "object"}}},
        },
    },
    ["tasks"],
)
_EVENT: Final = _body(
    {
        "action": {"type": "string", "minLength": 1, "description": "ANNOTATION_CREATED and so on."},
        "project": {"type": "object", "properties": {"id": {"type": "integer"}}},
    },
    ["action"],
)


@router.post("/setup", operation_id="setup", openapi_extra=_SETUP, responses=described(400, 401, 413, 415, 503))
def setup(body: Body, request: Request, parts: TheParts) -> Setup:
    """Set a project up, with the options of its Model settings.

    Label Studio sends a token and its own address, too; neither is used.
    """
    asked = parse_object(body)
    try:
        project = project_number(asked.get("project"))
        options = parse_options(asked.get("extra_params"))
        _check_storable(options)
    except UserError as error:  # of the answer, Label Studio shows nothing but its status; what was sent is not logged
        log.warning("A project could not be set up: %s", _SENT.sub("…", str(error)))
        raise
    with parts.turn:
        version = parts.backend.setup(
            project, options, host=request.headers.get("host", ""), uid=str(asked.get("project"))[:40]
        )
    return Setup(model_version=version)


def _check_storable(options: dict[str, Any]) -> None:
    try:
        same = orjson.loads(orjson.dumps(options)) == options
    except TypeError:
        same = False
    if not same:
        raise UserError("extra_params has a value that cannot be stored.")


@router.post(
    "/predict",
    operation_id="predict",
    response_model=Predictions,
    openapi_extra=_PREDICT,
    responses=described(400, 401, 413, 415, 503),
)
def predict(body: Body, parts: TheParts) -> Response:
    """Return a prediction for each task: from the last run, or for a new task from the model."""
    asked = parse_object(body)
    project = asked.get("project")
    number = None if project is None else project_number(project)
    tasks = asked.get("tasks")
    if not isinstance(tasks, list):
        raise UserError("tasks is missing or is not a list: send a list of tasks.")
    most = parts.backend.settings.max_tasks
    if len(tasks) > most:
        raise HTTPException(
            413, f"There are {len(tasks)} tasks; at most {most} are allowed: send fewer, or raise max_tasks."
        )
    for at, task in enumerate(tasks):
        if not isinstance(task, dict):
            raise UserError(f"tasks[{at}] is not an object: send tasks as Label Studio does.")
    results = parts.backend.predict(number, tasks)
    parts.metrics.predictions.inc(len(results))
    return Response(orjson.dumps({"results": results}), media_type="application/json")


@router.post(
    "/webhook", operation_id="webhook", openapi_extra=_EVENT, responses=described(400, 401, 413, 415, 422, 503)
)
def webhook(body: Body, parts: TheParts) -> Taken:
    """Take an event: the queue follows within seconds."""
    count = parts.metrics.webhooks
    try:
        event = read_event(parse_object(body))
    except MalformedEventError:
        count.labels("malformed", "refused").inc()
        raise
    try:
        with parts.turn:
            status = parts.backend.take(event)
    except sa.exc.SQLAlchemyError:  # Label Studio does not send it again: a later look finds what it told
        count.labels(event.kind, "failed").inc()
        raise
    count.labels(event.kind, status).inc()
    return Taken(status=status)


@router.get("/versions", operation_id="versions", responses=described(401))
async def versions() -> Versions:
    """List the model versions."""
    return Versions(versions=[MODEL_VERSION])
