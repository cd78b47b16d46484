"""Scores of tasks that are held out, after each epoch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy

from crowdcore.crowd.ids import Codes
from crowdcore.learning.networks.tasks import Tasks
from crowdcore.learning.networks.torched.batches import outputs
from crowdcore.learning.networks.torched.loop import Watched

__all__ = ["AnswersScore", "ValidationScore", "Watched"]


class ValidationScore:
    """The loss and accuracy of labels that are known."""

    def __init__(self, tasks: Tasks, codes: Codes, device: torch.device, batch_size: int, num_workers: int) -> None:
        self._tasks, self._codes, self._device = tasks, torch.from_numpy(codes), device
        self._reading = {"batch_size": batch_size, "num_workers": num_workers}

    def __call__(self, module: nn.Module) -> dict[str, float]:
        """Return val_loss and val_accuracy."""
        places = np.arange(len(self._tasks))
        logits = torch.cat(list(outputs(module, self._tasks, places, self._device, **self._reading)))
        right = (logits.argmax(dim=1) == self._codes).double().mean()
        return {"val_loss": float(cross_entropy(logits, self._codes)), "val_accuracy": float(right)}


class AnswersScore:
    r"""Minus the log-likelihood of answers, by a network and confusion matrices that others' answers tell.

    .. math:: -\frac1n \sum_i \log \sum_k \sigma(z_i)_k \prod_{j \in A(i)} \pi_{jk y_{ij}}

    Parameters
    ----------
    tasks, places
        The tasks held out.
    likelihoods : ndarray of shape (n, K)
        The logarithm of the product, for each of them and each class.
    """

    def __init__(
        self,
        tasks: Tasks,
        places: Codes,
        likelihoods: NDArray[np.float64],
        device: torch.device,
        batch_size: int,
        num_workers: int,
    ) -> None:
        self._tasks, self._places, self._device = tasks, places, device
        self._likelihoods = torch.from_numpy(likelihoods)
        self._reading = {"batch_size": batch_size, "num_workers": num_workers}

    def __call__(self, module: nn.Module) -> dict[str, float]:
        """Return answers_loss."""
        parts = outputs(module, self._tasks, self._places, self._device, **self._reading)
        logs = torch.cat(list(parts)).double().log_softmax(dim=1)
        return {"answers_loss": -float(torch.logsumexp(logs + self._likelihoods, dim=1).mean())}
