"""All methods by name, and one way to run any of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.aggregate.classes.informed import per_annotator
from crowdcore.aggregate.classes.methods import CLASS_METHODS, WITH_MODEL, Method
from crowdcore.crowd.ids import Ids
from crowdcore.crowd.table import Crowd
from crowdcore.registry import Registry

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["METHODS", "WITH_MODEL", "Aggregation", "Method", "find_method", "run_method"]


@dataclass(frozen=True, eq=False)
class Aggregation:
    """What a method found.

    Attributes
    ----------
    method : Method
        The method.
    aggregator : Aggregator
        The fitted aggregator, with everything else that the method knows.
    """

    method: Method
    aggregator: Aggregator

    @property
    def labels(self) -> Ids:
        """Each task's label, None where there is none, shape (N,)."""
        return self.aggregator.labels_

    @property
    def probas(self) -> Floats:
        """Probability, or share of the votes, of each class, shape (N, K)."""
        return self.aggregator.probas_

    @property
    def quality(self) -> Floats:
        """How far the method believes its labels, NaN where there is none, shape (N,)."""
        return self.aggregator.quality_

    def to_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each task: label, quality, and the probability of each class.

        A class's column has its name; "class label" or "class quality" where that would be one of the first two.
        """
        crowd = self.aggregator.crowd_
        columns: dict[Any, Any] = {"label": self.labels, "quality": self.quality}
        for code, name in enumerate(crowd.classes.tolist()):
            columns[f"class {name}" if name in ("label", "quality") else name] = self.probas[:, code]
        return crowd.task_frame(columns)

    def annotators_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each annotator: num_answers, agreement_with_consensus, and skill.

        The skill is what the method has learned of an annotator, on the method's own scale (`skills_`); of a method
        that learns no such number, the mean of `probas` of the labels that the annotator gave. NaN where there is
        nothing to learn from. With ``+model``, the last row is the model.
        """
        fitted = self.aggregator
        crowd = fitted.crowd_
        skills = getattr(getattr(fitted, "aggregator_", fitted), "skills_", None)
        return crowd.annotator_frame(
            num_answers=np.bincount(crowd.annotator, minlength=len(crowd.annotators)),
            agreement_with_consensus=per_annotator(crowd, crowd.label == fitted.codes_[crowd.task]),
            skill=per_annotator(crowd, self.probas[crowd.task, crowd.label]) if skills is None else skills,
        )


def find_method(name: str) -> Method:
    """Return a method by its name, an alias or its class's name; case, hyphens and underscores do not matter.

    Raises
    ------
    ValueError
        If there is none. The message names the closest, and all.

    Examples
    --------
    >>> find_method("dawid_skene").name, find_method("GLAD+model").name, find_method("twothird").name
    ('dawid-skene', 'glad+model', 'two-third')
    """
    return METHODS.find(name)


def run_method(
    name: str | Method,
    crowd: Crowd,
    *,
    pred_probs: ArrayLike | None = None,
    features: Any = None,
    known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Aggregation:
    """Aggregate a crowd's answers by a method's name.

    Parameters
    ----------
    name : str or Method
        As for `find_method`.
    crowd : Crowd
        N tasks, K classes; or a long frame.
    pred_probs : array_like of shape (N, K) or (P, N, K), optional
        A model's class probabilities, out of sample. Methods that neither need nor take them do not see them.
    features : array_like or sparse matrix, shape (N, d), optional
        Features of the tasks. Methods that neither need nor take them do not see them.
    known_labels : array_like of int, shape (N,), or mapping or Series from task to label, optional
        Labels known to be true, for a method that takes them.
    options : mapping, optional
        The method's own options, by name; peerannot's names L and maxiter are known too.

    Returns
    -------
    Aggregation

    Raises
    ------
    ValueError
        If there is no such method or option, the method needs what is not given or cannot use what is, or
        something does not fit the crowd.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["cat", "cat", "dog"], ["dog", "dog", "dog"]])
    >>> run_method("majority-vote", crowd).to_frame().round(2).reset_index()
       task label  quality   cat   dog
    0     0   cat     0.67  0.67  0.33
    1     1   dog     1.00  0.00  1.00
    """
    method = name if isinstance(name, Method) else find_method(name)
    given = {"pred_probs": pred_probs, "features": features}
    for what in sorted(method.needs):
        if given[what] is None:
            raise ValueError(f"Method {method.name!r} needs {what}, which were not given. {_ADVICE[what]}")
    evidence = {what: value for what, value in given.items() if what in method.needs | method.takes}
    aggregator: Any = method.make(**(options or {}))
    return Aggregation(method, aggregator.fit(crowd, **evidence, known_labels=known_labels))


_ADVICE = {
    "pred_probs": "Pass a classifier's class probabilities of each task, out of sample, or choose a method that does "
    "not need them, such as hierarchical-dawid-skene.",
    "features": "Pass a matrix with a row of numbers for each task, or choose a method that does not need them, such "
    "as hierarchical-dawid-skene.",
}


METHODS: Registry[Method] = Registry(
    "method",
    CLASS_METHODS,
    ", ".join(method.name for method in CLASS_METHODS if not method.name.endswith(WITH_MODEL))
    + f". Methods that use only answers can take the model as one more annotator, for example dawid-skene{WITH_MODEL}",
)
"""All methods by name."""
