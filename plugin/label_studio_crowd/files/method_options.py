"""Options of methods as typed by users: ``name=value``, and peerannot's ``strategy[name=value,...]``."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from label_studio_crowd.errors import UserError

if TYPE_CHECKING:
    from crowdcore import Crowd
    from crowdcore.aggregate.methods import Method

BY_PEOPLE: Final = "hierarchical-dawid-skene"
"""The method by which models are judged by people first."""


def parse_method(text: str, flag: str = "--method") -> tuple[str, dict[str, Any]]:
    """Return a method's name and its options from ``name`` or ``name[option=value,...]``.

    Raises
    ------
    UserError
        If the brackets hold anything else.
    """
    name, bracket, rest = text.partition("[")
    if not bracket:
        return text, {}
    if not rest.endswith("]"):
        raise UserError(f"{flag} is {text!r}: the bracket is not closed. Write it as dawid-skene-clust[L=2].")
    parts = [part for part in rest[:-1].split(",") if part.strip()]
    return name, parse_options(parts, flag)


def of_people(method: Method, crowd: Crowd) -> dict[str, Any]:
    """Return the option that says who of the annotators are people, where there are models and the method asks."""
    from label_studio_crowd.store.people import are_models

    models = are_models(crowd.annotators)
    return {"people": ~models} if models.any() and method.name == BY_PEOPLE else {}


def parse_options(texts: Iterable[str], flag: str = "--option") -> dict[str, Any]:
    """Return options by name: numbers, true and false, lists, and else text.

    Raises
    ------
    UserError
        If one is not name=value, or is there twice.
    """
    options: dict[str, Any] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (equals and name.isidentifier() and value):
            raise UserError(f"{flag} has {text!r}: write name=value, as in n_iter=20.")
        if name in options:
            raise UserError(f"{flag} gives {name} twice: give it once.")
        options[name] = _value(value)
    return options


def _value(text: str) -> Any:
    with suppress(ValueError):
        return json.loads(text)
    with suppress(ValueError, SyntaxError):
        return ast.literal_eval(text)
    return text
