"""What goes into a network's last layer; and networks without a GPU."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from crowdcore.learning.networks.torched.modules import last_layer


class Embedding(nn.Module):
    """A network whose output is what its last linear layer is given."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module, self._last = module, [last_layer(module)]

    def forward(self, tasks: Tensor) -> Tensor:
        """Return the features, (n, units)."""
        found: list[Tensor] = []
        hook = self._last[0].register_forward_pre_hook(lambda _, given: found.append(given[0]))
        try:
            self.module(tasks)
        finally:
            hook.remove()
        return found[-1].flatten(1)


def on_cpu(state: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of an estimator with its networks on the CPU; they themselves stay where they are."""
    return {name: copy.deepcopy(v).to("cpu") if isinstance(v, nn.Module) and name.endswith("_") else v
            for name, v in state.items()}  # fmt: skip


def weights(module: nn.Module, prefix: str) -> dict[str, torch.Tensor]:
    """Return a network's weights by name."""
    return {f"{prefix}.{name}": tensor for name, tensor in module.state_dict().items()}
