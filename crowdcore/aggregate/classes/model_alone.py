"""The model alone: what it says without the annotators."""

from __future__ import annotations

from dataclasses import dataclass

from crowdcore.aggregate.classes.aggregator import Floats
from crowdcore.aggregate.classes.informed import InformedAggregator, mean_model
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd


@dataclass(eq=False)
class ModelAlone(InformedAggregator):
    r"""The model's most probable class, whatever the annotators say.

    .. math:: \hat z_i = \arg\max_k \hat p_M(k \mid x_i)

    The row to compare methods with that know both. An ensemble speaks by its mean.

    Examples
    --------
    >>> ModelAlone().fit_predict(Crowd.from_wide([["a", "b"], ["b", "b"]]), [[0.9, 0.1], [0.8, 0.2]])
    array(['a', 'a'], dtype=object)
    """

    def _combine(self, crowd: Crowd, models: Floats, known: Codes) -> None:
        P = mean_model(models)
        self._settle(crowd, P, codes=P.argmax(axis=1))
