"""Label Studio → mirror: what changed, or all of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from label_studio_crowd.exchange.author import look_for_author
from label_studio_crowd.exchange.models import models_of
from label_studio_crowd.project import Project
from label_studio_crowd.store.facts import Fact, PlainFact
from label_studio_crowd.store.projects import Title
from label_studio_crowd.store.rows import annotator_of, as_time
from label_studio_crowd.studio.records import Counts
from label_studio_crowd.studio.task_pages import TaskPage, UnreadableTask

_MARGIN_SECONDS: Final = 10
"""A transaction may commit some seconds after its `updated_at`."""
_MANY: Final = 50
"""Tasks up to which they are read one by one."""


@dataclass(frozen=True)
class Pulled:
    """What a pull brought.

    Attributes
    ----------
    changed, deleted
        Tasks that are new or changed, and tasks deleted.
    full
        Whether all were read.
    models
        Whether predictions of models that are annotators came, went or changed.
    """

    changed: int
    deleted: int
    full: bool
    models: bool = False


def look_up(project: Project) -> dict[str, Any]:
    """Return a project's settings in Label Studio, and see to it that the mirror is of this project.

    Raises
    ------
    StudioError
        If there is no such project.
    """
    info = project.studio.project(project.number)
    project.store.belong_to(info["created_at"])
    if project.store.facts.read(Title) != (title := Title(info["title"] or "")):
        project.store.facts.write(title)
    return info


@dataclass(frozen=True)
class Unreadable(PlainFact):
    """The tasks that Label Studio has and cannot give: they are left out, and asked for again at every pull."""

    fact = "unreadable"

    tasks: list[UnreadableTask]


def update_mirror(project: Project, *, full: bool = False) -> Pulled:
    """Bring the mirror up to Label Studio's state.

    Changed tasks are found by their `updated_at`. Deletions and changes in bulk leave no such trace: where the
    numbers of tasks, annotations, skips or finished tasks differ, the states of all tasks are swept, and where
    they still differ all is read anew.
    """
    began, mirror = _Beginning.of(project), project.store.mirror
    since = None if full else mirror.complete_until()
    pull = _Pull(project)
    mended = pull.again()
    found = pull.changes(since) if since else None
    if found is None:
        found = Pulled(pull.pages(), mirror.keep_only(pull.seen), True)
    pull.leave()
    began.note(project)
    return replace(found, changed=found.changed + mended, models=pull.models)


def _before(time: str) -> str:
    """Return a time (ISO) some seconds before another."""
    return f"{np.datetime64(time.rstrip('Z'), 'us') - np.timedelta64(_MARGIN_SECONDS, 's')}Z"


@dataclass(frozen=True)
class NewestSeen(Fact):
    """The newest `updated_at` of a task, and the server's time at the first pull that saw it; "" if not known."""

    fact = "newest_seen"

    at: str
    seen: str


@dataclass(frozen=True)
class _Beginning:
    """The beginning of a pull; what changes after it may be behind the pull.

    Its time is that of whatever machine answers, which may be a proxy; `updated_at` is from another clock. So the next
    pull begins no later than either.

    Attributes
    ----------
    time
        By the server's clock (ISO); "" if that is not known.
    newest
        The newest `updated_at` of a task (ISO); "" without tasks.
    """

    time: str
    newest: str

    @classmethod
    def of(cls, project: Project) -> _Beginning:
        """Return the beginning of a pull that begins now."""
        newest = project.studio.newest_change(project.number)
        return cls(project.studio.time() or "", as_time(newest) if newest else "")

    def note(self, project: Project) -> None:
        """Note up to when the mirror has every change."""
        known = project.store.facts.read(NewestSeen)
        seen = known if known is not None and known.at == self.newest else NewestSeen(self.newest, self.time)
        project.store.facts.write(seen)
        both = [time for time in (self.time, self.newest) if time]
        until = _before(min(both)) if both else None
        if self.newest and seen.seen and _before(self.time) > seen.seen:
            until = min(_before(self.time), self.newest)  # what was committed late with the newest is here by now
        project.store.mirror.set_complete_until(until)


class _Pull:
    """A pull under way: which tasks it has seen, which of them cannot be read, and whether models say anything new."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._models = models_of(project.settings)
        known = project.store.facts.read(Unreadable)
        self._known = known.tasks if known else []
        self._unreadable: dict[int, UnreadableTask] = {}
        self._annotators: set[int] = set()
        self.seen: list[int] = []
        self.models = False

    def again(self) -> int:
        """Ask again for the tasks that could not be read; return how many can be now."""
        return sum(self._take(self._task(task.id)) for task in self._known)

    def pages(self, since: str | None = None) -> int:
        """Read the tasks, those that changed since a time; return how many are new or changed."""
        pages = self._project.studio.tasks(
            self._project.number,
            since=since,
            without=list(self._unreadable),
            predictions=bool(self._models),
            progress=self._project.progress,
        )
        return sum(map(self._take, pages))

    def tasks(self, wanted: Iterable[int]) -> int:
        """Read these tasks, but those of which it is known that they cannot be; return how many there were."""
        readable = [task for task in wanted if task not in self._unreadable]
        for task in readable:
            self._take(self._task(task))
        return len(readable)

    def _task(self, task: int) -> TaskPage:
        return self._project.studio.task(self._project.number, task, predictions=bool(self._models))

    def _take(self, page: TaskPage) -> int:
        self.seen += [task["id"] for task in page.tasks]
        self._unreadable |= {task.id: task for task in page.unreadable}
        self._annotators.update(annotator_of(row) for task in page.tasks for row in task["annotations"])
        if page.unreadable:  # what is known of them is not what they are
            kept = set(self._project.store.mirror.tasks().ids.tolist()) - {*self._unreadable}
            self._project.store.mirror.keep_only(kept)
        if self._models:
            self.models |= self._project.store.model_answers.take(page.tasks, self._models)
        return self._project.store.mirror.apply(page.tasks)

    def changes(self, since: str) -> Pulled | None:
        """Read what changed since a time, or return None if that does not explain Label Studio's counts."""
        studio, number = self._project.studio, self._project.number
        changed, deleted = 0, 0
        for attempt in range(3):
            before = studio.counts(number)
            changed += self.pages(since)
            if _between(before, self._counts(), studio.counts(number)):
                return Pulled(changed, deleted, False)
            if attempt:  # not people who labelled meanwhile, but deletions or changes in bulk
                deleted += refresh_states(self._project)
                if _between(before, self._counts(), studio.counts(number)):
                    return Pulled(changed, deleted, False)
        return None

    def _counts(self) -> Counts:
        """Return what Label Studio should count: what the mirror has, and what cannot be read."""
        left_out = self._unreadable.values()
        mirror = self._project.store.mirror.counts()
        return Counts(
            mirror.tasks + len(left_out),
            mirror.annotations + sum(task.annotations for task in left_out),
            mirror.skipped + sum(task.skips for task in left_out),
            mirror.finished + sum(task.is_labeled for task in left_out),
        )

    def leave(self) -> None:
        """Note what cannot be read, and who of the annotators is the consensus's own user."""
        look_for_author(self._project, self._annotators)
        found = sorted(self._unreadable.values())
        if found != self._known:
            self._project.store.facts.write(Unreadable(found))


def _between(before: Counts, ours: Counts, after: Counts) -> bool:
    """Return whether counts are explained by people who label between the two times."""
    return all(min(a, b) <= own <= max(a, b) for a, own, b in zip(before, ours, after, strict=True))


def refresh_states(project: Project) -> int:
    """Read every task's overlap and state; forget the tasks that are gone and return how many those were.

    Label Studio changes overlaps and states in bulk without moving `updated_at`.
    """
    seen: list[int] = []
    for page in project.studio.task_states(project.number, project.progress):
        seen.extend(task["id"] for task in page)
        project.store.mirror.set_states((task["id"], task["overlap"], task["is_labeled"]) for task in page)
    return project.store.mirror.keep_only(seen)


def sweep(project: Project) -> Pulled:
    """Look at every task's state, when its annotations changed and whose they are; read those that are not as here.

    What a mirror holds that Label Studio does not, no pull of changes would find.
    """
    differing: list[int] = []
    seen: list[int] = []
    mirror = project.store.mirror
    for page in project.studio.task_states(project.number, project.progress, with_times=True):
        seen.extend(task["id"] for task in page)
        mirror.set_states((task["id"], task["overlap"], task["is_labeled"]) for task in page)
        differing.extend(mirror.differing(page))
    deleted = mirror.keep_only(seen)
    pull = _Pull(project)
    full = len(differing) > _MANY
    pull.again()
    changed = max(pull.pages(), len(differing)) if full else pull.tasks(differing)
    pull.leave()
    return Pulled(changed, deleted + (mirror.keep_only(pull.seen) if full else 0), full, pull.models)


def update_names(project: Project, annotators: Collection[int], *, anew: bool = False) -> None:
    """Keep the annotators' names: read them where one is new, or `anew`."""
    people = project.store.people
    if anew or not people.are_named(annotators):
        people.keep_names(annotators, project.studio.annotator_names())
