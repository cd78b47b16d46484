"""Projects, and the people who work in them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import orjson

from label_studio_crowd.studio.failures import NoSuchProjectError, StudioError
from label_studio_crowd.studio.records import Counts
from label_studio_crowd.studio.requests.server import Server

if TYPE_CHECKING:
    from label_studio_sdk.core.unchecked_base_model import UncheckedBaseModel

_NAMED: Final = 10
"""How many projects a message names."""


class Projects(Server):
    """Requests about projects and people."""

    def user(self) -> dict[str, Any]:
        """Return the token's user."""
        return _row(self._sdk.users.whoami())

    def user_with(self, email: str) -> int | None:
        """Return the id of the organisation's user with an e-mail address, None if there is none."""
        return next((int(user.id) for user in self._sdk.users.list() if user.email == email), None)

    def create_user(self, email: str, first_name: str, last_name: str) -> int:
        """Make a user of the organisation, who has no password, and return the id."""
        made = self._sdk.users.create(email=email, username=email[:30], first_name=first_name, last_name=last_name)
        return int(made.id)

    def annotator_names(self) -> dict[int, str]:
        """Return what Label Studio calls every user of the organisation: first and last name, else the e-mail address.

        Where several have the same name, the address stands beside it.
        """
        users = list(self._sdk.users.list())
        called = {user.id: " ".join(filter(None, (user.first_name, user.last_name))).strip() for user in users}
        several = {name for name, number in Counter(called.values()).items() if number > 1}
        known = {user.id: user.email or user.username or "" for user in users}
        return {
            user: (f"{name} ({known[user]})" if name in several else name) if name else known[user]
            for user, name in called.items()
        }

    def projects(self) -> Iterator[dict[str, Any]]:
        """Yield the projects that the token's user sees, the newest first."""
        for page in itertools.count(1):  # the SDK's pager asks for a page behind the last, which is refused
            found = self._read("/api/projects/", page=page, page_size=100)
            yield from found["results"]
            if not found["next"]:
                return

    def project(self, project: int) -> dict[str, Any]:
        """Return a project's settings.

        Raises
        ------
        StudioError
            If there is no such project; the message names those that exist.
        """
        try:
            return dict(self._read(f"/api/projects/{project}/"))
        except StudioError as error:
            if error.status != 404:
                raise
        found = list(itertools.islice(self.projects(), _NAMED + 1))
        there = ", ".join(f"{row['id']} ({row['title']})" for row in found[:_NAMED]) or "none"
        if len(found) > _NAMED:
            there += ", and older ones, which `label-studio-crowd projects` lists"
        raise NoSuchProjectError(
            f"Project {project} does not exist at {self.url}, or this token's user may not see it. Projects that the "
            f"user sees: {there}.",
            404,
        )

    def update_project(self, project: int, **fields: Any) -> None:
        """Change some of a project's settings."""
        self._sdk.projects.update(project, **fields)

    def counts(self, project: int) -> Counts:
        """Return how many tasks, annotations and skips there are, and how many tasks are finished."""
        (row,) = self._read("/api/projects/counts/", ids=project)["results"]
        names = ("task_number", "total_annotations_number", "skipped_annotations_number", "finished_task_number")
        return Counts(*(row[name] for name in names))


def _row(model: UncheckedBaseModel) -> dict[str, Any]:
    """Return what Label Studio answered, with times as text: a project or a backend is recognised by them."""
    row: dict[str, Any] = orjson.loads(model.json())
    return row
