"""Every kind of answer that is not one class: sets, ordered classes, numbers, regions, texts, rankings.

The answers of a task are cut into units, questions that annotators answered with a code. Units are believed, and folded
into the task's consensus and quality.
"""

from crowdcore.kinds.label_set import SetResult, label_sets
from crowdcore.kinds.number import NumberResult, numbers
from crowdcore.kinds.ordered import OrderedResult, ordered
from crowdcore.kinds.ranking import RankingResult, ranking_distance, rankings
from crowdcore.kinds.result import AnnotatorFigures, KindResult
from crowdcore.kinds.table import AnswerTable
from crowdcore.kinds.text import TextResult, text_distance, texts

__all__ = [
    "AnnotatorFigures",
    "AnswerTable",
    "KindResult",
    "NumberResult",
    "OrderedResult",
    "RankingResult",
    "SetResult",
    "TextResult",
    "label_sets",
    "numbers",
    "ordered",
    "ranking_distance",
    "rankings",
    "text_distance",
    "texts",
]
