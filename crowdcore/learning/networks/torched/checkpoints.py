"""A fit that was interrupted, in one file of safetensors: nothing in it can run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load as deserialize
from safetensors.torch import save as serialize
from safetensors.torch import save_file
from skorch.history import History

from crowdcore.learning.networks.torched.randomness import put_back, states


def weights(net: Any) -> dict[str, torch.Tensor]:
    """Return the weights of a net's module and criterion, by name."""
    return {
        f"{owner}.{name}": tensor
        for owner in ("module", "criterion")
        for name, tensor in getattr(net, f"{owner}_").state_dict().items()
    }


def set_weights(net: Any, found: dict[str, torch.Tensor]) -> None:
    """Set them."""
    for owner in ("module", "criterion"):
        own = {name.partition(".")[2]: tensor for name, tensor in found.items() if name.startswith(f"{owner}.")}
        getattr(net, f"{owner}_").load_state_dict(own)


def write(path: Path, net: Any, order: torch.Generator, settings: dict[str, Any], watched: Any) -> None:
    """Write a checkpoint: others see the old file or the whole new one."""
    tensors = weights(net)
    for place, state in net.optimizer_.state_dict()["state"].items():
        tensors |= {f"optimizer.{place}.{name}": torch.as_tensor(value) for name, value in state.items()}
    tensors |= {f"chance.{name}": state for name, state in states(order, torch.device(net.device)).items()}
    if watched:
        tensors |= {f"best.{name}": tensor for name, tensor in watched.state.items()}
    about = {
        "settings": json.dumps(settings),
        "history": json.dumps([{**line, "batches": []} for line in net.history]),
        "best": json.dumps(watched.best if watched else None),
    }
    save(path, tensors, about)


def save(path: Path, tensors: dict[str, torch.Tensor], about: dict[str, str]) -> None:
    """Write tensors and texts to a file, all or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        save_file(
            {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}, temporary, about
        )
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Return the tensors, on the CPU, and the texts of a file.

    Raises
    ------
    ValueError
        If it is damaged, or something else.
    """
    try:
        with safe_open(path, "pt", device="cpu") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"{path} is no file of safetensors, or damaged ({error}). Remove it, and train again."
        ) from None


def to_bytes(tensors: dict[str, torch.Tensor], about: dict[str, str]) -> bytes:
    """Return what a file of safetensors has."""
    return bytes(serialize({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, about))


def from_bytes(content: bytes) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Return tensors and texts.

    Raises
    ------
    ValueError
        If it is damaged, or something else.
    """
    try:
        size = int.from_bytes(content[:8], "little")
        return deserialize(content), json.loads(content[8 : 8 + size])["__metadata__"]
    except (SafetensorError, ValueError, KeyError) as error:
        raise ValueError(f"This is no safetensors of a network, or damaged ({error}): train again.") from None


def as_tensor(array: Any) -> torch.Tensor:
    """Return an array as a tensor."""
    return torch.from_numpy(array)


def read(path: Path, net: Any, order: torch.Generator, settings: dict[str, Any], watched: Any) -> None:
    """Set a net, and chance, to what a checkpoint has; leave them alone where there is none.

    Raises
    ------
    ValueError
        If it was made with other settings, or other data.
    """
    if not path.exists():
        return
    tensors, about = load(path)
    made, wanted = json.loads(about.get("settings", "{}")), json.loads(json.dumps(settings))
    other = [name for name in {**made, **wanted} if made.get(name) != wanted.get(name)]
    if other:
        raise ValueError(
            f"{path} was made with {other[0]} = {made.get(other[0])!r}, and now it is {wanted.get(other[0])!r}. Go on "
            "as it was begun, or begin anew with another folder."
        )
    set_weights(net, tensors)
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        owner, _, rest = name.partition(".")
        if owner == "optimizer":
            place, _, what = rest.partition(".")
            state.setdefault(int(place), {})[what] = tensor
    net.optimizer_.load_state_dict({**net.optimizer_.state_dict(), "state": state})
    net.history = History(json.loads(about["history"]))
    chance = {name.partition(".")[2]: tensor for name, tensor in tensors.items() if name.startswith("chance.")}
    put_back(chance, order, torch.device(net.device))
    if watched:
        watched.state = {n.partition(".")[2]: tensor for n, tensor in tensors.items() if n.startswith("best.")}
        watched.best = json.loads(about["best"]) if watched.state else watched.best
