"""Regions: spans of texts and recordings, boxes, polygons, key points and masks of pictures, with labels or without."""

from importlib import import_module
from typing import TYPE_CHECKING

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
    _PLACES = {
        "Box": "crowdcore.kinds.region.places",
        "Describe": "crowdcore.kinds.region.features",
        "Ellipse": "crowdcore.kinds.region.places",
        "KeyFrame": "crowdcore.kinds.region.tracks",
        "KeyPoint": "crowdcore.kinds.region.places",
        "Mask": "crowdcore.kinds.region.places",
        "Members": "crowdcore.kinds.region.result",
        "Place": "crowdcore.kinds.region.places",
        "Polygon": "crowdcore.kinds.region.places",
        "Ranges": "crowdcore.kinds.region.places",
        "Region": "crowdcore.kinds.region.places",
        "RegionResult": "crowdcore.kinds.region.result",
        "RelatedUnits": "crowdcore.kinds.region.relations",
        "Relation": "crowdcore.kinds.region.relations",
        "Span": "crowdcore.kinds.region.places",
        "TextFeatures": "crowdcore.kinds.region.features",
        "Track": "crowdcore.kinds.region.tracks",
        "Units": "crowdcore.kinds.region.result",
        "RelationBelief": "crowdcore.kinds.region.relations",
        "answers_about_units": "crowdcore.kinds.region.about_units",
        "believe_relations": "crowdcore.kinds.region.relations",
        "region_distance": "crowdcore.kinds.region.distance",
        "regions": "crowdcore.kinds.region.consensus",
        "relate": "crowdcore.kinds.region.relations",
        "track_distance": "crowdcore.kinds.region.tracks",
    }

    def __getattr__(name):
        """Import what is asked for: places need no scipy, and their consensus does."""
        if name not in _PLACES:
            raise AttributeError(f"module 'crowdcore.kinds.region' has no attribute {name!r}")
        return getattr(import_module(_PLACES[name]), name)


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
