"""A model's predictions as one more annotator's answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.aggregate.classes.dawid_skene import DawidSkene
from crowdcore.aggregate.classes.informed import InformedAggregator
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd


@dataclass(eq=False)
class WithModel(InformedAggregator):
    r"""Any method that uses only answers, with the model as one more annotator.

    .. math:: y_{iM} = \arg\max_k \hat p_M(k \mid x_i)

    The model answers every task with its most probable class, an ensemble with that of its mean, and is judged like
    everybody else. The rows "with model" of Goh, Tkachenko & Mueller 2022, arXiv 2210.06812.

    Parameters
    ----------
    aggregator : Aggregator
        The method; it is fitted. `DawidSkene` by default.
    name : object
        Id of the annotator that the model becomes.

    Attributes
    ----------
    crowd_ : Crowd
        The answers and the model's, whose annotator is the last.
    aggregator_ : Aggregator
        The method, fitted to `crowd_`: what it knows of the annotators, it knows of the model.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0], [1, 1], [0, 1]])
    >>> pred_probs = [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]
    >>> from crowdcore.aggregate import Wawa
    >>> joined = WithModel(Wawa()).fit(crowd, pred_probs)
    >>> joined.labels_, joined.crowd_.annotators.tolist()
    (array([0, 1, 1]), [0, 1, 'model'])
    """

    aggregator: Aggregator = field(default_factory=DawidSkene)
    name: Any = "model"

    @property
    def takes(self) -> tuple[str, ...]:  # type: ignore[override]  # it depends on the method
        """The model's probabilities, and known labels if the method takes them."""
        return ("pred_probs", "known_labels") if self._knowing else ("pred_probs",)

    @property
    def _knowing(self) -> bool:
        return "known_labels" in getattr(self.aggregator, "takes", ())

    def _combine(self, crowd: Crowd, models: Floats, known: Codes) -> None:
        self.crowd_ = crowd.with_annotator(self.name, models.mean(axis=0).argmax(axis=1))
        self.aggregator_ = self.aggregator.fit(
            self.crowd_, known_labels=known if "known_labels" in self.takes else None
        )
        fitted = self.aggregator_
        self.probas_, self.codes_, self.labels_ = fitted.probas_, fitted.codes_, fitted.labels_
        self.quality_ = fitted.quality_

    def _check(self) -> None:
        if not isinstance(self.aggregator, Aggregator) or isinstance(self.aggregator, InformedAggregator):
            raise ValueError(
                f"WithModel: aggregator is {self.aggregator!r}; it must be a method that uses only answers, such as "
                "DawidSkene()."
            )
