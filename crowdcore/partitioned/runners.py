"""The same function over all parts: in turn, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Protocol

from crowdcore.partitioned.parts import StoredPart
from crowdcore.partitioned.storage import Folder

Progress = Callable[[str, int, int], None]
Step = Callable[..., tuple[Any, Any]]


def unseen(what: str, done: int, total: int) -> None:
    """Show no progress."""


class Runner(Protocol):
    """Runs a function for many things. Progress is told as ``progress(what, done, total)``."""

    def each(self, what: str, function: Callable[..., Any], items: Sequence[Any], *common: Any) -> list[Any]:
        """Return ``function(item, *common)`` of each item, in order."""

    def run(self, what: str, step: Step, parts: Sequence[StoredPart], states: Sequence[Any], common: Any) -> Any:
        """Call ``step(part, state, common)``, which returns a new state and what has to be summed, for each part.

        Returns
        -------
        list, object
            The new states, as this runner keeps them, and the sum. It is taken in pairs of neighbours, pairs of
            pairs and so on, so that its last bits do not depend on the runner.
        """

    def check(self, folder: Folder) -> None:
        """Raise a ValueError if the folder cannot be seen where functions run."""

    def close(self) -> None:
        """Let go of everything that is kept."""


class InTurn:
    """One part after the other, in this process; the compiled loops use all cores."""

    def __init__(self, progress: Progress = unseen) -> None:
        self.progress = progress

    def each(self, what: str, function: Callable[..., Any], items: Sequence[Any], *common: Any) -> list[Any]:
        """Do what `Runner.each` says."""
        found = []
        self.progress(what, 0, len(items))
        for item in items:
            found.append(function(item, *common))
            self.progress(what, len(found), len(items))
        return found

    def run(self, what: str, step: Step, parts: Sequence[StoredPart], states: Sequence[Any], common: Any) -> Any:
        """Do what `Runner.run` says."""
        new_states: list[Any] = []
        sums: list[tuple[int, Any]] = []  # of 2 ** n parts each, the largest first
        self.progress(what, 0, len(parts))
        for part, state in zip(parts, states, strict=True):
            state, found = step(part.read(), state, common)
            new_states.append(state)
            size = 1
            while sums and sums[-1][0] == size:
                found = _add(sums.pop()[1], found)
                size *= 2
            sums.append((size, found))
            self.progress(what, len(new_states), len(parts))
        total = sums.pop()[1]
        while sums:
            total = _add(sums.pop()[1], total)
        return new_states, total

    def check(self, folder: Folder) -> None:
        """Do what `Runner.check` says."""

    def close(self) -> None:
        """Do what `Runner.close` says."""


class OnDask:
    """On a Dask cluster.

    Parts stay in the memory of the workers, which put them on their disks when that is full. What a lost worker had
    is computed again, from the files up.

    Parameters
    ----------
    client : distributed.Client or str
        A client, or the address of a scheduler.
    retries : int
        How often a function that fails is run again, as an object store may fail now and then.
    """

    def __init__(self, client: Any, progress: Progress = unseen, retries: int = 2) -> None:
        self.progress, self.retries = progress, retries
        self._own = isinstance(client, str)
        self.client = _connect(client) if self._own else client
        self._read: dict[StoredPart, Any] = {}

    def each(self, what: str, function: Callable[..., Any], items: Sequence[Any], *common: Any) -> list[Any]:
        """Do what `Runner.each` says."""
        shared = self._share(common)
        futures = [self._submit(_call, function, item, shared) for item in items]
        self._follow(what, futures)
        return list(self.client.gather(futures))

    def run(self, what: str, step: Step, parts: Sequence[StoredPart], states: Sequence[Any], common: Any) -> Any:
        """Do what `Runner.run` says."""
        shared = self._share(common)
        self._read = {part: self._read.get(part) or self._submit(StoredPart.read, part) for part in parts}
        both = [self._submit(step, self._read[part], state, shared) for part, state in zip(parts, states, strict=True)]
        new_states = [self._submit(_first, pair) for pair in both]
        sums = [self._submit(_second, pair) for pair in both]
        del both
        while len(sums) > 1:
            pairs = [self._submit(_add, *sums[at : at + 2]) for at in range(0, len(sums) - 1, 2)]
            sums = pairs + sums[2 * len(pairs) :]
        self._follow(what, new_states)
        return new_states, sums[0].result()

    def check(self, folder: Folder) -> None:
        """Do what `Runner.check` says."""
        blind = [worker for worker, seen in self.client.run(_sees, folder).items() if not seen]
        if blind:
            raise ValueError(
                f"Worker {blind[0]} cannot see the scratch folder {folder.address!r} ({len(blind)} workers cannot). "
                "Pass scratch= a folder that all workers share: a network drive, or a bucket such as s3://...."
            )

    def close(self) -> None:
        """Do what `Runner.close` says."""
        self._read.clear()
        if self._own:
            self.client.close()

    def _submit(self, function: Callable[..., Any], *given: Any) -> Any:
        return self.client.submit(function, *given, pure=False, retries=self.retries)

    def _share(self, common: Any) -> Any:
        """Send once what all parts need. As a task's result, unlike scattered data, it outlives its worker."""
        import dask

        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "16 GiB"}):
            return self._submit(_same, common)

    def _follow(self, what: str, futures: Sequence[Any]) -> None:
        distributed: Any = import_module("distributed")
        self.progress(what, 0, len(futures))
        for done, future in enumerate(distributed.as_completed(futures, loop=self.client.loop), 1):
            if future.status == "error":
                try:
                    future.result()
                finally:
                    self.client.cancel(list(futures))
            self.progress(what, done, len(futures))


def _connect(address: str) -> Any:
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise ImportError(
            "A cluster needs Dask, which is not installed: pip install 'label-studio-crowd[distributed]'"
        ) from error
    try:
        return distributed.Client(address, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"There is no Dask scheduler at {address!r}: {error}. Its address looks like tcp://host:8786."
        ) from error


def _call(function: Callable[..., Any], item: Any, common: tuple[Any, ...]) -> Any:
    return function(item, *common)


def _same(value: Any) -> Any:
    return value


def _first(pair: tuple[Any, Any]) -> Any:
    return pair[0]


def _second(pair: tuple[Any, Any]) -> Any:
    return pair[1]


def _add(one: Any, other: Any) -> Any:
    return None if one is None else one + other


def _sees(folder: Folder) -> bool:
    return not folder.is_empty()
