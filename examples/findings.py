"""What the demo tells of a crowd: what the plugin found, beside what is known, and what further labels brought."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from rich.console import Group, RenderableType

from examples.command_line import Export
from examples.kinds_crowd import KindsCrowd
from examples.kinds_report import comparison, people, useful
from examples.labelling import Pick
from examples.report import accuracies, annotators, most_useful
from examples.simulated_crowd import ExampleCrowd
from harness.project import Project

__all__ = ["ClassFindings", "Findings", "KindsFindings", "findings_of"]

SCRIPTED_ACCURACY = 0.95


class Findings(Protocol):
    """What there is to tell."""

    def found(self, export: Export, links: str) -> RenderableType:
        """Return the most useful tasks, the annotators, and how right the consensus is; `links` is an address."""

    def scripted(self) -> str:
        """Return how the scripted annotators answer, as a sentence."""

    def answer(self, rng: np.random.Generator, task: int, export: Export) -> Any:
        """Return a scripted annotator's answer to a task."""

    def gained(self, before: Export, after: Export, picks: Sequence[Pick]) -> RenderableType:
        """Return how right the consensus was before and after the picks."""


def findings_of(crowd: ExampleCrowd | KindsCrowd, project: Project, names: Mapping[int, str]) -> Findings:
    """Return the findings of a crowd in a project; `names` are those of Label Studio's users."""
    if isinstance(crowd, KindsCrowd):
        return KindsFindings(crowd, project, names)
    return ClassFindings(crowd, project, names)


class ClassFindings:
    """Findings where an answer is one class."""

    def __init__(self, crowd: ExampleCrowd, project: Project, names: Mapping[int, str]) -> None:
        self.crowd, self.names = crowd, names
        self.truth = {task: label for task, label in zip(project.tasks, crowd.truth, strict=False) if label}
        self.classes = sorted({answer.label for answer in crowd.answers} | set(crowd.truth) - {""})

    def found(self, export: Export, links: str) -> RenderableType:
        """See `Findings`."""
        return Group(
            most_useful(export, self.truth, links),
            annotators(export, self.names, self.crowd.skill, self._right_answers()),
            self._accuracies({"now": export}),
        )

    def scripted(self) -> str:
        """See `Findings`."""
        known = "the truth" if self.truth else "the consensus so far (the truth is not known)"
        return f"Their answers are {known} in {SCRIPTED_ACCURACY:.0%} of the cases."

    def answer(self, rng: np.random.Generator, task: int, export: Export) -> str:
        """See `Findings`."""
        consensus = {row.task: row.consensus for row in export.tasks}
        right = self.truth.get(task) or consensus.get(task) or str(rng.choice(self.classes))
        wrong = [label for label in self.classes if label != right]
        return right if rng.random() < SCRIPTED_ACCURACY else str(rng.choice(wrong))

    def gained(self, before: Export, after: Export, picks: Sequence[Pick]) -> RenderableType:
        """See `Findings`."""
        return self._accuracies({"before": before, f"after {len(picks)} more labels": after})

    def _accuracies(self, moments: Mapping[str, Export]) -> RenderableType:
        if self.truth:
            return accuracies(moments, self.truth)
        return "The crowd's file has no truth, so accuracies are not known." if len(moments) == 1 else ""

    def _right_answers(self) -> dict[str, float]:
        """Return each annotator's share of right answers among those whose truth is known."""
        right: defaultdict[str, Counter[bool]] = defaultdict(Counter)
        for answer in self.crowd.answers:
            if self.crowd.truth and self.crowd.truth[answer.task]:
                right[answer.annotator][answer.label == self.crowd.truth[answer.task]] += 1
        return {name: counts[True] / counts.total() for name, counts in right.items()}


class KindsFindings:
    """Findings where answers are of other kinds."""

    def __init__(self, crowd: KindsCrowd, project: Project, names: Mapping[int, str]) -> None:
        self.crowd, self.project, self.names = crowd, project, names
        self.place = {task: place for place, task in enumerate(project.tasks)}

    def found(self, export: Export, links: str) -> RenderableType:
        """See `Findings`."""
        return Group(
            useful(self.crowd, self.place, export, links),
            people(self.crowd, export, self.names),
            self._comparison({"now": (export, ())}),
        )

    def scripted(self) -> str:
        """See `Findings`."""
        return "They are careful."

    def answer(self, rng: np.random.Generator, task: int, export: Export) -> Any:
        """See `Findings`."""
        return self.crowd.newcomer(rng, self.place[task])

    def gained(self, before: Export, after: Export, picks: Sequence[Pick]) -> RenderableType:
        """See `Findings`."""
        return self._comparison({"before": (before, ()), f"after {len(picks)} more labels": (after, picks)})

    def _comparison(self, moments: Mapping[str, tuple[Export, Sequence[Pick]]]) -> RenderableType:
        return comparison(self.crowd, self.place, moments)
