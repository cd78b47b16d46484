"""What all networks share: their options, how they are fitted, what they say of new tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError

from crowdcore.crowd.ids import Codes, Ids
from crowdcore.crowd.table import Crowd
from crowdcore.learning.networks.believing import answer_likelihoods, held_out
from crowdcore.learning.networks.extra import torched
from crowdcore.learning.networks.options import check_options
from crowdcore.learning.networks.tasks import ArrayTasks, Floats, Scaler, Tasks, as_tasks

Self = TypeVar("Self", bound="Network")

CHECKPOINT = "checkpoint.safetensors"
PLANNED = (
    "epochs", "least_steps", "batch_size", "lr", "optimizer", "momentum", "weight_decay", "schedule", "lr_decay",
    "seed", "num_workers",
)  # fmt: skip


@dataclass(eq=False, repr=False)
class Network(ClassifierMixin, BaseEstimator):  # type: ignore[misc, unused-ignore]
    """Base of all networks, in scikit-learn's shape. Options are checked by `fit`, and never changed.

    Tasks are an array (N, d), a DataFrame (put into the order of ``crowd.tasks`` by its index), an array (N, channels,
    height, width), a torch Dataset of tensors, or `ImageTasks`.

    Parameters
    ----------
    module : str or torch.nn.Module
        "linear", "mlp" (dropout .2, 128 units, ReLU, dropout .5), "cnn" (two convolutions, for small pictures), a model
        of torchvision, or ``package.module:factory``, where ``factory(shape, classes)`` returns a module. It gives
        logits.
    epochs : int
        How often all tasks are seen.
    least_steps : int
        Small crowds have more epochs, up to these many steps.
    batch_size : int
        Tasks of a step.
    lr, momentum, weight_decay : float
        Learning rate; momentum of "sgd"; decay of the weights, but not of annotators' parameters.
    optimizer : {"adamw", "adam", "sgd"}
        What takes the steps.
    schedule : {"cosine", "multistep"} or None
        The learning rate falls to 0 as half a cosine, or is multiplied by `lr_decay` at each of the `milestones`
        (epochs), or stays.
    early_stopping : {"answers", "validation"} or None
        Take the weights of the epoch that says best the answers to tasks held out, 15 %, or the labels of `validation`.
    standardize : bool
        Whether features (N, d) are brought to mean 0 and variance 1, by the tasks that are learned from.
    pretrained, freeze : bool
        Of a model of torchvision: begin with its published weights. Of any: learn the last layer only.
    device : str
        "auto" (cuda, mps or cpu, the first there is), or one of torch's names.
    num_workers : int
        Processes that read tasks; 0: none beside this one.
    seed : int
        Equal seeds give equal networks, to the last bit on one machine with as many threads. torch's own generators
        stay as they are; fits in several threads of a process take turns.
    checkpoint : path, optional
        Folder in which a checkpoint is kept after each epoch.
    resume : bool
        Go on from there, if it has one.
    progress : callable, optional
        Told after each epoch: what, how many are done, of how many.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        The classes.
    history_ : list of dict
        For each epoch: epoch, train_loss, lr, dur (seconds); val_loss and val_accuracy with `validation`, answers_loss
        with early stopping on answers.
    module_ : torch.nn.Module
        The network.
    """

    module: Any = "mlp"
    _: KW_ONLY
    epochs: int = 40
    least_steps: int = 400
    batch_size: int = 100
    lr: float = 1e-3
    optimizer: str = "adamw"
    momentum: float = 0.9
    weight_decay: float = 1e-4
    schedule: str | None = "cosine"
    milestones: Sequence[int] = ()
    lr_decay: float = 0.1
    early_stopping: str | None = None
    standardize: bool = True
    pretrained: bool = False
    freeze: bool = False
    device: str = "auto"
    num_workers: int = 0
    seed: int = 0
    checkpoint: str | Path | None = None
    resume: bool = False
    progress: Callable[[str, int, int], object] | None = None

    stops_by: ClassVar[tuple[str, ...]] = ("validation",)

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of each class for each task, (n, K)."""
        return self._chances(as_tasks(X))

    def predict(self, X: Any) -> Ids:
        """Return the most probable class of each task, (n,)."""
        chances = self.predict_proba(X)
        return self.classes_[chances.argmax(axis=1)]

    def embed(self, X: Any) -> Floats:
        """Return what goes into the last layer, (n, units): features that the network has learned.

        Raises
        ------
        ValueError
            If the network has no linear layer.
        """
        self._check_fitted()
        return self._outputs(torched("embedding").Embedding(self.module_), as_tasks(X))

    def save(self, path: str | Path) -> Path:
        """Write the fitted network to a file of safetensors, which holds no code.

        Raises
        ------
        ValueError
            If an option, such as a module of your own, or a class is none of those that JSON has.
        """
        from crowdcore.learning.networks import saving

        return saving.save(self._check_fitted(), Path(path))

    @classmethod
    def load(cls: type[Self], path: str | Path, **options: Any) -> Self:
        """Return the network that `save` wrote. It runs the factory that its module names, if it is one.

        Parameters
        ----------
        path : path
            The file.
        **options
            In place of what was kept, such as ``device="cpu"``.

        Raises
        ------
        ValueError
            If the file is damaged, or has another class of networks.
        """
        from crowdcore.learning.networks import saving

        return saving.load(cls, Path(path), options)

    def _fit(
        self: Self,
        tasks: Tasks,
        learned: NDArray[np.bool_],
        target: Any,
        criterion: Callable[[int], Any],
        classes: Ids,
        *,
        crowd: Crowd | None = None,
        validation: tuple[Any, Any] | None = None,
    ) -> Self:
        """Learn from some of the tasks.

        Parameters
        ----------
        tasks : Tasks
            All.
        learned : ndarray of bool, shape (N,)
            Those with something to learn.
        target : Target
            What is known of each.
        criterion : callable
            Makes the loss, for tasks of so many numbers.
        classes : ndarray of shape (K,)
            The classes.
        crowd : Crowd, optional
            Answers, for an early stop by them.
        validation : tuple, optional
            Tasks and labels that are judged after each epoch.
        """
        check_options(self)
        places = np.flatnonzero(learned)
        if not len(places):
            raise ValueError(f"None of the {len(tasks)} tasks has an answer or a label, so there is nothing to learn.")
        self.classes_, self._shape = classes, tasks.shape
        self._scaler: Scaler | None = None
        tasks, places = self._prepared(tasks, places)
        loop, modules = torched("loop"), torched("modules")
        device = torched("devices").find_device(self.device)
        K, size = len(classes), int(np.prod(tasks.shape))
        places, watched = self._watched(tasks, places, device, crowd, validation)

        def make() -> tuple[Any, Any]:
            module = modules.build(self.module, tasks.shape, K, pretrained=self.pretrained, freeze=self.freeze)
            return module, criterion(size)

        found = loop.learn(
            make,
            tasks,
            places,
            target,
            self._plan(device),
            watched=watched,
            checkpoint=None if self.checkpoint is None else Path(self.checkpoint) / CHECKPOINT,
            resume=self.resume,
            settings=self._settings(len(places)),
            progress=self.progress,
        )
        self.module_, self.criterion_, self.history_ = found.module, found.criterion, found.history
        return self

    def _prepared(self, tasks: Tasks, places: Codes) -> tuple[Tasks, Codes]:
        """Return the tasks with standardised features, and places in an order that is the features' own."""
        if not isinstance(tasks, ArrayTasks):
            return tasks, places
        if self.standardize and len(tasks.shape) == 1:
            scaler = self._scaler = tasks.scaler(places)
            tasks = tasks.scaled(scaler)
        return tasks, tasks.in_own_order(places)

    def _plan(self, device: Any) -> Any:
        options = {name: getattr(self, name) for name in PLANNED}
        return torched("loop").Plan(**options, milestones=tuple(self.milestones), device=device)

    def _watched(
        self, tasks: Tasks, places: Codes, device: Any, crowd: Crowd | None, validation: tuple[Any, Any] | None
    ) -> tuple[Codes, Any]:
        """Return the places to learn from, and what is scored after each epoch."""
        scores, reading = torched("held_out"), (device, self.batch_size, self.num_workers)
        if self.early_stopping == "answers" and crowd is not None:
            places, judged = held_out(places, self.seed)
            likelihoods = answer_likelihoods(crowd, places, judged)
            return places, scores.Watched(scores.AnswersScore(tasks, judged, likelihoods, *reading), "answers_loss")
        if validation is None:
            if self.early_stopping == "validation":
                raise ValueError(
                    "early_stopping is 'validation', but none is given: pass fit validation=(tasks, labels)"
                )
            return places, None
        score = scores.ValidationScore(
            self._scaled(as_tasks(validation[0])), _codes_of(validation[1], self.classes_), *reading
        )
        return places, scores.Watched(score, "val_loss" if self.early_stopping == "validation" else "")

    def _settings(self, examples: int) -> dict[str, Any]:
        options = {name: str(value) for name, value in self.get_params(deep=False).items()}
        left_out = ("device", "num_workers", "checkpoint", "resume", "progress")
        kept = {name: value for name, value in options.items() if name not in left_out}
        return {**kept, "classes": list(map(str, self.classes_.tolist())), "tasks learned from": examples}

    def _scaled(self, tasks: Tasks) -> Tasks:
        if tasks.shape != self._shape and len(tasks):
            raise ValueError(f"Tasks have shape {tasks.shape}; the network learned from tasks of shape {self._shape}.")
        return tasks.scaled(self._scaler) if isinstance(tasks, ArrayTasks) and self._scaler else tasks

    def _chances(self, tasks: Tasks, places: Codes | None = None) -> Floats:
        """Return the classes' probabilities for all tasks, or some, (n, K)."""
        logits = self._outputs(self._check_fitted().module_, tasks, places)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
        return powers / powers.sum(axis=1, keepdims=True)

    def _outputs(self, module: Any, tasks: Tasks, places: Codes | None = None) -> Floats:
        """Return what a network gives for tasks, (n, ...)."""
        tasks = self._scaled(tasks)
        device = torched("devices").device_here(self.device)
        wanted = np.arange(len(tasks)) if places is None else places
        if not len(wanted):
            return np.zeros((0, len(self.classes_)))
        options = {"batch_size": self.batch_size, "num_workers": self.num_workers}
        parts = torched("batches").outputs(module.to(device), tasks, wanted, device, **options)
        return np.concatenate([part.double().numpy() for part in parts])

    def _check_fitted(self: Self) -> Self:
        if not hasattr(self, "module_"):
            raise NotFittedError(f"This {type(self).__name__} has not learned anything yet: call fit first.")
        return self

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        return torched("embedding").on_cpu(state) if "module_" in state else state


def _codes_of(labels: Any, classes: Ids) -> Codes:
    """Return the codes of labels, which must be among the classes."""
    places = {label: code for code, label in enumerate(classes.tolist())}
    try:
        return np.array([places[label] for label in np.asarray(labels).tolist()], dtype=np.int64)
    except KeyError as error:
        raise ValueError(f"validation has label {error}; the classes are {list(places)[:8]}.") from None
