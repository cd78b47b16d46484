"""Every kind of answer that is not one class: sets, ordered classes, numbers, regions, texts, rankings.

The answers of a task are cut into units, questions that annotators answered with a code. Units are believed, and folded
into the task's consensus and quality.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crowdcore.kinds.label_set import SetResult, label_sets
    from crowdcore.kinds.number import NumberResult, numbers
    from crowdcore.kinds.order import OrderedResult, ordered
    from crowdcore.kinds.ranking import RankingResult, ranking_distance, rankings
    from crowdcore.kinds.region import (
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
else:
    _PLACES = {
        "AnnotatorFigures": "crowdcore.kinds.result",
        "AnswerTable": "crowdcore.kinds.table",
        "Box": "crowdcore.kinds.region",
        "Ellipse": "crowdcore.kinds.region",
        "KeyPoint": "crowdcore.kinds.region",
        "KindResult": "crowdcore.kinds.result",
        "Mask": "crowdcore.kinds.region",
        "NumberResult": "crowdcore.kinds.number",
        "OrderedResult": "crowdcore.kinds.order",
        "Place": "crowdcore.kinds.region",
        "Polygon": "crowdcore.kinds.region",
        "Ranges": "crowdcore.kinds.region",
        "RankingResult": "crowdcore.kinds.ranking",
        "Region": "crowdcore.kinds.region",
        "RegionResult": "crowdcore.kinds.region",
        "SetResult": "crowdcore.kinds.label_set",
        "Span": "crowdcore.kinds.region",
        "TextFeatures": "crowdcore.kinds.region",
        "TextResult": "crowdcore.kinds.text",
        "label_sets": "crowdcore.kinds.label_set",
        "numbers": "crowdcore.kinds.number",
        "ordered": "crowdcore.kinds.order",
        "ranking_distance": "crowdcore.kinds.ranking",
        "rankings": "crowdcore.kinds.ranking",
        "region_distance": "crowdcore.kinds.region",
        "regions": "crowdcore.kinds.region",
        "text_distance": "crowdcore.kinds.text",
        "texts": "crowdcore.kinds.text",
    }

    def __getattr__(name):
        """Import what is asked for: with all kinds of answers that would be half a second of scipy."""
        if name not in _PLACES:
            raise AttributeError(f"module 'crowdcore.kinds' has no attribute {name!r}")
        return getattr(import_module(_PLACES[name]), name)


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
