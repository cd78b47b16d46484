"""A project that each kind of classifier learns from."""

import numpy as np

from label_studio_crowd.scoring.classifiers import TaskData
from label_studio_crowd.scoring.classifiers.out_of_sample import FLOOR

K = 4
N = 240
HEX = "0123456789abcdef" * 2
COMMON = ["the", "a", "of", "and", "in", "to", "it", "was", "for"]
SPECS = {
    "text": "text:text,note",
    "tabular": "tabular:x,colour,row.age",
    "embedding": "embedding:v",
    "estimator": "own_models:forest",
}
MODULE = """
import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

def forest():
    columns = make_column_transformer((CountVectorizer(), "text"), ("passthrough", ["x"]))
    return make_pipeline(columns, RandomForestClassifier(20))

class Own:
    "Not of scikit-learn."
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self
    def predict_proba(self, X):
        if X["x"].isin([666]).any():
            raise RuntimeError("the beast")
        return np.eye(len(self.classes_))[(X["x"].to_numpy() > 0).astype(int)]

def secret():
    return make_pipeline(FunctionTransformer(lambda X: X[["x"]]), RandomForestClassifier(5))
"""


def tasks_of(data):
    return TaskData(range(len(data)), data)


def project(n=N, seed=0):
    """Tasks of three classes (of four that there might be), each kind of field telling most about them."""
    rng = np.random.default_rng(seed)
    words = ["ball goal team match", "bank money market stock", "planet star orbit moon"]
    truth = rng.integers(0, 3, n)
    data = [
        {
            "text": " ".join([*rng.choice(words[c].split(), 3), *rng.choice(COMMON, 6)]),
            "note": "seen" if rng.random() < 0.3 else None,
            "x": float(rng.normal() + 3 * c),
            "colour": str(rng.choice(["red", "green", "blue"], p=np.roll([0.8, 0.1, 0.1], c))),
            "row": {"age": int(rng.integers(20, 60) + 20 * c)},
            "v": (rng.normal(size=12) + 3 * np.eye(12)[c]).tolist(),
        }
        for c in truth
    ]
    return data, truth


def assert_probabilities(P, n, n_classes=K):
    assert P.shape == (n, n_classes)
    assert P.dtype == np.float64
    assert np.isfinite(P).all()
    np.testing.assert_allclose(P.sum(axis=1), 1, atol=1e-12)
    assert P.min(initial=1) >= FLOOR / n_classes * (1 - 1e-9)


def prior(truth, n_classes=K):
    return np.bincount(truth, minlength=n_classes) / len(truth)
