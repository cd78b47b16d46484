r"""What networks minimise: losses of logits, some with parameters of the annotators', which learn with the network.

Those of answers get them flat: each answer's row in the batch, annotator and label. Losses are means over answers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, log_softmax, normalize

Answers = tuple[Tensor, Tensor, Tensor]

TRAITS = 20
"""Dimensions in which CoNAL compares tasks and annotators."""
DIFFICULTY = 128
"""Units between a task and its traits."""
JITTER = 1e-6
"""Added to a batch's P'P, which is singular where the batch is smaller than the classes are many."""


class SoftCrossEntropy(nn.Module):
    """Cross-entropy with beliefs of shape (n, K), a mean weighted by the sums of their rows."""

    def forward(self, logits: Tensor, beliefs: Tensor, tasks: Tensor) -> Tensor:
        """Return the loss of a batch."""
        total = beliefs.sum()
        return -(beliefs * log_softmax(logits, dim=1)).sum() / total.clamp_min(torch.finfo(total.dtype).tiny)


class CrowdCriterion(nn.Module):
    """A loss of answers; what is one has `answers_loss`."""

    def forward(self, logits: Tensor, answers: Answers, tasks: Tensor) -> Tensor:
        """Return the loss of a batch: 0 if it has no answers."""
        return self.answers_loss(logits, answers, tasks) if len(answers[0]) else logits.sum() * 0

    def answers_loss(self, logits: Tensor, answers: Answers, tasks: Tensor) -> Tensor:
        """Return the loss of a batch with answers."""
        raise NotImplementedError

    def confusion(self) -> Tensor:
        """Return the probability of each label, by annotator and true class: (M, K, K)."""
        raise NotImplementedError


class CrowdLayerLoss(CrowdCriterion):
    """A layer of each annotator's own after the network's probabilities; see `CrowdLayer`."""

    def __init__(self, annotators: int, classes: int, kind: str) -> None:
        super().__init__()
        self.kind = kind
        if kind == "mw":
            self.weight = nn.Parameter(torch.eye(classes).repeat(annotators, 1, 1))
        if kind in ("vw", "vw+b"):
            self.weight = nn.Parameter(torch.ones(annotators, classes))
        if kind in ("vb", "vw+b"):
            self.bias = nn.Parameter(torch.zeros(annotators, classes))

    def answers_loss(self, logits: Tensor, answers: Answers, tasks: Tensor) -> Tensor:
        """Return the cross-entropy of the annotators' scores."""
        row, annotator, label = answers
        return cross_entropy(self.scores(logits.softmax(dim=1)[row], annotator), label)

    def scores(self, chances: Tensor, annotator: Tensor) -> Tensor:
        """Return each annotator's scores (A, K) of a task with these probabilities (A, K)."""
        if self.kind == "mw":
            return torch.einsum("ak,akl->al", chances, self.weight[annotator])
        scores = chances * self.weight[annotator] if hasattr(self, "weight") else chances
        return scores + self.bias[annotator] if hasattr(self, "bias") else scores

    def confusion(self) -> Tensor:
        """See `CrowdCriterion`."""
        first = next(self.parameters())
        M, K = len(first), first.shape[-1]
        certain = torch.eye(K, dtype=first.dtype, device=first.device).repeat(M, 1)
        annotator = torch.arange(M, device=first.device).repeat_interleave(K)
        return self.scores(certain, annotator).softmax(dim=1).view(M, K, K)


class CoNALLoss(CrowdCriterion):
    """Confusion that is common to all, or an annotator's own, by task and annotator; see `CoNAL`."""

    def __init__(self, annotators: int, classes: int, inputs: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.common = nn.Parameter(2 * torch.eye(classes))
        self.own = nn.Parameter(2 * torch.eye(classes).repeat(annotators, 1, 1))
        self.task_traits = nn.Sequential(nn.Flatten(), nn.Linear(inputs, DIFFICULTY), nn.Linear(DIFFICULTY, TRAITS))
        self.annotator_traits = nn.Linear(annotators, TRAITS)
        nn.init.normal_(self.annotator_traits.bias)
        with torch.no_grad():  # alike at first: whoever comes first has no other chance than whoever comes last
            self.annotator_traits.weight.zero_()

    def answers_loss(self, logits: Tensor, answers: Answers, tasks: Tensor) -> Tensor:
        """Return the cross-entropy of the mixed scores, less how far annotators are from what is common."""
        row, annotator, label = answers
        chances = logits.softmax(dim=1)[row]
        shared = self.shared(tasks, row, annotator)[:, None]
        own = torch.einsum("ak,akl->al", chances, self.own[annotator])
        loss = cross_entropy(shared * (chances @ self.common) + (1 - shared) * own, label)
        if self.scale:
            loss = loss - self.scale * (self.own - self.common).flatten(1).norm(dim=1).sum()
        return loss

    def shared(self, tasks: Tensor, row: Tensor, annotator: Tensor) -> Tensor:
        """Return how far each answer follows the common confusion, (A,)."""
        traits = self.annotator_traits
        who = normalize(traits.weight.T + traits.bias, dim=1)
        return (normalize(self.task_traits(tasks), dim=1)[row] * who[annotator]).sum(dim=1).sigmoid()

    def confusion(self) -> Tensor:
        """See `CrowdCriterion`: of a task that follows what is common and what is the annotator's own alike."""
        return ((self.common + self.own) / 2).softmax(dim=2)


class CoupledLoss(CrowdCriterion):
    """Likelihood of the answers by confusion matrices, kept apart by a regulariser; see `CoupledCrossEntropy`."""

    def __init__(self, annotators: int, classes: int, regularizer: str | None, strength: float) -> None:
        super().__init__()
        self.regularizer, self.strength = regularizer, strength
        first = 6 * torch.eye(classes) - 5 if regularizer == "trace" else torch.eye(classes)
        self.scores = nn.Parameter(first.repeat(annotators, 1, 1))

    def answers_loss(self, logits: Tensor, answers: Answers, tasks: Tensor) -> Tensor:
        """Return minus the mean log-likelihood of an answer, and the regulariser."""
        row, annotator, label = answers
        logs = self.scores.log_softmax(dim=2)
        likelihood = torch.logsumexp(log_softmax(logits, dim=1)[row] + logs[annotator, :, label], dim=1)
        return self._regularizer(logits, logs.exp()) - likelihood.mean()

    def _regularizer(self, logits: Tensor, confusion: Tensor) -> Tensor:
        if self.regularizer is None:
            return logits.new_zeros(())
        if self.regularizer == "trace":
            return self.strength * confusion.diagonal(dim1=1, dim2=2).sum(dim=1).mean()
        spread = confusion.flatten(0, 1) if self.regularizer == "geo-reg-w" else logits.softmax(dim=1)
        gram = spread.T @ spread
        return -self.strength * torch.logdet(gram + JITTER * torch.eye(len(gram), dtype=gram.dtype, device=gram.device))

    def confusion(self) -> Tensor:
        """See `CrowdCriterion`."""
        return self.scores.softmax(dim=2)
