"""The predictions in Label Studio that a classifier is made of: whether they are still those that it was made of.

Label Studio imports and deletes them without a trace in tasks: their number and the time of the newest tell.
"""

from __future__ import annotations

from dataclasses import dataclass

from label_studio_crowd.project import Project
from label_studio_crowd.scoring.classifiers import predictions_named
from label_studio_crowd.store.facts import Fact
from label_studio_crowd.store.rows import as_time


@dataclass(frozen=True)
class Foretold(Fact):
    """The model version that the classifier is made of, how many predictions it has, and when the newest was made."""

    fact = "foretold"

    version: str
    count: int
    latest: str


def foretold(project: Project) -> Foretold | None:
    """Return the predictions that there are now; None where the classifier is made of something else."""
    version = predictions_named(project.settings.classifier)
    if version is None:
        return None
    found = project.studio.model_versions(project.number).get(version)
    return Foretold(version, found.count, as_time(found.latest)) if found else Foretold(version, 0, "")


def is_made_of_others(project: Project) -> bool:
    """Return whether the classifier was made of other predictions than there are now."""
    now = foretold(project)
    return now is not None and now != project.store.facts.read(Foretold)


def note_foretold(project: Project, found: Foretold | None) -> None:
    """Note of which predictions the classifier has been made."""
    if found is not None:
        project.store.facts.write(found)


def about_gone(version: str) -> tuple[str, str]:
    """Return, in words, that a classifier's predictions are gone, and what to do."""
    return (
        f"no predictions of the model {version!r}, which the classifier is made of, so tasks are scored without it",
        "import its predictions again, or choose another classifier with connect --classifier",
    )
