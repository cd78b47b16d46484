"""Why nothing is learned of a control's answers, in words that are true of it."""

from types import SimpleNamespace

import pytest

from label_studio_crowd.scoring.lessons import lesson_of
from label_studio_crowd.studio.controls import find_controls

CONFIG = """<View><Text name="t" value="$t"/>
  <Labels name="spans" toName="t"><Label value="a"/><Label value="b"/></Labels>
  <Choices name="mood" toName="t" perRegion="true"><Choice value="x"/><Choice value="y"/></Choices>
  <Number name="size" toName="t" perRegion="true"/>
  <Relations><Relation value="is"/></Relations>
  <TextArea name="summary" toName="t"/>
  <List name="items" value="$items"/><Ranker name="order" toName="items"/></View>"""


def why(name, spec):
    (control,) = [each for each in find_controls(CONFIG, (), ()) if each.name == name]
    return lesson_of(control).choose(spec, None, SimpleNamespace(control=control)).why


@pytest.mark.parametrize("spec", ["auto", "text:t", "predictions:v"])
def test_a_control_of_single_regions_is_not_told_that_its_kind_is_wrong(spec):
    for name in ("mood", "size"):
        assert (
            why(name, spec) == f"none: answers to {name!r} are of single regions, and a classifier predicts whole tasks"
        )
    assert "of pairs of regions" in why("relations", spec)


def test_what_the_answers_are_is_said():
    for name, words in (("summary", "texts"), ("order", "rankings"), ("spans", "regions")):
        assert (
            why(name, "auto") == f"none: answers to {name!r} are {words}; a classifier learns classes, sets and numbers"
        )


def test_who_wants_none_gets_none():
    assert (
        why("mood", "none") == why("spans", "none") == "none: as requested; labels are judged by the annotators alone"
    )
