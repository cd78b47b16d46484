"""Every kind of answer that is not one class: sets, ordered classes, numbers, regions, texts, rankings.

The answers of a task are cut into units, questions that annotators answered with a code. Units are believed, and folded
into the task's consensus and quality.
"""

from crowdcore.kinds.label_set import SetResult, label_sets
from crowdcore.kinds.number import NumberResult, numbers
from crowdcore.kinds.order import OrderedResult, ordered
from crowdcore.kinds.ranking import RankingResult, ranking_distance, rankings
from crowdcore.kinds.regions import (
    Box,
    Ellipse,
    KeyPoint,
    Mask,
    Place,
    Polygon,
    Ranges,
    Region,
    RegionResult,
    Span,
    TextFeatures,
    region_distance,
    regions,
)
from crowdcore.kinds.result import AnnotatorFigures, KindResult
from crowdcore.kinds.table import AnswerTable
from crowdcore.kinds.text import TextResult, text_distance, texts

__all__ = [
    "AnnotatorFigures",
    "AnswerTable",
    "Box",
    "Ellipse",
    "KeyPoint",
    "KindResult",
    "Mask",
    "NumberResult",
    "OrderedResult",
    "Place",
    "Polygon",
    "Ranges",
    "RankingResult",
    "Region",
    "RegionResult",
    "SetResult",
    "Span",
    "TextFeatures",
    "TextResult",
    "label_sets",
    "numbers",
    "ordered",
    "ranking_distance",
    "rankings",
    "region_distance",
    "regions",
    "text_distance",
    "texts",
]
