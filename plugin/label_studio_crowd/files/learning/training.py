"""Training: from files to a network, its file, and its results."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.errors import UserError
from label_studio_crowd.files.learning.beliefs import consensus_of, read_beliefs
from label_studio_crowd.files.learning.lessons import Lessons, lessons_of_features
from label_studio_crowd.files.learning.models import check_model, find_strategy
from label_studio_crowd.files.learning.outcome import check_name, results, write_results
from label_studio_crowd.files.learning.pictures import lessons_of_pictures
from label_studio_crowd.files.learning.plan import Plan, Progress, file_name
from label_studio_crowd.files.learning.too_hard import read_too_hard
from label_studio_crowd.files.sources import Source

if TYPE_CHECKING:
    from label_studio_crowd.files.sources import HowToRead

SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Outcome:
    """What a training ended with.

    Attributes
    ----------
    results
        As they are written.
    paths
        What was written.
    notes
        What the user should know.
    """

    results: dict[str, Any]
    paths: tuple[Path, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Work:
    """What the user wants to be learned, from what.

    Attributes
    ----------
    data
        Answers, or peerannot's folder.
    name
        Of the results.
    plan, how
        How to learn, and how to read answers.
    """

    data: Path
    name: str
    plan: Plan
    how: HowToRead

    def check(self) -> None:
        """Raise an error for what is wrong before anything is read, among it that torch is not installed."""
        from crowdcore.learning.networks.extra import needed

        for package in ("torch", "skorch", "safetensors"):
            needed(package)
        check_name(self.name)
        if self.plan.model is not None:
            check_model(self.plan.model)

    def lessons(self) -> Lessons:
        """Read what is learned from, without the tasks of --path-remove."""
        lessons = read_lessons(self.data, self.plan, self.how)
        self.plan.check_size(lessons.X)
        if self.plan.path_remove is None:
            return lessons
        return lessons.without(read_too_hard(self.plan.path_remove, lessons.crowd.tasks.tolist()))


def read_lessons(data: Path, plan: Plan, how: HowToRead) -> Lessons:
    """Return what is learned from: answers with features, or peerannot's folder.

    Raises
    ------
    UserError, ValueError, OSError
        If something is missing, or does not fit.
    """
    if not data.exists():
        raise UserError(f"{data} does not exist: correct the path.")
    if plan.features is not None:
        odd = {"--answers": plan.answers, "--metadata-path": plan.metadata_path}
        changes = {"--img-size": plan.img_size, "--data-augmentation": plan.data_augmentation}
        _refuse(odd | changes, "for a folder with pictures, and --features is given")
        return lessons_of_features(Source(data, how, plan.truth), plan.features, plan.n_classes)
    if not data.is_dir():
        raise UserError(
            f"{data} has answers, and no features: give --features FILE, or peerannot's folder with pictures."
        )
    _refuse({"--truth": plan.truth}, "for answers with --features; pictures to test are in test/CLASS")
    return lessons_of_pictures(
        data,
        answers=plan.answers,
        metadata=plan.metadata_path,
        n_classes=plan.n_classes,
        size=plan.img_size,
        augment_with=plan.seed if plan.data_augmentation else None,
    )


def _refuse(options: Mapping[str, Any], why: str) -> None:
    odd = next((flag for flag, value in options.items() if value), None)
    if odd:
        raise UserError(f"{odd} is {why}: leave it out.")


def taught(work: Work, lessons: Lessons, labels: Path | None, progress: Progress) -> Outcome:
    """Train a network on labels: of a file, or of our consensus.

    Raises
    ------
    UserError, ValueError, OSError, ImportError
        If that cannot be done.
    """
    from crowdcore.learning.networks import NetworkClassifier

    if labels is not None:
        beliefs = read_beliefs(labels, lessons.whole)[lessons.rows]
    else:
        beliefs = consensus_of(lessons.crowd, lessons.X)
    if not beliefs.any():
        raise UserError(f"None of the {len(beliefs)} tasks to learn from has a label.")
    X, T = lessons.X, beliefs
    if lessons.has_pictures:  # those in the folder, in its order
        place = {task: row for row, task in enumerate(lessons.crowd.tasks.tolist())}
        rows = np.array([place.get(task, -1) for task in X.tasks.tolist()])
        T = np.vstack([beliefs, np.zeros(beliefs.shape[1])])[rows]
    model = work.plan.model or _usual_model(lessons)
    folder = lessons.folder / "best_models" / file_name(model)

    def fit(options: dict[str, Any], validation: Any) -> Any:
        return NetworkClassifier(**options).fit(X, T, classes=lessons.crowd.classes, validation=validation)

    return _trained(work, lessons, model, folder, fit, progress)


def taught_by_answers(work: Work, lessons: Lessons, strategy: str, progress: Progress) -> Outcome:
    """Train a network by a strategy such as ``conal[scale=1e-4]``.

    Raises
    ------
    UserError, ValueError, OSError, ImportError
        If that cannot be done.
    """
    from crowdcore.learning import networks

    found, own = find_strategy(strategy)

    def fit(options: dict[str, Any], validation: Any) -> Any:
        return getattr(networks, found.network)(**options, **own).fit(lessons.X, lessons.crowd, validation=validation)

    model = work.plan.model or _usual_model(lessons)
    return _trained(work, lessons, model, lessons.folder / "best_models", fit, progress)


def _usual_model(lessons: Lessons) -> str:
    return "cnn" if lessons.has_pictures else "mlp"


def _trained(
    work: Work,
    lessons: Lessons,
    model: str,
    folder: Path,
    fit: Callable[[dict[str, Any], Any], Any],
    progress: Progress,
) -> Outcome:
    """Fit, test, and write the network and its results."""
    checkpoint = folder / f"{work.name}-checkpoint"
    options = work.plan.network_options(model, checkpoint, progress)
    val, test, classes = lessons.val, lessons.test, lessons.crowd.classes
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        network = fit(options, None if val is None else (val.X, classes[val.codes]))
    P: NDArray[np.float64] | None = None if test is None else network.predict_proba(test.X)
    found = results(network.history_, P, None if test is None else test.codes)
    folder.mkdir(parents=True, exist_ok=True)
    kept = network.save(folder / f"{work.name}{SUFFIX}")
    written = write_results(lessons.folder, work.name, found)
    shutil.rmtree(checkpoint, ignore_errors=True)
    notes = tuple(dict.fromkeys(str(one.message) for one in told if issubclass(one.category, UserWarning)))
    return Outcome(found, (written, kept), notes)
