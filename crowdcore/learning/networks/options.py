"""Checks of the options of networks."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

CHOICES: dict[str, tuple[str | None, ...]] = {
    "optimizer": ("adamw", "adam", "sgd"),
    "schedule": ("cosine", "multistep", None),
    "kind": ("mw", "vw", "vb", "vw+b"),
    "regularizer": ("geo-reg-f", "geo-reg-w", "trace", None),
}
WHOLE = {"epochs": 1, "least_steps": 0, "batch_size": 1, "num_workers": 0, "seed": 0, "rounds": 1}
NUMBERS = ("lr", "momentum", "weight_decay", "lr_decay", "scale", "strength")


def check_options(network: Any) -> None:
    """Raise a ValueError that says what is wrong with a network's options, if anything is."""
    choices = CHOICES | {"early_stopping": (*network.stops_by, None)}
    for name, value in network.get_params(deep=False).items():
        allowed = _allowed(name, value, choices)
        if allowed:
            raise ValueError(f"{type(network).__name__}: {name} is {value!r}; {allowed}.")


def _allowed(name: str, value: Any, choices: dict[str, tuple[str | None, ...]]) -> str:
    """Return what is allowed for an option, or nothing if its value is."""
    if name in choices and value not in choices[name]:
        return f"allowed are {', '.join(map(repr, choices[name]))}"
    if name in WHOLE and (not isinstance(value, Integral) or isinstance(value, bool) or value < WHOLE[name]):
        return f"it must be a whole number, {WHOLE[name]} or more"
    if name in NUMBERS and value is not None and not (isinstance(value, Real) and 0 <= float(value) < float("inf")):
        return "it must be a finite number, 0 or more"
    return ""
