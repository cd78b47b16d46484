"""Example crowds: what they consist of, and a simulation of annotators whose skill is known.

An annotator of accuracy *a* errs on a task with a probability that grows with the task's hardness and is
1 - *a* on average; a wrong answer is one of the task's own rivals, so that annotators who err on the same
hard task tend to agree, as people do. Everything is drawn from one seeded generator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

__all__ = ["CONTROL", "Answer", "ExampleCrowd", "Persona", "choices", "simulate"]

CONTROL = "label"
"""Name of the <Choices> control in every example's labeling config."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Persona:
    """A simulated annotator.

    Attributes
    ----------
    name
        Also the part of the email address before the @.
    accuracy
        The stated skill: the share of right answers over tasks of average hardness, 0 to 1.
    activity
        How much of the work they do, relative to the others.
    seconds
        Their median time for one answer.
    confuses
        Right label -> the label they give instead, in `confusion` of the cases, hard or not. Their other
        answers are as accurate as `accuracy` says.
    confusion
        The share of such answers.
    habit
        Labels they choose from when they err, whatever the task shows; empty for the task's own rivals.
    """

    name: str
    accuracy: float
    activity: float = 1.0
    seconds: float = 6.0
    confuses: Mapping[str, str] = field(default_factory=dict)
    confusion: float = 0.0
    habit: tuple[str, ...] = ()

    def expected_accuracy(self, truth: Sequence[str]) -> float:
        """Return the stated accuracy, confusions included, over tasks whose right labels are `truth`."""
        confused = sum(label in self.confuses for label in truth) / max(len(truth), 1)
        return self.accuracy * (1.0 - confused * self.confusion)


class Answer(NamedTuple):
    """One label of the crowd: the index of the task, who gave it, what it is, and the time it took.

    A label is a text; of a `KindsCrowd` it has an answer to each question.
    """

    task: int
    annotator: str
    label: Any
    seconds: float


@dataclass(frozen=True)
class ExampleCrowd:
    """Tasks, and what a crowd answered.

    Attributes
    ----------
    title, label_config
        Of the Label Studio project.
    to_name
        The object tag in `label_config` that the control `CONTROL` belongs to.
    tasks
        Each task's `data` for Label Studio.
    answers
        Of all annotators, in the order of tasks.
    truth
        Each task's right label, never part of `tasks`, "" where it is unknown; empty when all are.
    skill
        Annotator -> stated accuracy; empty when nobody knows it.
    notes
        What a reader of the results should know about this crowd.
    classifier
        The classifier to ask the plugin for.
    """

    title: str
    label_config: str
    to_name: str
    tasks: list[dict[str, Any]]
    answers: list[Answer]
    truth: list[str] = field(default_factory=list)
    skill: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    classifier: str = "auto"

    @property
    def annotators(self) -> list[str]:
        """Everybody who answered, or could have: sorted names."""
        return sorted({answer.annotator for answer in self.answers} | set(self.skill))

    def result(self, label: str) -> list[dict[str, Any]]:
        """Return `label` as the result of an annotation."""
        return [{"from_name": CONTROL, "to_name": self.to_name, "type": "choices", "value": {"choices": [label]}}]

    def show(self, label: str) -> str:
        """Return `label` for people."""
        return label


def choices(labels: Sequence[str], to_name: str) -> str:
    """Return the <Choices> control for `labels`, for a labeling config; hotkeys for up to ten of them."""
    digits = all(len(label) == 1 and label.isdigit() for label in labels)
    options = []
    for i, label in enumerate(labels):
        hotkey = f' hotkey="{label if digits else (i + 1) % 10}"' if len(labels) <= 10 else ""
        options.append(f"    <Choice value={quoteattr(label)}{hotkey}/>\n")
    return (
        f'<Choices name="{CONTROL}" toName="{to_name}" choice="single" showInLine="true">\n'
        f"{''.join(options)}  </Choices>"
    )


def simulate(
    rng: np.random.Generator,
    personas: Sequence[Persona],
    classes: Sequence[str],
    truth: Sequence[str],
    hardness: Floats,
    rivals: Floats,
    *,
    answered: float = 2 / 3,
    labels_per_task: Sequence[float] = (0.3, 0.3, 0.25, 0.15),
    spread: float = 1.5,
) -> list[Answer]:
    """Let a crowd answer some of the tasks.

    Parameters
    ----------
    rng
        The only source of chance.
    personas
        The annotators.
    classes, truth
        The K labels, and the right one of each of the N tasks.
    hardness : ndarray, shape (N,)
        How hard each task is, on any scale; only its standardised value counts.
    rivals : ndarray, shape (N, K)
        How likely each wrong label is, if somebody errs; the entry of the right label is ignored.
    answered
        Share of the tasks that get answers at all.
    labels_per_task
        Of those, the shares that get one, two, three, ... answers, by different annotators.
    spread
        By how much one standard deviation of hardness moves the log-odds of an error.

    Returns
    -------
    list of Answer
        In the order of tasks.
    """
    code = {label: k for k, label in enumerate(classes)}
    right = np.array([code[label] for label in truth])
    z = (hardness - hardness.mean()) / (hardness.std() or 1.0)
    wrong = rivals.astype(np.float64).copy()
    wrong[np.arange(len(right)), right] = 0.0
    wrong /= wrong.sum(axis=1, keepdims=True)
    errs = {persona.name: _error_probabilities(1.0 - persona.accuracy, spread * z) for persona in personas}
    activity = np.array([persona.activity for persona in personas])
    activity /= activity.sum()

    chosen = np.sort(rng.choice(len(right), size=round(answered * len(right)), replace=False))
    counts = rng.choice(len(labels_per_task), size=len(chosen), p=labels_per_task) + 1
    answers: list[Answer] = []
    for task, count in zip(chosen.tolist(), counts.tolist(), strict=True):
        who = rng.choice(len(personas), size=min(count, len(personas)), replace=False, p=activity / activity.sum())
        for persona in (personas[i] for i in who):
            label = _answer(rng, persona, truth[task], errs[persona.name][task], wrong[task], classes)
            seconds = persona.seconds * float(np.exp(0.3 * rng.standard_normal() + 0.2 * z[task]))
            answers.append(Answer(task, persona.name, label, round(seconds, 1)))
    return answers


def _error_probabilities(mean: float, shift: Floats) -> Floats:
    """Return error probabilities whose log-odds differ by `shift` and whose mean is `mean`."""
    if not 0.0 < mean < 1.0:
        return np.full(len(shift), mean)
    start = logit(mean)
    offset = brentq(lambda b: float(expit(b + shift).mean()) - mean, start - 50.0, start + 50.0)
    return np.asarray(expit(offset + shift))


def _answer(
    rng: np.random.Generator,
    persona: Persona,
    truth: str,
    error: float,
    wrong: Floats,
    classes: Sequence[str],
) -> str:
    """Return the label that `persona` gives to one task."""
    if truth in persona.confuses and rng.random() < persona.confusion:
        return persona.confuses[truth]
    if rng.random() >= error:
        return truth
    if habit := [label for label in persona.habit if label != truth]:
        return str(rng.choice(habit))
    return str(rng.choice(list(classes), p=wrong))
