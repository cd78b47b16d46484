"""Regions: spans of texts and recordings, boxes, polygons, key points and masks of pictures, with labels or without."""

from typing import TYPE_CHECKING

from crowdcore.registry import found_when_asked

if TYPE_CHECKING:
    from crowdcore.kinds.region.about_units import answers_about_units
    from crowdcore.kinds.region.consensus import regions
    from crowdcore.kinds.region.distance import region_distance
    from crowdcore.kinds.region.features import Describe, TextFeatures
    from crowdcore.kinds.region.places import Box, Ellipse, KeyPoint, Mask, Place, Polygon, Ranges, Region, Span
    from crowdcore.kinds.region.relations import RelatedUnits, Relation, RelationBelief, believe_relations, relate
    from crowdcore.kinds.region.result import Members, RegionResult, Units
    from crowdcore.kinds.region.tracks import KeyFrame, Track, track_distance
else:
    __getattr__ = found_when_asked(
        __name__,
        {
            "about_units": ("answers_about_units",),
            "consensus": ("regions",),
            "distance": ("region_distance",),
            "features": ("Describe", "TextFeatures"),
            "places": ("Box", "Ellipse", "KeyPoint", "Mask", "Place", "Polygon", "Ranges", "Region", "Span"),
            "relations": ("RelatedUnits", "Relation", "RelationBelief", "believe_relations", "relate"),
            "result": ("Members", "RegionResult", "Units"),
            "tracks": ("KeyFrame", "Track", "track_distance"),
        },
    )


__all__ = [
    "Box",
    "Describe",
    "Ellipse",
    "KeyFrame",
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
    "RelationBelief",
    "Span",
    "TextFeatures",
    "Track",
    "Units",
    "answers_about_units",
    "believe_relations",
    "region_distance",
    "regions",
    "relate",
    "track_distance",
]
