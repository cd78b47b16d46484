"""A network in the course of its training: what it says of all tasks after each epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from crowdcore.crowd.ids import Codes, Ids
from crowdcore.learning.networks.classifier import NetworkClassifier
from crowdcore.learning.networks.extra import torched
from crowdcore.learning.networks.tasks import Floats, Tasks, as_tasks


class NetworkCourse:
    """The training of a network, for `crowdcore.identify.aum` and `waum`: it takes the place of features.

    A task with several labels is learned with all of them at once, each as often as it is there.

    Parameters
    ----------
    X : array_like, DataFrame or torch Dataset
        N tasks, such as `ImageTasks`.
    tasks : array_like of shape (N,), optional
        Their ids, in the order wanted: that of ``crowd.tasks``; None: as they come.
    **options
        Those of `crowdcore.learning.networks.estimator.Network`, but for epochs and seed.

    Examples
    --------
    >>> course = NetworkCourse([[0.0], [0.2], [0.8], [1.0]], module="linear", lr=0.1, schedule=None)
    >>> *_, last = course([0, 1, 2, 3], [0, 0, 1, 1], n_classes=2, n_epochs=50, seed=0)  # doctest: +SKIP
    >>> last.argmax(axis=1)  # doctest: +SKIP
    array([0, 0, 1, 1])
    """

    def __init__(self, X: Any, tasks: Ids | None = None, **options: Any) -> None:
        self._tasks, self._options = as_tasks(X, tasks), options

    def __call__(self, task: Codes, label: Codes, n_classes: int, n_epochs: int, seed: int) -> Iterator[Floats]:
        """Yield the logits (N, K) after each epoch; see `crowdcore.identify.courses.Course`.

        Raises
        ------
        ImportError
            If torch is not installed.
        """
        counts = np.zeros((len(self._tasks), n_classes))
        np.add.at(counts, (task, label), 1)
        network = _Recorded(**self._options, epochs=n_epochs, least_steps=0, seed=seed)
        network._fit_tasks(self._tasks, np.asarray(counts.any(axis=1)), counts, np.arange(n_classes))
        yield from network.course_


class _Recorded(NetworkClassifier):
    """A network that keeps the logits of all tasks after each epoch, in `course_`."""

    def _watched(self, tasks: Tasks, places: Codes, device: Any, *_: Any) -> tuple[Codes, Any]:
        self.course_: list[Floats] = []
        everything, reading = np.arange(len(tasks)), {"batch_size": self.batch_size, "num_workers": self.num_workers}

        def note(module: Any) -> dict[str, float]:
            parts = torched("batches").outputs(module, tasks, everything, device, **reading)
            self.course_.append(np.concatenate([part.double().numpy() for part in parts]))
            return {}

        return places, torched("loop").Watched(note)
