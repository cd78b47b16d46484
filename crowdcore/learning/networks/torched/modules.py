"""Networks by name: features or pictures in, logits out."""

from __future__ import annotations

import copy
from collections.abc import Callable
from importlib import import_module
from math import prod
from typing import Any

import torch
from torch import nn

HIDDEN = 128
Shape = tuple[int, ...]


def build(module: Any, shape: Shape, classes: int, *, pretrained: bool = False, freeze: bool = False) -> nn.Module:
    """Return a network for tasks of a shape, which ends in a logit for each class.

    Parameters
    ----------
    module : str or nn.Module
        "linear", "mlp" or "cnn"; ``package.module:factory``, which is called with the shape and the number of classes;
        a model of torchvision by its name; or a module, which is copied.
    shape : tuple of int
        Of one task: (d,) for features, (channels, height, width) for pictures.
    classes : int
        K.
    pretrained, freeze : bool
        Of a model of torchvision: whether its weights are those it is published with; of any: whether only its last
        layer learns.

    Raises
    ------
    ValueError
        If there is no such network, or it does not return (N, K) logits.
    """
    if isinstance(module, nn.Module):
        built = copy.deepcopy(module)
    elif not isinstance(module, str):
        raise ValueError(f"module is a {type(module).__name__}; pass a name or a torch.nn.Module. {_NAMES}")
    elif module in OWN:
        built = OWN[module](shape, classes)
    elif ":" in module:
        built = _from_factory(module, shape, classes)
    else:
        built = _from_torchvision(module, classes, pretrained)
    if freeze:
        built.requires_grad_(False)
        last_layer(built).requires_grad_(True)
    _check(built, module, shape, classes)
    return built


def last_layer(module: nn.Module) -> nn.Linear:
    """Return a network's last linear layer.

    Raises
    ------
    ValueError
        If it has none.
    """
    found = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    if not found:
        raise ValueError(
            f"{type(module).__name__} has no linear layer (torch.nn.Linear), so nothing says which layer is its last. "
            "End it with one."
        )
    return found[-1]


def _linear(shape: Shape, classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), _head(prod(shape), classes))


def _mlp(shape: Shape, classes: int) -> nn.Module:
    return nn.Sequential(
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(prod(shape), HIDDEN),
        nn.ReLU(),
        nn.Dropout(0.5),
        _head(HIDDEN, classes),
    )


def _cnn(shape: Shape, classes: int) -> nn.Module:
    if len(shape) != 3:
        raise ValueError(
            f"module 'cnn' is for pictures, (channels, height, width); tasks have shape {shape}: use 'mlp'."
        )
    return nn.Sequential(
        nn.Conv2d(shape[0], 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d(4),
        nn.Flatten(), nn.Dropout(0.5), _head(32 * 4 * 4, classes),
    )  # fmt: skip


def _head(features: int, classes: int) -> nn.Linear:
    """Return the layer of the logits, zero at first: so that no class differs from another by chance."""
    head = nn.Linear(features, classes)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return head


OWN: dict[str, Callable[[Shape, int], nn.Module]] = {"linear": _linear, "mlp": _mlp, "cnn": _cnn}
_NAMES = (
    f"Allowed are {', '.join(OWN)}, a model of torchvision (if that is installed), or package.module:factory, where "
    "factory(shape, classes) returns a torch.nn.Module."
)


def _from_factory(path: str, shape: Shape, classes: int) -> nn.Module:
    name, _, attribute = path.partition(":")
    try:
        factory = getattr(import_module(name), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"module is {path!r}, which cannot be imported: {error}. {_NAMES}") from error
    built = factory(shape, classes)
    if not isinstance(built, nn.Module):
        raise ValueError(f"{path} returned a {type(built).__name__}; expected a torch.nn.Module of logits.")
    return built


def _from_torchvision(name: str, classes: int, pretrained: bool) -> nn.Module:
    try:
        models = import_module("torchvision.models")
    except (ImportError, RuntimeError) as error:  # one made for another torch does not load
        raise ValueError(
            f"There is no module {name!r}, and torchvision, which may have it, is not usable here ({error}). {_NAMES}"
        ) from error
    try:
        if not pretrained:
            return models.get_model(name, weights=None, num_classes=classes)
        built: nn.Module = models.get_model(name, weights="DEFAULT")
    except ValueError as error:
        raise ValueError(f"There is no module {name!r}: {error}. {_NAMES}") from error
    last = last_layer(built)
    holder, _, attribute = next(path for path, layer in built.named_modules() if layer is last).rpartition(".")
    setattr(built.get_submodule(holder), attribute, _head(last.in_features, classes))
    return built


def _check(built: nn.Module, module: Any, shape: Shape, classes: int) -> None:
    was_training = built.training
    device = next((parameter.device for parameter in built.parameters()), torch.device("cpu"))
    with torch.no_grad():
        found = built.eval()(torch.zeros(1, *shape, device=device))
    built.train(was_training)
    if not isinstance(found, torch.Tensor) or found.shape != (1, classes):
        shown = tuple(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
        raise ValueError(
            f"module {module!r} gives {shown} for one task of shape {shape}; expected (1, {classes}): a logit for each "
            "of the classes, before any softmax."
        )
