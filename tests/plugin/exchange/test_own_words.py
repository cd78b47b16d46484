"""Annotations that repeat our consensus; how Label Studio makes them is in tests/studio."""

from types import SimpleNamespace

import orjson
import pytest

from label_studio_crowd.exchange.author import Author, known_author, look_for_author
from label_studio_crowd.exchange.own_words import repeats_of_ours
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.studio.controls import find_controls
from label_studio_crowd.studio.records import Prediction
from label_studio_crowd.studio.versions import CONSENSUS_VERSION
from tests.plugin.server.serving import opened

CONTROLS = find_controls(
    '<View><Text name="t" value="$t"/><Rating name="stars" toName="t"/>'
    '<Choices name="c" toName="t"><Choice value="a"/><Choice value="b"/></Choices></View>'
)


def said(label, stars):
    by_name = {control.name: control for control in CONTROLS}
    return by_name["c"].write(label) + by_name["stars"].write(stars)


@pytest.mark.parametrize(
    ("answer", "repeats"), [(said("a", "4"), {1}), (said("b", "4"), set()), (said("a", "3"), set())]
)
def test_an_answer_that_differs_in_any_control_is_the_annotator_s(tmp_path, answer, repeats):
    backend = opened(tmp_path)
    store = backend.project(1)
    store.published.put(Prediction(9, 5, CONSENSUS_VERSION, 0.9, said("a", "4")))
    project = SimpleNamespace(store=store, controls=CONTROLS, settings=backend.settings)
    given = Annotation(1, 5, 7, orjson.dumps(answer).decode(), False, False, "2026-01-01T00:00:00Z", 3.0, 9)
    assert repeats_of_ours(project, [given]) == repeats
    backend.close()


def test_what_the_consensus_s_own_user_says_is_never_an_answer(tmp_path):
    backend = opened(tmp_path)
    store = backend.project(1)
    project = SimpleNamespace(store=store, controls=CONTROLS, settings=backend.settings)
    text = orjson.dumps(said("a", "4")).decode()
    given = [Annotation(n, 5, who, text, False, False, "2026-01-01T00:00:00Z", 3.0) for n, who in ((1, 7), (2, 8))]
    assert repeats_of_ours(project, given) == set()
    store.facts.write(Author(8, [7, 8]))
    assert repeats_of_ours(project, given) == {2}
    backend.close()


def test_label_studio_is_asked_for_the_user_only_where_somebody_is_new(tmp_path):
    asked = []

    class LabelStudio:
        def user_with(self, email):
            asked.append(email)
            return 9 if len(asked) > 1 else None

    backend = opened(tmp_path)
    project = SimpleNamespace(store=backend.project(1), studio=LabelStudio())
    for annotators, times, found in (([7, 0], 1, None), ([7], 1, None), ([9], 2, 9), ([7, 9, 10], 2, 9)):
        look_for_author(project, annotators)
        assert (len(asked), known_author(project.store.facts)) == (times, found)
    backend.close()
