"""Answers that are texts that people write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from label_studio_crowd.studio.controls.forms.form import Form, Items, item_of, values_of
from label_studio_crowd.studio.controls.labels import Path

if TYPE_CHECKING:
    from label_studio_crowd.studio.controls.control import Control

_LONGEST: Final = 300


class TextForm(Form):
    """A text; of several in one answer a tuple of texts."""

    kind = "text"

    def read(self, control: Control, items: Items) -> str | tuple[str, ...] | None:
        """See `Form`; a text of blanks is none."""
        found: list[str] = []
        for value in values_of(control, items):
            several = value if isinstance(value, list) else [value]
            found += [text for text in several if isinstance(text, str) and text.strip()]
        return found[0] if len(found) == 1 else tuple(found) or None

    def write(self, control: Control, answer: str | tuple[str, ...], own: Mapping[str, Path]) -> list[dict[str, Any]]:
        """See `Form`."""
        return [item_of(control, [answer] if isinstance(answer, str) else list(answer))]

    def show(self, control: Control, answer: str | tuple[str, ...]) -> str:
        """See `Form`; a long text is cut."""
        text = answer if isinstance(answer, str) else " / ".join(answer)
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

    def pack(self, answer: str | tuple[str, ...]) -> Any:
        """See `Form`."""
        return answer if isinstance(answer, str) else list(answer)

    def unpack(self, packed: Any) -> str | tuple[str, ...]:
        """See `Form`."""
        return packed if isinstance(packed, str) else tuple(packed)
