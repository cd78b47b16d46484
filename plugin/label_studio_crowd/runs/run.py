"""What a run found and did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from label_studio_crowd.estimate import Estimate
from label_studio_crowd.exchange.plan import Plan
from label_studio_crowd.exchange.pull import Pulled
from label_studio_crowd.project import ScoredProject
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.joint import people
from label_studio_crowd.scoring.scores import SETTLED_BY, Scores
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.store.people import model_id
from label_studio_crowd.store.reports import RunReport
from label_studio_crowd.store.trainings import Probabilities

Trigger = Literal["command", "request", "training", "change", "poll", "sweep"]
"""Somebody asked for it, something changed, or it was time to look for changes, or at everything."""


@dataclass(frozen=True)
class Judged:
    """What is scored, and by which probabilities.

    Attributes
    ----------
    answers, probabilities
        By control.
    trained
        Whether a classifier was trained for this.
    outdated
        Whether one should be trained anew.
    """

    answers: tuple[Answers, ...]
    annotations: list[Annotation]
    probabilities: tuple[Probabilities, ...]
    trained: bool
    outdated: bool


@dataclass(frozen=True)
class Run:
    """What a run found and did.

    Attributes
    ----------
    project, trigger, dry_run
        What was scored, what set it off, and whether nothing was written.
    pulled, judged, scores, accuracy
        What it found.
    plan, expected_seconds
        What was changed in Label Studio, and how long that was expected to take.
    left
        How many changes the next run is left to publish.
    warnings
        What somebody may want to mend.
    outlook_due
        Whether `look_ahead` has news.
    seconds, waited
        Seconds of each stage, and how many of these Label Studio was waited for.
    """

    project: ScoredProject
    trigger: Trigger
    dry_run: bool
    pulled: Pulled
    judged: Judged
    scores: Scores
    accuracy: Estimate
    plan: Plan
    expected_seconds: float
    left: int
    warnings: tuple[str, ...]
    outlook_due: bool
    seconds: Mapping[str, float]
    waited: float

    @property
    def trained(self) -> bool:
        """Whether the classifier was trained in it."""
        return self.judged.trained

    @property
    def outdated(self) -> bool:
        """Whether the classifier should be retrained."""
        return self.judged.outdated

    def _classifier(self) -> str:
        """Return what was chosen as classifier and why; where there are several controls, of each, a line each."""
        first, *others = self.judged.probabilities
        if not others:
            return first.about
        return "\n".join(f"{each.control}: {each.about}" for each in (first, *others))

    def report(self) -> RunReport:
        """Return the run in numbers."""
        answers, settled_by, quality = self.scores.answers, self.scores.settled_by, self.scores.least_quality
        labels, parts = self.scores.num_labels, self.scores.controls
        annotators = set().union(*(part.answers.crowd.annotators[~part.answers.are_models].tolist() for part in parts))
        answered = labels > 0
        return RunReport(
            project=self.project.number,
            title=self.project.info["title"],
            control=", ".join(part.answers.control.name for part in parts),
            dry_run=self.dry_run,
            trigger=self.trigger,
            tasks=len(labels),
            labelled_tasks=int(answered.sum()),
            labels=int(labels.sum()),
            annotators=len(annotators),
            models=self._models(),
            classes=tuple(str(label) for label in answers.crowd.classes) if answers.control.is_class else (),
            set_aside=answers.set_aside,
            ground_truth_annotations=answers.ground_truth,
            ground_truth_trusted=int((answers.known_labels >= 0).sum()),
            classifier=self._classifier(),
            classifiers={each.control: each.about for each in self.judged.probabilities},
            rounds={each.control: each.rounds for each in self.judged.probabilities if each.rounds},
            consensus=self.project.settings.consensus,
            trained=self.trained,
            mean_consensus_quality=float(quality[answered].mean()) if answered.any() else None,
            estimated_accuracy=self.accuracy,
            settled=int(self.scores.settled.sum()),
            settled_by={name: int((settled_by == name).sum()) for name in SETTLED_BY},
            model_disagrees=int(self.scores.model_disagrees.sum()),
            crowdlab_differs=None if self.scores.second_opinion is None else int(self.scores.crowdlab_differs.sum()),
            changed_tasks=self.pulled.changed,
            deleted_tasks=self.pulled.deleted,
            full_pull=self.pulled.full,
            changes=replace(self.plan.counts(), deferred=self.left),
            expected_seconds=round(self.expected_seconds, 1),
            warnings=self.warnings,
            seconds={stage: round(value, 3) for stage, value in self.seconds.items()},
            seconds_waited=round(self.waited, 3),
        )

    def _models(self) -> dict[str, int]:
        """Return of how many tasks each model that is an annotator has an answer, to whatever control."""
        tasks = {one.annotator: one.labels for one in people(self.scores)}
        return {version: tasks.get(model_id(version), 0) for version in self.project.settings.names("model_annotators")}
