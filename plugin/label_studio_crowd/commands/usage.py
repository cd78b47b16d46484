"""What is wrong with the words of a call: what was found, what is allowed, what to do."""

from __future__ import annotations

import re
from typing import Any, Final, cast

import typer

from label_studio_crowd.commands.help import did_you_mean, first_example

USAGE_ERROR: Final = cast("type[Exception]", typer.BadParameter.__mro__[1])
"""What typer raises for such words: its own class or click's, by typer's release."""


def in_plain_words(error: Exception) -> str:
    """Return a message for the user in place of typer's.

    Parameters
    ----------
    error
        A `USAGE_ERROR`.
    """
    kinds = {kind.__name__ for kind in type(error).__mro__}
    for kind, told in _TOLD.items():
        if kind in kinds:
            return f"{told(error)} {_where_to_read(error)}"
    return f"{_other(error)} {_where_to_read(error)}"


def _missing(error: Any) -> str:
    return f"{_name(error.param)} is missing: give it, as in `{first_example(error.ctx.command)}`."


def _bad_value(error: Any) -> str:
    found = _found(error)
    begin = f"Found {found!r} as {_name(error.param)}" if found is not None else f"{_name(error.param)} cannot be read"
    return f"{begin}: write {_allowed(error.param)}."


def _no_such_option(error: Any) -> str:
    known = [flag for option in error.ctx.command.params for flag in (*option.opts, *option.secondary_opts)]
    name = error.option_name
    return f"There is no option {name}.{did_you_mean(name, [flag for flag in known if flag.startswith('--')])}"


def _option_alone(error: Any) -> str:
    if "not take" in error.format_message():
        return f"{error.option_name} takes no value: leave the value out."
    return f"{error.option_name} needs a value after it."


def _other(error: Any) -> str:
    said: str = error.format_message()
    words = re.search(r"unexpected extra argument\S* \((.*)\)", said)
    if words:
        return f"Found {words[1]!r}, which is too much: leave it out, or put text with spaces into quotes."
    return said


_TOLD: Final = {
    "MissingParameter": _missing,
    "BadParameter": _bad_value,
    "NoSuchOption": _no_such_option,
    "BadOptionUsage": _option_alone,
}


def _where_to_read(error: Any) -> str:
    command = getattr(error.ctx, "command_path", "label-studio-crowd") if error.ctx else "label-studio-crowd"
    return f"`{command} --help` shows what there is."


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    return str(max(parameter.opts, key=len))


def _found(error: Any) -> str | None:
    """Return the word that could not be read."""
    cause = error.__cause__
    if hasattr(cause, "errors"):
        return str(cause.errors()[0]["input"])
    quoted = re.match(r"'([^']*)'|(\S+) is not in the range", error.message)
    return (quoted[1] or quoted[2]) if quoted else None


def _allowed(parameter: Any) -> str:
    """Return what a parameter's values are, in words."""
    described = getattr(parameter, "type_descriptor", None)
    kind = described.annotation if described else parameter.type
    choices = (described.choices if described else getattr(kind, "choices", None)) or ()
    if choices:
        return "one of " + ", ".join(str(getattr(choice, "value", choice)) for choice in choices)
    limits = described.parameter_info if described else kind
    low, high = getattr(limits, "min", None), getattr(limits, "max", None)
    number = "a whole number" if "int" in str(kind).lower() else "a number"
    if low is not None and high is not None:
        return f"{number} from {low:g} to {high:g}"
    if low is not None:
        return f"{number}, {low:g} or more"
    return f"{number}, {high:g} or less" if high is not None else f"{number}, such as 3"
