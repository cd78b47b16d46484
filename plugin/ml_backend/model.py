"""label-studio-crowd as a model of label-studio-ml, for those who run their backends with `label-studio-ml start`.

It works with both interfaces of label-studio-ml: 1.0.9, the newest on PyPI, and 2.x, which is only in its repository.
Nothing is decided here: requests are handed to :class:`label_studio_crowd.service.backend.Backend`.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from flask import Flask, Response, has_request_context, request
from label_studio_ml import api
from label_studio_ml import model as interface

from label_studio_crowd.access import SECRET_HEADER, Guesses, has_password, may_send_events, may_use
from label_studio_crowd.errors import UserError
from label_studio_crowd.service.backend import MODEL_VERSION, Backend, project_number
from label_studio_crowd.settings import Settings, load, parse_options
from label_studio_crowd.studio.events import read_event

log = logging.getLogger(__name__)

EVENTS = (
    "ANNOTATION_CREATED",
    "ANNOTATIONS_CREATED",
    "ANNOTATION_UPDATED",
    "ANNOTATIONS_DELETED",
    "TASKS_CREATED",
    "TASKS_DELETED",
    "PROJECT_UPDATED",
    "PROJECT_DELETED",
    "START_TRAINING",
)
"""What Label Studio sends; neither label-studio-ml passes all of it on by itself."""


def backend() -> Backend:
    """Return this process's backend: 1.0.9 may fork, and a connection to the store must not be shared."""
    return _backend_of(os.getpid())


@lru_cache
def _backend_of(_process: int) -> Backend:
    return Backend(load())


def _set_up(project: Any) -> str:
    """Tell the backend of a ``/setup``: neither label-studio-ml gives the model all that it needs of the request."""
    extra = (request.get_json(silent=True) or {}).get("extra_params")
    return backend().setup(project_number(project), parse_options(extra), request.host, str(project)[:40])


def _predict(project: Any, tasks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return backend().predict(project_number(project) if project else None, tasks)


def _take(event: str, data: Mapping[str, Any]) -> str:
    """Hand a webhook's event to the backend; what is wrong with it is told, and not raised."""
    try:
        return backend().take(read_event({"action": event, **data}))
    except UserError as error:
        log.warning("%s is ignored: %s", event, error)
        return str(error)


if hasattr(interface, "LabelStudioMLManager"):

    class CrowdModel(interface.LabelStudioMLBase):
        """The model, as label-studio-ml 1.0.9 asks for it: one for all projects."""

        TRAIN_EVENTS = EVENTS

        def predict(self, tasks: Sequence[Mapping[str, Any]], **context: Any) -> list[dict[str, Any]]:
            """Return the stored prediction of each task, in order; `CrowdManager` says of which project."""
            return _predict(context.get("project"), tasks)

        def fit(
            self,
            tasks: Iterable[Any] = (),
            workdir: str | None = None,
            event: str | None = None,
            data: Mapping[str, Any] | None = None,
            **_: Any,
        ) -> dict[str, Any]:
            """Take an event; the service does the work."""
            return {"event": _take(event, data or {})} if event else {}

    class CrowdManager(interface.LabelStudioMLManager):
        """Sees to what 1.0.9 does not leave to the model.

        It would name the model after the last training's job, so that "Retrieve predictions" duplicates them all,
        answer no predictions before the first ``/setup``, and fork a process for every webhook.
        """

        @classmethod
        def fetch(
            cls, project: Any = None, label_config: str | None = None, force_reload: bool = False, **_: Any
        ) -> interface.ModelWrapper:
            """Set a project up and return the model, which always has the same version."""
            return interface.ModelWrapper(model=cls.model_class(), model_version=_set_up(project))

        @classmethod
        def predict(
            cls, tasks: Sequence[Mapping[str, Any]], project: Any = None, *_: Any, **__: Any
        ) -> tuple[list[dict[str, Any]], interface.ModelWrapper]:
            """Return the stored prediction of each task, and the model."""
            model = interface.ModelWrapper(model=cls.model_class(), model_version=MODEL_VERSION)
            return model.model.predict(tasks, project=project), model

        @classmethod
        def webhook(cls, event: str, data: Mapping[str, Any]) -> dict[str, Any]:
            """Take an event here and now: it is quick."""
            return cls.model_class().fit(event=event, data=data)

else:

    class CrowdModel(interface.LabelStudioMLBase):  # type: ignore[no-redef]
        """The model, as label-studio-ml 2.x asks for it: made anew for every request."""

        def setup(self) -> None:
            """Name the version that the predictions carry."""
            self.set("model_version", MODEL_VERSION)
            if has_request_context() and request.path == "/setup":
                _set_up(self.project_id)

        def set_extra_params(self, extra_params: Any) -> None:
            """Do nothing: `setup` has read them, and 2.x itself fails unless they are a string."""

        def predict(
            self, tasks: Sequence[Mapping[str, Any]], context: Mapping[str, Any] | None = None, **_: Any
        ) -> list[dict[str, Any]]:
            """Return the stored prediction of each task, in order."""
            return _predict(self.project_id, tasks)

        def fit(self, event: str, data: Mapping[str, Any], **_: Any) -> str:
            """Take an event; the service does the work."""
            return _take(event, data)


def _taken_here() -> Response | None:
    """Take a webhook that label-studio-ml would fail with: one that says nothing of the project's labeling config."""
    body = request.get_json(silent=True)
    project = body.get("project") if isinstance(body, dict) else None
    if not isinstance(body, dict) or (isinstance(project, dict) and "label_config" in project):
        return None
    data = {name: value for name, value in body.items() if name != "action"}
    return Response(
        json.dumps({"result": _take(str(body.get("action") or ""), data)}), 201, mimetype="application/json"
    )


def create_app(settings: Settings) -> Flask:
    """Return label-studio-ml's application with our model, and with our server's rules of who may use it."""
    if hasattr(api, "_manager"):
        api._manager = CrowdManager()
        app = api.init_app(model_class=CrowdModel, model_dir=str(settings.model_dir))
    else:
        api.TRAIN_EVENTS = EVENTS
        app = api.init_app(model_class=CrowdModel)
        api.BASIC_AUTH = None  # it would turn away webhooks that carry the secret

    guesses = Guesses()

    @app.before_request
    def _let_in() -> Response | None:
        if request.path in ("/", "/health"):
            return None
        authorization, address = request.headers.get("Authorization"), request.remote_addr or ""
        if authorization is not None and has_password(settings):
            if seconds := guesses.seconds_to_wait(address):
                return Response("Wrong passwords came too often", 429, {"Retry-After": f"{seconds:.0f}"})
            guesses.note(address, right=may_use(settings, authorization))
        if request.path == "/webhook":
            given, secret = request.headers.get(SECRET_HEADER), backend().secret
            allowed = may_send_events(settings, authorization, given, secret)
        else:
            allowed = may_use(settings, authorization)
        if not allowed:
            return Response("Unauthorized", 401, {"WWW-Authenticate": 'Basic realm="label-studio-crowd"'})
        return _taken_here() if request.path == "/webhook" else None

    return app
