"""Networks that learn straight from answers: a loss with parameters of each annotator's own."""

from __future__ import annotations

import warnings
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, TypeVar

from crowdcore.crowd.evidence import as_crowd
from crowdcore.crowd.ids import Ids
from crowdcore.learning.networks.estimator import Network
from crowdcore.learning.networks.extra import torched
from crowdcore.learning.networks.options import check_options
from crowdcore.learning.networks.tasks import Floats, as_tasks

FEW = 10
"""Answers for each annotator and class below which a matrix of each annotator's may take over the classes."""

Self = TypeVar("Self", bound="AnswersLearner")


@dataclass(eq=False, repr=False)
class AnswersLearner(Network):
    """Base of the networks that learn from answers.

    Attributes
    ----------
    annotators_ : ndarray of shape (M,)
        Annotator ids.
    confusion_ : ndarray of shape (M, K, K)
        Probability of each label, by annotator and true class, as the network has learned it.
    """

    stops_by: ClassVar[tuple[str, ...]] = ("answers", "validation")

    def fit(self: Self, X: Any, crowd: Any, *, validation: tuple[Any, Any] | None = None) -> Self:
        """Learn from the answers. Tasks without answers are not learned from.

        Parameters
        ----------
        X : array_like, DataFrame or torch Dataset
            N tasks, in the order of ``crowd.tasks``; a DataFrame's index and a Dataset's `tasks` have their ids.
        crowd : Crowd or long DataFrame
            The answers.
        validation : tuple of tasks and labels, optional
            Judged after each epoch, for `history_` and early stopping.

        Raises
        ------
        ImportError
            If torch is not installed.
        ValueError
            If tasks and crowd do not fit, no task has an answer, or an option is not allowed.

        Warns
        -----
        UserWarning
            If there are few answers for each annotator and class.
        """
        check_options(self)
        crowd = as_crowd(crowd)
        tasks = as_tasks(X, crowd.tasks)
        _warn_of_few(crowd, type(self).__name__)
        self.annotators_: Ids = crowd.annotators
        self._counts = len(crowd.annotators), len(crowd.classes)
        target = torched("batches").AnswersOf(crowd)
        learned = crowd.num_answers > 0
        return self._fit(tasks, learned, target, self._criterion, crowd.classes, crowd=crowd, validation=validation)

    @property
    def confusion_(self) -> Floats:
        """Confusion matrices, (M, K, K): annotator, true class, label."""
        return self._check_fitted().criterion_.confusion().detach().cpu().double().numpy()

    def _criterion(self, inputs: int) -> Any:
        raise NotImplementedError


@dataclass(eq=False, repr=False)
class CrowdLayer(AnswersLearner):
    r"""A last layer for each annotator, on the network's probabilities; without them it predicts.

    .. math:: \min \frac1A \sum_{ij} \mathrm{CE}\big(\sigma(f_j(p_i)), y_{ij}\big), \quad p_i = \sigma(z_i)

    with f by `kind`: "mw" :math:`p W_j` (at first :math:`W_j = I`), "vw" :math:`w_j \circ p` (1), "vb"
    :math:`p + b_j` (0), "vw+b" :math:`w_j \circ p + b_j`. The outer softmax is theirs: W is no confusion matrix.
    Rodrigues & Pereira 2018, "Deep learning from crowds", AAAI.

    It is there for comparison: `ConsensusNetwork` is more often right.

    Parameters
    ----------
    kind : {"mw", "vw", "vb", "vw+b"}
        The layer. "mw" has K numbers for each annotator and class.
    **options
        Those of `crowdcore.learning.networks.estimator.Network`.

    Attributes
    ----------
    confusion_ : ndarray of shape (M, K, K)
        The softmax of what f makes of a task that is certain: annotator, class, label.

    Examples
    --------
    >>> from crowdcore import Crowd
    >>> crowd = Crowd.from_wide([["no", "no"], ["no", None], ["yes", "yes"], [None, "yes"]] * 10)
    >>> X = [[0.0], [0.2], [0.9], [1.0]] * 10
    >>> learned = CrowdLayer(kind="vw", lr=0.05, epochs=40, least_steps=0).fit(X, crowd)
    >>> learned.predict([[0.1], [0.8]]).tolist()
    ['no', 'yes']
    >>> learned.confusion_.shape
    (2, 2, 2)
    """

    _: KW_ONLY
    kind: str = "mw"

    def _criterion(self, inputs: int) -> Any:
        return torched("criteria").CrowdLayerLoss(*self._counts, self.kind)


@dataclass(eq=False, repr=False)
class CoNAL(AnswersLearner):
    r"""Confusion common to all beside each annotator's own; which of them, says the task and the annotator.

    .. math:: \min \frac1A \sum_{ij} \mathrm{CE}\big(\sigma(\omega_{ij} p_i G + (1 - \omega_{ij}) p_i W_j), y_{ij}\big)
              - \lambda \sum_j \|W_j - G\|_2, \quad \omega_{ij} = \sigma(u_j \cdot v_i)

    :math:`p_i = \sigma(z_i)`; :math:`u_j` and :math:`v_i` have length one in 20 dimensions, v is linear in the task; at
    first :math:`G = W_j = 2 I`. Chu, Ma & Wang 2021, "Learning from crowds by modeling common confusions", AAAI.

    It is there for comparison: `ConsensusNetwork` is more often right.

    Parameters
    ----------
    scale : float
        :math:`\lambda`, which keeps annotators apart from what is common; 0: nothing does.
    **options
        Those of `crowdcore.learning.networks.estimator.Network`.

    Attributes
    ----------
    confusion_ : ndarray of shape (M, K, K)
        Of a task half of whose confusion is common: annotator, class, label.

    Examples
    --------
    >>> from crowdcore import Crowd
    >>> crowd = Crowd.from_wide([["no", "no"], ["no", None], ["yes", "yes"], [None, "yes"]] * 10)
    >>> X = [[0.0], [0.2], [0.9], [1.0]] * 10
    >>> learned = CoNAL(lr=0.05, epochs=40, least_steps=0).fit(X, crowd)
    >>> learned.predict([[0.1], [0.8]]).tolist()
    ['no', 'yes']
    >>> learned.confusion_.shape
    (2, 2, 2)
    """

    _: KW_ONLY
    scale: float = 1e-4

    def _criterion(self, inputs: int) -> Any:
        return torched("criteria").CoNALLoss(*self._counts, inputs, self.scale)


@dataclass(eq=False, repr=False)
class CoupledCrossEntropy(AnswersLearner):
    r"""The likelihood of the answers, with a confusion matrix for each annotator, kept from explaining all.

    .. math:: \min -\frac1A \sum_{ij} \log \sum_k p_{ik} A_{jk y_{ij}} + R, \quad A_j = \sigma(C_j) \text{ by rows}

    with R by `regularizer`: "geo-reg-w" :math:`-\lambda \log\det \sum_j A_j^\top A_j`, "geo-reg-f"
    :math:`-\lambda \log\det P^\top P` (P: the batch's probabilities), "trace"
    :math:`\lambda \operatorname{mean}_j \operatorname{tr} A_j`. At first :math:`C_j = I`, with "trace"
    :math:`6 I - 5`. Ibrahim, Nguyen & Fu 2023, "Deep learning from crowdsourced labels: coupled cross-entropy
    minimization, identifiability, and regularization", ICLR; Tanno, Saeedi, Sankaranarayanan, Alexander & Silberman
    2019, "Learning from noisy labels by regularized estimation of annotator confusion", CVPR (the trace).

    It is there for comparison: `ConsensusNetwork` is more often right.

    Parameters
    ----------
    regularizer : {"geo-reg-w", "geo-reg-f", "trace"} or None
        What keeps classes apart.
    strength : float, optional
        :math:`\lambda`; by default 1e-4, with "trace" 1e-2.
    **options
        Those of `crowdcore.learning.networks.estimator.Network`.

    Attributes
    ----------
    confusion_ : ndarray of shape (M, K, K)
        :math:`A_j`: annotator, class, label.

    Examples
    --------
    >>> from crowdcore import Crowd
    >>> crowd = Crowd.from_wide([["no", "no"], ["no", None], ["yes", "yes"], [None, "yes"]] * 10)
    >>> X = [[0.0], [0.2], [0.9], [1.0]] * 10
    >>> learned = CoupledCrossEntropy(lr=0.05, epochs=40, least_steps=0).fit(X, crowd)
    >>> learned.predict([[0.1], [0.8]]).tolist()
    ['no', 'yes']
    >>> learned.confusion_.shape
    (2, 2, 2)
    """

    _: KW_ONLY
    regularizer: str | None = "geo-reg-w"
    strength: float | None = None

    def _criterion(self, inputs: int) -> Any:
        usual = 1e-2 if self.regularizer == "trace" else 1e-4
        strength = usual if self.strength is None else self.strength
        return torched("criteria").CoupledLoss(*self._counts, self.regularizer, strength)


def _warn_of_few(crowd: Any, name: str) -> None:
    M, K = len(crowd.annotators), len(crowd.classes)
    each = len(crowd.label) / max(M * K, 1)
    if M and K > 1 and each < FEW:
        warnings.warn(
            f"{name} has {len(crowd.label):,} answers for {M:,} annotators and {K} classes: {each:.1f} for each of an "
            f"annotator's classes. Below about {FEW}, what is learned of annotators may take over the classes; "
            "ConsensusNetwork needs fewer.",
            stacklevel=3,
        )
