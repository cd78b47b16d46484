"""The crowd of cleanlab's tutorial of several annotators, drawn as it is there, with what cleanlab finds in it."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from cleanlab import multiannotator
from cleanlab.benchmarking.noise_generation import generate_noise_matrix_from_trace, generate_noisy_labels
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from harness.crowds import Array

__all__ = ["draw_tutorial"]

SEED = 111
MEANS: tuple[list[float], ...] = ([3, 2], [7, 7], [0, 8])
COVARIANCES: tuple[list[list[float]], ...] = ([[5, -1.5], [-1.5, 1]], [[1, 0.5], [0.5, 4]], [[5, 1], [1, 5]])
SIZES = (150, 75, 75)
ANNOTATORS, BAD_ANNOTATORS = 50, 5
UNANSWERED = 0.9


def draw_tutorial() -> dict[str, Array]:
    """Draw the crowd.

    Returns
    -------
    dict of ndarray
        Of 296 tasks and 50 annotators: `X`, `labels` (-1 for none), `truth`, `annotator_ids`, `pred_probs` of a
        logistic regression; and of cleanlab: `majority_vote`, `consensus`, `consensus_quality`,
        `annotator_quality`, `activelab_scores`.
    """
    np.random.seed(SEED)  # noqa: NPY002  # numpy's old generator is the one that cleanlab draws from
    X, truth = _draw_points()
    answers = _draw_answers(truth)
    answered = answers.notna().any(axis=1).to_numpy()
    X, truth, answers = X[answered], truth[answered], answers[answered].reset_index(drop=True)
    drawn = {
        "X": X,
        "truth": truth,
        "labels": answers.fillna(-1).to_numpy(dtype=int),
        "annotator_ids": answers.columns.to_numpy(dtype=str),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return drawn | _ask_cleanlab(X, answers)


def _draw_points() -> tuple[Array, Array]:
    draw = np.random.multivariate_normal
    points = [draw(mean=mean, cov=cov, size=n) for mean, cov, n in zip(MEANS, COVARIANCES, SIZES, strict=True)]
    return np.vstack(points), np.repeat(np.arange(len(SIZES)), SIZES)


def _draw_answers(truth: Array) -> pd.DataFrame:
    py = np.bincount(truth) / len(truth)
    better, worse = (
        generate_noise_matrix_from_trace(
            len(SIZES), trace=share * len(SIZES), py=py, valid_noise_matrix=True, seed=SEED
        )
        for share in (0.8, 0.35)
    )
    good = ANNOTATORS - BAD_ANNOTATORS
    columns = [generate_noisy_labels(truth, better if n < good else worse) for n in range(ANNOTATORS)]
    answers = pd.DataFrame({f"A{n:04}": column for n, column in enumerate(columns, 1)})
    masked = answers.apply(lambda x: x.mask(np.random.random(len(truth)) < UNANSWERED))  # noqa: NPY002
    given: pd.DataFrame = masked.astype("Int64")
    return given


def _ask_cleanlab(X: Array, answers: pd.DataFrame) -> dict[str, Array]:
    majority = multiannotator.get_majority_vote_label(answers)
    pred_probs = cross_val_predict(LogisticRegression(), X, majority, cv=5, method="predict_proba")
    found = multiannotator.get_label_quality_multiannotator(answers, pred_probs, verbose=False)
    labels, annotators = found["label_quality"], found["annotator_stats"]
    scores, _ = multiannotator.get_active_learning_scores(answers, pred_probs)
    return {
        "majority_vote": majority,
        "pred_probs": pred_probs,
        "consensus": labels["consensus_label"].to_numpy(),
        "consensus_quality": labels["consensus_quality_score"].to_numpy(),
        "annotator_quality": annotators["annotator_quality"].loc[answers.columns].to_numpy(),
        "activelab_scores": scores,
    }
