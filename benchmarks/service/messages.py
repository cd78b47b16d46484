"""A project of short messages in a real Label Studio, with labels by annotators whose skill is known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.accounts import Annotator
from harness.local_studio import LocalStudio
from harness.messages import INTENTS, LABEL_CONFIG, draw_messages
from harness.project import GivenAnnotation, Project, create_project, sign_up
from label_studio_crowd.studio.controls import Control, find_control


class MessageProject(NamedTuple):
    """The project, its annotators, and what is asked of them."""

    project: Project
    people: list[Annotator]
    control: Control


def load_messages(
    studio: LocalStudio,
    num_tasks: int,
    skill: NDArray[np.float64],
    labels_per_task: int,
    rng: np.random.Generator,
) -> MessageProject:
    """Make a project whose annotators give the right label with the probability `skill`, else any."""
    messages = draw_messages(np.random.default_rng(0), num_tasks)
    people = list(sign_up(studio, [f"annotator {num_tasks} {n}" for n in range(len(skill))]).values())
    control, classes = find_control(LABEL_CONFIG), sorted(INTENTS)
    given = []
    for task, intent in enumerate(messages.intents):
        for who in rng.choice(len(skill), labels_per_task, replace=False):
            label = intent if rng.random() < skill[who] else str(rng.choice(classes))
            given.append(GivenAnnotation(task, people[who].id, control.write(label), 5.0))
    project = create_project(studio, f"benchmark {num_tasks}", LABEL_CONFIG, messages.tasks, given)
    return MessageProject(project, people, control)
