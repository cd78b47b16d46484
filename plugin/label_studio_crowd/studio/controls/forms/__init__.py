"""The forms that answers take: how each is read out of the results of a control, written, shown and kept.

A form belongs to a kind of `crowdcore.kinds`, which finds the consensus.
"""

from collections.abc import Mapping
from typing import Final

from label_studio_crowd.studio.controls.forms.classes import ClassForm, OrderedForm, SetForm, SeveralLabelsError
from label_studio_crowd.studio.controls.forms.form import Form
from label_studio_crowd.studio.controls.forms.numbers import MomentForm, NumberForm
from label_studio_crowd.studio.controls.forms.places import as_place, put
from label_studio_crowd.studio.controls.forms.rankings import RankingForm
from label_studio_crowd.studio.controls.forms.regions import RegionForm, composed, label_field, regions_of
from label_studio_crowd.studio.controls.forms.texts import TextForm

__all__ = [
    "FORMS",
    "SETS",
    "ClassForm",
    "Form",
    "SeveralLabelsError",
    "as_place",
    "composed",
    "label_field",
    "put",
    "regions_of",
]

SETS: Final = SetForm()

FORMS: Final[Mapping[str, Form]] = {
    "choice": ClassForm(),
    "ordered": OrderedForm(),
    "set": SETS,
    "number": NumberForm(),
    "moment": MomentForm(),
    "text": TextForm(),
    "ranking": RankingForm(),
    "regions": RegionForm(),
}
"""The forms, by the names that tags give."""
