"""Payloads are captured from Label Studio 1.23.2, their project objects trimmed."""

import copy
import json
import re
from pathlib import Path

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from label_studio_crowd.studio.events import Event, MalformedEventError, read_event

PAYLOADS = {
    file.stem: json.loads(file.read_text()) for file in sorted((Path(__file__).parents[1] / "payloads").glob("*.json"))
}


def payload(name):
    return copy.deepcopy(PAYLOADS[name])


def answer(label):
    return [
        {"id": "r1", "from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [label]}},
    ]


ANNOTATION = {
    "id": 2,
    "task": 1,
    "completed_by": 1,
    "result": answer("a"),
    "updated_at": "2026-11-21T03:15:18.252097Z",
    "was_cancelled": False,
    "ground_truth": False,
    "lead_time": 3.5,
}
TASK = {
    "id": 1,
    "data": {"text": "t0"},
    "updated_at": "2026-11-21T03:15:18.270648Z",
    "overlap": 1,
    "is_labeled": True,
    "total_annotations": 1,
    "cancelled_annotations": 0,
}


# ---------------------------------------------------------------------- what Label Studio sends


def test_a_created_annotation_comes_with_its_task_and_project():
    body = payload("annotation_created")
    expected = Event("ANNOTATION_CREATED", "annotations", 1, (ANNOTATION,), (TASK,), (), body["project"])
    assert read_event(body) == expected


def test_a_skip_is_an_annotation_that_was_cancelled():
    (annotation,) = read_event(payload("annotation_created_skip")).annotations
    assert (annotation["was_cancelled"], annotation["result"], annotation["lead_time"]) == (True, [], None)


def test_a_changed_annotation_has_its_new_result():
    event = read_event(payload("annotation_updated"))
    assert (event.kind, event.annotations[0]["id"], event.annotations[0]["result"]) == ("annotations", 2, answer("b"))


def test_the_annotator_may_have_been_deleted():
    (annotation,) = read_event(payload("annotation_updated_deleted_user")).annotations
    assert (annotation["completed_by"], annotation["task"]) == (None, 9)


def test_annotations_in_bulk_are_a_list_under_a_singular_key():
    event = read_event(payload("annotations_created"))
    assert (event.kind, event.project) == ("annotations", 1)
    assert [(row["id"], row["task"], row["result"]) for row in event.annotations] == [(10, 12, [])]
    assert [(row["id"], row["is_labeled"], row["total_annotations"]) for row in event.tasks] == [(12, False, 0)]


def test_deleted_annotations_are_told_by_their_ids():
    event = read_event(payload("annotations_deleted"))
    assert (event.kind, event.project, event.ids) == ("annotations_deleted", 1, (5, 6, 7))
    assert (event.annotations, event.tasks) == ((), ())


def test_created_tasks_say_how_many_annotations_they_came_with():
    event = read_event(payload("tasks_created"))
    (task,) = event.tasks
    assert (event.kind, event.annotations) == ("tasks", ())
    assert (task["id"], task["data"], task["total_annotations"], task["is_labeled"]) == (
        13,
        {"text": "annotated"},
        1,
        True,
    )


def test_deleted_tasks_are_told_by_their_ids():
    event = read_event(payload("tasks_deleted"))
    assert (event.kind, event.project, event.ids, event.tasks) == ("tasks_deleted", 1, (10, 11), ())


@pytest.mark.parametrize(("name", "kind"), [("project_updated", "project"), ("start_training", "train")])
def test_an_event_of_the_project_has_its_settings(name, kind):
    event = read_event(payload(name))
    assert (event.kind, event.project, event.project_info) == (kind, 1, PAYLOADS[name]["project"])


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
        ("ANNOTATION_DELETED", "annotations_deleted"),
        ("ANNOTATIONS_DELETED", "annotations_deleted"),
        ("TASK_CREATED", "tasks"),
        ("TASKS_CREATED", "tasks"),
        ("TASK_UPDATED", "tasks"),
        ("TASKS_UPDATED", "tasks"),
        ("TASK_DELETED", "tasks_deleted"),
        ("TASKS_DELETED", "tasks_deleted"),
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


@pytest.mark.parametrize("key", ["annotation", "annotations"])
@pytest.mark.parametrize("many", [False, True])
def test_annotations_and_tasks_come_alone_or_in_a_list_under_either_key(key, many):
    body = payload("annotation_created")
    annotation, task = body.pop("annotation"), body.pop("task")
    body[key] = [annotation, {**annotation, "id": 3}] if many else annotation
    body[key.replace("annotation", "task")] = [task, {**task, "id": 3}] if many else task
    event = read_event(body)
    assert [row["id"] for row in event.annotations] == ([2, 3] if many else [2])
    assert [row["id"] for row in event.tasks] == ([1, 3] if many else [1])


def test_a_task_with_several_annotations_comes_once():
    body = payload("annotations_created")
    body["annotation"].append({**body["annotation"][0], "id": 11})
    body["task"].append({**body["task"][0], "overlap": 2})
    event = read_event(body)
    assert [row["id"] for row in event.annotations] == [10, 11]
    assert [(row["id"], row["overlap"]) for row in event.tasks] == [(12, 2)]


def test_of_an_annotation_that_comes_twice_the_last_counts():
    body = payload("annotation_created")
    body["annotation"] = [body["annotation"], {**body["annotation"], "result": answer("c")}]
    assert [row["result"] for row in read_event(body).annotations] == [answer("c")]


@pytest.mark.parametrize(("action", "key"), [("ANNOTATIONS_DELETED", "annotation"), ("TASKS_DELETED", "task")])
@pytest.mark.parametrize("suffix", ["", "s"])
@pytest.mark.parametrize(("given_ids", "ids"), [({"id": 4}, (4,)), ([{"id": 4}, 5], (4, 5)), ([], ()), (6, (6,))])
def test_ids_come_alone_or_in_a_list_under_either_key(action, key, suffix, given_ids, ids):
    assert read_event({"action": action, "project": 1, key + suffix: given_ids}).ids == ids


def test_a_project_may_be_its_id():
    event = read_event({"action": "START_TRAINING", "project": 2**63 - 1})
    assert (event.project, event.project_info) == (2**63 - 1, None)


def test_a_deleted_project_is_its_id():
    assert read_event({"action": "PROJECT_DELETED", "project": {"id": 7}}).project == 7


@pytest.mark.parametrize("unread", [{"project": "x"}, {"annotation": 3}, {"tasks": None}])
def test_an_unknown_action_is_never_malformed(unread):
    assert read_event({"action": "SOMETHING_NEW", **unread}) == Event("SOMETHING_NEW", "unknown")


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("completed_by", {"id": 8, "email": "ann@example.com"}, 8),
        ("completed_by", 2**63 - 1, 2**63 - 1),
        ("completed_by", None, None),
        ("task", {"id": 5}, 5),
        ("result", None, []),
        ("result", [{"value": {"choices": ["nul \x00"]}}], [{"value": {"choices": ["nul \x00"]}}]),
        ("updated_at", "2026-11-21T03:15:18Z", "2026-11-21T03:15:18Z"),
        ("lead_time", 3, 3.0),
        ("ground_truth", True, True),
    ],
)
def test_a_field_of_an_annotation_is_read(name, value, read):
    body = payload("annotation_created")
    body["annotation"][name] = value
    (annotation,) = read_event(body).annotations
    assert annotation[name] == read
    assert type(annotation[name]) is type(read)


def test_unknown_fields_are_ignored():
    body = payload("annotation_created")
    expected = read_event(payload("annotation_created"))
    body["annotation"]["state"] = body["task"]["state"] = body["webhook"] = "new"
    assert read_event(body) == expected


# ---------------------------------------------------------------------- what it does not send

IDS = [None, True, False, 0, -1, 2**63, 1.0, "1", [], [1], {}, {"id": None}, {"id": True}, {"id": {"id": 1}}]
NO_OBJECTS = [None, True, 1, 1.5, "x"]
TIMES = [
    None,
    0,
    "",
    "x",
    "2026-11-21",
    "2026-11-21T03:15:18.252107",
    "2026-11-21T03:15:18.252107+00:00",
    "2026-11-21T03:15:18.25Z",
    "2026-13-21T03:15:18.252107Z",
    "2026-11-21T25:15:18.252107Z",
    "0000-11-21T03:15:18.252107Z",
    "2026-11-21T03:15:18.252107Z\n",
    "2026-11-21T03:15:18.252107ZZ",
    "2026-11-21 03:15:18.252107Z",
    "٢٠٢٦-11-21T03:15:18.252107Z",
]


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


UNSTORABLE = [{"value": "\ud800"}, {"\udfff": 1}, {"value": 2**64}, {"value": nested(300)}]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("id", IDS),
        ("task", IDS),
        ("completed_by", IDS[1:]),
        ("result", ["", "x", 1, True, {}, {"id": 1}]),
        ("updated_at", TIMES),
        ("was_cancelled", [None, 0, 1, "false", []]),
        ("ground_truth", [None, 0, 1, "false", []]),
        ("lead_time", [True, "1", [], {}, float("nan"), float("inf"), 10**400]),
    ],
)
def test_a_malformed_annotation_names_its_field(name, values):
    for value in values:
        body = payload("annotation_created")
        body["annotation"] = [body["annotation"], {**body["annotation"], name: value}]
        with pytest.raises(MalformedEventError) as error:
            read_event(body)
        assert re.fullmatch(rf"annotation\[1\]\.{name}(\.id)?", error.value.field), value
    body = payload("annotation_created")
    del body["annotation"][name]
    with pytest.raises(MalformedEventError, match=rf"annotation\.{name} is missing; allowed is "):
        read_event(body)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("id", IDS),
        ("data", [None, 1, "x", [], *UNSTORABLE]),
        ("updated_at", TIMES),
        ("overlap", [None, True, -1, 2**31, 1.0, "1"]),
        ("is_labeled", [None, 0, 1, "true"]),
        ("total_annotations", [None, True, -1, 2**31, "1"]),
        ("cancelled_annotations", [None, True, -1, 2**31, "1"]),
    ],
)
@pytest.mark.parametrize(("source", "path"), [("annotation_created", "task"), ("tasks_created", "tasks[0]")])
def test_a_malformed_task_names_its_field(source, path, name, values):
    for value in [*values, "dropped"]:
        body = payload(source)
        task = body["task"] if path == "task" else body["tasks"][0]
        task[name] = value
        if value == "dropped":
            del task[name]
        with pytest.raises(MalformedEventError) as error:
            read_event(body)
        assert re.fullmatch(rf"{re.escape(path)}\.{name}(\.id)?", error.value.field), value


@pytest.mark.parametrize("item", [*NO_OBJECTS, [], *UNSTORABLE])
def test_a_result_that_cannot_be_stored_names_its_item(item):
    body = payload("annotation_created")
    body["annotation"]["result"].append(item)
    with pytest.raises(MalformedEventError) as error:
        read_event(body)
    assert error.value.field == "annotation.result[1]"
    assert "an object without lone surrogates" in str(error.value)


def test_every_result_that_is_read_can_be_stored():
    for depth in range(240, 260):
        body = payload("annotation_created")
        body["annotation"]["result"] = [{"value": nested(depth)}]
        try:
            (annotation,) = read_event(body).annotations
        except MalformedEventError:
            continue
        orjson.dumps(annotation["result"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        *((value, "body") for value in [*NO_OBJECTS, []]),
        ({}, "action"),
        *(({"action": value}, "action") for value in ["", None, 1, ["START_TRAINING"], {}]),
        *(({"action": "ANNOTATION_CREATED", "annotation": value}, "annotation") for value in NO_OBJECTS),
        ({"action": "ANNOTATIONS_CREATED", "annotation": [3]}, "annotation[0]"),
        ({"action": "ANNOTATIONS_CREATED", "annotations": [[]]}, "annotations[0]"),
        *(({"action": "TASKS_CREATED", "tasks": value}, "tasks") for value in NO_OBJECTS),
        *(({"action": "TASKS_CREATED", "tasks": [value]}, "tasks[0]") for value in NO_OBJECTS),
        *(({"action": "PROJECT_UPDATED", "project": value}, "project") for value in IDS[:10]),
        *(({"action": "ANNOTATIONS_CREATED", "project": value}, "project.id") for value in IDS[10:-1]),
        *(({"action": "TASKS_DELETED", "tasks": [{"id": 1}, value]}, "tasks[1]") for value in IDS[:10]),
        *(({"action": "ANNOTATIONS_DELETED", "annotations": [value]}, "annotations[0].id") for value in IDS[10:-1]),
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
KEYS = st.sampled_from(["annotation", "annotations", "task", "tasks", "project"])


def refused_field(body):
    """Return the field for which a body is refused, or None, having checked what may be relied on in its event."""
    try:
        event = read_event(body)
    except MalformedEventError as error:
        return error.field
    assert event.project is None or 0 < event.project < 2**63
    assert all(0 < number < 2**63 for number in event.ids)
    for row in event.annotations:
        assert set(row) == set(ANNOTATION)
        assert all(type(row[name]) is int and 0 < row[name] < 2**63 for name in ("id", "task"))
        assert row["completed_by"] is None or type(row["completed_by"]) is int
    for row in event.tasks:
        assert set(row) == set(TASK)
    orjson.dumps([event.annotations, event.tasks, event.ids])
    return None


@given(JSON | st.fixed_dictionaries({"action": ACTIONS}, optional=dict.fromkeys(("annotation", "project"), JSON)))
def test_no_json_raises_another_error(body):
    assert refused_field(body) != ""


@given(ACTIONS, st.dictionaries(KEYS, JSON | st.lists(st.fixed_dictionaries({"id": JSON}))))
def test_no_object_under_the_known_keys_raises_another_error(action, rest):
    field = refused_field({"action": action, **rest})
    assert field is None or re.match(r"(annotation|task|project)s?\b", field)


def places(value, path=()):
    """Yield the path of everything in a JSON value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


def dotted(path):
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


@given(st.data())
def test_a_payload_with_one_change_is_read_or_names_the_change(data):
    name = data.draw(st.sampled_from(sorted(PAYLOADS)))
    body = payload(name)
    path = data.draw(st.sampled_from(list(places(body))))
    *parents, last = path
    inside = body
    for key in parents:
        inside = inside[key]
    if data.draw(st.booleans()):
        del inside[last]
    else:
        replacement = data.draw(JSON)
        assume(replacement != inside[last])
        inside[last] = replacement
    field, changed = refused_field(body), dotted(path)
    assert field is None or field.startswith(changed) or changed.startswith(field)
