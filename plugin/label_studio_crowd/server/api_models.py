"""What the JSON API answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

State = Literal["fresh", "waiting", "working", "away", "failed"]
SettledBy = Literal["truth", "quality", "labels", "skips"]
Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """Some of the items."""

    total: int = Field(description="How many items match.")
    limit: int
    offset: int
    items: list[Item]


class Estimated(BaseModel):
    """A number with its 90 % interval, or why there is none."""

    value: float | None
    low: float | None
    high: float | None
    reason: str = Field(description="Why there is no number; empty where there is one.")


class Numbers(BaseModel):
    """A project in numbers, as of its last run."""

    tasks: int
    labelled_tasks: int = Field(description="Tasks with at least one label.")
    labels: int
    skips: int
    annotators: int = Field(description="People with at least one label.")
    models: int = Field(description="Models among the annotators, whose predictions are answers and no labels.")
    settled_tasks: int = Field(description="Tasks that need no more labels.")
    queue: int = Field(description="Tasks in the queue.")
    mean_consensus_quality: float | None = Field(description="Over the tasks that have a consensus.")
    estimated_quality: Estimated = Field(
        description="Which share of the consensus labels is right; of answers that are not one class, how far the "
        "consensus is expected to agree with the truth. Of tasks with labels; of several controls, the first's."
    )
    labels_needed: Estimated = Field(description="Further labels until every task is settled.")


class ProjectState(BaseModel):
    """The state of a project."""

    project: int
    title: str | None = Field(description="As of the last run; null before the first.")
    state: State = Field(
        description="fresh: the queue is up to date. waiting: something has changed since the last run. "
        "working: a run is under way. away: Label Studio does not answer; the run is tried again. "
        "failed: the last run failed; it is tried again at `retry_at`, or where that is null when something changes."
    )
    problem: str | None = Field(description="Why the last run failed, or why Label Studio did not answer.")
    failures: int = Field(description="How often it failed in a row.")
    retry_at: datetime | None = Field(description="When the next try is due; null while it is under way.")
    wanted_since: datetime | None = Field(description="When the first change came that no run has seen.")
    training: State | None = Field(description="State of the training, if one was requested.")
    training_problem: str | None = Field(description="Why the last training failed.")
    last_run_at: datetime | None = Field(description="When the last run ended.")
    numbers: Numbers | None = Field(description="Null before the first run.")
    url: str = Field(description="The project in Label Studio.")


class ClassShare(BaseModel):
    """A class, and how common it is believed to be."""

    label: str
    share: float | None


class ProjectDetails(ProjectState):
    """The state of a project, and how it was scored."""

    control: str | None = Field(description="The control of the labeling config that is scored.")
    classifier: str | None = Field(description="What was chosen, why, and how well it works.")
    consensus: str | None = Field(description="The method of the consensus: hierarchical-dawid-skene or crowdlab.")
    show_consensus: bool | None = Field(description="Whether annotators see the consensus while they label.")
    classes: list[ClassShare]
    settled_by: dict[SettledBy, int] = Field(description="Tasks that need no more labels, by reason.")
    model_disagrees: int = Field(
        description="Tasks on which the classifier, or a model among the annotators, disagrees with all people."
    )
    crowdlab_differs: int = Field(description="Tasks on which CROWDLAB's label is another than the consensus.")
    warnings: list[str] = Field(description="What the last run found that may need attention.")
    seconds: dict[str, float] = Field(description="Seconds of the last run, by stage.")


class Task(BaseModel):
    """What is known of a task, as of the last run."""

    task: int
    labels: int = Field(description="How many labels it has; answers of models are none.")
    model_answers: int = Field(description="How many models among the annotators have an answer.")
    skips: int
    consensus: str | None = Field(description="Null before the first label.")
    quality: float | None = Field(description="Quality of the consensus.")
    priority: float | None = Field(description="Low where one more label is worth most.")
    settled: bool = Field(description="Whether it needs no more labels.")
    settled_by: SettledBy | None = Field(description="Why it needs no more labels.")
    model_disagrees: bool = Field(
        description="Whether the classifier, or a model among the annotators, disagrees with all people: none of them "
        "gave the consensus, so quality does not settle the task."
    )
    crowdlab: str | None = Field(
        None, description="CROWDLAB's label, a second opinion; null before the first label, and without classes."
    )
    crowdlab_quality: float | None = Field(None, description="Quality of CROWDLAB's label, by CROWDLAB.")
    activelab: float | None = Field(None, description="ActiveLab's score: low where one more label is worth most.")
    place: int | None = Field(description="Its place in the queue, from 1; null if it is not in the queue.")
    url: str = Field(description="The task in Label Studio.")


class TaskAnnotation(BaseModel):
    """An annotation of a task, as last seen."""

    id: int
    annotator: int = Field(description="0 and below: a deleted user; it is not known which.")
    name: str
    label: str | None = Field(description="Null if it gives none, or several.")
    skipped: bool
    ground_truth: bool
    updated_at: str = Field(description="By Label Studio's clock.")


class ModelAnswer(BaseModel):
    """The prediction of a model that is an annotator, as last seen."""

    id: int = Field(description="The prediction's, in Label Studio.")
    annotator: int = Field(description="What stands for the model among the annotators.")
    name: str
    label: str | None = Field(description="Null if it gives none, or several.")
    updated_at: str = Field(description="By Label Studio's clock.")


class TaskDetails(BaseModel):
    """A task and its annotations, which may be newer than its consensus."""

    task: int
    believed: Task | None = Field(description="Null if the task came after the last run.")
    annotations: list[TaskAnnotation]
    model_answers: list[ModelAnswer] = Field(description="Those of the models among the annotators.")
    url: str = Field(description="The task in Label Studio.")


class Annotator(BaseModel):
    """What is known of an annotator, as of the last run."""

    annotator: int = Field(
        description="0: deleted users; -1, -2: the second and third of a task. That of a model is beyond all users'."
    )
    name: str = Field(description="That of a model ends in (model).")
    is_model: bool = Field(description="Whether it is a model, whose predictions are answers and no labels.")
    quality: float | None = Field(description="How often their labels are right; null if their agreement is null.")
    quality_low: float | None = Field(description="Lower end of the quality's 90 % interval; null with CROWDLAB.")
    quality_high: float | None = Field(description="Upper end of it.")
    agreement: float | None = Field(
        description="Share of their labels that match the consensus, on tasks where others, the classifier or a known "
        "truth have a say, too; null without any such task."
    )
    labels: int
    mostly_wrong_on: str | None = Field(
        description="The label that is wrong most often when they give it; null if they are never wrong, or if that is "
        "not known."
    )
    copies: list[int] = Field(
        description="Annotators who give the same labels as they do, also where everybody else says otherwise."
    )


class Run(BaseModel):
    """What a run found and did."""

    finished_at: datetime
    tasks: int | None
    labelled_tasks: int | None
    labels: int | None
    annotators: int | None
    models: dict[str, int] = Field(
        default_factory=dict, description="Of how many tasks each model among the annotators has an answer."
    )
    settled: int | None
    mean_consensus_quality: float | None
    classifier: str | None
    consensus: str | None = Field(description="The method of the consensus.")
    trained: bool | None = Field(description="Whether the classifier was trained in this run.")
    changed_tasks: int | None
    deleted_tasks: int | None
    full_pull: bool | None = Field(description="Whether everything was read again.")
    changes: dict[str, Any] = Field(description="What was changed in Label Studio, in numbers.")
    warnings: list[str]
    seconds: dict[str, float]


class Runs(BaseModel):
    """Some of the last runs, the newest first."""

    limit: int
    offset: int
    items: list[Run]
