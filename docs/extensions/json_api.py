"""Every route of the server with its parameters and answers, from the application's OpenAPI description."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from label_studio_crowd.server.application import create_application
from label_studio_crowd.settings import Settings

_TITLES = {
    "projects": "Projects",
    "downloads": "Tables",
    "ml backend": "For Label Studio",
    "state": "State of the server",
}
Described = dict[str, Any]


def routes() -> str:
    """Return all routes as Markdown, and what they answer with."""
    described = create_application(SimpleNamespace(settings=Settings())).openapi()  # type: ignore[arg-type]
    groups: dict[str, list[str]] = {}
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][0], []).append(_route(method, path, operation))
    sections = [f"## {_TITLES.get(tag, tag)}\n\n" + "\n\n".join(found) for tag, found in groups.items()]
    models = [_model(name, model) for name, model in described["components"]["schemas"].items()]
    return "\n\n".join([*sections, "## What is answered", *models])


def _route(method: str, path: str, operation: Described) -> str:
    answers = {status: answer for status, answer in operation["responses"].items() if status[0] == "2"}
    shapes = [f"Answers {status} with {_shape(_schema(answer))}." for status, answer in answers.items()]
    refusals = [
        f"{status}: {answer['description']}" for status, answer in operation["responses"].items() if status[0] != "2"
    ]
    parts = [f"### {method.upper()} {path}", operation.get("description"), _parameters(operation), *shapes]
    return "\n\n".join(filter(None, [*parts, " ".join(["Otherwise", *refusals]) if refusals else ""]))


def _schema(answer: Described) -> Described:
    content = answer.get("content", {})
    return next((body.get("schema", {}) for body in content.values()), {})


def _parameters(operation: Described) -> str:
    rows = [
        f"| `{row['name']}` | {row['in']} | {_shape(row['schema'])} | {row.get('description', '')} |"
        for row in operation.get("parameters", [])
    ]
    return "\n".join(["| parameter | in | value | |", "| --- | --- | --- | --- |", *rows]) if rows else ""


def _shape(schema: Described) -> str:
    """Return a schema in words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{_plain(name)}](#{_plain(name).lower()})"
    if "anyOf" in schema:
        return " or ".join(map(_shape, schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_shape(schema.get('items', {}))}"
    return schema.get("format") or schema.get("type", "anything")


def _model(name: str, model: Described) -> str:
    rows = [
        f"| `{field}` | {_shape(shape)} | {shape.get('description', '')} |"
        for field, shape in model.get("properties", {}).items()
    ]
    table = "\n".join(["| field | value | |", "| --- | --- | --- |", *rows])
    return "\n\n".join(filter(None, [f"### {_plain(name)}", model.get("description"), table if rows else ""]))


def _plain(name: str) -> str:
    """Return a model's name as a heading: FastAPI writes ``Page[Task]`` as ``Page_Task_``."""
    return name.strip("_").replace("_", "-")
