"""All tasks of a project, a page at a time.

They come as Label Studio's JSON: ten thousand tasks with three annotations each cost .2 s of CPU so, and 1.2 s as
label-studio-sdk's models (``python -m benchmarks.service.sdk``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from label_studio_crowd.feedback import Progress
from label_studio_crowd.studio.failures import UnreadableError
from label_studio_crowd.studio.waiting import Waited


class UnreadableTask(NamedTuple):
    """A task that Label Studio cannot give, with its numbers of annotations and skips, and whether it is done."""

    id: int
    annotations: int
    skips: int
    is_labeled: int


@dataclass(frozen=True)
class TaskPage:
    """Some tasks, by increasing id.

    Attributes
    ----------
    tasks
        As Label Studio gives them.
    total
        How many there are from here on, these too.
    unreadable
        Those among them that cannot be read.
    """

    tasks: Sequence[dict[str, Any]]
    total: int
    unreadable: tuple[UnreadableTask, ...] = ()

    def __len__(self) -> int:
        return len(self.tasks) + len(self.unreadable)

    @property
    def last(self) -> int:
        """The id of the last task."""
        ids = [int(task["id"]) for task in self.tasks[-1:]] + [task.id for task in self.unreadable]
        return max(ids)


PAGE_SIZE: Final = 2500

_ANNOTATION_FIELDS: Final = (
    "id",
    "completed_by",
    "result",
    "updated_at",
    "was_cancelled",
    "ground_truth",
    "lead_time",
    "parent_prediction",
)
WITH_ANNOTATIONS: Final = ",".join(
    [
        "id",
        "data",
        "updated_at",
        "overlap",
        "is_labeled",
        *(f"annotations.{name}" for name in _ANNOTATION_FIELDS),
    ]
)
"""The fields that are read of a task and its annotations."""
WITH_PREDICTIONS: Final = f"{WITH_ANNOTATIONS},predictions"
"""The same, with its predictions."""

STATES: Final = "id,overlap,is_labeled"
"""The fields of a task that Label Studio changes without a trace."""
NUMBERS: Final = f"{STATES},total_annotations,cancelled_annotations,annotators"
"""These, how many annotations and skips a task has, and whose: read without what may keep it from being read."""

STATES_AND_TIMES: Final = f"{STATES},annotations.id,annotations.updated_at,annotations.completed_by"
"""The same, when each annotation was last changed, and whose it is: a user's deletion does not change that time."""


def page_after(
    project: int, include: str, after: int, *, since: str | None, page_size: int, without: Collection[int] = ()
) -> dict[str, Any]:
    """Return the query for the tasks that follow the one with id `after`.

    Paging by the last id seen is stable while people label; paging by offset is not.

    Parameters
    ----------
    since
        Only those that were changed after this time (ISO).
    without
        Tasks to leave out.
    """
    items = [_filter("id", "greater", "Number", after)]
    items += (_filter("id", "not_equal", "Number", task) for task in sorted(without))
    if since is not None:
        items.append(_filter("updated_at", "greater", "Datetime", since))
    query = {"filters": {"conjunction": "and", "items": items}, "ordering": ["tasks:id"]}
    return {
        "project": project,
        "page_size": page_size,
        "fields": "all",
        "include": include,
        "expand": "annotations",
        "query": json.dumps(query),
    }


def newest_first(project: int) -> dict[str, Any]:
    """Return the query for the task that was changed last."""
    query = {"ordering": ["-tasks:updated_at"]}
    asked = {"page_size": 1, "fields": "all", "include": "id,updated_at", "query": json.dumps(query)}
    return {"project": project, **asked}


def read_ahead(read: Callable[[int], TaskPage], waited: Waited, progress: Progress) -> Iterator[TaskPage]:
    """Yield pages by increasing id; the next page is read while the caller works on this one.

    Parameters
    ----------
    read
        Gives the page that follows a task's id.
    waited
        Counts the time in which neither works.
    """
    done, total = 0, 0
    with ThreadPoolExecutor(1) as reader:
        coming: Future[TaskPage] | None = reader.submit(read, 0)
        while coming is not None:
            with waited.measured():
                page = coming.result()
            # `total` counts from this page on; a server may cap the size of pages below what was asked for
            coming = reader.submit(read, page.last) if 0 < len(page) < page.total else None
            done += len(page)
            total = max(total, done, page.total)
            progress("reading tasks", done, total)
            if len(page):
                yield page


class CarefulReader:
    """Reads pages of tasks; where one cannot be read, smaller ones, until the task is found that is the reason.

    Parameters
    ----------
    ask
        Gives the page of so many tasks that follows a task's id.
    ask_states
        Gives the one that follows a task's id, without its data and annotations.
    at_once
        In its context a request that fails is not repeated.
    page_size
        Tasks of a page where all is well.
    """

    def __init__(
        self,
        ask: Callable[[int, int], Mapping[str, Any]],
        ask_states: Callable[[int], Mapping[str, Any]],
        at_once: Callable[[], AbstractContextManager[None]],
        page_size: int,
    ) -> None:
        self._ask, self._ask_states, self._at_once = ask, ask_states, at_once
        self._size = self._full_size = page_size
        self._unreadable = 0

    def __call__(self, after: int) -> TaskPage:
        """Return the page that follows a task's id.

        Raises
        ------
        StudioError
            If it cannot be read for another reason than one of its tasks, or very many of these.
        """
        size = self._size
        with nullcontext() if size == self._full_size else self._at_once():
            found = self._try(after, size)
        while isinstance(found, UnreadableError):
            if size == 1:
                return self._without_one(after, found)
            size //= 2
            with self._at_once():
                found = self._try(after, size)
        self._size = min(2 * size, self._full_size)
        return found

    def _try(self, after: int, size: int) -> TaskPage | UnreadableError:
        try:
            answer = self._ask(after, size)
        except UnreadableError as error:
            return error
        return TaskPage(answer["tasks"], answer["total"])

    def _without_one(self, after: int, error: UnreadableError) -> TaskPage:
        found = self._ask_states(after)
        self._unreadable += 1
        if not found["tasks"] or self._unreadable > _MOST_UNREADABLE:
            raise error
        self._size = min(2, self._full_size)
        (row,) = found["tasks"]
        numbers = (int(row[name] or 0) for name in ("total_annotations", "cancelled_annotations", "is_labeled"))
        return TaskPage([], found["total"], (UnreadableTask(row["id"], *numbers),))


_MOST_UNREADABLE: Final = 100
"""Where more tasks cannot be read, something else is wrong than these."""


def _filter(column: str, operator: str, kind: str, value: Any) -> dict[str, Any]:
    return {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}
