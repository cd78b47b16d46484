"""Every kind of answer that is not one class: sets, ordered classes, numbers, regions, texts, rankings.

The answers of a task are cut into units, questions that annotators answered with a code. Units are believed, and folded
into the task's consensus and quality.
"""

from typing import TYPE_CHECKING

from crowdcore.registry import found_when_asked

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
    __getattr__ = found_when_asked(
        __name__,
        {
            "label_set": ("SetResult", "label_sets"),
            "number": ("NumberResult", "numbers"),
            "order": ("OrderedResult", "ordered"),
            "ranking": ("RankingResult", "ranking_distance", "rankings"),
            "region": (
                "Box",
                "Ellipse",
                "KeyPoint",
                "Mask",
                "Place",
                "Polygon",
                "Ranges",
                "Region",
                "RegionResult",
                "Span",
                "TextFeatures",
                "region_distance",
                "regions",
            ),
            "result": ("AnnotatorFigures", "KindResult"),
            "table": ("AnswerTable",),
            "text": ("TextResult", "text_distance", "texts"),
        },
    )


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
