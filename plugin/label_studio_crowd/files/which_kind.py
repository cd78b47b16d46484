"""Which kind the answers of a file are, as the user says or as they look, and what only answers of one class have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from crowdcore.formats import are_small_numbers, guess_kind
from label_studio_crowd.errors import UserError
from label_studio_crowd.files.sources import HowToRead
from label_studio_crowd.files.studio_export import ExportReading

if TYPE_CHECKING:
    from crowdcore.formats import Reading

_LOOK_LIKE: Final = {
    "set": "sets of classes",
    "number": "numbers",
    "ordered": "ratings, which are classes of an order",
    "text": "texts that people wrote",
}

_HAVE_ORDER: Final = (
    "The answers are small whole numbers, and are taken as classes without an order; --kind ordered, if they are "
    "ratings or degrees."
)


def kind_of(how: HowToRead, reading: Reading) -> tuple[str, str]:
    """Return the kind of the answers, and what to say of it where it was guessed."""
    if isinstance(reading, ExportReading) and reading.control is not None:
        kind = reading.control.form.kind
        if reading.control.form.about_regions:
            return kind, f"The answers of {reading.control.name!r} are about regions, and believed after these."
        if kind in ("choice", how.kind):
            return kind, ""
        only = "; --kind choice, if their order says nothing" if kind == "ordered" else ""
        return kind, f"The answers are of the kind {kind}{only}."
    if reading.values:
        return "regions", "The answers are regions; --format long, if each row is one answer."
    if how.kind is not None:
        return how.kind, ""
    kind = guess_kind(reading.crowd, reading.label_column)
    if kind == "choice":
        return kind, _HAVE_ORDER if reading.task_column is not None and are_small_numbers(reading.crowd) else ""
    what = _LOOK_LIKE[kind]
    return kind, f"The answers look like {what}, and are taken as such; --kind choice, if each is one class."


def as_asked(kind: str, how: HowToRead, given: dict[str, Any]) -> tuple[str, str]:
    """Return the kind of answers, and what to say: ratings are classes where an option is only for these."""
    flag = next((flag for flag, value in given.items() if value and flag != "--probabilities"), None)
    if kind != "ordered" or how.kind is not None or flag is None:
        return kind, ""
    return "choice", f"The answers are ratings; with {flag}, their order does not count."


def refuse_others(kind: str, given: dict[str, Any]) -> None:
    """Raise a `UserError` for an option, by its flag, that only answers of one class have."""
    odd = next((flag for flag, value in given.items() if value), None)
    if odd:
        raise UserError(
            f"{odd} is for answers that are one class, and these are of the kind {kind}: leave it out, or say "
            "--kind choice."
        )
