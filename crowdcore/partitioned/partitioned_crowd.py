"""`PartitionedCrowd`: who answered what, in parts."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from crowdcore.aggregate.classes.aggregator import Aggregator
from crowdcore.aggregate.classes.expectation import ExpectationMaximizer
from crowdcore.aggregate.classes.majority_vote import MajorityVote
from crowdcore.aggregate.classes.weighted_mean import CROWDLAB
from crowdcore.aggregate.methods import find_method
from crowdcore.cleanlab.crowdlab_consensus import check_options
from crowdcore.crowd.ids import Ids
from crowdcore.crowd.repeats import Repeated
from crowdcore.crowd.table import Crowd
from crowdcore.partitioned.algorithms import Passes, Universe, find_consensus, find_labels
from crowdcore.partitioned.answers import prepare_answers, prepare_crowd
from crowdcore.partitioned.parts import StoredPart
from crowdcore.partitioned.probabilities import prepare_probabilities
from crowdcore.partitioned.results import PartitionedResult, result_file
from crowdcore.partitioned.runners import InTurn, OnDask, Progress, Runner, unseen
from crowdcore.partitioned.storage import Folder, scratch_folder

if TYPE_CHECKING:
    from distributed import Client

Self = TypeVar("Self", bound="PartitionedCrowd")
Address = str | Path

METHODS = ("majority-vote", "dawid-skene", "fast-dawid-skene", "one-coin-dawid-skene", "crowdlab")


class PartitionedCrowd:
    """A crowd in parts, in files: as large as the disk, or the object store.

    Make one with `from_parquet` or `from_crowd`, in a ``with`` statement or with `close` at the end, which removes
    the scratch files. Every method runs over the parts in turn, or on a Dask cluster, with the same result: that
    of the crowd in memory, but for the last bits of its numbers and for the order of the tasks.

    Attributes
    ----------
    annotators : ndarray of shape (M,)
        Annotator ids.
    classes : ndarray of shape (K,)
        Labels.
    num_tasks, num_answers, num_parts : int
        How large it is.
    num_repeated : int
        How many answers, as they were read, repeat an earlier one of the same annotator to the same task.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["cat", "cat", "dog"], ["dog", "dog", "cat"], ["cat", None, "dog"]])
    >>> with PartitionedCrowd.from_crowd(crowd, parts=2) as parts:
    ...     result = parts.aggregate("dawid-skene")
    ...     result.to_frame()["label"].sort_index().tolist()
    ['cat', 'dog', 'cat']
    """

    def __init__(
        self,
        parts: Sequence[StoredPart],
        annotators: Ids,
        classes: Ids,
        scratch: Folder,
        runner: Runner,
        closing: Callable[[], object],
    ) -> None:
        self.annotators, self.classes = annotators, classes
        self.num_parts, self.num_answers = len(parts), sum(part.num_answers for part in parts)
        self.num_tasks = sum(part.num_tasks for part in parts)
        self.num_repeated = sum(part.num_repeated for part in parts)
        self._parts, self._scratch, self._runner = parts, scratch, runner
        self._universe = Universe(annotators, classes)
        self._informed: tuple[Any, Sequence[StoredPart]] = None, parts
        self._results = 0
        self._close = weakref.finalize(self, closing)

    @classmethod
    def from_parquet(
        cls: type[Self],
        folder: Address,
        task: str = "task",
        annotator: str = "annotator",
        label: str = "label",
        *,
        annotators: Iterable[Any] | None = None,
        classes: Iterable[Any] | None = None,
        repeated: Repeated | None = None,
        client: Client | str | None = None,
        scratch: Address | None = None,
        storage_options: Mapping[str, Any] | None = None,
        part_size: int = 4_000_000,
        progress: Progress | None = None,
    ) -> Self:
        """Make a crowd from a folder of Parquet files with a row for each answer.

        Parameters
        ----------
        folder : path or URL
            The folder, searched with those below it, or one file. A row whose label is missing is no answer, though
            it still makes its task and annotator known. The answers of a task may be in several files.
        task, annotator, label : str
            Names of the three columns. Tasks are text or whole numbers.
        annotators, classes : sequence, optional
            All ids there are, in the order wanted. Default: those in the files, sorted, found in a pass of its own.
        repeated : {"latest", "first", "all", "error"}, optional
            What becomes of an annotator's several answers to a task, as in `crowdcore.Crowd.from_long`; the later row
            is the later answer, files in the order of their names. Default: the latest, with a warning that says how
            many were set aside.
        client : distributed.Client or str, optional
            A Dask cluster to run on, or the address of its scheduler. Default: parts in turn, in this process.
        scratch : path or URL, optional
            Where the parts are kept until `close`, in a folder of their own. On a cluster all workers must see
            it. Default: the system's folder for temporary files.
        storage_options : mapping, optional
            What fsspec needs to open URLs, as keys and secrets.
        part_size : int
            Answers in a part, at most about; parts are smaller where classes are many. One of 4 million takes
            some 600 MB of memory. A cluster wants several parts for each worker.
        progress : callable, optional
            Told ``progress(what, done, total)`` after each part of each pass.

        Raises
        ------
        ValueError
            If the folder or a column is not there, ids are not of one kind, an annotator answers a task twice and
            `repeated` is "error", or the scratch folder cannot be written, has too little room, or is not seen by all
            workers.
        """
        if part_size < 1:
            raise ValueError(f"part_size is {part_size}; it must be 1 or more answers.")
        names = {"task": task, "annotator": annotator, "label": label}
        source = Folder.at(folder, storage_options)

        def prepare(place: Folder, runner: Runner) -> tuple[list[StoredPart], Ids, Ids]:
            return prepare_answers(source, names, annotators, classes, place, runner, part_size, repeated)

        made = cls._make(prepare, client, scratch, storage_options, progress)
        if repeated is None and made.num_repeated:
            warnings.warn(
                f"{made.num_repeated} answers of annotators who answered a task more than once were set aside: the "
                "latest counts. To choose: repeated= 'latest', 'first', 'all' or 'error'.",
                stacklevel=2,
            )
        return made

    @classmethod
    def from_crowd(
        cls: type[Self],
        crowd: Crowd,
        parts: int = 8,
        *,
        client: Client | str | None = None,
        scratch: Address | None = None,
        storage_options: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Cut a crowd in memory into parts; a part may have no tasks. Options are those of `from_parquet`.

        Raises
        ------
        ValueError
            If there is less than one part, task ids are neither text nor whole numbers, or the scratch folder cannot
            be written, or is not seen by all workers.
        """
        if parts < 1:
            raise ValueError(f"parts is {parts}; it must be 1 or more.")

        def prepare(place: Folder, _: Runner) -> tuple[list[StoredPart], Ids, Ids]:
            return prepare_crowd(crowd, parts, place), crowd.annotators, crowd.classes

        return cls._make(prepare, client, scratch, storage_options, progress)

    @classmethod
    def _make(
        cls: type[Self],
        prepare: Callable[[Folder, Runner], tuple[list[StoredPart], Ids, Ids]],
        client: Client | str | None,
        scratch: Address | None,
        storage_options: Mapping[str, Any] | None,
        progress: Progress | None,
    ) -> Self:
        with ExitStack() as stack:
            runner: Runner = InTurn(progress or unseen) if client is None else OnDask(client, progress or unseen)
            stack.callback(runner.close)
            place = stack.enter_context(scratch_folder(scratch, storage_options))
            runner.check(place)
            return cls(*prepare(place, runner), place, runner, stack.pop_all().close)

    def close(self) -> None:
        """Remove the scratch files, with results that were not given a folder of their own."""
        self._close()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"PartitionedCrowd({self.num_tasks} tasks, {len(self.annotators)} annotators, {len(self.classes)} classes, "
            f"{self.num_answers} answers in {self.num_parts} part{'s' if self.num_parts != 1 else ''})"
        )

    def aggregate(
        self,
        method: str | Aggregator = "dawid-skene",
        out: Address | None = None,
        *,
        pred_probs: Address | Sequence[Address] | None = None,
        pred_probs_task: str = "task",
    ) -> PartitionedResult:
        """Find each task's label.

        Parameters
        ----------
        method : str or Aggregator
            "majority-vote", "dawid-skene", "fast-dawid-skene", "one-coin-dawid-skene" or "crowdlab", or such an
            aggregator with options of its own, as ``DawidSkene(n_iter=20)``. It is not changed.
        out : path or URL, optional
            A folder for the results, which must be empty. Default: in the scratch folder, until `close`.
        pred_probs : path or URL, or sequence of them for an ensemble, optional
            For CROWDLAB: a folder of Parquet files with a row for each task, a column of task ids, and a column for
            each class, of its name. Tasks that only they know are tasks without answers.
        pred_probs_task : str
            Name of their column of task ids.

        Returns
        -------
        PartitionedResult

        Raises
        ------
        ValueError
            If the method does not run over parts, the probabilities do not fit the crowd, or `out` is not empty.
        """
        fitted = _as_aggregator(method)
        if isinstance(fitted, CROWDLAB):
            return self._find_consensus(fitted, out, pred_probs, pred_probs_task, scores_only=False)
        if pred_probs is not None:
            raise ValueError(f"{type(fitted).__name__} does not use pred_probs: leave them out, or use crowdlab.")
        with self._output(out, self._parts) as (place, files):
            annotators = find_labels(self._passes(self._parts), fitted, place)
        return PartitionedResult(place.address, files, annotators, fitted, 0.0, place)

    def activelab(
        self,
        pred_probs: Address | Sequence[Address] | None = None,
        out: Address | None = None,
        *,
        pred_probs_task: str = "task",
        calibrate_probs: bool = True,
        seed: int = 0,
    ) -> PartitionedResult:
        """Score every task: low where one more label is worth most; see `crowdcore.activelab`.

        Parameters
        ----------
        pred_probs, out, pred_probs_task
            As in `aggregate`. Results have the columns task and score.
        calibrate_probs, seed
            As in `crowdcore.activelab`.

        Returns
        -------
        PartitionedResult

        Raises
        ------
        ValueError
            If the probabilities do not fit the crowd, or `out` is not empty.
        """
        options = _as_aggregator(CROWDLAB(calibrate_probs=calibrate_probs, seed=seed))
        assert isinstance(options, CROWDLAB)
        return self._find_consensus(options, out, pred_probs, pred_probs_task, scores_only=True)

    def _find_consensus(
        self,
        options: CROWDLAB,
        out: Address | None,
        pred_probs: Address | Sequence[Address] | None,
        task: str,
        scores_only: bool,
    ) -> PartitionedResult:
        check_options(
            options.consensus_method, options.quality_method, options.label_quality_score, options.adjust_pred_probs
        )
        if options.adjust_pred_probs:
            raise ValueError(
                "adjust_pred_probs=True needs thresholds of the whole crowd, so it does not run over parts. Leave it "
                "out, or use crowdcore.crowdlab with the crowd in memory."
            )
        sources = [Folder.at(address, self._scratch.options) for address in _addresses(pred_probs)]
        parts = self._with_probabilities(sources, task)
        with self._output(out, parts) as (place, files):
            annotators, weights = find_consensus(self._passes(parts), options, place, scores_only)
        weight = float(weights.sum()) if isinstance(pred_probs, str | Path | None) else weights
        return PartitionedResult(place.address, files, annotators, None, weight, place)

    def _with_probabilities(self, sources: list[Folder], task: str) -> Sequence[StoredPart]:
        """Return the parts with the probabilities in some folders, which are read once."""
        if not sources:
            return self._parts
        if self._informed[0] != (sources, task):
            name = f"joined-{self._results}"
            parts = prepare_probabilities(
                sources, task, self._parts, self.annotators, self.classes, self._scratch, self._runner, name
            )
            self._informed = (sources, task), parts
        return self._informed[1]

    def _passes(self, parts: Sequence[StoredPart]) -> Passes:
        if not len(self.classes):
            raise ValueError(f"{self!r} has no classes. Pass classes= when making the crowd, or at least one answer.")
        return Passes(self._runner, parts, self._universe)

    @contextmanager
    def _output(self, out: Address | None, parts: Sequence[StoredPart]) -> Iterator[tuple[Folder, tuple[str, ...]]]:
        """Give an empty folder for results, and the names of the files that it will have; leave nothing on failure."""
        self._results += 1
        inside = self._scratch.below(f"results-{self._results}")
        place = inside if out is None else Folder.at(out, self._scratch.options)
        if not place.is_empty():
            raise ValueError(f"The folder {str(out)!r} already has files. Choose another for results, or remove it.")
        files = tuple(result_file(part.number) for part in parts)
        try:
            place.make()
            yield place, files
        except OSError as error:
            raise ValueError(f"Results cannot be written to {str(out)!r}: {error}.") from error
        except BaseException:
            place.remove(*files)
            raise


def _addresses(pred_probs: Address | Sequence[Address] | None) -> Sequence[Address]:
    if pred_probs is None:
        return []
    return [pred_probs] if isinstance(pred_probs, str | Path) else pred_probs


def _as_aggregator(method: str | Aggregator) -> ExpectationMaximizer | MajorityVote | CROWDLAB:
    """Return the method of that name, or an unfitted copy of a method."""
    made = find_method(method).make() if isinstance(method, str) else type(method)(**method.get_params())
    if not isinstance(made, ExpectationMaximizer | MajorityVote | CROWDLAB):
        raise ValueError(
            f"{method!r} does not run over parts. Those that do are {', '.join(METHODS)}; for others make a Crowd in "
            "memory."
        )
    made._check()
    return made
