"""How a network learns, and how hard tasks are found: what the user said, and what it means."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

from label_studio_crowd.errors import UserError

Progress = Callable[[str, int, int], None]

_LR: Final = {"sgd": 0.1}
_USUAL_LR: Final = 1e-3
_MILESTONES: Final = (50,)


def file_name(model: str) -> str:
    """Return the name of a network as that of a folder.

    Examples
    --------
    >>> file_name("package.module:factory")
    'package.module-factory'
    """
    return re.sub(r"[^\w.-]", "-", model)


@dataclass(frozen=True)
class Plan:
    """How a network learns, and from what: the options of the command line, by their names there."""

    features: Path | None = None
    truth: Path | None = None
    answers: Path | None = None
    metadata_path: Path | None = None
    n_classes: int | None = None
    path_remove: Path | None = None
    model: str | None = None
    pretrained: bool = False
    freeze: bool = False
    n_params: int | None = None
    img_size: int | None = None
    data_augmentation: bool = False
    n_epochs: int | None = None
    batch_size: int = 100
    optimizer: str = "adamw"
    lr: float | None = None
    momentum: float = 0.9
    decay: float = 1e-4
    scheduler: str | None = None
    milestones: list[int] | None = None
    lr_decay: float = 0.1
    num_workers: int = 0
    device: str = "auto"
    seed: int = 0
    resume: bool = False

    def network_options(self, model: str, checkpoint: Path | None, progress: Progress | None) -> dict[str, Any]:
        """Return the options of a network of crowdcore's."""
        optimizer = self.optimizer.lower()
        return {
            "module": model,
            **({} if self.n_epochs is None else {"epochs": self.n_epochs, "least_steps": 0}),
            "batch_size": self.batch_size,
            "lr": _LR.get(optimizer, _USUAL_LR) if self.lr is None else self.lr,
            "optimizer": optimizer,
            "momentum": self.momentum,
            "weight_decay": self.decay,
            "schedule": self._schedule(),
            "milestones": tuple(self.milestones or _MILESTONES),
            "lr_decay": self.lr_decay,
            "pretrained": self.pretrained,
            "freeze": self.freeze,
            "device": self.device,
            "num_workers": self.num_workers,
            "seed": self.seed,
            "checkpoint": checkpoint,
            "resume": self.resume,
            "progress": progress,
        }

    def _schedule(self) -> str | None:
        usual = "multistep" if self.milestones else "cosine"
        chosen = (self.scheduler or usual).lower()
        if chosen not in ("cosine", "multistep", "none"):
            raise UserError(f"--scheduler is {self.scheduler!r}; allowed are cosine, multistep and none.")
        if self.milestones and chosen != "multistep":
            raise UserError(f"--milestones are for --scheduler multistep, and it is {chosen}: leave one of them out.")
        return None if chosen == "none" else chosen

    def check_size(self, X: Any) -> None:
        """Raise a `UserError` if tasks have another number of values than the user says."""
        size = prod(X.shape[1:] if hasattr(X, "shape") else X[0].shape)
        if self.n_params is not None and self.n_params != size:
            raise UserError(f"--n-params is {self.n_params}, and each task has {size} numbers: leave it out.")


@dataclass(frozen=True)
class MarginOptions:
    """How areas under the margin are found: the options of the command line, by their names there."""

    alpha: float | None = None
    use_pleiss: bool = False
    topk: int | None = None
    n_epochs: int | None = None
    hard_labels: Path | None = None
    matrix_file: Path | None = None
    maxiter_dawid_skene: int | None = None
    labels: Path | None = None
    metadata_path: Path | None = None
    n_classes: int | None = None
    img_size: int | None = None

    def given(self) -> list[str]:
        """Return the options that the user gave."""
        return [f"--{name.replace('_', '-')}" for name, value in vars(self).items() if value not in (None, False)]
