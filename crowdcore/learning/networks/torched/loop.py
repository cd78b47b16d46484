"""The loop over epochs: skorch's, with a schedule, held-out scores, progress and checkpoints."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.utils import to_tensor
from torch import nn

from crowdcore.crowd.ids import Codes
from crowdcore.learning.networks.tasks import Tasks
from crowdcore.learning.networks.torched import checkpoints
from crowdcore.learning.networks.torched.batches import Batches, Target, as_it_is
from crowdcore.learning.networks.torched.randomness import own_generator, seeded

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
}


@dataclass(frozen=True)
class Plan:
    """How a network learns; see `crowdcore.learning.networks.estimator.Network`."""

    epochs: int
    least_steps: int
    batch_size: int
    lr: float
    optimizer: str
    momentum: float
    weight_decay: float
    schedule: str | None
    milestones: tuple[int, ...]
    lr_decay: float
    seed: int
    device: torch.device
    num_workers: int

    def spread_over(self, examples: int) -> Plan:
        """Return the plan with batches of nearly equal sizes, and epochs enough, for so many tasks.

        A last batch of a single task would be too small for what takes means over a batch.
        """
        batches = max(1, math.ceil(examples / self.batch_size))
        epochs = max(self.epochs, math.ceil(self.least_steps / batches))
        return Plan(**{**vars(self), "batch_size": math.ceil(examples / batches), "epochs": epochs})

    def rate(self, epoch: int) -> float:
        """Return what the learning rate is multiplied with in an epoch, from 0."""
        if self.schedule == "cosine":
            return (1 + math.cos(math.pi * epoch / self.epochs)) / 2
        if self.schedule == "multistep":
            return self.lr_decay ** sum(epoch >= milestone for milestone in self.milestones)
        return 1.0

    def optimizer_options(self) -> dict[str, Any]:
        """Return the optimizer's options: annotators' parameters do not decay."""
        options: dict[str, Any] = {
            "optimizer__weight_decay": self.weight_decay,
            "optimizer__param_groups": [("criterion.*", {"weight_decay": 0.0})],
        }
        return options | ({"optimizer__momentum": self.momentum} if self.optimizer == "sgd" else {})


@dataclass
class Watched:
    """A score of what was held out, after each epoch: the smallest is best."""

    score: Callable[[nn.Module], dict[str, float]]
    by: str = ""
    best: float = math.inf
    state: dict[str, torch.Tensor] = field(default_factory=dict)


class Net(NeuralNet):  # type: ignore[misc, no-any-unimported, unused-ignore]
    """skorch's network, whose criterion also sees the tasks, and whose parameters have names by their owner."""

    def get_loss(self, y_pred: Any, y_true: Any, X: Any = None, training: bool = False) -> Any:
        """Return the loss of a batch."""
        return self.criterion_(y_pred, to_tensor(y_true, self.device), to_tensor(X, self.device))

    def get_all_learnable_params(self) -> Any:
        """Yield the parameters of module and criterion, with their names."""
        for owner in ("module", "criterion"):
            for name, parameter in getattr(self, f"{owner}_").named_parameters():
                yield f"{owner}.{name}", parameter


class Scheduled(Callback):  # type: ignore[misc, no-any-unimported, unused-ignore]
    """The learning rate of each epoch, which follows from its number alone."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def on_epoch_begin(self, net: Any, **_: Any) -> None:
        """Set it."""
        rate = self.plan.lr * self.plan.rate(len(net.history) - 1)
        for group in net.optimizer_.param_groups:
            group["lr"] = rate
        net.history.record("lr", rate)


class Watching(Callback):  # type: ignore[misc, no-any-unimported, unused-ignore]
    """Scores of what was held out, and the weights of the best epoch."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched

    def on_epoch_end(self, net: Any, **_: Any) -> None:
        """Note them."""
        scores = self.watched.score(net.module_)
        for name, value in scores.items():
            net.history.record(name, value)
        if self.watched.by and scores[self.watched.by] < self.watched.best:
            self.watched.best = scores[self.watched.by]
            self.watched.state = {
                name: tensor.detach().cpu().clone() for name, tensor in checkpoints.weights(net).items()
            }


class Keeping(Callback):  # type: ignore[misc, no-any-unimported, unused-ignore]
    """A checkpoint after each epoch."""

    def __init__(self, path: Path, settings: dict[str, Any], order: torch.Generator, watched: Watched | None) -> None:
        self.path, self.settings, self.order, self.watched = path, settings, order, watched

    def on_epoch_end(self, net: Any, **_: Any) -> None:
        """Write it."""
        checkpoints.write(self.path, net, self.order, self.settings, self.watched)


class Telling(Callback):  # type: ignore[misc, no-any-unimported, unused-ignore]
    """Progress, for whoever waits."""

    def __init__(self, progress: Callable[[str, int, int], object], epochs: int) -> None:
        self.progress, self.epochs = progress, epochs

    def on_epoch_end(self, net: Any, **_: Any) -> None:
        """Tell it."""
        self.progress("training the network", len(net.history), self.epochs)


@dataclass
class Learned:
    """What a loop ends with: the network, the criterion, and a line for each epoch."""

    module: nn.Module
    criterion: nn.Module
    history: list[dict[str, float]]


def learn(
    make: Callable[[], tuple[nn.Module, nn.Module]],
    tasks: Tasks,
    places: Codes,
    target: Target,
    plan: Plan,
    *,
    watched: Watched | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    settings: dict[str, Any] | None = None,
    progress: Callable[[str, int, int], object] | None = None,
) -> Learned:
    """Fit a network and its criterion.

    Parameters
    ----------
    make : callable
        Returns both, new; chance follows from the seed.
    tasks, places, target
        Which tasks are learned from, and what is known of them.
    plan : Plan
        How.
    watched : Watched, optional
        What to score after each epoch.
    checkpoint : Path, optional
        The file of checkpoints.
    resume : bool
        Whether to go on from it, if it is there.
    settings : dict, optional
        What a checkpoint must have been made with.
    progress : callable, optional
        Told what, how many epochs are done, and of how many.
    """
    plan = plan.spread_over(len(places))
    order = own_generator(plan.seed)
    with seeded(plan.seed, plan.device):
        net = _net(*make(), plan, order)
        if progress:
            net.callbacks.append(("progress", Telling(progress, plan.epochs)))
        if watched:
            net.callbacks.append(("watch", Watching(watched)))
        if checkpoint:
            net.callbacks.append(("keep", Keeping(checkpoint, settings or {}, order, watched)))
        net.initialize()
        if checkpoint and resume:
            checkpoints.read(checkpoint, net, order, settings or {}, watched)
        left = plan.epochs - len(net.history)
        if left > 0:
            examples = Batches(tasks, places, target)
            net.notify("on_train_begin", X=examples, y=None)
            net.fit_loop(examples, epochs=left)  # partial_fit would take Ctrl-C for the end of the training
            net.notify("on_train_end", X=examples, y=None)
        if watched and watched.state:
            checkpoints.set_weights(net, watched.state)
    return Learned(net.module_.eval(), net.criterion_.eval(), _lines(net.history))


def _net(module: nn.Module, criterion: nn.Module, plan: Plan, order: torch.Generator) -> Any:
    return Net(
        module,
        criterion=criterion,
        optimizer=OPTIMIZERS[plan.optimizer],
        lr=plan.lr,
        max_epochs=plan.epochs,
        batch_size=plan.batch_size,
        device=str(plan.device),
        train_split=None,
        iterator_train__shuffle=True,
        iterator_train__generator=order,
        iterator_train__collate_fn=as_it_is,
        iterator_train__num_workers=plan.num_workers,
        callbacks=[("schedule", Scheduled(plan))],
        callbacks__print_log=None,
        callbacks__valid_loss=None,
        verbose=0,
        **plan.optimizer_options(),
    )


def _lines(history: Any) -> list[dict[str, float]]:
    kept = ("epoch", "train_loss", "lr", "dur")
    return [
        {
            name: value
            for name, value in line.items()
            if name in kept or (name.startswith(("val_", "answers_")) and np.isscalar(value))
        }
        for line in history
    ]
