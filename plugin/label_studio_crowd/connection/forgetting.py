"""What stays of a project in the store when it is not connected any more, and how that is deleted."""

from __future__ import annotations

from label_studio_crowd.connection.adoption import Declined
from label_studio_crowd.exchange.annotating import Written
from label_studio_crowd.project import Project
from label_studio_crowd.scoring import models
from label_studio_crowd.store.jobs import Jobs
from label_studio_crowd.store.projects import OnlyLookedAt, ProjectStore


def only_here(stored: ProjectStore) -> None:
    """Note that what the last run believed, if there was one, is only kept here from now on.

    Reports, exports and pages show it as after a look, and no prediction is given out any more.
    """
    taken_at = stored.runs.snapshot_taken_at()
    if taken_at is not None:
        stored.facts.write(OnlyLookedAt(taken_at))


def forget(project: Project) -> None:
    """Delete what is stored of a project: tasks, labels, results, runs, and its trained classifiers.

    Two small records stay. Without them `write-annotations --undo` would delete what people have changed since, and a
    backend that was left in the Model settings would connect the project again.
    """
    stored = project.store
    kept = [fact for fact in (stored.facts.read(Written), stored.facts.read(Declined)) if fact is not None]
    for training in stored.trainings.forget_others([]):
        models.forget(project.settings.model_dir, training)
    stored.forget_everything()
    for fact in kept:
        stored.facts.write(fact)
    Jobs(stored.store, project.settings).drop(project.number)
