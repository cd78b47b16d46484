"""Classes from text."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from label_studio_crowd.classifiers.linear import Linear
from label_studio_crowd.classifiers.out_of_sample import out_of_sample
from label_studio_crowd.classifiers.tasks import Codes, Floats, Progress, TaskData

STRENGTHS = (0.25, 1.0, 4.0)
"""Values of C to choose from."""

LONGEST = 10_000
"""Characters of a text that are read; the rest of a long document is left out."""

MOST_CHARACTERS = 5_000_000
"""Characters, over all tasks, up to which parts of words are features too; they cost ten times the words."""

WORDS, PARTS = 30_000, 50_000
"""Features kept, the commonest: words and pairs of them, and parts of words."""

# as in a browser, what is never closed reaches to the end; so no text takes longer than its length
_HIDDEN = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"</?[a-z!][^<>]*>", re.IGNORECASE)
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
    """

    name = "text"

    def __init__(self, fields: Sequence[str], tasks: TaskData) -> None:
        self._texts = {field: [plain(value) for value in tasks.column(field)] for field in fields}
        self.usable = np.array([any(texts) for texts in zip(*self._texts.values(), strict=True)], dtype=bool)
        self._learner: Linear | None = None
        names = ", ".join(f'"{field}"' for field in fields)
        self.why = (
            f"text: TF-IDF of field{'s' * (len(fields) > 1)} {names} ({int(self.usable.sum()):,} of "
            f"{len(tasks):,} tasks have text) and logistic regression"
        )

    def predict_out_of_sample(
        self, labels: Codes, n_classes: int, *, seed: int = 0, progress: Progress | None = None
    ) -> Floats:
        """See `Classifier`."""
        if self._learner is None and self.usable.any():
            if progress:
                progress("reading text", 0, 1)
            self._learner = Linear(features(list(self._texts.values())), STRENGTHS)
            self._texts.clear()  # as large as the project's data, and not needed again
            if progress:
                progress("reading text", 1, 1)
        return out_of_sample(self._learner, self.usable, labels, n_classes, seed=seed, progress=progress)


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


def _joined(value: Any) -> str:
    if isinstance(value, str):
        value = value[: 5 * LONGEST]  # enough for the text among its tags
        if "<" in value:
            value = _TAG.sub(" ", _HIDDEN.sub(" ", value))
        if "&" in value:
            value = html.unescape(value)
        return " ".join(value.split())
    if isinstance(value, Mapping):
        inside = [v for v in value.values() if isinstance(v, (str, Mapping, list, tuple))]
        return " ".join(filter(None, (_joined(v) for v in inside if not _is_address(v))))
    if isinstance(value, (list, tuple)):
        return " ".join(filter(None, map(_joined, value)))
    if value is None or (isinstance(value, float) and value != value):
        return ""
    return str(value)


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and _ADDRESS.fullmatch(value.strip()) is not None


def features(columns: Sequence[Sequence[str]]) -> Any:
    """Return TF-IDF features of text fields as a CSR matrix, a row for each task."""
    from scipy import sparse

    room = max(len(columns), 1)
    kinds: list[dict[str, Any]] = [
        # \w+ and not scikit-learn's \w\w+: "1" and "I" tell something, and so does a character of Chinese
        {"ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b", "max_features": WORDS // room}
    ]
    if sum(len(text) for column in columns for text in column) <= MOST_CHARACTERS:
        kinds.append({"analyzer": "char_wb", "ngram_range": (3, 5), "max_features": PARTS // room})
    blocks = [block for column in columns for kind in kinds if (block := _tfidf(column, kind)) is not None]
    if not blocks:
        return sparse.csr_matrix((len(columns[0]), 1), dtype=np.float32)
    return sparse.hstack(blocks, format="csr", dtype=np.float32)


def _tfidf(texts: Sequence[str], options: Mapping[str, Any]) -> Any:
    """Return one kind of features; None if the texts have none of it, as "?!" has no words."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    counter = TfidfVectorizer(min_df=2, sublinear_tf=True, dtype=np.float32, **options)
    try:
        return counter.fit_transform(texts)
    except ValueError:  # no two texts share anything; what only one has is better than nothing
        counter.set_params(min_df=1)
    try:
        return counter.fit_transform(texts)
    except ValueError:
        return None
