"""Answers about the messages of a chat, which are regions that nobody marks: the same message is the same region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.kinds import KindBelief
from label_studio_crowd.scoring.regional.per_region import Region, believe_regions, by_region
from label_studio_crowd.studio.controls import described

_FIELD = "chatmessage"


def believe_messages(answers: Answers) -> tuple[Answers, KindBelief]:
    """Return the answers, with the consensus among their values, and what is believed of them.

    A message that only some annotators saw, because they wrote it, counts as far as most of the task's annotators
    answered about it. Answers are written back only where the message has one id in all results, and not one in each.
    """
    items = [{str(item["id"]): item for item in value.items} for value in answers.values]
    code = dict(
        zip(
            zip(answers.crowd.task.tolist(), answers.crowd.annotator.tolist(), strict=True),
            answers.crowd.label,
            strict=True,
        )
    )
    said: dict[tuple[tuple[int, str], int], Any] = {}
    found: dict[tuple[int, str], list[Mapping[str, Any]]] = {}
    for row, who, region, answer in by_region(answers):
        item = items[code[row, who]][region]
        key = row, _key(item)
        found.setdefault(key, []).append(item)
        said.setdefault((key, who), answer)
    number = {key: at for at, key in enumerate(sorted(found))}
    everybody: dict[int, set[int]] = {}
    for row, who in code:
        everybody.setdefault(row, set()).add(who)
    regions = [
        Region(key[0], described(found[key][0]), _item(found[key]), frozenset(everybody[key[0]])) for key in number
    ]
    return believe_regions(answers, regions, {(number[key], who): answer for (key, who), answer in said.items()})


def _key(item: Mapping[str, Any]) -> str:
    """Return what tells a message from others of its task."""
    message = item["value"].get(_FIELD)
    if isinstance(message, Mapping):
        return orjson.dumps([str(message.get("role")), str(message.get("content"))]).decode()
    return str(item["id"])


def _item(items: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return a message as the item that answers about it are written beside; without an id where it has several."""
    value = {_FIELD: items[0]["value"][_FIELD]} if _FIELD in items[0]["value"] else {}
    ids = {item["id"] for item in items}
    own = {"id": items[0]["id"]} if len(ids) == 1 and len(items) > 1 else {}
    return {**own, "to_name": items[0].get("to_name"), "value": value}
