"""All tasks of a project, a page at a time.

They come as Label Studio's JSON: ten thousand tasks with three annotations each cost .2 s of CPU so, and 1.2 s as
label-studio-sdk's models (``python -m benchmarks.service.sdk``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from label_studio_crowd.feedback import Progress
from label_studio_crowd.studio.waiting import Waited

Page = dict[str, Any]

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

STATES: Final = "id,overlap,is_labeled"
"""The fields of a task that Label Studio changes without a trace."""

STATES_AND_TIMES: Final = f"{STATES},annotations.id,annotations.updated_at"
"""The same, and when each annotation was last changed."""


def page_after(project: int, include: str, after: int, *, since: str | None, page_size: int) -> dict[str, Any]:
    """Return the query for the tasks that follow the one with id `after`.

    Paging by the last id seen is stable while people label; paging by offset is not.
    """
    items = [_filter("id", "greater", "Number", after)]
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


def read_ahead(read: Callable[[int], Page], waited: Waited, progress: Progress) -> Iterator[list[dict[str, Any]]]:
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
        coming: Future[Page] | None = reader.submit(read, 0)
        while coming is not None:
            with waited.measured():
                page = coming.result()
            tasks: list[dict[str, Any]] = page["tasks"]
            # `total` counts from this page on; a server may cap the size of pages below what was asked for
            coming = reader.submit(read, tasks[-1]["id"]) if 0 < len(tasks) < page["total"] else None
            done += len(tasks)
            total = max(total, done, page["total"])
            progress("reading tasks", done, total)
            if tasks:
                yield tasks


def _filter(column: str, operator: str, kind: str, value: Any) -> dict[str, Any]:
    return {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}
