"""The forms that answers take: how each is read out of the results of a control, written, shown and kept.

A form belongs to a kind of `crowdcore.kinds`, which finds the consensus.
"""

from collections.abc import Mapping
from typing import Final

from label_studio_crowd.studio.controls.forms.classes import ClassForm, OrderedForm, SetForm, SeveralLabelsError
from label_studio_crowd.studio.controls.forms.form import Form
from label_studio_crowd.studio.controls.forms.numbers import MomentForm, NumberForm
from label_studio_crowd.studio.controls.forms.per_region import (
    PER_REGION,
    PerRegionForm,
    SaidOfRegions,
    about_region,
    described,
    inner_control,
    said_of_regions,
)
from label_studio_crowd.studio.controls.forms.places import PARAGRAPH, as_place, put
from label_studio_crowd.studio.controls.forms.rankings import RankingForm
from label_studio_crowd.studio.controls.forms.regions import (
    RegionForm,
    at_the_place_of,
    composed,
    label_field,
    name_of,
    place_name,
    regions_of,
)
from label_studio_crowd.studio.controls.forms.relations import RELATION, Arrow, RelationForm, in_words, related
from label_studio_crowd.studio.controls.forms.texts import TextForm
from label_studio_crowd.studio.controls.tags import RELATIONS

__all__ = [
    "FORMS",
    "PARAGRAPH",
    "PER_REGION",
    "RELATION",
    "SETS",
    "Arrow",
    "ClassForm",
    "Form",
    "PerRegionForm",
    "SaidOfRegions",
    "SeveralLabelsError",
    "about_region",
    "as_place",
    "at_the_place_of",
    "composed",
    "described",
    "in_words",
    "inner_control",
    "label_field",
    "name_of",
    "place_name",
    "put",
    "regions_of",
    "related",
    "said_of_regions",
]

SETS: Final = SetForm()

_OF_TASKS: Final[Mapping[str, Form]] = {
    "choice": ClassForm(),
    "ordered": OrderedForm(),
    "set": SETS,
    "number": NumberForm(),
    "moment": MomentForm(),
    "text": TextForm(),
    "ranking": RankingForm(),
    "regions": RegionForm(),
    RELATIONS: RelationForm(),
}

_OF_REGIONS: Final = ("choice", "ordered", "set", "number", "moment", "text")
"""The forms that answers about single regions may have."""

FORMS: Final[Mapping[str, Form]] = {
    **_OF_TASKS,
    **{name + PER_REGION: PerRegionForm(_OF_TASKS[name]) for name in _OF_REGIONS},
}
"""The forms, by the names that tags give; of answers about single regions with `PER_REGION` after them."""
