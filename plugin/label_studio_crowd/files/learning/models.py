"""The networks and the ways of learning from answers, by their names."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from crowdcore.registry import Registry
from label_studio_crowd.errors import UserError
from label_studio_crowd.files.method_options import parse_method


@dataclass(frozen=True)
class Strategy:
    """A way to learn from answers.

    Attributes
    ----------
    name, aliases
        What it is called.
    network
        The name of its class in `crowdcore.learning.networks`.
    options
        Those that may stand in brackets.
    """

    name: str
    network: str
    options: tuple[str, ...]
    aliases: tuple[str, ...] = ()


STRATEGIES: Registry[Strategy] = Registry(
    "strategy",
    (
        Strategy("consensus", "ConsensusNetwork", ("rounds",)),
        Strategy("crowdlayer", "CrowdLayer", ("kind",), ("crowd-layer",)),
        Strategy("conal", "CoNAL", ("scale",)),
        Strategy(
            "coupled-cross-entropy", "CoupledCrossEntropy", ("regularizer", "strength"), ("coupled", "geocrowdnet")
        ),
    ),
)


def find_strategy(text: str) -> tuple[Strategy, dict[str, Any]]:
    """Return a strategy and its options from ``name[option=value,...]``.

    Raises
    ------
    UserError, ValueError
        If there is none of that name, or it has no such option.
    """
    name, options = parse_method(text, "--strategy")
    found = STRATEGIES.find(name)
    strange = next((option for option in options if option not in found.options), None)
    if strange:
        raise UserError(
            f"--strategy {found.name} has no option {strange!r}; in brackets may be {', '.join(found.options)}."
        )
    return found, options


def own_models() -> list[str]:
    """Return the names of our own networks."""
    return _names().own_names()  # type: ignore[no-any-return]


def torchvision_models() -> list[str]:
    """Return the names of torchvision's networks, none where it is not installed."""
    return _names().torchvision_names()  # type: ignore[no-any-return]


def _names() -> Any:
    from crowdcore.learning.networks.extra import torched

    return torched("names")


def check_model(name: str) -> str:
    """Return a network's name.

    Raises
    ------
    UserError
        If there is none of that name. The message names those that there are.
    """
    own, others = own_models(), torchvision_models()
    if ":" in name or name in (*own, *others):
        return name
    close = get_close_matches(name.lower(), [*own, *others], n=3)
    meant = f"Did you mean {' or '.join(close)}? " if close else ""
    torchvision = (
        f"torchvision's {len(others)} (modelinfo lists them)" if others else "torchvision's, if that is installed"
    )
    raise UserError(
        f"--model is {name!r}, and there is no such network. {meant}Allowed are {', '.join(own)}, {torchvision}, and "
        "package.module:factory."
    )
