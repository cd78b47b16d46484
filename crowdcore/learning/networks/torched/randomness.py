"""Chance that a seed decides, and that nobody else notices."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_one_at_a_time = threading.RLock()
"""torch's dropout and initial weights draw from one generator of the process: two fits at once would share it."""


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Draw from the seed inside; afterwards torch's generators are as they were.

    Two fits in two threads of a process take turns, so that each draws what it would draw alone.
    """
    with _one_at_a_time, _forked(device):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            torch.cuda.manual_seed(seed)
        elif device.type == "mps":
            torch.mps.manual_seed(seed)
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
            yield


@contextmanager
def _forked(device: torch.device) -> Iterator[None]:
    if device.type == "cpu":
        with torch.random.fork_rng(devices=[]):
            yield
    else:
        with torch.random.fork_rng(devices=[device.index or 0], device_type=device.type):
            yield


def own_generator(seed: int) -> torch.Generator:
    """Return a generator of our own, for the order of tasks."""
    return torch.Generator().manual_seed(seed)


def states(order: torch.Generator, device: torch.device) -> dict[str, torch.Tensor]:
    """Return the states of the generators that a fit draws from, by name."""
    found = {"order": order.get_state(), "cpu": torch.default_generator.get_state()}
    if device.type == "cuda":
        found["cuda"] = torch.cuda.get_rng_state(device)
    return found


def put_back(found: dict[str, torch.Tensor], order: torch.Generator, device: torch.device) -> None:
    """Set the generators to the states that `states` returned."""
    order.set_state(found["order"])
    torch.default_generator.set_state(found["cpu"])
    if device.type == "cuda" and "cuda" in found:
        torch.cuda.set_rng_state(found["cuda"], device)
