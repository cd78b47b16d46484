"""What all estimators share, for every kind of answers: options by name, and what they take beside the answers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar

import numpy as np

from crowdcore.crowd.arguments import is_number, is_whole

Self = TypeVar("Self", bound="Estimator")


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known beside the answers; None for what is not given.

    Attributes
    ----------
    pred_probs : array_like, optional
        A model's probabilities.
    features : array_like or sparse matrix, optional
        Features of the tasks.
    known_labels : array_like, mapping or Series, optional
        Labels known to be true.
    """

    pred_probs: Any = None
    features: Any = None
    known_labels: Any = None

    @property
    def names(self) -> list[str]:
        """The names of what is given."""
        return [part.name for part in fields(self) if getattr(self, part.name) is not None]


class Estimator:
    """Base of all estimators; a subclass is a dataclass of its options, and says what evidence it takes.

    Options are checked by `fit`, not by the constructor, and never changed; `get_params` and `set_params`
    work as in scikit-learn.

    Attributes
    ----------
    takes : tuple of str
        The evidence it can use: "pred_probs", "features", "known_labels" or nothing. `fit` takes them by position in
        this order, and by name.
    needs : tuple of str
        Those of them that it needs.
    """

    takes: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[tuple[str, ...]] = ()

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the options by name."""
        return {option.name: getattr(self, option.name) for option in fields(self)}  # type: ignore[arg-type]

    def set_params(self: Self, **options: Any) -> Self:
        """Change options by name.

        Raises
        ------
        ValueError
            If there is no option of that name.
        """
        known = self.get_params()
        for name, value in options.items():
            if name not in known:
                raise ValueError(
                    f"{type(self).__name__} has no option {name!r}; it has {', '.join(known) or 'no options'}."
                )
            setattr(self, name, value)
        return self

    def _by_name(self, placed: tuple[Any, ...], named: Evidence) -> Evidence:
        """Return the evidence by name, also what was given by position."""
        names = [*(what for what in self.takes if what != "known_labels"), "known_labels"]
        if len(placed) > len(names):
            raise TypeError(
                f"{type(self).__name__} was given {len(placed)} arguments after the answers; it takes at most "
                f"{', '.join(names)}, in this order."
            )
        found = dict(zip(names, placed, strict=False))
        twice = [name for name in named.names if name in found]
        if twice:
            raise TypeError(f"{type(self).__name__} was given {twice[0]} by position and by name. Give it once.")
        return Evidence(**{name: getattr(named, name) for name in named.names} | found)

    def _refuse_useless(self, given: Evidence) -> None:
        for what in given.names:
            if what not in self.takes:
                raise ValueError(f"{type(self).__name__} does not use {what}. Leave them out, or use {_USERS[what]}.")

    def _check(self) -> None:
        """Raise a ValueError if an option does not have the annotated type, or is out of its range."""
        for option in fields(self):  # type: ignore[arg-type]
            value = getattr(self, option.name)
            allowed = _allowed(option.name, str(option.type), value)
            if allowed:
                raise ValueError(f"{type(self).__name__}: {option.name} is {value!r}; {allowed}.")


_USERS = {
    "pred_probs": "HierarchicalDawidSkene, CROWDLAB or WithModel",
    "features": "HierarchicalDawidSkene or FeatureEM",
    "known_labels": "HierarchicalDawidSkene, DawidSkene, OneCoinDawidSkene, GLAD or MACE",
}
_LEAST = {"n_iter": 1, "n_folds": 1, "n_restarts": 1, "n_clusters": 1, "n_subtypes": 1, "seed": 0, "m_step_n_iter": 1}


def _allowed(name: str, annotation: str, value: Any) -> str | None:
    """Return what is allowed for an option, or None if its value is allowed."""
    kind, _, optional = annotation.partition(" | ")
    if value is None and optional == "None":
        return None
    if kind == "int" and not (is_whole(value) and value >= _LEAST.get(name, value)):
        return "it must be a whole number" + (f", {_LEAST[name]} or more" if name in _LEAST else "")
    if kind == "float" and not optional.startswith("ArrayLike") and not is_number(value):
        return "it must be a number" + (", or -inf to do all n_iter iterations" if name == "tol" else "")
    if kind == "bool" and not isinstance(value, bool | np.bool_):
        return "it must be True or False"
    if name == "ties" and value not in ("share", "first"):
        return "allowed are 'share' and 'first'"
    return None
