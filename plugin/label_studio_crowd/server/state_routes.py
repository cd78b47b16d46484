"""Whether the server lives, and whether what it needs answers."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from label_studio_crowd import __version__
from label_studio_crowd.server.parts import TheParts
from label_studio_crowd.server.problems import described, wants_page

router = APIRouter(tags=["state"])

MODEL_CLASS = "label-studio-crowd"


class Health(BaseModel):
    """That the server lives, in the words of Label Studio's ML backends."""

    status: Literal["UP"] = "UP"
    model_class: str = MODEL_CLASS
    version: str = __version__


class Ready(BaseModel):
    """Whether what the server needs is there."""

    store: str = Field(description='"ok", or why the store cannot be read or written.')
    label_studio: str = Field(description='"ok", or why Label Studio does not answer.')
    worker: str = Field(description='"ok", or for how long no worker has been seen.')


# both touch nothing and need no thread: they answer even where all threads wait for a store
@router.get("/", operation_id="root", response_model=Health)
async def root(request: Request) -> Health | Response:
    """Say that the server lives, as `/health` does; lead a browser to the pages. Open to all."""
    return RedirectResponse("/projects", 303) if wants_page(request) else Health()


@router.get("/health", operation_id="health")
async def health() -> Health:
    """Say that the server lives. Open to all."""
    return Health()


@router.get(
    "/ready",
    operation_id="ready",
    responses={503: {"model": Ready, "description": "One of them is not there."}, **described(401)},
)
def ready(parts: TheParts, response: Response) -> Ready:
    """Say whether store and Label Studio answer, and a worker lives."""
    found = parts.readiness.findings()
    if found.store or found.label_studio or found.worker:
        response.status_code = 503
    return Ready(store=found.store or "ok", label_studio=found.label_studio or "ok", worker=found.worker or "ok")
