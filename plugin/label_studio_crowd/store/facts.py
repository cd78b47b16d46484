"""Facts: small records of a project, each kept as JSON under a name."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, get_type_hints

import sqlalchemy as sa
from pydantic import ConfigDict, TypeAdapter, ValidationError

from label_studio_crowd.store.part import Part
from label_studio_crowd.store.tables import KEY, facts, upsert

if TYPE_CHECKING:
    from label_studio_crowd.store.tables import Upsert

_STRICT: Final = ConfigDict(strict=True, extra="forbid")
_NAMED: Final = (facts.c.project == KEY, facts.c.name == sa.bindparam("named"))
_READ: Final = sa.select(facts.c.value).where(*_NAMED)
_FORGET: Final = sa.delete(facts).where(*_NAMED)


class Fact:
    """A record that a project's store keeps once: inherit it as a frozen dataclass, and give it a name.

    The JSON is an object with the record's fields.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Costs(Fact):
    ...     fact = "costs"
    ...     edit: float
    ...     bulk: float
    """

    fact: ClassVar[str]
    """The name it is kept under."""
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT


class PlainFact(Fact):
    """A fact whose JSON is the value of its only field.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Settled(PlainFact):
    ...     fact = "settled"
    ...     tasks: list[int]  # the JSON is [3, 5]
    """


F = TypeVar("F", bound=Fact)
_ADAPTERS: Final[dict[type, TypeAdapter[Any]]] = {}


class Facts(Part):
    """The facts of one project."""

    def read(self, kind: type[F]) -> F | None:
        """Return a fact; None if there is none, or if it does not fit because another release wrote it."""
        text = self._text(kind.fact)
        return None if text is None else _decode(kind, text)

    def write(self, record: Fact) -> None:
        """Keep a fact; it replaces the one before."""
        self._keep(record.fact, _encode(record))

    def write_first(self, record: F) -> F:
        """Keep a fact if there is none yet; return the one that there is."""
        row = {"name": record.fact, "value": _encode(record)}
        with self._database.writing() as connection:
            self._insert(connection, upsert(facts, self._database.dialect).on_conflict_do_nothing(), [row])
        return self.read(type(record)) or record

    def forget(self, *kinds: type[Fact]) -> None:
        """Forget facts."""
        names = [{"named": kind.fact} for kind in kinds]
        with self._database.writing() as connection:
            self._each(connection, _FORGET, names)

    def _text(self, name: str) -> str | None:
        rows = self._read(_READ, named=name)
        return str(rows[0][0]) if rows else None

    def _keep(self, name: str, value: str) -> None:
        with self._database.writing() as connection:
            self._insert(connection, _keep(self._database.dialect), [{"name": name, "value": value}])


@cache
def _keep(dialect: str) -> Upsert:
    insert = upsert(facts, dialect)
    return insert.on_conflict_do_update(
        index_elements=[facts.c.project, facts.c.name], set_={"value": insert.excluded.value}
    )


def _decode(kind: type[F], text: str) -> F | None:
    try:
        value = _adapter(kind).validate_json(text)
    except ValidationError:
        return None
    return kind(value) if issubclass(kind, PlainFact) else value  # type: ignore[call-arg]


def _encode(record: Fact) -> str:
    value = getattr(record, _only_field(type(record))) if isinstance(record, PlainFact) else record
    return _adapter(type(record)).dump_json(value).decode()


def _adapter(kind: type[Fact]) -> TypeAdapter[Any]:
    """Return what reads and writes the JSON of a kind of fact; made only once, because that takes long."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = _new_adapter(kind)
    return _ADAPTERS[kind]


def _new_adapter(kind: type[Fact]) -> TypeAdapter[Any]:
    if issubclass(kind, PlainFact):
        return TypeAdapter(get_type_hints(kind)[_only_field(kind)], config=_STRICT)
    return TypeAdapter(kind)


def _only_field(kind: type[PlainFact]) -> str:
    (field,) = fields(kind)  # type: ignore[arg-type]
    return field.name
