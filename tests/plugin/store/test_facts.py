"""Facts: records in, the same records out, and JSON as it always was between."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from label_studio_crowd.store.facts import Fact, PlainFact
from label_studio_crowd.store.projects import Store


@dataclass(frozen=True)
class Part:
    name: str
    share: float | None


@dataclass(frozen=True)
class Whole(Fact):
    fact = "whole"
    number: int
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class ByNumber(PlainFact):
    fact = "by number"
    names: dict[int, str]


@pytest.fixture
def facts(store):
    opened = Store(store)
    yield opened.project("http://studio", 1).facts
    opened.close()


RECORDS = [
    (
        Whole(3, (Part("é ☃", 0.5), Part("", None))),
        {"number": 3, "parts": [{"name": "é ☃", "share": 0.5}, {"name": "", "share": None}]},
    ),
    (ByNumber({5: "Ada", 70_000_000_000: ""}), {"5": "Ada", "70000000000": ""}),
]


@pytest.mark.parametrize(("record", "json"), RECORDS)
def test_a_record_comes_back_and_its_json_is_plain(facts, record, json):
    assert facts.read(type(record)) is None
    facts.write(record)
    assert facts.read(type(record)) == record
    assert facts.recall(record.fact) == json


@pytest.mark.parametrize(("record", "json"), RECORDS)
def test_what_was_kept_without_a_record_is_read_as_one(facts, record, json):
    facts.remember(record.fact, json)
    assert facts.read(type(record)) == record


def test_the_newest_stays_and_what_is_forgotten_is_gone(facts):
    facts.write(Whole(1))
    facts.write(Whole(2))
    facts.write(ByNumber({1: "a"}))
    assert facts.read(Whole) == Whole(2)
    facts.forget(Whole)
    assert (facts.read(Whole), facts.read(ByNumber)) == (None, ByNumber({1: "a"}))
    facts.forget(Whole, ByNumber)
    assert facts.read(ByNumber) is None


def test_a_field_with_a_default_may_be_missing(facts):
    facts.remember("whole", {"number": 3})
    assert facts.read(Whole) == Whole(3)


@pytest.mark.parametrize(
    "value",
    [None, 3, [], {}, {"number": "3"}, {"number": 3, "more": 1}, {"number": 3, "parts": [{"name": "a"}]}],
)
def test_a_value_that_does_not_fit_is_another_releases(facts, value):
    facts.remember("whole", value)
    assert facts.read(Whole) is None
    facts.write(Whole(4))
    assert facts.read(Whole) == Whole(4)


def test_projects_keep_their_own(store):
    opened = Store(store)
    one, other = (opened.project("http://studio", number).facts for number in (1, 2))
    one.write(Whole(1))
    assert other.read(Whole) is None
    other.write(Whole(2))
    one.forget(Whole)
    assert other.read(Whole) == Whole(2)
    opened.close()
