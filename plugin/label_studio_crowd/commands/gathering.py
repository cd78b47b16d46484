"""Options that several commands share, spelt once: a command takes the value that is made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Parameter, signature
from typing import Any, get_type_hints

Command = Callable[..., None]


def gather(name: str, make: Callable[..., Any], options: Mapping[str, tuple[Any, Any]]) -> Callable[[Command], Command]:
    """Let a command take several options as one parameter.

    Parameters
    ----------
    name
        The command's parameter. On the command line the options stand where it stands.
    make
        Called with the options by name; returns the parameter's value.
    options
        Name → (annotation, default), as a command of typer's would have them.

    Returns
    -------
    callable
        A decorator.
    """

    def decorate(command: Command) -> Command:
        taken = signature(command).parameters
        hints = get_type_hints(command, localns={taken[name].annotation: Any}, include_extras=True)

        @wraps(command)
        def run(**given: Any) -> None:
            command(**{name: make(**{option: given.pop(option) for option in options})}, **given)

        parameters = []
        for parameter in taken.values():
            if parameter.name == name:
                parameters += [
                    Parameter(option, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
                    for option, (annotation, default) in options.items()
                ]
            else:
                parameters.append(parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[parameter.name]))
        run.__signature__ = signature(command).replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate
