"""A request's body as a JSON object."""

from __future__ import annotations

import json
from typing import Annotated, Any

import orjson
from fastapi import Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request

from label_studio_crowd.errors import UserError


async def read_body(request: Request) -> bytes:
    """Return a body that is sent as JSON; it is parsed elsewhere, so that nobody else waits for it.

    A page in somebody's browser can send any other content type to any server, without being asked.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "The Content-Type is not application/json: send JSON.")
    return await request.body()


Body = Annotated[bytes, Depends(read_body)]


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body.

    Raises
    ------
    UserError
        If it is not JSON, or not an object.
    """
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = _parse_leniently(body)
    if not isinstance(found, dict):
        raise UserError(f"The body is {_KINDS.get(type(found), 'not an object')}: send an object.")
    return found


_KINDS = {
    list: "a list",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def _parse_leniently(body: bytes) -> Any:
    """Parse what only Python's parser takes, and Label Studio sends: lone surrogates, NaN, integers of any size."""
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno} (character {error.pos})"
        raise UserError(f"The body is not JSON: {error.msg} at {where}.") from None
    except UnicodeDecodeError as error:
        raise UserError(f"The body is not UTF-8: byte {error.start}.") from None
    except RecursionError:
        raise UserError("The body is nested too deeply.") from None
    except ValueError:
        raise UserError("The body is not JSON: a number has too many digits.") from None
