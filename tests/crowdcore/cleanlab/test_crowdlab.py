from itertools import product

import numpy as np
import pytest

from crowdcore import Crowd, active_learning_scores, activelab, crowdlab

SCORES = ["self_confidence", "normalized_margin", "confidence_weighted_entropy"]


def by_hand(crowd, P, consensus):
    """CROWDLAB's definition, written out with loops: posterior, weights of annotators and of the model."""
    N, K = crowd.counts.shape
    answers = [list(zip(crowd.annotator[crowd.task == i], crowd.label[crowd.task == i], strict=True)) for i in range(N)]
    multi = [i for i in range(N) if len(answers[i]) > 1]
    right = np.mean([np.mean([y == consensus[i] for _, y in answers[i]]) for i in multi])
    wrong = (1 - right) / (K - 1)
    common = np.bincount(consensus[multi]).argmax()
    chance = max(np.mean(consensus[multi] != common), 1e-6)
    weights = []
    for j in range(len(crowd.annotators)):
        agreed = compared = 0
        for i in range(N):
            mine = [y for who, y in answers[i] if who == j]
            others = [y for who, y in answers[i] if who != j]
            if mine:
                agreed += others.count(mine[0])
                compared += len(others)
        weights.append(max(1 - (1 - agreed / compared) / chance, 1e-6))
    error = np.mean(P[multi].argmax(axis=1) != consensus[multi])
    model = max(1 - error / chance, 1e-6) * np.sqrt(np.mean([len(row) for row in answers]))
    posterior = model * P
    for i in range(N):
        for j, y in answers[i]:
            posterior[i] += weights[j] * np.where(np.arange(K) == y, right, wrong)
        posterior[i] /= model + sum(weights[j] for j, _ in answers[i])
    return posterior, np.array(weights), model


@pytest.fixture
def crowd_and_probabilities(draw):
    crowd, P = draw(7, N=60, M=8, K=4, density=0.4)
    answered = crowd.num_answers > 0
    return crowd.select_tasks(answered), P[answered]


def test_majority_vote_with_the_definition_written_out(crowd_and_probabilities):
    crowd, P = crowd_and_probabilities
    result = crowdlab(crowd, P, consensus_method="majority_vote")
    posterior, weights, model = by_hand(crowd, P, result.consensus)
    assert np.allclose(result.posterior, posterior, rtol=0, atol=1e-12)
    assert np.allclose(result.annotator_weights, weights, rtol=0, atol=1e-12)
    assert result.model_weight == pytest.approx(model)
    assert np.array_equal(result.quality, result.posterior[np.arange(len(P)), result.consensus])


def test_best_quality_takes_the_likeliest_label_and_weighs_again(crowd_and_probabilities):
    crowd, P = crowd_and_probabilities
    first = crowdlab(crowd, P, consensus_method="majority_vote")
    result = crowdlab(crowd, P)
    assert np.array_equal(result.consensus, first.posterior.argmax(axis=1))
    assert (result.consensus != first.consensus).any()
    posterior, weights, model = by_hand(crowd, P, result.consensus)
    assert np.allclose(result.posterior, posterior, rtol=0, atol=1e-12)
    assert np.allclose(result.annotator_weights, weights, rtol=0, atol=1e-12)
    assert result.model_weight == pytest.approx(model)


def test_where_two_labels_are_equally_likely_the_majority_stands():
    # the labels tie, and so do their probabilities; the rarer label is the majority's choice
    crowd = Crowd.from_wide([[0, 1], [0, 0], [0, 0], [1, 0]])
    P = [[0.5, 0.5], [0.9, 0.1], [0.8, 0.2], [0.5, 0.5]]
    result = crowdlab(crowd, P)
    assert result.consensus.tolist() == [1, 0, 0, 1]


def test_the_tutorials_consensus(toy):
    crowd = Crowd.from_wide(toy["labels"], classes=range(3))
    result = crowdlab(crowd, toy["pred_probs"])
    right = result.consensus == toy["truth"]
    assert right.mean() == pytest.approx(0.979730, abs=5e-7)
    worst = np.argsort(result.quality)
    assert right[worst[:15]].mean() == pytest.approx(0.8)
    assert right[worst[15:]].mean() == pytest.approx(0.98932384)
    assert np.array_equal(result.consensus, toy["consensus"])
    assert np.abs(result.quality - toy["consensus_quality"]).max() < 1e-12
    assert np.abs(result.annotators.quality - toy["annotator_quality"]).max() < 1e-12


def test_agreement_is_the_share_of_votes(draw):
    crowd, P = draw(3)
    result = crowdlab(crowd, P, quality_method="agreement")
    answered = crowd.num_answers > 0
    assert np.allclose(result.quality[answered], crowd.counts.max(axis=1)[answered] / crowd.num_answers[answered])
    assert np.allclose(result.quality[answered], result.agreement[answered])
    assert np.array_equal(result.posterior[~answered], P[~answered])
    assert result.model_weight == 0
    assert (result.annotator_weights == 1).all()


def test_an_ensemble_of_one_is_the_model(draw):
    crowd, P = draw(4)
    one, many = crowdlab(crowd, P), crowdlab(crowd, P[None])
    assert np.allclose(one.posterior, many.posterior, rtol=0, atol=1e-15)
    assert np.allclose(one.annotators.quality, many.annotators.quality, rtol=0, atol=1e-15, equal_nan=True)
    assert many.model_weight.tolist() == [one.model_weight]


def test_a_useless_model_of_an_ensemble_has_no_weight(draw):
    crowd, P = draw(5, N=100)
    useless = np.roll(P, 1, axis=1)
    weights = crowdlab(crowd, np.stack([P, useless])).model_weight
    assert weights[1] < 1e-5 < weights[0]


def test_frames(draw):
    crowd = Crowd.from_codes(
        [0, 0, 1, 1, 2], [0, 1, 0, 1, 1], [0, 0, 1, 0, 1],
        tasks=["a", "b", "c", "d"], annotators=["ann", "bob", "eve"], classes=["no", "yes"],
    )  # fmt: skip
    result = crowdlab(crowd)
    frame = result.to_frame()
    assert frame.columns.tolist() == ["consensus", "quality", "agreement", "num_answers"]
    assert frame.index.tolist() == ["a", "b", "c", "d"]
    assert frame["consensus"].tolist()[0] == "no"
    assert frame["consensus"].isna().tolist() == [False, False, False, True]
    labels = result.labels_frame()
    assert labels.columns.tolist() == ["task", "annotator", "label", "quality"]
    assert labels["label"].tolist() == ["no", "no", "yes", "no", "yes"]
    annotators = result.annotators_frame()
    assert annotators.columns.tolist() == [
        "quality", "agreement_with_consensus", "worst_class", "num_answers", "weight",
    ]  # fmt: skip
    assert annotators.index[-1] == "eve"
    assert annotators["quality"].is_monotonic_increasing or annotators["quality"].isna().iloc[-1]
    assert annotators.loc["eve", "num_answers"] == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"consensus_method": "best"}, ["consensus_method", "'best'", "'best_quality'", "'majority_vote'"]),
        ({"quality_method": "lab"}, ["quality_method", "'lab'", "'crowdlab'", "'agreement'"]),
        ({"label_quality_score": "x"}, ["label_quality_score", "'x'", "'normalized_margin'"]),
        (
            {"label_quality_score": "confidence_weighted_entropy", "adjust_pred_probs": True},
            ["adjust_pred_probs", "confidence_weighted_entropy", "another score"],
        ),
    ],
)
def test_unknown_options_are_refused(options, words):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the words are checked one by one
        crowdlab(Crowd.from_wide([[0, 1]]), **options)
    for word in words:
        assert word in str(error.value)


# Known labels


def test_a_known_label_is_the_consensus_with_quality_one(draw):
    crowd, P = draw(6)
    known = np.full(len(P), -1)
    known[:10] = np.arange(10) % 3
    result = crowdlab(crowd, P, known_labels=known)
    assert result.consensus[:10].tolist() == known[:10].tolist()
    assert (result.quality[:10] == 1).all()
    assert np.array_equal(result.posterior[:10], np.eye(3)[known[:10]])
    there = crowd.task < 10
    right = crowd.label[there] == known[crowd.task[there]]
    assert np.array_equal(result.label_quality[there], right)
    for score in SCORES:
        result = crowdlab(crowd, P, known_labels=known, label_quality_score=score)
        assert np.array_equal(result.label_quality[there], right)
    assert (activelab(crowd, P, known_labels=known)[:10] == 1).all()


def test_known_labels_tell_good_annotators_from_bad_without_any_overlap():
    crowd = Crowd.from_codes(
        range(20), np.arange(20) // 10, np.r_[np.arange(10) % 2, np.zeros(10, int)],
        tasks=range(20), annotators=["good", "bad"], classes=[0, 1],
    )  # fmt: skip
    known = np.where(np.arange(20) % 10 < 6, np.arange(20) % 2, -1)
    result = crowdlab(crowd, known_labels=known)
    assert result.annotator_weights[0] > 0.9
    assert result.annotator_weights[1] < 0.1
    assert result.annotators.quality.tolist() == [1.0, 0.5]


def test_no_known_label_changes_nothing(draw):
    crowd, P = draw(8)
    a, b = crowdlab(crowd, P), crowdlab(crowd, P, known_labels=np.full(len(P), -1))
    assert np.array_equal(a.posterior, b.posterior)


# Cases that the papers leave open


def test_a_task_without_answers_has_the_models_posterior(draw):
    crowd, P = draw(9, density=0.3)
    alone = crowd.num_answers == 0
    assert alone.any()
    result = crowdlab(crowd, P)
    assert np.array_equal(result.posterior[alone], P[alone])
    assert np.array_equal(result.consensus[alone], P[alone].argmax(axis=1))
    assert np.array_equal(result.quality[alone], P[alone].max(axis=1))
    assert np.isnan(result.agreement[alone]).all()


def test_tasks_without_answers_enter_none_of_the_statistics(draw):
    crowd, P = draw(10, density=0.3)
    answered = crowd.num_answers > 0
    for options in ({}, {"calibrate_probs": True}, {"adjust_pred_probs": True}):
        all_, some = crowdlab(crowd, P, **options), crowdlab(crowd.select_tasks(answered), P[answered], **options)
        assert np.allclose(all_.quality[answered], some.quality, rtol=0, atol=1e-15)
        assert np.allclose(all_.annotators.quality, some.annotators.quality, rtol=0, atol=1e-15)
        assert all_.model_weight == pytest.approx(some.model_weight)


def test_without_a_model_the_votes_are_weighed():
    wide = [[0, 0, 1], [1, 1, 1], [0, 0, 1], [1, 1, 0], [-1, -1, -1]]
    result = crowdlab(Crowd.from_wide(wide, classes=[0, 1]))
    assert result.model_weight == 0
    assert result.consensus.tolist() == [0, 1, 0, 1, -1]
    assert result.posterior[4].tolist() == [0.5, 0.5]
    assert result.quality[4] == 0.5
    assert result.annotator_weights[2] < result.annotator_weights[0]
    assert np.allclose(result.posterior.sum(axis=1), 1)


def test_without_overlap_a_model_gives_the_quality_of_the_answer():
    crowd = Crowd.from_wide([[0, -1], [-1, 1], [-1, -1]], classes=[0, 1])
    P = np.array([[0.3, 0.7], [0.2, 0.8], [0.4, 0.6]])
    for calibrate in (False, True):
        result = crowdlab(crowd, P, calibrate_probs=calibrate)
        assert result.consensus.tolist() == [0, 1, 1]
        assert result.quality == pytest.approx([0.3, 0.8, 0.6])
        assert result.posterior == pytest.approx(P)
        assert (result.model_weight, result.annotator_weights.tolist()) == (1, [1, 1])
        assert np.isnan(result.annotators.quality).all()


def test_without_overlap_and_model_an_answer_is_halfway_between_chance_and_certainty():
    result = crowdlab(Crowd.from_wide([[0, -1], [-1, 3]], classes=range(4)))
    assert result.consensus.tolist() == [0, 3]
    assert result.quality == pytest.approx([5 / 8] * 2)
    assert result.posterior[0] == pytest.approx([5 / 8, 1 / 8, 1 / 8, 1 / 8])


def test_an_annotator_without_answers_weighs_like_the_average():
    wide = np.array([[0, 0, -1], [1, 1, -1], [0, 1, -1], [1, 1, -1]])
    P = [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.5, 0.5]]
    result = crowdlab(Crowd.from_wide(wide), P)
    assert result.annotator_weights[2] == pytest.approx(result.annotator_weights[0])
    assert np.isnan(result.annotators.quality[2])
    assert np.isnan(result.annotators.agreement_with_consensus[2])
    assert (result.annotators.worst_class[2], result.annotators.num_answers[2]) == (-1, 0)


DEGENERATE = {
    "one class": Crowd.from_wide([[0, 0], [0, -1], [-1, -1]]),
    "one annotator": Crowd.from_wide([[0], [1], [-1]]),
    "one task": Crowd.from_wide([[0, 1, 1]]),
    "one answer": Crowd.from_wide([[0]], classes=[0, 1]),
    "no overlap": Crowd.from_wide([[0, -1], [-1, 1], [-1, -1]]),
    "no answers": Crowd.from_wide(np.full((3, 2), -1), classes=[0, 1, 2]),
    "no answers, no annotators": Crowd.from_wide(np.empty((3, 0)), classes=[0, 1]),
    "no tasks": Crowd.from_wide(np.empty((0, 2)), classes=[0, 1]),
    "tasks without answers": Crowd.from_wide([[0, 1], [-1, -1], [1, 1], [-1, -1]]),
    "new annotators": Crowd.from_wide([[0, 1, -1, -1], [1, 1, -1, -1]]),
    "classes nobody chose": Crowd.from_wide([[0, 2], [2, 2]], classes=range(6)),
    "everybody agrees": Crowd.from_wide([[0, 0], [1, 1], [0, 0]]),
    "everybody agrees on one class": Crowd.from_wide([[0, 0], [0, 0]], classes=[0, 1]),
    "nobody agrees": Crowd.from_wide([[0, 1], [1, 0], [0, 1]]),
    "text": Crowd.from_wide([["cat", "dog"], ["dog", "dog"], ["cat", None]]),
    "everybody alone but one": Crowd.from_wide([[0, 0, -1, -1], [-1, -1, 1, -1], [-1, -1, -1, 0]]),
}


def models(crowd, kind):
    N, K = len(crowd.tasks), len(crowd.classes)
    rng = np.random.default_rng(1)
    return {
        "no model": None,
        "a model": rng.dirichlet(np.ones(K), size=N),
        "zeros": np.eye(K)[rng.integers(K, size=N)].reshape(N, K),
        "uniform": np.full((N, K), 1 / K),
        "an ensemble": rng.dirichlet(np.ones(K), size=(3, N)).reshape(3, N, K),
    }[kind]


@pytest.mark.parametrize("kind", ["no model", "a model", "zeros", "uniform", "an ensemble"])
@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_crowds_have_finite_results(name, kind):
    crowd = DEGENERATE[name]
    P = models(crowd, kind)
    N, K, M = len(crowd.tasks), len(crowd.classes), len(crowd.annotators)
    answered = crowd.num_answers > 0
    for method, quality, score, adjust, calibrate, known in product(
        ["best_quality", "majority_vote"], ["crowdlab", "agreement"], SCORES, *[[False, True]] * 3
    ):
        if adjust and score == "confidence_weighted_entropy":
            continue
        known_labels = np.where(np.arange(N) % 2, -1, 0) if known else None
        result = crowdlab(
            crowd,
            P,
            consensus_method=method,
            quality_method=quality,
            label_quality_score=score,
            adjust_pred_probs=adjust,
            calibrate_probs=calibrate,
            known_labels=known_labels,
        )
        for values in (result.quality, result.posterior, result.label_quality):
            assert np.isfinite(values).all()
            assert ((values >= 0) & (values <= 1)).all()
        assert np.allclose(result.posterior.sum(axis=1), 1)
        assert np.isfinite(result.annotator_weights).all()
        assert (result.annotator_weights > 0).all()
        assert np.isfinite(result.model_weight).all()
        assert ((result.consensus >= 0) | ((P is None) & ~answered)).all()
        assert (result.consensus < K).all()
        assert (np.isnan(result.agreement) == ~answered).all()
        busy = result.annotators.num_answers > 0
        assert (np.isnan(result.annotators.agreement_with_consensus) == ~busy).all()
        assert ((result.annotators.worst_class >= 0) == busy).all()
        scores = active_learning_scores(result)
        assert np.isfinite(scores).all()
        assert ((scores >= 0) & (scores <= 1)).all()
        assert [len(frame) for frame in (result.to_frame(), result.labels_frame())] == [N, len(crowd.label)]
        assert len(result.annotators_frame()) == M


def test_nothing_is_as_large_as_tasks_times_annotators():
    size = 100_000  # 10^10 cells
    rng = np.random.default_rng(0)
    task, annotator = np.arange(3 * size) % size, rng.permutation(3 * size) % size
    keep = np.unique(task * size + annotator)
    crowd = Crowd.from_codes(
        keep // size, keep % size, keep % 3, tasks=range(size), annotators=range(size), classes=range(3)
    )
    for P in (None, np.full((size, 3), 1 / 3)):
        assert np.isfinite(active_learning_scores(crowdlab(crowd, P))).all()
