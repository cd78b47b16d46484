"""How difficult tasks are, how good annotators, and how far the crowd agrees.

Where the answers cannot say, a value is NaN, never an invented number.

>>> from crowdcore import Crowd
>>> from crowdcore.identify import krippendorff_alpha, vote_entropy
>>> crowd = Crowd.from_wide([["cat", "cat", "cat"], ["dog", "dog", "cat"], ["dog", "dog", None]])
>>> vote_entropy(crowd).round(2)
array([0.  , 0.64, 0.  ])
>>> round(krippendorff_alpha(crowd).value, 2)
0.56
"""

from crowdcore.identify.abilities import GladScores, glad_scores
from crowdcore.identify.areas import AreaUnderMargin, WeightedAreaUnderMargin, aum, waum
from crowdcore.identify.copies import CopiedAnswers, copied_answers
from crowdcore.identify.credible import CredibleConfusions, credible_confusions
from crowdcore.identify.expertise import spam_score, trace_confusion
from crowdcore.identify.honeypots import HoneypotScores, honeypot_scores
from crowdcore.identify.margins import too_hard
from crowdcore.identify.pairs import AnnotatorAgreement, AnnotatorPairs, annotator_agreement, annotator_pairs
from crowdcore.identify.registry import METHODS, Identification, find_method
from crowdcore.identify.reliability import Reliability, fleiss_kappa, krippendorff_alpha
from crowdcore.identify.votes import feedback_effort, gini, vote_entropy, workload

__all__ = [
    "METHODS",
    "AnnotatorAgreement",
    "AnnotatorPairs",
    "AreaUnderMargin",
    "CopiedAnswers",
    "CredibleConfusions",
    "GladScores",
    "HoneypotScores",
    "Identification",
    "Reliability",
    "WeightedAreaUnderMargin",
    "annotator_agreement",
    "annotator_pairs",
    "aum",
    "copied_answers",
    "credible_confusions",
    "feedback_effort",
    "find_method",
    "fleiss_kappa",
    "gini",
    "glad_scores",
    "honeypot_scores",
    "krippendorff_alpha",
    "spam_score",
    "too_hard",
    "trace_confusion",
    "vote_entropy",
    "waum",
    "workload",
]
