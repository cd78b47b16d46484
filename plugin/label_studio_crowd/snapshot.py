"""What the last run believed of a project, as one block of the store that a server reads without computing."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.labels import Control
from label_studio_crowd.mirror import Annotation, Probabilities
from label_studio_crowd.scoring import SETTLED_BY, Scores

_FORMAT: Final = 1
_REASONS: Final = ("", *SETTLED_BY)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A project as of its last run: N tasks by increasing id, K classes, M annotators, Q tasks in the queue.

    Attributes
    ----------
    taken_at
        When (Unix time).
    title, label_config, control
        The project's title, its labeling config, and the name of the control that was scored.
    show_consensus
        Whether annotators see the consensus while they label.
    training
        Names the trained model; "" without one.
    classes, prior
        The labels, and how common each is believed to be; (K,).
    tasks, labels, skips, annotations
        Task ids, and how many labels, skips, and annotations of any kind each has; (N,).
    consensus, quality
        Class codes (-1 where nothing is known) and CROWDLAB's quality; (N,).
    priority
        ActiveLab's score: low where one more label is worth most; (N,).
    settled_by
        Index into ("", *SETTLED_BY): why the task needs no more labels; (N,).
    queue
        Task ids in the order in which they are served; (Q,).
    annotators, annotator_quality, agreement, annotator_labels, worst_class
        Ids, CROWDLAB's quality, agreement with the consensus, numbers of labels, class codes (-1: none); (M,).
    """

    taken_at: float
    title: str
    label_config: str
    control: str
    show_consensus: bool
    training: str
    classes: tuple[str, ...]
    prior: NDArray[np.float64]
    tasks: NDArray[np.int64]
    labels: NDArray[np.int64]
    skips: NDArray[np.int64]
    annotations: NDArray[np.int64]
    consensus: NDArray[np.int64]
    quality: NDArray[np.float64]
    priority: NDArray[np.float64]
    settled_by: NDArray[np.int64]
    queue: NDArray[np.int64]
    annotators: NDArray[np.int64]
    annotator_quality: NDArray[np.float64]
    agreement: NDArray[np.float64]
    annotator_labels: NDArray[np.int64]
    worst_class: NDArray[np.int64]

    @cached_property
    def said(self) -> NDArray[np.bool_]:
        """Whether somebody has said what a task is; without that, its consensus is the model's guess; (N,)."""
        told = (self.labels > 0) | (self.settled_by == _REASONS.index("truth"))
        return np.asarray(told & (self.consensus >= 0))

    def row(self, task: int) -> int | None:
        """Return the row of a task, or None if the run did not know it."""
        row = int(np.searchsorted(self.tasks, task))
        return row if row < len(self.tasks) and self.tasks[row] == task else None

    def reason(self, row: int) -> str:
        """Return why a task needs no more labels, "" while it does."""
        return _REASONS[int(self.settled_by[row])]

    def label(self, row: int) -> str | None:
        """Return the consensus label of a task, or None where nobody has said anything."""
        return self.classes[int(self.consensus[row])] if self.said[row] else None

    def to_bytes(self) -> bytes:
        """Return it as an npz archive, without anything pickled."""
        arrays: dict[str, NDArray[Any]] = {}
        words: dict[str, Any] = {"format": _FORMAT}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                arrays[field.name] = value
            else:
                words[field.name] = value
        arrays["words"] = np.frombuffer(json.dumps(words).encode(), np.uint8)
        out = io.BytesIO()
        np.savez(out, **arrays)  # type: ignore[arg-type]
        return out.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Snapshot | None:
        """Return what `to_bytes` wrote, or None for another release's."""
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            words = json.loads(arrays["words"].tobytes())
            if words.pop("format") != _FORMAT:
                return None
            words["classes"] = tuple(words["classes"])
            return cls(**words, **{name: arrays[name] for name in arrays.files if name != "words"})


def take_snapshot(
    info: Mapping[str, Any],
    control: Control,
    scores: Scores,
    queue: tuple[int, ...],
    probabilities: Probabilities,
    annotations: Sequence[Annotation],
    *,
    show_consensus: bool,
    taken_at: float,
) -> Snapshot:
    """Return what a run believes."""
    answers, result = scores.answers, scores.result
    crowd, stats = answers.crowd, result.annotators
    if len(probabilities.tasks):
        prior = probabilities.pred_probs.mean(axis=0)
    else:
        counts = np.bincount(crowd.label, minlength=len(crowd.classes)) + 1.0
        prior = counts / counts.sum()
    return Snapshot(
        taken_at=taken_at,
        title=str(info["title"]),
        label_config=str(info["label_config"]),
        control=control.name,
        show_consensus=show_consensus,
        training=probabilities.training,
        classes=tuple(str(label) for label in crowd.classes),
        prior=np.asarray(prior, np.float64),
        tasks=np.asarray(crowd.tasks, np.int64),
        labels=np.asarray(crowd.num_answers, np.int64),
        skips=np.asarray(answers.skips, np.int64),
        annotations=_counts(crowd.tasks, annotations),
        consensus=np.asarray(result.consensus, np.int64),
        quality=np.asarray(result.quality, np.float64),
        priority=np.asarray(scores.priority, np.float64),
        settled_by=np.asarray([_REASONS.index(str(reason)) for reason in scores.settled_by], np.int64),
        queue=np.asarray(queue, np.int64),
        annotators=np.asarray(crowd.annotators, np.int64),
        annotator_quality=np.asarray(stats.quality, np.float64),
        agreement=np.asarray(stats.agreement_with_consensus, np.float64),
        annotator_labels=np.asarray(stats.num_answers, np.int64),
        worst_class=np.asarray(stats.worst_class, np.int64),
    )


def _counts(tasks: NDArray[Any], annotations: Sequence[Annotation]) -> NDArray[np.int64]:
    counts = Counter(annotation.task for annotation in annotations)
    return np.asarray([counts.get(task, 0) for task in tasks.tolist()], np.int64)
