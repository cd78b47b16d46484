"""The names of networks that there are here."""

from __future__ import annotations

from importlib import import_module

from crowdcore.learning.networks.torched.modules import OWN


def own_names() -> list[str]:
    """Return the names of our own networks."""
    return list(OWN)


def torchvision_names() -> list[str]:
    """Return those of torchvision's networks that tell classes apart; none where it cannot be imported."""
    try:
        models = import_module("torchvision.models")
    except (ImportError, RuntimeError):  # one made for another torch does not load
        return []
    return sorted(models.list_models(module=models))
