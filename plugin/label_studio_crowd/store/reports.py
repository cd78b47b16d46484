"""What a run reports: recorded with it, printed as JSON, and shown on pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from label_studio_crowd.estimate import Estimate


@dataclass(frozen=True)
class Changes:
    """What was changed in Label Studio, or would be changed, in numbers.

    Attributes
    ----------
    queue, queue_version
        How many tasks the queue has, and its model version.
    reopen, close
        Tasks opened for one more annotator; tasks closed again.
    queue_create, queue_update, queue_delete
        Predictions of the queue.
    switch_to
        The model version that was made the project's; None if it was already.
    consensus_create, consensus_update, consensus_delete
        Consensus predictions.
    versions_deleted
        Model versions of ours that were deleted.
    deferred
        Changes left for the next run.
    """

    queue: int = 0
    reopen: int = 0
    close: int = 0
    queue_version: str = ""
    queue_create: int = 0
    queue_update: int = 0
    queue_delete: int = 0
    switch_to: str | None = None
    consensus_create: int = 0
    consensus_update: int = 0
    consensus_delete: int = 0
    versions_deleted: tuple[str, ...] = ()
    deferred: int = 0

    @property
    def tasks(self) -> int:
        """Tasks opened or closed."""
        return self.reopen + self.close

    @property
    def queue_edits(self) -> int:
        """Predictions of the queue that were written."""
        return self.queue_create + self.queue_update + self.queue_delete

    @property
    def consensus_edits(self) -> int:
        """Consensus predictions that were written."""
        return self.consensus_create + self.consensus_update + self.consensus_delete


@dataclass(frozen=True)
class RunReport:
    """A run in numbers; what an older release did not record is None, or empty.

    Attributes
    ----------
    project, title, control
        Which project, its title, and the name of the control that was scored.
    dry_run, trigger
        Whether nothing was written, and what set it off: one of `Trigger`.
    tasks, labelled_tasks, labels, annotators, classes
        What was scored; labels and annotators are those of people.
    models
        Of how many tasks each model that is an annotator has an answer that could be read, by version.
    set_aside
        Annotations that are no answers, by the reason why.
    ground_truth_annotations, ground_truth_trusted
        Annotations with the ground-truth flag, and tasks whose truth is known by them.
    classifier, consensus, trained
        What was chosen as classifier and why, the consensus method, and whether the classifier was trained. Where there
        are several controls, a line for each.
    classifiers
        What was chosen as classifier and why, by control.
    rounds
        How the rounds of the classifier's training went, by control, if it was trained in rounds.
    mean_consensus_quality, estimated_accuracy
        Over the tasks with labels.
    settled, settled_by
        Tasks that need no more labels, in all and by the reason why.
    model_disagrees
        Tasks on which the classifier disagrees with all who labelled them.
    crowdlab_differs
        Labelled tasks of unknown truth on which CROWDLAB's label is another than the consensus.
    changed_tasks, deleted_tasks, full_pull
        What the pull brought, and whether everything was read anew.
    changes, expected_seconds
        What was changed in Label Studio, and how long that was expected to take.
    warnings
        What somebody may want to correct.
    seconds, seconds_waited
        Seconds of each stage, and how many of these Label Studio was waited for.
    """

    project: int | None = None
    title: str = ""
    control: str = ""
    dry_run: bool = False
    trigger: str = ""
    tasks: int | None = None
    labelled_tasks: int | None = None
    labels: int | None = None
    annotators: int | None = None
    classes: tuple[str, ...] = ()
    models: Mapping[str, int] = field(default_factory=dict)
    set_aside: Mapping[str, int] = field(default_factory=dict)
    ground_truth_annotations: int = 0
    ground_truth_trusted: int = 0
    classifier: str | None = None
    consensus: str | None = None
    trained: bool | None = None
    mean_consensus_quality: float | None = None
    estimated_accuracy: Estimate | None = None
    settled: int | None = None
    settled_by: Mapping[str, int] = field(default_factory=dict)
    model_disagrees: int | None = None
    crowdlab_differs: int | None = None
    changed_tasks: int | None = None
    deleted_tasks: int | None = None
    full_pull: bool | None = None
    changes: Changes = Changes()
    expected_seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    classifiers: Mapping[str, str] = field(default_factory=dict)
    rounds: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    seconds_waited: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the report as it is recorded and printed."""
        return asdict(self)


class FinishedRun(NamedTuple):
    """A run that has ended (Unix time), and its report."""

    finished_at: float
    report: RunReport
