"""Payloads are captured from Label Studio 1.23.2, their project objects trimmed."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from label_studio_crowd.studio.events import Event, MalformedEventError, read_event

PAYLOADS = {
    file.stem: json.loads(file.read_text()) for file in sorted((Path(__file__).parents[1] / "payloads").glob("*.json"))
}


def payload(name):
    return copy.deepcopy(PAYLOADS[name])


# ---------------------------------------------------------------------- what Label Studio sends


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("annotation_created", "annotations"),
        ("annotations_deleted", "annotations"),
        ("tasks_created", "tasks"),
        ("tasks_deleted", "tasks"),
        ("project_updated", "project"),
        ("start_training", "train"),
    ],
)
def test_an_event_has_its_kind_and_its_project(name, kind):
    event = read_event(payload(name))
    assert (event.kind, event.project, event.project_info) == (kind, 1, PAYLOADS[name]["project"])


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_of_what_happened_nothing_is_believed(name):
    body = payload(name)
    for key in ("annotation", "annotations", "task", "tasks"):
        if key in body:
            body[key] = {"id": -1, "updated_at": "2999-01-01T00:00:00.000000Z", "result": "forged"}
    assert read_event(body) == read_event(payload(name))


def test_without_a_payload_an_event_names_nothing():
    assert read_event(payload("no_payload")) == Event("ANNOTATION_CREATED", "annotations")


def test_the_projects_token_is_not_shown():
    assert "an-invented-token" not in repr(read_event(payload("annotation_created")))


# ---------------------------------------------------------------------- other shapes


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("ANNOTATION_CREATED", "annotations"),
        ("ANNOTATIONS_CREATED", "annotations"),
        ("ANNOTATION_UPDATED", "annotations"),
        ("ANNOTATIONS_UPDATED", "annotations"),
        ("ANNOTATION_DELETED", "annotations"),
        ("ANNOTATIONS_DELETED", "annotations"),
        ("TASK_CREATED", "tasks"),
        ("TASKS_CREATED", "tasks"),
        ("TASK_UPDATED", "tasks"),
        ("TASKS_UPDATED", "tasks"),
        ("TASK_DELETED", "tasks"),
        ("TASKS_DELETED", "tasks"),
        ("PROJECT_CREATED", "project"),
        ("PROJECT_UPDATED", "project"),
        ("PROJECT_DELETED", "project_deleted"),
        ("START_TRAINING", "train"),
        ("LABEL_LINK_CREATED", "unknown"),
        ("annotation_created", "unknown"),
        ("REVIEW_CREATED", "unknown"),
    ],
)
def test_every_action_has_a_kind(action, kind):
    event = read_event({"action": action})
    assert (event.action, event.kind, event.project) == (action, kind, None)


def test_a_project_may_be_its_id():
    event = read_event({"action": "START_TRAINING", "project": 2**63 - 1})
    assert (event.project, event.project_info) == (2**63 - 1, None)


def test_a_deleted_project_is_its_id():
    assert read_event({"action": "PROJECT_DELETED", "project": {"id": 7}}).project == 7


@pytest.mark.parametrize("unread", [{"project": "x"}, {"annotation": 3}, {"tasks": None}])
def test_an_unknown_action_is_never_malformed(unread):
    assert read_event({"action": "SOMETHING_NEW", **unread}) == Event("SOMETHING_NEW", "unknown")


# ---------------------------------------------------------------------- what it does not send

IDS = [None, True, False, 0, -1, 2**63, 1.0, "1", [], [1], {}, {"id": None}, {"id": True}, {"id": {"id": 1}}]
NO_OBJECTS = [None, True, 1, 1.5, "x"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        *((value, "body") for value in [*NO_OBJECTS, []]),
        ({}, "action"),
        *(({"action": value}, "action") for value in ["", None, 1, ["START_TRAINING"], {}]),
        *(({"action": "PROJECT_UPDATED", "project": value}, "project") for value in IDS[:10]),
        *(({"action": "ANNOTATIONS_CREATED", "project": value}, "project.id") for value in IDS[10:]),
    ],
)
def test_a_malformed_body_names_its_field(body, field):
    with pytest.raises(MalformedEventError) as error:
        read_event(body)
    assert error.value.field == field
    assert str(error.value).startswith(f"Malformed event: {field} is ")


def test_the_message_says_what_was_found_and_is_safe_to_print():
    body = {"action": "START_TRAINING", "project": "\ud800\n" + "x" * 1000}
    with pytest.raises(MalformedEventError) as error:
        read_event(body)
    message = str(error.value)
    assert r"'\ud800\nxxx" in message
    assert "a positive integer" in message
    assert message.isprintable()
    assert len(message) < 200
    with pytest.raises(MalformedEventError, match="project is an integer above 64 bits"):
        read_event({"action": "START_TRAINING", "project": 10**5000})


# ---------------------------------------------------------------------- whatever comes

TEXT = st.text(st.characters(), max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
ACTIONS = st.sampled_from([body["action"] for body in PAYLOADS.values()])


@given(JSON | st.fixed_dictionaries({"action": ACTIONS}, optional=dict.fromkeys(("annotation", "project"), JSON)))
def test_whatever_comes_is_read_or_refused_by_name(body):
    try:
        event = read_event(body)
    except MalformedEventError as error:
        field = error.field
    else:
        field = "body"
        assert event.project is None or 0 < event.project < 2**63
    assert field.partition(".")[0] in ("body", "action", "project")
