"""Argilla's records: of version 2 (`records.to_json`), of version 1's feedback datasets, and as a table of lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

_RESPONSES: Final = ".responses"
_COUNTS: Final = ("submitted", None)
"""The states of a response that is an answer; drafts and discarded ones are none."""


class _Response(NamedTuple):
    question: str
    user: Any
    value: Any


def rows_of(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
    """Return a row for each answer: task, annotator, label; of several questions a column QUESTION.response for each.

    The spans of a span question are a row each. A ranking is a list, the best first. A record without responses is a
    task without answers: a row of the task alone, if other records have answers.
    """
    read = next((read for fits, read in _SHAPES if _all_fit(fits, found)), None)
    if read is None:
        return None
    answers = [(_task(record, place), list(read(record))) for place, record in enumerate(found)]
    questions = list(dict.fromkeys(response.question for _, responses in answers for response in responses))
    if not questions:
        return []
    if len(questions) == 1:
        return [row for task, responses in answers for row in _rows_of_task(task, responses)]
    rows: dict[tuple[Any, Any], dict[str, Any]] = {}
    for task, responses in answers:
        if not responses:
            rows[task, None] = {"task": task}
        for one in responses:
            row = rows.setdefault((task, one.user), {"task": task, "annotator": one.user})
            row[f"{one.question}.response"] = _plain(one.value)
    return list(rows.values())


def _all_fit(fits: Callable[[Mapping[str, Any]], bool], found: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether all records are of a shape, but for those without responses, and at least one is."""
    there = [fits(record) for record in found]
    return any(there) and all(it or _is_silent(record) for it, record in zip(there, found, strict=True))


def _is_silent(record: Mapping[str, Any]) -> bool:
    """Return whether a record has no responses, in any shape."""
    flat = (value for name, value in record.items() if name.endswith(_RESPONSES))
    return not record.get("responses") and all(value is None for value in flat)


def _rows_of_task(task: Any, responses: Sequence[_Response]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a task's answers to the only question; of a task without any one of its own."""
    if not responses:
        yield {"task": task, "annotator": None, "label": None}
    for one in responses:
        yield from _rows(task, one)


def _rows(task: Any, one: _Response) -> Iterator[dict[str, Any]]:
    """Yield the row of an answer to the only question; of spans one for each."""
    who = {"task": task, "annotator": one.user}
    if isinstance(one.value, list) and any(_is_span(value) for value in one.value):
        for span in one.value:
            yield {**who, "start": span["start"], "end": span["end"], "label": span.get("label")}
    else:
        yield {**who, "label": _plain(one.value)}


def _plain(value: Any) -> Any:
    """Return a value as it is; of a ranking the items, the best first."""
    if isinstance(value, list) and value and all(isinstance(one, Mapping) and "rank" in one for one in value):
        return [one["value"] for one in sorted(value, key=lambda one: one["rank"])]
    return value


def _is_span(value: Any) -> bool:
    return isinstance(value, Mapping) and {"start", "end"} <= value.keys()


def _task(record: Mapping[str, Any], place: int) -> Any:
    named = (record.get(name) for name in ("id", "external_id", "_server_id"))
    return next((name for name in named if name is not None), place)


def _is_second(record: Mapping[str, Any]) -> bool:
    return isinstance(record.get("fields"), Mapping) and isinstance(record.get("responses"), Mapping)


def _of_second(record: Mapping[str, Any]) -> Iterator[_Response]:
    for question, responses in (record.get("responses") or {}).items():
        for one in responses:
            if one.get("status") in _COUNTS:
                yield _Response(question, one["user_id"], one["value"])


def _is_first(record: Mapping[str, Any]) -> bool:
    responses = record.get("responses")
    return isinstance(record.get("fields"), Mapping) and isinstance(responses, list)


def _of_first(record: Mapping[str, Any]) -> Iterator[_Response]:
    for response in record.get("responses") or ():
        if response.get("status") in _COUNTS:
            for question, one in (response.get("values") or {}).items():
                yield _Response(question, response.get("user_id"), one["value"])


def _is_flat(record: Mapping[str, Any]) -> bool:
    return any(name.endswith(_RESPONSES) and f"{name}.users" in record for name in record)


def _of_flat(record: Mapping[str, Any]) -> Iterator[_Response]:
    for name, values in record.items():
        if not name.endswith(_RESPONSES) or f"{name}.users" not in record or values is None:
            continue
        users = record[f"{name}.users"]
        states = record.get(f"{name}.status")
        for user, value, state in zip(users, values, [None] * len(users) if states is None else states, strict=True):
            if state in _COUNTS:
                yield _Response(name.removesuffix(_RESPONSES), user, value)


_SHAPES: Final = ((_is_second, _of_second), (_is_first, _of_first), (_is_flat, _of_flat))
