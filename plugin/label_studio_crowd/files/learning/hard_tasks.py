"""AUM and WAUM of tasks in files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from label_studio_crowd.errors import UserError
from label_studio_crowd.files.learning.lessons import Lessons
from label_studio_crowd.files.learning.models import check_model
from label_studio_crowd.files.learning.plan import MarginOptions, Plan, Progress, file_name

if TYPE_CHECKING:
    from crowdcore.aggregate import DawidSkene
    from crowdcore.identify import AreaUnderMargin, Identification, WeightedAreaUnderMargin

PERCEPTRON: Final = "perceptron"
ALPHA: Final = 0.01
LARGEST: Final = 32
"""Height and width of pictures above which they are made smaller, unless the user says otherwise."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What was found of the tasks: by aum, or by waum."""

    aum: AreaUnderMargin | None = None
    waum: WeightedAreaUnderMargin | None = None


def judge(
    method: Identification,
    lessons: Lessons,
    options: MarginOptions,
    network: Plan,
    known: Any,
    seed: int,
    progress: Progress,
) -> Judged:
    """Return the areas under the margin of the tasks.

    Parameters
    ----------
    method
        aum, waum or waum-perworker.
    lessons
        Features, or pictures.
    options, network
        How, and by which classifier.
    known
        Labels known to be true, by task, or None.
    seed
        Of the random numbers.
    progress
        Told after each epoch.

    Raises
    ------
    UserError, ValueError, OSError
        If a file cannot be read, or an option does not fit.
    """
    from crowdcore.identify import aum, waum

    crowd, by_perceptron = lessons.crowd, is_perceptron(network)
    X = _numbers(lessons) if by_perceptron else _course(lessons, network, progress)
    shared: dict[str, Any] = {
        "margin": "pleiss" if options.use_pleiss else "yang",
        "topk": options.topk or 1,
        "seed": seed,
        "progress": progress if by_perceptron else None,
        **({} if options.n_epochs is None else {"n_epochs": options.n_epochs}),
    }
    if method.name == "aum":
        labels = _labels(lessons, options, known)
        return Judged(aum=aum(crowd, X, labels, keep_logits=True, **shared))
    confusions = _confusions(options) if options.matrix_file is not None else _fitted(lessons, options, known)
    return Judged(waum=waum(crowd, X, confusions, per_annotator=method.name == "waum-perworker", **shared))


def write_files(
    method: Identification, lessons: Lessons, options: MarginOptions, model: str | None, found: Judged
) -> list[Path]:
    """Write peerannot's files into the folder of the tasks, and return which."""
    from label_studio_crowd.files.learning.margin_files import write_aum, write_waum

    alpha = ALPHA if options.alpha is None else options.alpha
    folder = lessons.folder / "identification" / file_name(model or PERCEPTRON)
    if found.aum is not None:
        return write_aum(lessons, found.aum, folder / "aum", alpha)
    assert found.waum is not None, "it is one of both"
    name = re.sub("-", "_", method.name)
    margin = "pleiss" if options.use_pleiss else "yang"
    labels = lessons.folder / "labels" / f"labels_{name}_{alpha}.npy"
    steps = _steps(options)
    return write_waum(lessons, found.waum, folder / f"{name}_{alpha}_{margin}", alpha, labels, steps)


def is_perceptron(network: Plan) -> bool:
    """Whether the classifier is scikit-learn's perceptron, which needs no torch."""
    return network.model in (None, PERCEPTRON)


def check_network(network: Plan) -> None:
    """Raise a `UserError` if there is no such network, or the perceptron has no such option."""
    if not is_perceptron(network):
        check_model(str(network.model))
        return
    usual = vars(Plan())
    given = [name for name, value in vars(network).items() if value != usual[name] and name != "model"]
    if given:
        raise UserError(
            f"--{given[0].replace('_', '-')} is for networks, and tasks are judged by scikit-learn's perceptron: leave "
            "it out, or name a network with --model."
        )


def _course(lessons: Lessons, network: Plan, progress: Progress) -> Any:
    from crowdcore.learning.networks import NetworkCourse

    options = network.network_options(str(network.model), None, progress)
    for name in ("epochs", "least_steps", "seed", "resume", "checkpoint", "schedule"):
        options.pop(name, None)
    return NetworkCourse(lessons.X, lessons.crowd.tasks, schedule=None, **options)


def _numbers(lessons: Lessons) -> Any:
    """Return features: for pictures, their pixels."""
    if not lessons.has_pictures:
        return lessons.X
    place = {task: at for at, task in enumerate(lessons.X.tasks.tolist())}
    return np.stack([lessons.X[place[task]].ravel() for task in lessons.crowd.tasks.tolist()])


def _labels(lessons: Lessons, options: MarginOptions, known: Any) -> Any:
    from label_studio_crowd.files.learning.beliefs import read_beliefs

    if options.hard_labels is None:
        codes = _fitted(lessons, options, known).codes_
        return np.where(lessons.crowd.num_answers > 0, codes, -1)
    beliefs = read_beliefs(options.hard_labels, lessons.whole)[lessons.rows]
    return np.where(beliefs.any(axis=1), beliefs.argmax(axis=1), -1)


def _fitted(lessons: Lessons, options: MarginOptions, known: Any) -> DawidSkene:
    from crowdcore.aggregate import DawidSkene

    return DawidSkene(n_iter=_steps(options)).fit(lessons.crowd, known)


def _steps(options: MarginOptions) -> int:
    return options.maxiter_dawid_skene or 100


def _confusions(options: MarginOptions) -> Any:
    path = options.matrix_file
    assert path is not None
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise UserError(f"--matrix-file {path} is not an array ({error}): write it again with numpy.save.") from None
