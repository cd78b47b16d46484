"""Put an example crowd into a project of a Label Studio."""

from __future__ import annotations

from collections.abc import Mapping

from examples.kinds_crowd import KindsCrowd
from examples.simulated_crowd import ExampleCrowd
from harness.accounts import Annotator
from harness.local_studio import LocalStudio
from harness.project import GivenAnnotation, Project, create_project

__all__ = ["load_crowd"]


def load_crowd(
    studio: LocalStudio, crowd: ExampleCrowd | KindsCrowd, annotators: Mapping[str, Annotator], title: str | None = None
) -> Project:
    """Make a project of an example crowd, its answers given by `annotators` (by name)."""
    given = [
        GivenAnnotation(answer.task, annotators[answer.annotator].id, crowd.result(answer.label), answer.seconds)
        for answer in crowd.answers
    ]
    return create_project(studio, title or crowd.title, crowd.label_config, crowd.tasks, given)
