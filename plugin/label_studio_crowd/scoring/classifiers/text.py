"""Classes from text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from label_studio_crowd.scoring.classifiers.fitted import FittedModel, fit_all
from label_studio_crowd.scoring.classifiers.linear import Linear, LinearNumbers
from label_studio_crowd.scoring.classifiers.out_of_sample import out_of_sample
from label_studio_crowd.scoring.classifiers.tasks import Codes, Floats, Mask, Progress, TaskData, written
from label_studio_crowd.studio.hypertext import without_tags

STRENGTHS = (0.25, 1.0, 4.0)
"""Values of C to choose from."""

PENALTIES = (10.0, 3.0, 1.0, 0.3)
"""Values of ridge regression's alpha to choose from."""

LONGEST = 10_000
"""Characters of a text that are read; the rest of a long document is left out."""

DEEPEST = 50
"""Lists and dicts inside each other that are read; what lies deeper is junk."""

MOST_CHARACTERS = 5_000_000
"""Characters, over all tasks, up to which parts of words are features too; they cost ten times the words."""

WORDS, PARTS = 30_000, 50_000
"""Features kept, the commonest: words and pairs of them, and parts of words."""

MOST_WEIGHTS = 10_000_000
"""Features times classes, at most: a training holds some twenty numbers for each, 1.7 GB."""

_ADDRESS = re.compile(r"[a-z][a-z0-9+.\-]*://\S+|data:\S+", re.IGNORECASE)


class TextClassifier:
    """TF-IDF of words, pairs of words and parts of words (3 to 5 letters), and logistic regression.

    Each field has features of its own, so that "left" and "right" of a comparison stay apart. They are made
    once, from the texts of all tasks, labelled or not; this sees no labels.

    Parameters
    ----------
    fields : sequence of str
        Data fields with text.
    tasks : TaskData
        The tasks. One without text in any of the fields gets the shares of the classes.
    how : str
        What learns, for messages.
    """

    name = "text"

    def __init__(self, fields: Sequence[str], tasks: TaskData, how: str = "logistic regression") -> None:
        self._fields = tuple(fields)
        self._texts, self.usable = texts_of(self._fields, tasks)
        self._learner: Linear | None = None
        self._features: TextFeatures | None = None
        names = ", ".join(f'"{field}"' for field in fields)
        self.why = (
            f"text: TF-IDF of field{'s' * (len(fields) > 1)} {names} ({int(self.usable.sum()):,} of "
            f"{len(tasks):,} tasks have text) and {how}"
        )

    def predict_out_of_sample(
        self, labels: Codes, n_classes: int, *, seed: int = 0, progress: Progress | None = None
    ) -> Floats:
        """See `Classifier`."""
        self._read(n_classes, progress)
        return out_of_sample(self._learner, self.usable, labels, n_classes, seed=seed, progress=progress)

    def model(self, labels: Codes, n_classes: int, *, seed: int = 0) -> FittedModel:
        """See `Classifier`."""
        self._read(n_classes, None)
        return fit_all(self._learner, self._features, self.usable, labels, n_classes, seed=seed)

    def read(self, n_classes: int, progress: Progress | None) -> tuple[Linear | None, TextFeatures | None]:
        """See `ClassSource`."""
        self._read(n_classes, progress)
        return self._learner, self._features

    def read_numbers(self, progress: Progress | None) -> tuple[LinearNumbers | None, TextFeatures | None]:
        """See `NumberSource`."""
        learner, features = self.read(1, progress)
        return None if learner is None else LinearNumbers(learner.features, PENALTIES), features

    def _read(self, n_classes: int, progress: Progress | None) -> None:
        """Make the features, once."""
        if self._learner is not None or not self.usable.any():
            return
        if progress:
            progress("reading text", 0, 1)
        self._features, X = learn_features(self._fields, self._texts, n_classes)
        self._learner = Linear(X, STRENGTHS)
        self._texts.clear()  # as large as the project's data, and not needed again
        if progress:
            progress("reading text", 1, 1)


@dataclass(frozen=True)
class TextFeatures:
    """TF-IDF of text fields; see `Features`.

    Attributes
    ----------
    fields : sequence of str
        Data fields with text.
    vectorizers : sequence of (int, TfidfVectorizer)
        The number of a field, and one kind of its features, in the order of their columns.
    """

    fields: Sequence[str]
    vectorizers: Sequence[tuple[int, Any]]

    def of(self, tasks: TaskData) -> tuple[Any, Mask]:
        """See `Features`: a CSR matrix."""
        texts, usable = texts_of(self.fields, tasks)
        return _side_by_side([tfidf.transform(texts[at]) for at, tfidf in self.vectorizers], len(tasks)), usable


def texts_of(fields: Sequence[str], tasks: TaskData) -> tuple[list[list[str]], Mask]:
    """Return each field's text in each task, "" for none, and which tasks have text in any of them."""
    texts = [[plain(value) for value in tasks.column(field)] for field in fields]
    return texts, np.array([any(row) for row in zip(*texts, strict=True)], dtype=bool)


def plain(value: Any) -> str:
    """Return the text of a data field's value: tags stripped, lists and dicts joined, "" for none.

    Of a dict (a paragraph or an utterance) only strings count, not its times and sizes.

    Examples
    --------
    >>> plain("<b>Fish</b> &amp; chips"), plain(12), plain(None)
    ('Fish & chips', '12', '')
    >>> plain([{"author": "Ann", "text": "Hello", "start": 1.5}, {"text": "Bye"}])
    'Ann Hello Bye'
    """
    return _joined(value)[:LONGEST].strip()


def _joined(value: Any, depth: int = 0) -> str:
    if depth > DEEPEST:
        return ""
    if isinstance(value, str):
        value = value[: 5 * LONGEST]  # enough for the text among its tags
        return " ".join(without_tags(value).split())
    if isinstance(value, Mapping):
        inside = [v for v in value.values() if isinstance(v, (str, Mapping, list, tuple))]
        return " ".join(filter(None, (_joined(v, depth + 1) for v in inside if not _is_address(v))))
    if isinstance(value, (list, tuple)):
        return " ".join(filter(None, (_joined(v, depth + 1) for v in value)))
    if value is None or (isinstance(value, float) and value != value):
        return ""
    return written(value)


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and _ADDRESS.fullmatch(value.strip()) is not None


def learn_features(fields: Sequence[str], columns: Sequence[Sequence[str]], n_classes: int) -> tuple[TextFeatures, Any]:
    """Return what makes TF-IDF features of texts, and those of the texts given.

    Parameters
    ----------
    fields : sequence of str
        Their names.
    columns : sequence of sequence of str
        Each field's text in each task.
    n_classes : int
        Of many classes fewer features are kept.

    Returns
    -------
    TextFeatures
        For other tasks.
    CSR matrix of float32
        A row for each task.
    """
    kept = min(1.0, MOST_WEIGHTS / (n_classes * (WORDS + PARTS))) / max(len(columns), 1)
    kinds: list[dict[str, Any]] = [
        # \w+ and not scikit-learn's \w\w+: "1" and "I" tell something, and so does a character of Chinese
        {"ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b", "max_features": max(int(kept * WORDS), 1)}
    ]
    if sum(len(text) for column in columns for text in column) <= MOST_CHARACTERS:
        kinds.append({"analyzer": "char_wb", "ngram_range": (3, 5), "max_features": max(int(kept * PARTS), 1)})
    vectorizers, blocks = [], []
    for at, column in enumerate(columns):
        for kind in kinds:
            if (found := _tfidf(column, kind)) is not None:
                vectorizers.append((at, found[0]))
                blocks.append(found[1])
    return TextFeatures(tuple(fields), vectorizers), _side_by_side(blocks, len(columns[0]))


def _side_by_side(blocks: Sequence[Any], n_tasks: int) -> Any:
    from scipy import sparse

    if not blocks:
        return sparse.csr_matrix((n_tasks, 1), dtype=np.float32)
    return sparse.hstack(blocks, format="csr", dtype=np.float32)


def _tfidf(texts: Sequence[str], options: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """Return one kind of features, fitted and of the texts; None if they have none of it, as "?!" has no words."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    counter = TfidfVectorizer(min_df=2, sublinear_tf=True, dtype=np.float32, **options)
    try:
        X = counter.fit_transform(texts)
    except ValueError:  # no two texts share anything; what only one has is better than nothing
        counter.set_params(min_df=1)
        try:
            X = counter.fit_transform(texts)
        except ValueError:
            return None
    # both would make a pickle several times as large
    counter.vocabulary_ = {term: int(column) for term, column in counter.vocabulary_.items()}
    vars(counter).pop("stop_words_", None)  # all that was left out, in scikit-learn before 1.5
    return counter, X
