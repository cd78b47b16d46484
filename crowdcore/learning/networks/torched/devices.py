"""Where a network computes."""

from __future__ import annotations

import torch


def find_device(name: str) -> torch.device:
    """Return a device by its name; "auto" is the first there is of cuda, mps and cpu.

    Raises
    ------
    ValueError
        If torch knows no such device.
    """
    if name != "auto":
        try:
            return torch.device(name)
        except RuntimeError as error:
            raise ValueError(f"device is {name!r}; allowed are 'auto', 'cpu', 'cuda', 'cuda:1', 'mps', ...") from error
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def device_here(name: str) -> torch.device:
    """Return a device by its name to predict on: "auto" where it is not on this machine."""
    device = find_device(name)
    there = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}.get(device.type)
    return device if there is None or there() else find_device("auto")
