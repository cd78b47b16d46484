"""Tasks and what is known of them, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.learning.networks.tasks import Tasks

EVALUATED = 512
"""Tasks of a batch that is only judged."""


class Target(Protocol):
    """What is known of the tasks."""

    def of(self, places: Codes) -> Any:
        """Return tensors of what is known of some tasks."""
        ...


class Beliefs:
    """How far each task is of each class, (N, K)."""

    def __init__(self, beliefs: NDArray[np.float64]) -> None:
        self._beliefs = beliefs.astype(np.float32)

    def of(self, places: Codes) -> torch.Tensor:
        """Return rows, (n, K)."""
        return torch.from_numpy(self._beliefs[places])


class AnswersOf:
    """The answers of a crowd, flat."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd

    def of(self, places: Codes) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return row in the batch, annotator and label of each answer."""
        crowd = self._crowd
        sizes = crowd.num_answers[places]
        before = np.cumsum(sizes) - sizes
        answers = np.arange(sizes.sum()) + np.repeat(crowd.indptr[places] - before, sizes)
        row = np.repeat(np.arange(len(places)), sizes)
        return torch.from_numpy(row), *(torch.from_numpy(codes[answers]) for codes in (crowd.annotator, crowd.label))


class Batches(Dataset[Any]):
    """A torch Dataset, which gives a whole batch at once, by `__getitems__`.

    Parameters
    ----------
    tasks : Tasks
        All of them.
    places : ndarray of int
        Those wanted, in the order wanted.
    target : Target, optional
        What is known of all tasks.
    """

    def __init__(self, tasks: Tasks, places: Codes, target: Target | None = None) -> None:
        self._tasks, self._places, self._target = tasks, places, target

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, at: int) -> Any:
        return self.__getitems__([at])

    def __getitems__(self, at: Sequence[int]) -> tuple[torch.Tensor, Any]:
        places = self._places[np.asarray(at)]
        known = self._target.of(places) if self._target else torch.from_numpy(places)
        return torch.from_numpy(self._tasks.take(places)), known


def as_it_is(batch: Any) -> Any:
    """Return a batch that is one already."""
    return batch


def outputs(
    module: torch.nn.Module, tasks: Tasks, places: Codes, device: torch.device, *, batch_size: int, num_workers: int
) -> Iterator[torch.Tensor]:
    """Yield what a network, in the mode for judging, gives for the tasks, batch by batch, on the CPU."""
    loader = DataLoader(
        Batches(tasks, places),
        batch_size=max(batch_size, EVALUATED) if len(tasks.shape) == 1 else batch_size,
        num_workers=num_workers,
        collate_fn=as_it_is,
        generator=torch.Generator().manual_seed(0),  # else the global one is drawn from
    )
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad():
            for X, _ in loader:
                yield module(X.to(device)).cpu()
    finally:
        module.train(was_training)
