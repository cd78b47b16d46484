"""What a classifier learns of the answers to a control: one class, all that apply, a number, or nothing."""

from collections.abc import Mapping
from typing import Any, Final

from label_studio_crowd.scoring.lessons.classes import ClassLesson
from label_studio_crowd.scoring.lessons.lesson import NOT_LEARNED, Learned, Lesson, NoLesson
from label_studio_crowd.scoring.lessons.numbers import NumberLesson
from label_studio_crowd.scoring.lessons.sets import SetLesson
from label_studio_crowd.studio.controls import Control

__all__ = ["NOT_LEARNED", "Learned", "Lesson", "learns", "lesson_of"]

_LESSONS: Final[Mapping[str, Lesson[Any]]] = {
    "choice": ClassLesson(),
    "ordered": ClassLesson(),
    "set": SetLesson(),
    "number": NumberLesson(),
}
_NONE: Final = NoLesson()


def lesson_of(control: Control) -> Lesson[Any]:
    """Return what is learned of a control, by the kind of its answers; nothing of answers about single regions."""
    if control.form.about_regions:
        return _NONE
    return _LESSONS.get(control.form.kind, _NONE)


def learns(control: Control) -> bool:
    """Return whether anything is learned of a control."""
    return lesson_of(control) is not _NONE
