"""Annotators and an owner at work on a project of a real Label Studio, side by side."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import httpx

from harness.accounts import Annotator
from harness.project import Project, choice
from harness.studio_install import StudioError

__all__ = ["Load"]


class Load:
    """Annotators who label, skip, correct and delete, and an owner who imports, edits and deletes tasks.

    Runs within a ``with`` block. What Label Studio did not acknowledge does not count.

    Parameters
    ----------
    people
        Who labels; each is a thread.
    project
        Of `harness.project.TEXT_CONFIG`.
    owner
        Gives the owner's client, a new one after a restart; without it the tasks stay as they are.
    pause
        Seconds from one action of a person to the next, on average.
    seed
        Of what they do.

    Attributes
    ----------
    given
        Annotation → its task, as acknowledged.
    taken_back
        Annotations that their authors deleted, and those of tasks that were.
    starved
        How often somebody was told that there is no task.
    """

    def __init__(
        self,
        people: Sequence[Annotator],
        project: Project,
        *,
        owner: Callable[[], httpx.Client] | None = None,
        pause: float = 0.6,
        seed: int = 0,
    ) -> None:
        self._project = project
        self._pause = pause
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.given: dict[int, int] = {}
        self.taken_back: set[int] = set()
        self.tasks_deleted: set[int] = set()
        self.starved = 0
        self.errors: Counter[str] = Counter()
        work: list[tuple[Callable[..., None], Any]] = [(self._annotate, person) for person in people]
        work += [(self._own, owner)] if owner else []
        self._threads = [
            threading.Thread(target=self._keep_on, args=(what, who, random.Random(f"{seed} {n}")), daemon=True)
            for n, (what, who) in enumerate(work)
        ]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _keep_on(self, what: Callable[..., None], who: Any, rng: random.Random) -> None:
        mine: list[int] = []
        while not self._stop.wait(rng.uniform(0.2, 1.8) * self._pause):
            try:
                what(who, rng, mine)
            except (StudioError, httpx.HTTPError, RuntimeError) as error:  # noqa: PERF203  # a closed client is the last
                with self._lock:
                    self.errors[type(error).__name__] += 1
                self._stop.wait(0.5)

    def _annotate(self, person: Annotator, rng: random.Random, mine: list[int]) -> None:
        what = rng.random()
        if what < 0.08 and mine:
            self._correct(person, rng, mine)
        elif what < 0.12 and mine:
            self._take_back(person, rng, mine)
        else:
            self._label(person, rng, mine, skips=what < 0.17)

    def _correct(self, person: Annotator, rng: random.Random, mine: list[int]) -> None:
        body = {"result": choice(rng.choice("abc"))}
        person.api.patch(f"/api/annotations/{rng.choice(mine)}/", json=body).raise_for_status()

    def _take_back(self, person: Annotator, rng: random.Random, mine: list[int]) -> None:
        gone = mine.pop(rng.randrange(len(mine)))
        with self._lock:
            self.taken_back.add(gone)  # before it is: an answer that is lost leaves it open
        person.api.delete(f"/api/annotations/{gone}/").raise_for_status()

    def _label(self, person: Annotator, rng: random.Random, mine: list[int], *, skips: bool) -> None:
        task = person.next(self._project.id)
        if task is None:
            self.starved += 1
            return
        if skips:
            made = person.skip(task["id"])
        else:
            made = person.label(task["id"], choice(rng.choice("aaabc")))
            mine.append(made)
        with self._lock:
            self.given[made] = task["id"]

    def _own(self, owner: Callable[[], httpx.Client], rng: random.Random, mine: list[int]) -> None:
        api, what = owner(), rng.random()
        if what < 0.08 and mine:
            task = mine.pop(rng.randrange(len(mine)))
            with self._lock:
                self.tasks_deleted.add(task)
            api.delete(f"/api/tasks/{task}/").raise_for_status()
        elif what < 0.3 and mine:
            body = {"data": {"text": f"edited {rng.random():.6f}"}}
            api.patch(f"/api/tasks/{rng.choice(mine)}/", json=body).raise_for_status()
        else:
            rows = [{"data": {"text": f"new {rng.random():.6f}"}} for _ in range(rng.randint(1, 4))]
            path = f"/api/projects/{self._project.id}/import"
            response = api.post(path, params={"return_task_ids": "true"}, json=rows)
            response.raise_for_status()
            mine += response.json()["task_ids"]
