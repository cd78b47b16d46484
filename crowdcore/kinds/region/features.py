"""What is at a place says what it may be: features of units, and a classifier that learns from what is believed."""

from __future__ import annotations

import re
import reprlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import plain
from crowdcore.kinds.region.places import Place, Span
from crowdcore.learning.soft_labels import SoftLogisticRegression

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

Describe: TypeAlias = Callable[[Any, Place], Mapping[str, float]]
"""From a task's id and a place to numbers by name: what can be seen at the place."""

COLUMNS = 2**20
FOLDS = 3
STRENGTH = 0.3
"""Of the regression: the inverse of its penalty."""
TOLERANCE = 3e-3
"""Of the regression. With this, three folds, and without rare features, the same is found in a third of the time."""
LEAST_UNITS = 3
"""Units that have a feature, at the least."""
MOST = 100.0
"""By how much features make anything more or less probable, at most."""


class TextFeatures:
    """Features of spans of texts: the words in it and beside it, their beginnings, ends and shapes, and its length.

    Parameters
    ----------
    texts : mapping
        From the tasks' ids to their texts. A text is a string, and spans count its characters; or a mapping to strings
        from where these begin; or a sequence of tokens, and spans count these.

    Examples
    --------
    >>> describe = TextFeatures({7: "Ann lives in Rome."})
    >>> sorted(describe(7, Span(13, 17)))[:6]
    ['-1 shape=x+', '-1=in', '-2=lives', '1 shape=.', '1=.', '2=']
    """

    def __init__(self, texts: Mapping[Any, str | Mapping[int, str] | Sequence[str]]) -> None:
        self._texts = texts
        self._cut: dict[Any, tuple[list[str], list[int], list[int]]] = {}

    def __call__(self, task: Any, place: Place) -> Mapping[str, float]:
        """Return the features of a span.

        Raises
        ------
        ValueError
            If there is no text for the task, or the place is no span.
        """
        if not isinstance(place, Span):
            raise ValueError(f"Task {task!r} has a {type(place).__name__}; texts have features for a Span only.")
        words, starts, ends = self._words(task)
        first = bisect_right(ends, place.start)
        last = max(bisect_left(starts, place.end), first)
        inside = words[first:last]
        found = [f"is={' '.join(inside).lower()}", f"words={min(len(inside), 6)}"]
        for word in inside[:10]:
            found += [f"word={word.lower()}", f"shape={_shape(word)}"]
            found += [f"prefix={word[:size]}" for size in (2, 3, 4)] + [f"suffix={word[-size:]}" for size in (2, 3, 4)]
        if inside:
            found += [f"first={inside[0].lower()}", f"last={inside[-1].lower()}"]
            found.append(f"shapes={' '.join(map(_shape, inside[:4]))}")
        for step in (1, 2):
            before, after = first - step, last + step - 1
            found.append(f"-{step}={words[before].lower() if before >= 0 else ''}")
            found.append(f"{step}={words[after].lower() if after < len(words) else ''}")
        found.append(f"-1 shape={_shape(words[first - 1]) if first else ''}")
        found.append(f"1 shape={_shape(words[last]) if last < len(words) else ''}")
        return dict.fromkeys(found, 1.0)

    def _words(self, task: Any) -> tuple[list[str], list[int], list[int]]:
        if task not in self._cut:
            if task not in self._texts:
                raise ValueError(f"There is no text for task {task!r}; texts must have one for each task with answers.")
            text = self._texts[task]
            if isinstance(text, str | Mapping):
                pieces = {0: text} if isinstance(text, str) else text
                words = [(at, word) for at, piece in pieces.items() for word in re.finditer(r"\w+|[^\w\s]", piece)]
                starts, ends = ([at + where(word) for at, word in words] for where in (re.Match.start, re.Match.end))
                self._cut[task] = [word.group() for _, word in words], starts, ends
            else:
                self._cut[task] = list(text), list(range(len(text))), list(range(1, len(text) + 1))
        return self._cut[task]


def _shape(word: str) -> str:
    """Return a word's shape: capitals, small letters and digits, runs of them as one."""
    return re.sub(r"(.)\1+", r"\1+", re.sub(r"\d", "0", re.sub(r"[^\W\d_A-Z]", "x", re.sub(r"[A-Z]", "X", word))))


class UnitClassifier:
    """Judges what units are by their features, each after having learned from the units of other tasks.

    Parameters
    ----------
    describe : callable
        Features of a place of a task.
    tasks : sequence
        The task's id of each unit.
    places : sequence
        The place of each unit.
    """

    def __init__(self, describe: Describe, tasks: Sequence[Any], places: Sequence[Place]) -> None:
        from sklearn.feature_extraction import FeatureHasher

        described = [_described(describe, task, place) for task, place in zip(tasks, places, strict=True)]
        X = FeatureHasher(COLUMNS).transform(described).tocsc()
        self._X = X[:, np.flatnonzero(np.diff(X.indptr) >= LEAST_UNITS)].tocsr()
        self._learned: dict[int, SoftLogisticRegression] = {}
        self._fold = np.array([crc32(repr(task).encode()) % FOLDS for task in tasks], dtype=np.int64)

    def judge(self, belief: Floats) -> Floats:
        """Return the probability of each class of each unit by its features, (U, K + 1).

        Parameters
        ----------
        belief : ndarray of shape (U, K + 1)
            What is believed of each unit: nothing, or an object of each label.
        """
        from threadpoolctl import threadpool_limits

        U, K = belief.shape
        judged: Floats = np.full((U, K), 1 / K)
        classes = np.flatnonzero(belief.sum(axis=0) > 0)
        with threadpool_limits(1, "blas"):
            for fold in range(FOLDS):
                here = self._fold == fold
                examples = int((~here).sum())
                if here.any() and examples and len(classes) > 1:
                    learner = self._learned.setdefault(fold, SoftLogisticRegression(STRENGTH, TOLERANCE))
                    learned = learner.fit(self._X[~here], belief[~here][:, classes])
                    chances = np.zeros((int(here.sum()), K))
                    chances[:, classes] = learned.predict_proba(self._X[here])
                    judged[here] = (examples * chances + 1) / (examples + K)
        return judged


def _described(describe: Describe, task: Any, place: Place) -> dict[str, float]:
    """Return the features of a place; raise a ValueError if they are no finite numbers by name."""
    found = describe(task, place)
    try:
        if np.isfinite(np.fromiter(found.values(), np.float64)).all() and all(isinstance(name, str) for name in found):
            return dict(found)
        odd: Any = {name: value for name, value in found.items() if not (isinstance(name, str) and np.isfinite(value))}
    except (AttributeError, TypeError, ValueError):  # no mapping, or a value is no number
        odd = found
    raise ValueError(
        f"features= returned {reprlib.repr(odd)} for {place!r} in task {plain(task)!r}; expected finite numbers by "
        "name, such as {'brightness': 0.7}. Leave out what is not known."
    )


def as_prior(judged: Floats) -> Floats:
    """Return how much more probable than on average features make each class of each unit, (U, K + 1)."""
    prior: Floats = np.clip(judged / judged.mean(axis=0), 1 / MOST, MOST)
    return prior
