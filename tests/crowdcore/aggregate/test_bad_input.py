"""What each method says to input that it cannot use: what was found, what is allowed, what to do."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from crowdcore import Crowd
from crowdcore.aggregate import (
    CROWDLAB,
    EBCC,
    GLAD,
    IBCC,
    IWMV,
    KOS,
    MACE,
    ActiveLabelCleaning,
    DawidSkene,
    DawidSkeneClust,
    EmpiricalBayes,
    FeatureEM,
    HierarchicalDawidSkene,
    LabelQualityScore,
    MajorityVote,
    ModelAlone,
    OneCoinDawidSkene,
    PlantNet,
    SharedWeight,
    TwoThird,
    WithModel,
    ZeroBasedSkill,
    find_method,
    run_method,
)
from tests.crowdcore.aggregate.every_method import NAMES, WAYS, evidence, needed

GOOD = Crowd.from_wide([[0, 1], [1, 1]])
EMPTY = Crowd.from_wide([[None]])
P = [[0.5, 0.5], [0.2, 0.8]]
X = [[0.0], [1.0]]
ANSWERS = [
    ([[0, 1]], "The answers are a list; pass a Crowd, or a frame with columns task, annotator and label"),
    (pd.DataFrame({"task": [0]}), "no column for the annotator; its columns are"),
    (
        pd.DataFrame({"task": [0], "annotator": [0], "label": [[1, 2]]}),
        "A value cannot be an id or a label.*unhashable",
    ),
    (EMPTY, r"Crowd\(1 tasks, 1 annotators, 0 classes, 0 answers\) has no classes. Pass classes="),
]
KNOWN = [
    ([0], r"known_labels has shape \(1,\) and type int64; expected \(2,\) integers"),
    ([0.5, 1.0], r"type float64; expected \(2,\) integers"),
    ([0, 2], "found 2; allowed are the class codes 0 to 1, and -1"),
    ({7: 0}, "task 7 is not among the 2 tasks"),
    ({0: "a"}, r"task 0: found 'a'; allowed are the crowd's classes \[0, 1\]. Leave out"),
]
PROBABILITIES = [
    (None, "needs a model's probabilities: pass pred_probs"),
    ([[0.5, 0.5]], r"pred_probs has shape \(1, 2\); expected \(2, 2\)"),
    ([0.5, 0.5], r"pred_probs has shape \(2,\); expected \(2, 2\)"),
    ([[0.5, 0.5], [0.5, np.nan]], r"row 1 \(task 1\).*Pass probabilities: finite"),
    ([[0.5, 0.5], [1.5, -0.5]], r"row 1 \(task 1\).*not negative"),
    ([[0.5, 0.5], [2.0, 3.0]], r"row 1 \(task 1\): the row sums to 5, not to 1.*Divide each row by its sum"),
    (pd.DataFrame([[0.5, 0.5]], index=[1], columns=[0, 1]), "DataFrame without 0 in its index"),
    (pd.DataFrame(P, columns=[1, 2]), "DataFrame without 0 in its columns"),
    ("guess", "pred_probs, a str, is not an array of numbers"),
    (np.array(P) + 0j, r"not an array of numbers \(complex numbers\)"),
    (sparse.csr_matrix(P), r"pred_probs, a csr_matrix, is not an array of numbers.*toarray"),
]
FEATURES = [
    ([0.0, 1.0], r"features have shape \(2,\); expected \(2, d\): a row for each of the crowd's tasks"),
    ([[0.0]], r"features have shape \(1, 1\); expected \(2, d\)"),
    (np.empty((2, 0)), r"features have shape \(2, 0\).*at least one column"),
    (sparse.csr_matrix([[0.0]]), r"features have shape \(1, 1\); expected \(2, d\)"),
    ([[0.0], [np.nan]], r"row 1 \(task 1\): a value is not finite.*Fill missing values first"),
    (sparse.csr_matrix([[np.inf], [0.0]]), r"row 0 \(task 0\): a value is not finite"),
    ([["red"], ["blue"]], "not a matrix of numbers.*Encode text and categories first"),
    (pd.DataFrame(X, index=[0, 5]), "without task 1 in its index; expected each of the crowd's 2 tasks once"),
    (pd.DataFrame([[0.0], [1.0], [2.0]], index=[0, 1, 1]), "with duplicates in its index"),
]
OPTIONS = [
    (MajorityVote(skills=[1.0]), r"skills have shape \(1,\); expected \(2,\), one for each"),
    (MajorityVote(skills={0: 1.0}), "skill of annotator 1 is nan; every annotator with answers"),
    (MajorityVote(skills=[1, np.inf]), "skill of annotator 1 is inf"),
    (MajorityVote(ties="last"), "ties is 'last'; allowed are 'share' and 'first'"),
    (DawidSkene(n_iter=0), "n_iter is 0; it must be a whole number, 1 or more"),
    (DawidSkene(n_iter=2.5), "n_iter is 2.5; it must be a whole number"),
    (DawidSkene(n_iter=True), "n_iter is True; it must be a whole number"),
    (DawidSkene(n_iter=None), "n_iter is None; it must be a whole number"),
    (DawidSkene(class_prior="even"), "class_prior is 'even'; it must be a number"),
    (DawidSkene(confusion_prior="even"), "confusion_prior is even; it must be a number or a matrix"),
    (TwoThird(threshold=None), "threshold is None; it must be a number"),
    (TwoThird(min_answers=[1, 2]), r"min_answers is \[1, 2\]; it must be a whole number"),
    (ZeroBasedSkill(lr_init="1"), "lr_init is '1'; it must be a number"),
    (CROWDLAB(calibrate_probs="no"), "calibrate_probs is 'no'; it must be True or False"),
    (GLAD(class_prior="even"), "expected 2 finite shares above 0"),
    (PlantNet(alpha=-1), "alpha is -1; it must be finite, 0 or more"),
    (DawidSkene(tol=np.nan), "tol is nan; it must be a number"),
    (DawidSkene(confusion_prior=-1), "confusion_prior is -1.0; it must be a number or a matrix"),
    (DawidSkene(confusion_prior=np.ones(3)), r"a matrix \(2, 2\) of true class by label"),
    (DawidSkene(class_prior=-1), "class_prior is -1; it must be finite, 0 or more"),
    (OneCoinDawidSkene(right_prior=-1), "right_prior is -1; it must be finite, 0 or more"),
    (GLAD(class_prior=[1, 0]), "expected 2 finite shares above 0"),
    (GLAD(m_step_tol=0), "m_step_tol is 0; it must be above 0"),
    (MACE(method="mcmc"), "method is 'mcmc'; allowed are 'vb' and 'em'"),
    (MACE(alpha=0), "alpha is 0; it must be a finite number above 0"),
    (MACE(n_restarts=0), "n_restarts is 0; it must be a whole number, 1 or more"),
    (IBCC(right_prior=0), "IBCC: right_prior is 0; it must be a finite number above 0"),
    (IBCC(class_prior=np.inf), "IBCC: class_prior is inf; it must be a finite number above 0"),
    (EBCC(subtype_prior=-1.0), "EBCC: subtype_prior is -1.0; it must be a finite number above 0"),
    (EBCC(n_subtypes=0), "n_subtypes is 0; it must be a whole number, 1 or more"),
    (KOS(seed=-1), "seed is -1; it must be a whole number, 0 or more"),
    (DawidSkeneClust(n_clusters=0), "n_clusters is 0; it must be a whole number, 1 or more"),
    (IWMV(weights="log"), "weights is 'log'; allowed are 'centered' and 'accuracy'"),
    (ZeroBasedSkill(lr_init=0), "lr_init is 0; it must be above 0"),
    (TwoThird(threshold=2), r"threshold is 2; it must lie in \(0, 1\]"),
    (PlantNet(ai_mode="boss"), "ai_mode is 'boss'; allowed are 'ignored', 'worker'"),
    (PlantNet(ai="bot"), "ai is 'bot', which is not among the annotators"),
    (PlantNet(ai=1, ai_mode="confident"), "needs one for each of the 2 tasks"),
    (PlantNet(authors=[5, 0]), "an annotator code for each task"),
    (CROWDLAB(consensus_method="mean"), "consensus_method is 'mean'; choose one of 'best_quality', 'majority_vote'"),
    (CROWDLAB(quality_method="votes"), "quality_method is 'votes'; choose one of 'crowdlab', 'agreement'"),
    (LabelQualityScore(score="margin"), "score is 'margin'; allowed are 'self_confidence', 'normalized_margin'"),
    (SharedWeight(seed=-1), "seed is -1; it must be a whole number, 0 or more"),
    (ActiveLabelCleaning(seed="a"), "seed is 'a'; it must be a whole number"),
    (EmpiricalBayes(n_iter=0), "n_iter is 0; it must be a whole number, 1 or more"),
    (EmpiricalBayes(confusion_prior=-1), "confusion_prior is -1.0; it must be a number or a matrix"),
    (WithModel("glad"), r"aggregator is 'glad'; it must be a method that uses only answers, such as DawidSkene\(\)"),
    (WithModel(ModelAlone()), "it must be a method that uses only answers"),
    (WithModel(name=1), r"already has an annotator 1. Choose another name"),
    (FeatureEM(strength=0), "strength is 0; it must be a finite number above 0"),
    (FeatureEM(n_folds=0), "n_folds is 0; it must be a whole number, 1 or more"),
    (
        FeatureEM(LinearSVC()),
        r"classifier is LinearSVC\(\); it must be a scikit-learn classifier that has predict_proba",
    ),
    (FeatureEM(KNeighborsClassifier()), "whose fit takes sample_weight, such as LogisticRegression"),
    (HierarchicalDawidSkene(most_exponent="two"), "most_exponent is 'two'; it must be a number"),
    (HierarchicalDawidSkene(most_exponent=-1), "most_exponent is -1; it must be a finite number, 0 or more"),
]


def refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize(("answers", "message"), ANSWERS)
def test_answers(name, answers, message):
    refused(lambda: WAYS[name].make().fit(answers, **needed(name, P, X)), message)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("known", "message"), KNOWN)
def test_known_labels(name, known, message):
    if "known_labels" not in WAYS[name].takes:
        message = "does not use known_labels. Leave them out, or use HierarchicalDawidSkene"
    refused(lambda: run_method(name, GOOD, pred_probs=P, features=X, known_labels=known), message)


@pytest.mark.parametrize(
    ("aggregator", "given", "message"),
    [
        (
            DawidSkene(),
            {"pred_probs": P},
            "DawidSkene does not use pred_probs. Leave them out, or",
        ),
        (CROWDLAB(), {"pred_probs": P, "features": X}, "CROWDLAB does not use features.*or use Hier.* or FeatureEM"),
        (CROWDLAB(), {}, r"CROWDLAB needs a model's probabilities: pass pred_probs, an array \(2, 2\)"),
        (FeatureEM(), {}, r"FeatureEM needs features of the tasks: pass features, an array \(2, d\)"),
    ],
)
def test_evidence_that_does_not_suit_the_method(aggregator, given, message):
    refused(lambda: aggregator.fit(GOOD, **given), message)


def test_too_many_arguments():
    with pytest.raises(TypeError, match="given 2 arguments after the answers; it takes at most known_labels"):
        DawidSkene().fit(GOOD, [0, 1], P)
    with pytest.raises(TypeError, match=r"given pred_probs by position and by name\. Give it once"):
        CROWDLAB().fit(GOOD, P, pred_probs=P)


@pytest.mark.parametrize("name", [name for name in WAYS if "pred_probs" in WAYS[name].needs])
@pytest.mark.parametrize(("pred_probs", "message"), PROBABILITIES)
def test_probabilities(name, pred_probs, message):
    if pred_probs is not None or name in NAMES:
        refused(lambda: WAYS[name].make().fit(GOOD, pred_probs), message)


@pytest.mark.parametrize("name", [name for name in WAYS if "features" in WAYS[name].needs])
@pytest.mark.parametrize(("features", "message"), FEATURES)
def test_features(name, features, message):
    refused(lambda: WAYS[name].make().fit(GOOD, features=features), message)


@pytest.mark.parametrize(("aggregator", "message"), OPTIONS)
def test_options(aggregator, message):
    name = find_method(type(aggregator).__name__).name if type(aggregator) is not WithModel else "glad+model"
    refused(lambda: aggregator.fit(GOOD, **needed(name, P, X)), message)


@pytest.mark.parametrize("name", NAMES)
def test_an_option_that_there_is_not(name):
    refused(lambda: WAYS[name].make(iterations=3), "has no option 'iterations'; it has ")


@pytest.mark.parametrize("name", ["kos", "kos+model"])
def test_more_than_two_classes(name):
    crowd = Crowd.from_wide([[0, 1, 2]])
    message = r"KOS is for two classes, and the crowd has 3: \[0, 1, 2\]. Use MMSR, DawidSkene or MACE"
    refused(lambda: run_method(name, crowd, pred_probs=evidence(1, 3)[0]), message)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dawid-skeen", "no method 'dawid-skeen'. Did you mean 'dawid-skene'?"),
        (
            "xyzzy",
            r"no method 'xyzzy'. Choose one of hierarchical-dawid-skene, majority-vote, .*feature-em\. Methods that",
        ),
        ("crowdlab+model", r"Did you mean 'crowdlab'\?"),
        ("hierarchical+model", "Did you mean 'hierarchical-dawid-skene'?"),
        ("", "Choose one of hierarchical-dawid-skene"),
    ],
)
def test_a_method_that_there_is_not(name, message):
    refused(lambda: find_method(name), message)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("crowdlab", "'crowdlab' needs pred_probs, which were not given. Pass a classifier's class probabilities"),
        ("glad+model", r"'glad\+model' needs pred_probs, which were not given"),
        ("feature-em", "'feature-em' needs features, which were not given. Pass a matrix with a row of numbers"),
    ],
)
def test_a_method_that_needs_more(name, message):
    refused(lambda: run_method(name, GOOD), message)


@pytest.mark.parametrize(
    ("name", "labels", "message"),
    [
        (1, [0, 0], r"Crowd\(2 tasks, 2 annotators.*already has an annotator 1. Choose another name"),
        ("bot", [0], r"labels of annotator 'bot' have shape \(1,\) and type int64; expected \(2,\) integers"),
        ("bot", [0.0, 1.0], r"type float64; expected \(2,\) integers: a class code for each"),
        ("bot", [0, 2], "label of annotator 'bot' for task 1 is 2; allowed are the class codes 0 to 1, and -1"),
    ],
)
def test_an_annotator_that_cannot_be_added(name, labels, message):
    refused(lambda: GOOD.with_annotator(name, labels), message)
