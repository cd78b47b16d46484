"""Put tasks and annotations into a project of a Label Studio."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from harness.accounts import Annotator
from harness.local_studio import LocalStudio
from harness.studio_install import StudioError
from harness.working import counting

__all__ = ["TEXT_CONFIG", "GivenAnnotation", "Project", "choice", "create_project", "sign_up"]

BATCH = 100

TEXT_CONFIG = """<View>
  <Text name="text" value="$text"/>
  <Choices name="label" toName="text"><Choice value="a"/><Choice value="b"/><Choice value="c"/></Choices>
</View>"""
"""A labeling config of few words, for tasks whose data is a `text`."""


def choice(label: str) -> list[dict[str, Any]]:
    """Return a label as the result of an annotation in a project of `TEXT_CONFIG`."""
    return [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [label]}}]


class GivenAnnotation(NamedTuple):
    """An annotation to import: the index of its task, the user id of its author, and what it says."""

    task: int
    user: int
    result: list[dict[str, Any]]
    seconds: float = 0.0


@dataclass(frozen=True)
class Project:
    """A project in Label Studio.

    Attributes
    ----------
    id
        Its number in Label Studio.
    tasks
        Label Studio's ids of its tasks, in the order in which they were given.
    """

    id: int
    tasks: list[int]


def create_project(
    studio: LocalStudio,
    title: str,
    label_config: str,
    tasks: Sequence[Mapping[str, Any]],
    annotations: Sequence[GivenAnnotation] = (),
) -> Project:
    """Make a project and import tasks with annotations by the people who gave them.

    Annotations are imported with ``ground_truth`` false: Label Studio's own default for imports is true.

    Parameters
    ----------
    studio
        A running Label Studio.
    title
        At least three characters.
    label_config
        The labeling config.
    tasks
        Each task's `data`.
    annotations
        In any order.

    Raises
    ------
    StudioError
        If Label Studio refuses anything, or takes in less than it was given.
    """
    settings = {"title": title[:50], "label_config": label_config, "maximum_annotations": 1}
    response = studio.api.post("/api/projects/", json=settings)
    if response.status_code != 201:
        raise StudioError(f"Label Studio refused the project {title!r}: {response.text[:500]}")
    project = int(response.json()["id"])
    given: list[list[dict[str, Any]]] = [[] for _ in tasks]
    for task, user, result, seconds in annotations:
        given[task].append({"completed_by": user, "result": result, "lead_time": seconds, "ground_truth": False})
    items = [{"data": data, "annotations": made} for data, made in zip(tasks, given, strict=True)]
    ids: list[int] = []
    with counting("importing tasks and annotations", len(items)) as advance:
        for start in range(0, len(items), BATCH):
            batch = items[start : start + BATCH]
            response = studio.api.post(
                f"/api/projects/{project}/import", params={"return_task_ids": "true"}, json=batch
            )
            answer = response.json() if response.status_code == 201 else {}
            expected = (len(batch), sum(len(item["annotations"]) for item in batch))
            if (answer.get("task_count"), answer.get("annotation_count")) != expected:
                raise StudioError(
                    f"Label Studio did not import all of {expected[0]} tasks and {expected[1]} annotations "
                    f"(status {response.status_code}): {response.text[:500]}"
                )
            ids += answer["task_ids"]
            for _ in batch:
                advance()
    return Project(project, ids)


def sign_up(studio: LocalStudio, names: Sequence[str]) -> dict[str, Annotator]:
    """Give every name an account, with an email address made from the name."""
    people: dict[str, Annotator] = {}
    taken: set[str] = set()
    with counting("signing up annotators", len(names)) as advance:
        for name in names:
            slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "annotator"
            email, n = f"{slug}@example.com", 1
            while email in taken:
                n += 1
                email = f"{slug}-{n}@example.com"
            taken.add(email)
            people[name] = studio.add_annotator(email)
            advance()
    return people
