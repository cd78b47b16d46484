"""A record is read strictly: it comes from a tab that everybody can edit."""

import pytest

from label_studio_crowd.connection.record import Record
from label_studio_crowd.errors import UserError

SETTINGS = {
    "sampling": "Uniform sampling",
    "maximum_annotations": 3,
    "show_overlap_first": True,
    "model_version": "theirs",
}
KEPT = {"settings": SETTINGS, "overlaps": {"11": 5}, "options": {"min_labels": 2}, "backends": ["http://crowd"]}


def test_what_is_kept_is_read_again():
    record = Record(SETTINGS, {"11": 5}, {"min_labels": 2}, ("http://crowd",), default_view=4, tab_made=True)
    assert Record.from_json(record.as_json()) == record


def test_other_settings_are_not_read():
    forged = {**KEPT, "settings": {**SETTINGS, "label_config": "<View/>", "is_published": True}}
    assert Record.from_json(forged).settings == SETTINGS


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"settings": []}, "settings: Input should be"),
        ({"settings": {}}, "settings.sampling: Field required"),
        ({"settings": {**SETTINGS, "sampling": "<script>"}}, "settings.sampling: Input should be 'Sequential"),
        ({"settings": {**SETTINGS, "maximum_annotations": "3"}}, "settings.maximum_annotations"),
        ({"settings": {**SETTINGS, "maximum_annotations": 0}}, "settings.maximum_annotations"),
        ({"settings": {**SETTINGS, "maximum_annotations": 10**30}}, "settings.maximum_annotations"),
        ({"settings": {**SETTINGS, "show_overlap_first": 1}}, "settings.show_overlap_first"),
        ({"settings": {**SETTINGS, "model_version": ["x"]}}, "settings.model_version"),
        ({"overlaps": [5]}, "overlaps"),
        ({"overlaps": {"11": "many"}}, "overlaps.11"),
        ({"overlaps": {"11": -1}}, "overlaps.11"),
        ({"overlaps": {"eleven": 1}}, "overlaps.eleven"),
        ({"options": [1]}, "options"),
        ({"backends": 7}, "backends"),
        ({"backends": [7]}, "backends.0"),
        ({"default_view": "4"}, "default_view"),
    ],
)
def test_another_shape_is_named(change, words):
    with pytest.raises(UserError, match=words):
        Record.from_json({**KEPT, **change})


@pytest.mark.parametrize("kept", [None, [1], "text", 7])
def test_what_is_no_object_is_no_record(kept):
    with pytest.raises(UserError, match="it: Input should be"):
        Record.from_json(kept)
