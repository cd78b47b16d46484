"""Fitted networks in files that hold no code: weights as safetensors, all else as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from crowdcore.crowd.ids import as_ids
from crowdcore.learning.networks.extra import torched

KIND = "label-studio-crowd network 1"
NOT_KEPT = ("progress", "checkpoint", "resume")

Kept = TypeVar("Kept", bound=Any)


def save(network: Any, path: Path) -> Path:
    """Write a fitted network; see `Network.save`."""
    torched("checkpoints").save(path, *packed(network))
    return path


def packed(network: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a fitted network's tensors and texts."""
    embedding = torched("embedding")
    tensors = embedding.weights(network.module_, "module") | embedding.weights(network.criterion_, "criterion")
    about = {
        "options": {name: value for name, value in network.get_params(deep=False).items() if name not in NOT_KEPT},
        "classes": network.classes_.tolist(),
        "annotators": [] if getattr(network, "annotators_", None) is None else network.annotators_.tolist(),
        "shape": list(network._shape),
        "scaler": None if network._scaler is None else [part.tolist() for part in network._scaler],
        "history": network.history_,
    }
    try:
        return tensors, {"kind": KIND, "class": type(network).__name__, "about": json.dumps(about)}
    except TypeError as error:
        raise ValueError(
            f"{network!r} cannot be kept without code: {error}. Name the module, as package.module:factory, or "
            "pickle it."
        ) from None


def load(cls: type[Kept], path: Path, options: dict[str, Any]) -> Kept:
    """Return the network of a file; see `Network.load`."""
    tensors, about = torched("checkpoints").load(path)
    return unpacked(cls, tensors, about, options, str(path))


def unpacked(
    cls: type[Kept], tensors: dict[str, Any], about: dict[str, str], options: dict[str, Any], where: str
) -> Kept:
    """Return the network that `packed` took apart."""
    if about.get("kind") != KIND or about.get("class") != cls.__name__:
        found = about.get("class", "something else")
        raise ValueError(f"{where} has {found}; expected a {cls.__name__} of this version.")
    kept = json.loads(about["about"])
    network = cls(**{**kept["options"], **options})
    network.classes_, network.history_ = as_ids(kept["classes"], "classes"), kept["history"]
    network._shape, network._scaler = tuple(kept["shape"]), kept["scaler"] and tuple(map(np.array, kept["scaler"]))
    if kept["annotators"]:
        network.annotators_ = as_ids(kept["annotators"], "annotators")
        network._counts = len(network.annotators_), len(network.classes_)
    modules, K = torched("modules"), len(network.classes_)
    network.module_ = modules.build(network.module, network._shape, K)  # the weights follow
    network.criterion_ = network._criterion(int(np.prod(network._shape)))
    for owner, name in ((network.module_, "module"), (network.criterion_, "criterion")):
        own = {key.removeprefix(f"{name}."): tensor for key, tensor in tensors.items() if key.startswith(f"{name}.")}
        owner.load_state_dict(own)
        owner.eval()
    return network
