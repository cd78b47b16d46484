"""Facts: records in, the same records out, and JSON as it always was between."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from label_studio_crowd.store.facts import Fact, PlainFact
from label_studio_crowd.store.projects import Store
from label_studio_crowd.store.tables import facts as table


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
def opened(store):
    opened = Store(store)
    yield opened
    opened.close()


@pytest.fixture
def facts(opened):
    return opened.project("http://studio", 1).facts


def kept(opened, name):
    """The JSON of a fact of project 1, as it lies in the store."""
    select = sa.select(table.c.value).where(table.c.name == name, table.c.project == opened.key("http://studio", 1))
    with opened.reading() as connection:
        return json.loads(connection.execute(select).scalar_one())


def keep(opened, name, value):
    """Put JSON into the store, as another release has done."""
    row = {"project": opened.key("http://studio", 1), "name": name, "value": json.dumps(value)}
    with opened.writing() as connection:
        connection.execute(sa.insert(table), [row])


RECORDS = [
    (
        Whole(3, (Part("é ☃", 0.5), Part("", None))),
        {"number": 3, "parts": [{"name": "é ☃", "share": 0.5}, {"name": "", "share": None}]},
    ),
    (ByNumber({5: "Ada", 70_000_000_000: ""}), {"5": "Ada", "70000000000": ""}),
]


@pytest.mark.parametrize(("record", "plain"), RECORDS)
def test_a_record_comes_back_and_its_json_is_plain(opened, facts, record, plain):
    assert facts.read(type(record)) is None
    facts.write(record)
    assert facts.read(type(record)) == record
    assert kept(opened, record.fact) == plain


@pytest.mark.parametrize(("record", "plain"), RECORDS)
def test_what_was_kept_without_a_record_is_read_as_one(opened, facts, record, plain):
    keep(opened, record.fact, plain)
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


def test_a_field_with_a_default_may_be_missing(opened, facts):
    keep(opened, "whole", {"number": 3})
    assert facts.read(Whole) == Whole(3)


@pytest.mark.parametrize(
    "value",
    [None, 3, [], {}, {"number": "3"}, {"number": 3, "more": 1}, {"number": 3, "parts": [{"name": "a"}]}],
)
def test_a_value_that_does_not_fit_is_another_releases(opened, facts, value):
    keep(opened, "whole", value)
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
