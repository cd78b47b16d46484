"""A project at work: its Label Studio, what the store keeps of it, and the settings by which it is scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from label_studio_crowd.feedback import Progress, silent
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.projects import ProjectStore
from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.controls import Control


@dataclass(frozen=True, kw_only=True, eq=False)
class Project:
    """A project, for whatever works on it.

    Attributes
    ----------
    number
        Its number in Label Studio.
    studio
        The Label Studio that it is in.
    store
        What is kept of it.
    settings
        Those in force.
    progress
        Hears how far the work is.
    """

    number: int
    studio: Studio
    store: ProjectStore
    settings: Settings
    progress: Progress = silent

    def annotator_names(self) -> dict[int, str]:
        """Return what Label Studio calls people now, and the versions of the models among the annotators."""
        return {**self.store.people.names(), **self.studio.annotator_names()}


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredProject(Project):
    """A project that was looked at, so that it can be scored.

    Attributes
    ----------
    settings
        With the options that `connect` was given.
    info
        Its settings in Label Studio.
    controls
        The controls whose answers are scored.
    """

    info: Mapping[str, Any]
    controls: tuple[Control, ...]

    @property
    def control(self) -> Control:
        """The control that stands for the project: the first of classes."""
        alone = [control for control in self.controls if not control.form.about_regions] or self.controls
        return next((control for control in alone if control.is_class), alone[0])

    @classmethod
    def of(
        cls, project: Project, settings: Settings, info: Mapping[str, Any], controls: tuple[Control, ...]
    ) -> ScoredProject:
        """Return a project with what was found by looking at it."""
        known = {field.name: getattr(project, field.name) for field in fields(Project)}
        return cls(**{**known, "settings": settings}, info=info, controls=controls)
