"""Tasks with their annotations, and how many annotators each is open for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any

from label_studio_crowd.feedback import Progress, silent
from label_studio_crowd.studio.failures import unless_gone
from label_studio_crowd.studio.requests.server import Server
from label_studio_crowd.studio.task_pages import (
    NUMBERS,
    PAGE_SIZE,
    STATES,
    STATES_AND_TIMES,
    WITH_ANNOTATIONS,
    WITH_PREDICTIONS,
    CarefulReader,
    TaskPage,
    newest_first,
    page_after,
    read_ahead,
)


class Tasks(Server):
    """Requests about tasks."""

    def tasks(
        self,
        project: int,
        *,
        since: str | None = None,
        without: Collection[int] = (),
        predictions: bool = False,
        progress: Progress = silent,
    ) -> Iterator[TaskPage]:
        """Yield the tasks with their annotations, a page at a time, by increasing id.

        Parameters
        ----------
        since
            Only those changed after this time (ISO, with a fraction of a second).
        without
            Tasks that are known to be unreadable, to look for no others that keep a page from being read.
        predictions
            With their predictions, too.
        """
        fields = WITH_PREDICTIONS if predictions else WITH_ANNOTATIONS

        def ask(after: int, page_size: int) -> Any:
            wanted = page_after(project, fields, after, since=since, page_size=page_size, without=without)
            return self._sdk.ask("GET", "/api/tasks/", params=wanted)

        def ask_states(after: int) -> Any:
            wanted = page_after(project, NUMBERS, after, since=since, page_size=1, without=without)
            return self._sdk.ask("GET", "/api/tasks/", params=wanted)

        return read_ahead(CarefulReader(ask, ask_states, self._http.at_once, PAGE_SIZE), self._http.waited, progress)

    def task(self, project: int, task: int, *, predictions: bool = False) -> TaskPage:
        """Return one task as `tasks` does; nothing if it is gone."""
        fields = WITH_PREDICTIONS if predictions else WITH_ANNOTATIONS
        found = page_after(project, fields, task - 1, since=None, page_size=1)
        numbers = page_after(project, NUMBERS, task - 1, since=None, page_size=1)

        def ask(wanted: Mapping[str, Any]) -> Any:
            return self._sdk.ask("GET", "/api/tasks/", params=dict(wanted))

        page = CarefulReader(lambda *_: ask(found), lambda _: ask(numbers), self._http.at_once, 2)(0)
        is_it = len(page) == 1 and page.last == task
        return page if is_it else TaskPage([], 0)

    def newest_change(self, project: int) -> str | None:
        """Return the newest `updated_at` of the tasks (ISO), or None without tasks."""
        rows = self._sdk.ask("GET", "/api/tasks/", params=newest_first(project))["tasks"]
        return str(rows[0]["updated_at"]) if rows else None

    def task_states(
        self, project: int, progress: Progress = silent, *, with_times: bool = False
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield id, overlap and is_labeled of every task: Label Studio changes them without a trace.

        Parameters
        ----------
        with_times
            With each task's annotations, their id, updated_at and completed_by.
        """
        return self._rows(project, STATES_AND_TIMES if with_times else STATES, progress)

    def task_numbers(self, project: int, progress: Progress = silent) -> Iterator[list[dict[str, Any]]]:
        """Yield the same, and total_annotations (no skips among them), cancelled_annotations, and annotators' ids."""
        return self._rows(project, NUMBERS, progress)

    def _rows(self, project: int, include: str, progress: Progress) -> Iterator[list[dict[str, Any]]]:
        def read(after: int) -> TaskPage:
            wanted = page_after(project, include, after, since=None, page_size=4 * PAGE_SIZE)
            answer = self._sdk.ask("GET", "/api/tasks/", params=wanted)
            return TaskPage(answer["tasks"], answer["total"])

        return (list(page.tasks) for page in read_ahead(read, self._http.waited, progress))

    def set_task(self, task: int, *, overlap: int, is_labeled: bool) -> bool:
        """Open or close a task for one more annotator; return False if it is gone."""
        return unless_gone(partial(self._sdk.tasks.update, str(task), overlap=overlap, is_labeled=is_labeled))
