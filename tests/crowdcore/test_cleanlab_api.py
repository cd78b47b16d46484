"""What `cleanlab_api` does where cleanlab 2.9.0 stops or errs, and with bad input. Else: test_cleanlab_parity."""

import warnings

import numpy as np
import pandas as pd
import pytest

from crowdcore import Crowd, activelab, cleanlab_api, fit_temperature, majority_vote
from crowdcore.cleanlab_api import (
    convert_long_to_wide_dataset,
    get_active_learning_scores,
    get_active_learning_scores_ensemble,
    get_label_quality_multiannotator,
    get_label_quality_multiannotator_ensemble,
    get_majority_vote_label,
)

NAN = np.nan
LABELS = np.array([[0, 0, NAN], [1, 1, 0], [NAN, 1, 1], [0, NAN, 0], [1, 0, NAN]])
P = np.array([[0.8, 0.2], [0.3, 0.7], [0.4, 0.6], [0.9, 0.1], [0.55, 0.45]])


# cleanlab's errors


def test_votes_are_counted_at_their_classes(theirs):
    """Unpatched, cleanlab counts both votes for class 2 as votes for class 0."""
    labels = np.array([[2, 2, NAN], [2, NAN, 2], [1, 1, NAN], [0, NAN, 1]])
    probabilities = np.array([[0.1, 0.1, 0.8], [0.1, 0.1, 0.8], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1]])
    options = {"quality_method": "agreement", "verbose": False}
    wrong = theirs.get_label_quality_multiannotator(labels, probabilities, **options)["label_quality"]
    right = get_label_quality_multiannotator(labels, probabilities, **options)["label_quality"]
    assert wrong["consensus_label"].tolist()[:3] == [0, 0, 0]
    assert right["consensus_label"].tolist()[:3] == [2, 2, 1]
    assert wrong["annotator_agreement"].tolist()[:3] == [0, 0, 0]
    assert right["annotator_agreement"].tolist()[:3] == [1, 1, 1]


def test_so_the_temperature_and_activelab_are_right(parity, theirs):
    labels = np.array([[2, 2, NAN], [2, NAN, 2], [1, 1, NAN], [0, NAN, 1]])
    probabilities = np.array([[0.1, 0.1, 0.8], [0.1, 0.1, 0.8], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1]])
    crowd = Crowd.from_wide(labels, classes=range(3))
    assert parity.multiannotator_utils.find_best_temp_scaler(labels, probabilities) == 7.25
    assert fit_temperature(crowd, probabilities) == 0.5
    wrong, _ = theirs.get_active_learning_scores(labels, probabilities)
    right, _ = get_active_learning_scores(labels, probabilities)
    assert np.array_equal(right, activelab(crowd, probabilities))
    assert np.abs(wrong - right).max() > 0.1


def test_majority_vote_does_not_stop_when_all_are_tied(theirs):
    labels = np.array([[0.0, 1.0], [1.0, 0.0]])
    with pytest.raises(ValueError, match="cannot be empty"):
        theirs.get_majority_vote_label(labels)
    assert set(get_majority_vote_label(labels)) <= {0, 1}
    assert (get_majority_vote_label(labels) == get_majority_vote_label(labels)).all()


def test_ensembles_take_label_quality_score_kwargs(theirs):
    models, options = np.stack([P, P]), {"label_quality_score_kwargs": {"method": "normalized_margin"}}
    with pytest.raises(TypeError):
        theirs.get_label_quality_multiannotator_ensemble(LABELS, models.copy(), **options)
    one = get_label_quality_multiannotator(LABELS, P, **options)["label_quality"]
    many = get_label_quality_multiannotator_ensemble(LABELS, models[:1], **options)["label_quality"]
    pd.testing.assert_frame_equal(one, many)


def test_the_callers_arrays_stay_as_they_are(theirs):
    models, unlabeled = np.stack([P, P[::-1]]), np.stack([P, P])
    overwritten = models.copy()
    theirs.get_label_quality_multiannotator_ensemble(LABELS, overwritten, calibrate_probs=True, verbose=False)
    assert not np.array_equal(overwritten, models)
    before = LABELS.copy(), models.copy(), unlabeled.copy()
    get_label_quality_multiannotator_ensemble(LABELS, models, calibrate_probs=True)
    get_active_learning_scores_ensemble(LABELS, models, unlabeled)
    for array, kept in zip((LABELS, models, unlabeled), before, strict=True):
        assert np.array_equal(array, kept, equal_nan=True)


def test_an_ensemble_of_one_scores_unlabeled_tasks(theirs):
    with pytest.raises(ValueError, match="more than one column"):
        theirs.get_active_learning_scores_ensemble(LABELS, P[None].copy(), P[None].copy())
    for one, many in zip(
        get_active_learning_scores(LABELS, P, P),
        get_active_learning_scores_ensemble(LABELS, P[None], P[None]),
        strict=True,
    ):
        assert np.allclose(one, many, rtol=0, atol=1e-15)


def test_arrays_of_objects_and_nullable_frames_are_read(theirs):
    objects = LABELS.astype(object)
    with pytest.raises(TypeError):
        theirs.get_majority_vote_label(objects)
    nullable = pd.DataFrame(LABELS).astype("Int64")
    mixed = pd.DataFrame(objects).where(pd.notna(LABELS), None)
    for labels in (objects, nullable, mixed):
        assert np.array_equal(get_majority_vote_label(labels, P), get_majority_vote_label(LABELS, P))


def test_certainty_scores_one_with_entropy_too(theirs):
    labels, certain = np.array([[0.0, 0.0], [1.0, 1.0]]), np.eye(2)
    options = {"label_quality_score_kwargs": {"method": "confidence_weighted_entropy"}, "verbose": False}
    wrong = theirs.get_label_quality_multiannotator(labels, certain, **options)["label_quality"]
    right = get_label_quality_multiannotator(labels, certain, **options)["label_quality"]
    assert wrong["consensus_quality_score"].max() == 0
    assert right["consensus_quality_score"].tolist() == [1, 1]


def test_one_class_is_certain_without_a_division_by_zero(theirs):
    labels, probabilities = np.zeros((2, 2)), np.ones((2, 1))
    with np.errstate(divide="raise", invalid="raise"):
        with pytest.raises((FloatingPointError, ZeroDivisionError)):
            theirs.get_label_quality_multiannotator(labels, probabilities, verbose=False)
        found = get_label_quality_multiannotator(labels, probabilities)["label_quality"]
    assert found["consensus_quality_score"].tolist() == [1, 1]


@pytest.mark.parametrize(
    "labels",
    [
        np.array([[0, 1], [NAN, NAN], [1, 1]]),
        np.array([[0, 1, NAN], [1, 1, NAN], [0, 0, NAN]]),
        np.array([[0.0], [1.0], [0.0]]),
        np.array([[0, NAN], [1, NAN], [NAN, 0]]),
    ],
    ids=["task without labels", "annotator without labels", "one annotator", "one label everywhere"],
)
def test_what_cleanlab_refuses_is_computed(theirs, labels):
    with pytest.raises(ValueError):  # noqa: PT011 - one message each
        theirs.get_label_quality_multiannotator(labels, P[:3], verbose=False)
    found = get_label_quality_multiannotator(labels, P[:3], return_weights=True)
    assert found["label_quality"]["consensus_quality_score"].between(0, 1).all()
    assert found["label_quality"]["num_annotations"].tolist() == np.sum(~np.isnan(labels), axis=1).tolist()
    assert found["detailed_label_quality"].isna().to_numpy().tolist() == np.isnan(labels).tolist()
    assert len(found["annotator_stats"]) == labels.shape[1]
    assert np.isfinite(found["annotator_weight"]).all()


def test_annotator_quality_does_not_depend_on_what_else_is_returned(parity, theirs):
    case = parity.random_case(np.random.default_rng(0))

    def quality(api, detailed):
        return api.get_label_quality_multiannotator(
            case.labels,
            case.models[0],
            return_detailed_quality=detailed,
            label_quality_score_kwargs={"method": "normalized_margin"},
            verbose=False,
        )["annotator_stats"]["annotator_quality"]

    assert not quality(theirs, True).equals(quality(theirs, False))
    assert quality(cleanlab_api, True).equals(quality(cleanlab_api, False))
    assert np.allclose(quality(cleanlab_api, True), quality(theirs, True))


def test_weights_belong_to_the_first_consensus_method(parity, theirs):
    case = parity.random_case(np.random.default_rng(0))

    def weights(api, method):
        return api.get_label_quality_multiannotator(
            case.labels, case.models[0], consensus_method=method, return_weights=True, verbose=False
        )["annotator_weight"]

    both = ["majority_vote", "best_quality"]
    assert np.array_equal(weights(theirs, both), weights(theirs, "best_quality"))
    assert np.array_equal(weights(cleanlab_api, both), weights(cleanlab_api, "majority_vote"))
    assert not np.allclose(weights(cleanlab_api, both), weights(cleanlab_api, "best_quality"))


def test_probabilities_are_checked(theirs):
    bad = P.copy()
    bad[1] = [0.3, 0.3]
    theirs.get_label_quality_multiannotator(LABELS, bad, verbose=False)
    with pytest.raises(ValueError, match=r"row 1 .* sums to 0\.6"):
        get_label_quality_multiannotator(LABELS, bad)


# Frames


def test_frames_are_cleanlabs(theirs):
    frame = pd.DataFrame(LABELS, index=list("vwxyz"), columns=["ann", "bob", "eve"])
    methods = ["best_quality", "majority_vote"]
    for labels in (frame, LABELS):
        mine, other = (
            api.get_label_quality_multiannotator(labels, P, consensus_method=methods, verbose=False)
            for api in (cleanlab_api, theirs)
        )
        assert list(mine) == list(other)
        for name in other:
            pd.testing.assert_frame_equal(mine[name], other[name], rtol=0, atol=1e-12)


def test_extra_columns_of_probabilities_are_fine(theirs):
    wide = np.hstack([P * 0.9, np.full((5, 1), 0.1)])
    mine, other = (
        api.get_label_quality_multiannotator(LABELS, wide, verbose=False)["label_quality"]
        for api in (cleanlab_api, theirs)
    )
    pd.testing.assert_frame_equal(mine, other, rtol=0, atol=1e-12)


def test_repeated_row_names_are_fine(theirs):
    frame = pd.DataFrame(LABELS, index=[1, 1, 2, 2, 2])
    mine, other = (
        api.get_label_quality_multiannotator(frame, P, verbose=False)["detailed_label_quality"]
        for api in (cleanlab_api, theirs)
    )
    pd.testing.assert_frame_equal(mine, other, rtol=0, atol=1e-12)


def test_long_becomes_wide_as_in_cleanlab(theirs):
    long = pd.DataFrame({"task": [3, 1, 1], "annotator": ["b", "b", "a"], "label": [1, 0, 1]})
    pd.testing.assert_frame_equal(convert_long_to_wide_dataset(long), theirs.convert_long_to_wide_dataset(long))
    with pytest.raises(ValueError, match="'b' answered task 3 more than once"):
        convert_long_to_wide_dataset(pd.concat([long, long[:1]]))


def test_majority_vote_with_a_model_is_crowdcores():
    labels = get_majority_vote_label(pd.DataFrame(LABELS), P)
    assert np.array_equal(labels, majority_vote(Crowd.from_wide(LABELS, classes=[0, 1]), P))


def test_active_learning_scores_of_both_pools_are_on_one_scale():
    scores, unlabeled = get_active_learning_scores(LABELS, P, P)
    crowd = Crowd.from_wide(np.vstack([LABELS, np.full((5, 3), NAN)]), classes=[0, 1])
    assert np.array_equal(np.r_[scores, unlabeled], activelab(crowd, np.vstack([P, P])))
    assert get_active_learning_scores(LABELS, P)[1].shape == (0,)
    assert get_active_learning_scores(pred_probs_unlabeled=P)[0].shape == (0,)


def test_a_class_that_disappears_from_the_consensus_is_warned_of():
    labels = np.array([[0, 0, 1], [0, 0, NAN]])
    with pytest.warns(UserWarning, match=r"\[1\]"):
        get_label_quality_multiannotator(labels, P[[0, 3]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        get_label_quality_multiannotator(labels, P[[0, 3]], verbose=False)


# Bad input

QUALITY, ENSEMBLE = get_label_quality_multiannotator, get_label_quality_multiannotator_ensemble
SCORES, SCORES_ENSEMBLE = get_active_learning_scores, get_active_learning_scores_ensemble


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: QUALITY([[0, 1]], P[:1]), ValueError, ["list", "NumPy array or a pandas DataFrame"]),
        (lambda: QUALITY(LABELS[0], P), ValueError, ["1 dimensions", "expected 2"]),
        (lambda: QUALITY(np.array([["a", "b"]]), P[:1]), ValueError, ["'a'", "class codes", "crowdcore.Crowd"]),
        (lambda: QUALITY(pd.DataFrame([["a", "b"]]), P[:1]), ValueError, ["'a'", "class codes"]),
        (lambda: QUALITY(LABELS + 0.5, P), ValueError, ["row 0, column 0", "0.5", "class codes"]),
        (lambda: QUALITY(LABELS - 1, P), ValueError, ["row 0, column 0", "-1"]),
        (lambda: QUALITY(LABELS + 1, P), ValueError, ["2 columns", "label 2", "at least 3"]),
        (lambda: QUALITY(LABELS[:3], P), ValueError, ["5 rows", "3"]),
        (lambda: QUALITY(LABELS, P.tolist()), TypeError, ["pred_probs is a list"]),
        (lambda: QUALITY(LABELS, P[None]), ValueError, ["3 dimensions", "Use the ensemble function"]),
        (lambda: ENSEMBLE(LABELS, P), ValueError, ["2 dimensions", "Use the non-ensemble function"]),
        (lambda: QUALITY(LABELS, P, consensus_method="x"), ValueError, ["'x'", "best_quality"]),
        (lambda: QUALITY(LABELS, P, consensus_method=[]), ValueError, ["empty list", "best_quality"]),
        (lambda: QUALITY(LABELS, P, quality_method="x"), ValueError, ["'x'", "agreement"]),
        (
            lambda: QUALITY(LABELS, P, quality_method="agreement", return_weights=True),
            ValueError,
            ["return_weights", "'agreement'"],
        ),
        (
            lambda: QUALITY(LABELS, P, label_quality_score_kwargs={"methods": "x"}),
            ValueError,
            ["methods", "'method'", "'adjust_pred_probs'"],
        ),
        (lambda: SCORES(LABELS), ValueError, ["both None", "at least one"]),
        (lambda: SCORES(pred_probs=P), ValueError, ["without labels", "pred_probs_unlabeled"]),
        (lambda: SCORES(LABELS, P, np.ones((1, 1))), ValueError, ["(5, 2)", "(1, 1)", "same classes"]),
        (lambda: SCORES(LABELS, P, [[0.5, 0.5]]), TypeError, ["pred_probs_unlabeled is a list"]),
        (
            lambda: SCORES_ENSEMBLE(LABELS, P[None], np.stack([P, P])),
            ValueError,
            ["(1, 5, 2)", "(2, 5, 2)", "same models"],
        ),
        (lambda: get_majority_vote_label(LABELS, P.tolist()), TypeError, ["list"]),
        (
            lambda: convert_long_to_wide_dataset(pd.DataFrame({"task": [1]})),
            ValueError,
            ["no column 'annotator'", "task"],
        ),
    ],
)
def test_bad_input_is_refused(call, error, words):
    with pytest.raises(error) as raised:
        call()
    for word in words:
        assert word in str(raised.value)
