"""Snapshots of made-up projects, taken as a run takes them, with what is true of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from label_studio_crowd.scoring.accuracy import consensus_accuracy
from label_studio_crowd.scoring.joint import joint
from label_studio_crowd.scoring.reading import read_answers
from label_studio_crowd.scoring.scores import score
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.scoring.snapshot_taking import take_snapshot
from label_studio_crowd.settings import ConsensusMethod
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.store.people import DELETED_USER, is_model
from label_studio_crowd.store.trainings import Probabilities
from label_studio_crowd.studio.controls import Control, find_control, find_controls

__all__ = [
    "BEGIN",
    "Truth",
    "annotation",
    "annotations_of",
    "control_of",
    "made_up",
    "snapshot_of",
    "snapshot_of_kinds",
]

BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Truth:
    """What is true of a made-up project: class codes of the tasks, and of the annotators at first and at last."""

    labels: NDArray[np.int64]
    accuracy_at_first: NDArray[np.float64]
    accuracy_at_last: NDArray[np.float64]


def control_of(classes: Sequence[str]) -> tuple[str, Control]:
    """Return a labeling config with these choices, and its control."""
    choices = "".join(f'<Choice value="{label}"/>' for label in classes)
    config = f'<View><Text name="text" value="$text"/><Choices name="label" toName="text">{choices}</Choices></View>'
    return config, find_control(config)


def annotation(
    control: Control,
    number: int,
    task: int,
    annotator: int,
    label: str | None,
    *,
    at: datetime | None = None,
    seconds: float | None = None,
    skipped: bool = False,
    truth: bool = False,
) -> Annotation:
    """Return an annotation as the mirror has it; by default each is given a second after the one before."""
    result = [] if label is None else control.write(label)
    when = _when(number) if at is None else at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return Annotation(number, task, annotator, orjson.dumps(result).decode(), skipped, truth, when, seconds)


def snapshot_of(
    annotations: Sequence[Annotation],
    num_tasks: int,
    classes: tuple[str, ...] = ("a", "b", "c"),
    *,
    pred_probs: NDArray[np.float64] | None = None,
    target_quality: float = 0.9,
    max_labels: int = 5,
    consensus: ConsensusMethod = "hierarchical-dawid-skene",
    count_skipped: bool = False,
    trust_ground_truth: bool = False,
    pseudonym: Sequence[int] | NDArray[np.int64] | None = None,
    taken_at: float = 1_800_000_000.0,
) -> Snapshot:
    """Return the snapshot of a run over tasks 1 to `num_tasks`; the queue is all that is not settled.

    Annotations of models are their predictions.

    Pseudonyms are by id, as after one run, unless they are given.
    """
    config, control = control_of(classes)
    tasks = np.arange(1, num_tasks + 1)
    answers = read_answers(
        tasks, annotations, control, trust_ground_truth=trust_ground_truth, count_skipped=count_skipped
    )
    people = [row for row in annotations if not is_model(row.annotator)]
    scores = score(
        answers, pred_probs, target_quality=target_quality, max_labels=max_labels, min_labels=None, consensus=consensus
    )
    seen = tasks if pred_probs is not None else tasks[:0]
    probabilities = Probabilities(
        control.name,
        "auto",
        "",
        classes,
        seen,
        np.empty((0, len(classes))) if pred_probs is None else pred_probs,
        0,
        "",
    )
    waiting = np.flatnonzero(~scores.settled)
    queue = tasks[waiting[np.argsort(scores.priority[waiting], kind="stable")]]
    known = answers.crowd.annotators != DELETED_USER
    by_id = np.cumsum(known) * known
    return take_snapshot(
        {"title": "made up", "label_config": config},
        scores,
        tuple(queue.tolist()),
        probabilities,
        people,
        consensus_accuracy(scores.result, ~answers.are_models),
        np.asarray(by_id if pseudonym is None else pseudonym, np.int64),
        show_consensus=False,
        target_quality=target_quality,
        taken_at=taken_at,
    )


@cache
def made_up(
    num_tasks: int = 10_000,
    num_annotators: int = 300,
    num_labels: int = 50_000,
    num_classes: int = 10,
    *,
    model: bool = True,
    seed: int = 0,
) -> tuple[Snapshot, Truth]:
    """Return a snapshot of a crowd of mixed skill and activity, and the truth.

    A tenth of the tasks are new, a tenth of the annotators guess often, a tenth get worse as time goes by, and
    nearly all of the others are good; the queue is as long as it gets.
    """
    rng = np.random.default_rng(seed)
    classes = tuple(f"class {number}" for number in range(num_classes))
    truth = rng.integers(num_classes, size=num_tasks)
    kind = rng.permutation(num_annotators) % 10
    at_first = np.where(kind == 0, rng.uniform(0.3, 0.5, num_annotators), rng.beta(16, 3, num_annotators))
    at_last = np.where(kind == 1, at_first - 0.4, at_first)
    activity = rng.pareto(1.5, num_annotators) + 0.2
    labelled = rng.permutation(num_tasks)[: num_tasks - num_tasks // 10]
    pairs = np.empty((0, 2), np.int64)
    while len(pairs) < num_labels:
        more = np.column_stack(
            [
                labelled[rng.integers(len(labelled), size=num_labels)],
                rng.choice(num_annotators, size=num_labels, p=activity / activity.sum()),
            ]
        )
        pairs = np.unique(np.concatenate([pairs, more]), axis=0)
    task, who = rng.permutation(pairs)[:num_labels].T
    progress = np.arange(num_labels) / num_labels
    accuracy = at_first[who] + (at_last - at_first)[who] * progress
    wrong = rng.integers(1, max(num_classes, 2), size=num_labels)
    said = np.where(rng.random(num_labels) < accuracy, truth[task], (truth[task] + wrong) % num_classes)
    seconds = np.round(rng.lognormal(np.log(4 + who % 7), 0.6), 3).tolist()
    _, control = control_of(classes)
    moments = [BEGIN + timedelta(seconds=float(at)) for at in np.sort(rng.uniform(0, 28 * 86400, num_labels))]
    annotations = [
        annotation(control, number, int(i) + 1, int(j) + 101, classes[k], at=moments[number], seconds=seconds[number])
        for number, (i, j, k) in enumerate(zip(task, who, said, strict=True))
    ]
    P = None
    if model:
        logits = rng.normal(size=(num_tasks, num_classes))
        logits[np.arange(num_tasks), truth] += 2.5
        P = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    snapshot = snapshot_of(annotations, num_tasks, classes, pred_probs=P, target_quality=0.95)
    return snapshot, Truth(truth, at_first, at_last)


def snapshot_of_kinds(
    label_config: str,
    rows: Iterable[tuple[int, int, Sequence[Mapping[str, Any]]]],
    num_tasks: int,
    *,
    target_quality: float = 0.9,
    max_labels: int = 5,
    title: str = "made up",
    taken_at: float = 1_800_000_000.0,
) -> Snapshot:
    """Return the snapshot of a run over tasks 1 to `num_tasks`, whatever controls the labeling config has.

    Parameters
    ----------
    rows
        (task, annotator, the items of the annotation's result); each is given a second after the one before.
    """
    annotations = annotations_of(rows)
    tasks = np.arange(1, num_tasks + 1)
    answers = [read_answers(tasks, annotations, control) for control in find_controls(label_config)]
    scores = joint([score(each, None, target_quality=target_quality, max_labels=max_labels) for each in answers])
    waiting = np.flatnonzero(~scores.settled)
    queue = tasks[waiting[np.argsort(scores.priority[waiting], kind="stable")]]
    first, *others = (
        take_snapshot(
            {"title": title, "label_config": label_config},
            part,
            tuple(queue.tolist()),
            Probabilities(part.answers.control.name, "none", "", (), tasks[:0], np.empty((0, 0)), 0, ""),
            annotations,
            consensus_accuracy(part.result),
            np.arange(1, len(part.answers.crowd.annotators) + 1),
            show_consensus=False,
            target_quality=target_quality,
            taken_at=taken_at,
            all_controls=tuple(one.answers.control.name for one in scores.parts),
        )
        for part in scores.controls
    )
    return replace(first, others=tuple(others))


def annotations_of(rows: Iterable[tuple[int, int, Sequence[Mapping[str, Any]]]]) -> list[Annotation]:
    """Return annotations as the mirror has them: of (task, annotator, items), each a second after the one before."""
    return [
        Annotation(
            number,
            task,
            who,
            orjson.dumps(list(items), option=orjson.OPT_SERIALIZE_NUMPY).decode(),
            False,
            False,
            _when(number),
            4.0,
        )
        for number, (task, who, items) in enumerate(rows)
    ]


def _when(number: int) -> str:
    return (BEGIN + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
