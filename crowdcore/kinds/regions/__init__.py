"""Regions: spans of texts and recordings, boxes, polygons, key points and masks of pictures, with labels or without."""

from crowdcore.kinds.regions.consensus import regions
from crowdcore.kinds.regions.distance import region_distance
from crowdcore.kinds.regions.features import Describe, TextFeatures
from crowdcore.kinds.regions.places import Box, Ellipse, KeyPoint, Mask, Place, Polygon, Ranges, Region, Span
from crowdcore.kinds.regions.relations import RelatedUnits, Relation, answers_about_units, relate
from crowdcore.kinds.regions.result import Members, RegionResult, Units

__all__ = [
    "Box",
    "Describe",
    "Ellipse",
    "KeyPoint",
    "Mask",
    "Members",
    "Place",
    "Polygon",
    "Ranges",
    "Region",
    "RegionResult",
    "RelatedUnits",
    "Relation",
    "Span",
    "TextFeatures",
    "Units",
    "answers_about_units",
    "region_distance",
    "regions",
    "relate",
]
