"""In parts, everything is what it is in memory."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crowdcore import Crowd, activelab, crowdlab
from crowdcore.aggregate import CROWDLAB, DawidSkene, FastDawidSkene, MajorityVote, OneCoinDawidSkene, run_method
from crowdcore.partitioned import PartitionedCrowd, dealing

law = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# with a few iterations: near a saddle EM blows rounding up, until orders do differ
LABELLING = [
    MajorityVote(),
    MajorityVote(ties="first"),
    DawidSkene(n_iter=5),
    DawidSkene(n_iter=3, confusion_prior=0.5, class_prior=1.0),
    FastDawidSkene(n_iter=4),
    OneCoinDawidSkene(n_iter=5),
    OneCoinDawidSkene(n_iter=3, right_prior=2, wrong_prior=1),
]


@st.composite
def crowds(draw):
    N, M, K = draw(st.integers(1, 25)), draw(st.integers(1, 7)), draw(st.integers(2, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    wide = rng.integers(K, size=(N, M))
    if draw(st.booleans()):  # most agree
        wide = np.where(rng.random((N, M)) < 0.8, np.arange(N)[:, None] % K, wide)
    wide[rng.random((N, M)) < draw(st.sampled_from([0.0, 0.3, 0.8]))] = -1
    return Crowd.from_wide(wide, classes=range(K))


def close(a, b):
    return np.allclose(np.asarray(a, dtype=float), np.asarray(b, dtype=float), rtol=0, atol=1e-9, equal_nan=True)


def assert_same_labels(found, labels, probas):
    """The labels are equal, but where two classes are equally probable to the last bits."""
    second, first = np.sort(probas, axis=1)[:, -2:].T
    clear = first - second > 1e-9
    missing = pd.isna(found)
    assert (missing == pd.isna(labels)).all()
    assert (found[clear & ~missing] == labels[clear & ~missing]).all()


def assert_same(result, crowd, labels, quality, probas):
    frame = result.to_frame().loc[crowd.tasks.tolist()]
    assert close(frame[[str(one) for one in crowd.classes]], probas)
    assert close(frame["quality"], quality)
    assert (frame["num_answers"] == crowd.num_answers).all()
    assert_same_labels(frame["label"].to_numpy(dtype=object), np.asarray(labels, dtype=object), probas)


@pytest.mark.parametrize("method", LABELLING, ids=repr)
@law
@given(crowd=crowds(), parts=st.integers(1, 40))
def test_labels(method, crowd, parts):
    with PartitionedCrowd.from_crowd(crowd, parts) as partitioned:
        result = partitioned.aggregate(method)
        fitted = type(method)(**method.get_params()).fit(crowd)
        assert_same(result, crowd, fitted.labels_, fitted.quality_, fitted.probas_)
        for learned in ("confusion_", "skills_", "prior_", "history_", "n_iter_", "converged_"):
            if hasattr(fitted, learned):
                assert np.allclose(getattr(result.aggregator, learned), getattr(fitted, learned), 1e-9, 1e-9, True)


@law
@given(crowd=crowds(), parts=st.integers(1, 40), calibrate=st.booleans(), seed=st.integers(0, 3))
def test_consensus_without_a_model(crowd, parts, calibrate, seed):
    found = crowdlab(crowd, calibrate_probs=calibrate, seed=seed)
    with PartitionedCrowd.from_crowd(crowd, parts) as partitioned:
        result = partitioned.aggregate(CROWDLAB(calibrate_probs=calibrate, seed=seed))
        assert_same(result, crowd, found.labels, found.quality, found.posterior)
        scores = partitioned.activelab(seed=seed).to_frame()["score"].loc[crowd.tasks.tolist()]
        assert close(scores, activelab(crowd, seed=seed))


@pytest.mark.parametrize("name", ["majority-vote", "dawid-skene", "fast-dawid-skene", "one-coin-dawid-skene"])
def test_a_run_to_the_end_from_files(name, noisy, in_files, whole):
    frame = noisy(3)
    with PartitionedCrowd.from_parquet(in_files(frame), part_size=150) as partitioned:
        assert partitioned.num_parts > 5
        result = partitioned.aggregate(name)
        aggregation = run_method(name, whole(frame))
        crowd = whole(frame)
        assert_same(result, crowd, aggregation.labels, aggregation.quality, aggregation.probas)
        pd.testing.assert_frame_equal(
            result.annotators, aggregation.annotators_frame(), rtol=0, atol=1e-9, check_dtype=False
        )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"calibrate_probs": True},
        {"consensus_method": "majority_vote"},
        {"quality_method": "agreement"},
        {"label_quality_score": "normalized_margin"},
        {"label_quality_score": "confidence_weighted_entropy"},
    ],
    ids=str,
)
@pytest.mark.parametrize("models", [1, 2])
def test_consensus_with_models(models, options, noisy, in_files, probabilities, whole):
    frame = noisy(4)
    tasks = np.arange(240)  # forty of which nobody has answered
    crowd = whole(frame, tasks=tasks)
    given = [probabilities(tasks, range(3), seed, f"model-{seed}") for seed in range(models)]
    folders, P = [str(folder) for folder, _ in given], np.array([P for _, P in given])
    found = crowdlab(crowd, P if models > 1 else P[0], **options)
    with PartitionedCrowd.from_parquet(in_files(frame), part_size=150) as partitioned:
        result = partitioned.aggregate(CROWDLAB(**options), pred_probs=folders if models > 1 else folders[0])
    with pytest.raises(FileNotFoundError):  # what had no folder of its own went with the crowd
        result.to_frame()
    with PartitionedCrowd.from_parquet(in_files(frame, name="again"), part_size=150) as partitioned:
        result = partitioned.aggregate(CROWDLAB(**options), pred_probs=folders if models > 1 else folders[0])
        assert_same(result, crowd, found.labels, found.quality, found.posterior)
        assert close(result.model_weight, found.model_weight)
        pd.testing.assert_frame_equal(result.annotators, found.annotators_frame(), rtol=0, atol=1e-9)


@pytest.mark.parametrize("calibrate", [True, False])
def test_scores_with_a_model(calibrate, noisy, in_files, probabilities, whole):
    frame = noisy(5)
    tasks = np.arange(300)
    folder, P = probabilities(tasks, range(3))
    with PartitionedCrowd.from_parquet(in_files(frame), part_size=200) as partitioned:
        result = partitioned.activelab(folder, calibrate_probs=calibrate)
        expected = activelab(whole(frame, tasks=tasks), P, calibrate_probs=calibrate)
        assert close(result.to_frame()["score"].loc[tasks], expected)
        # a second question about the same probabilities does not read them again
        folder.rename(folder.with_name("moved"))
        assert len(partitioned.aggregate("crowdlab", pred_probs=folder).to_frame()) == 300


def test_many_more_tasks_than_answers(noisy, in_files, probabilities, whole, monkeypatch):
    monkeypatch.setattr(dealing, "NUMBERS", 300)
    frame = noisy(11, N=40)
    tasks = np.arange(1000)
    folder, P = probabilities(tasks, range(3))
    with PartitionedCrowd.from_parquet(in_files(frame), part_size=100) as partitioned:
        result = partitioned.activelab(folder)
        assert len(result.files) > 2 * partitioned.num_parts
        assert max(map(len, result.frames())) < 150
        found = result.to_frame()["score"].loc[tasks]
    assert close(found, activelab(whole(frame, tasks=tasks), P))


def test_files_whose_numbers_have_other_types(noisy, in_files, tmp_path, whole):
    frame = noisy(10, N=80)
    P = np.random.default_rng(0).dirichlet(np.ones(3), size=80)
    P[:40] = P[:40].astype(np.float32)
    (tmp_path / "p").mkdir()
    for number, (rows, kinds) in enumerate([(slice(0, 40), ("i4", "f4")), (slice(40, 80), ("i8", "f8"))]):
        columns = {"task": np.arange(80)[rows].astype(kinds[0])}
        columns |= {str(k): P[rows, k].astype(kinds[1]) for k in range(3)}
        pd.DataFrame(columns).to_parquet(tmp_path / "p" / f"{number}.parquet")
    answers = in_files(frame)
    frame[:0].astype({"annotator": "i2", "label": "u1"}).to_parquet(answers / "empty.parquet")
    frame[:3].assign(label=np.nan).astype({"task": "u1"}).to_parquet(answers / "unanswered.parquet")
    with PartitionedCrowd.from_parquet(answers, part_size=90) as partitioned:
        assert partitioned.num_answers == len(frame)
        found = crowdlab(whole(frame), P)
        result = partitioned.aggregate("crowdlab", pred_probs=tmp_path / "p")
        assert_same(result, whole(frame), found.labels, found.quality, found.posterior)


@pytest.mark.parametrize(
    ("method", "labels_of"),
    [
        (MajorityVote(), lambda crowd: MajorityVote().fit_predict(crowd)),
        (CROWDLAB(seed=0), lambda crowd: crowdlab(crowd, seed=0).labels),
        (CROWDLAB(seed=1), lambda crowd: crowdlab(crowd, seed=1).labels),
    ],
    ids=["majority", "CROWDLAB", "CROWDLAB, another seed"],
)
@pytest.mark.parametrize("kind", ["numbers", "text", "small numbers"])
def test_random_ties_do_not_depend_on_the_parts(method, labels_of, kind, whole, in_files):
    columns = {"task": np.repeat(np.arange(60), 2), "annotator": [-1, 7] * 60, "label": [0, 1] * 30 + [1, 0] * 30}
    frame = pd.DataFrame({name: [KINDS[kind](one) for one in column] for name, column in columns.items()})
    crowd = whole(frame)
    expected = labels_of(crowd).tolist()
    assert 10 < expected.count(crowd.classes[0]) < 50
    with PartitionedCrowd.from_crowd(crowd, 9) as partitioned, PartitionedCrowd.from_parquet(in_files(frame)) as stored:
        for parts in (partitioned, stored):
            assert parts.aggregate(method).to_frame()["label"].loc[crowd.tasks].tolist() == expected


KINDS = {
    "numbers": lambda n: n,
    "text": lambda n: f"id {n:03d} é",
    "small numbers": np.int8,
    "numbers with a gap": float,
}


@pytest.mark.parametrize("tasks", ["numbers", "text", "numbers with a gap"])
@pytest.mark.parametrize("labels", ["numbers", "text", "small numbers", "numbers with a gap"])
def test_ids_of_any_kind(tasks, labels, noisy, in_files, whole):
    frame = noisy(6, N=60)
    frame["task"] = frame["task"].map(KINDS[tasks])
    frame["annotator"] = frame["annotator"].map("annotator {}".format)
    frame["label"] = frame["label"].map(KINDS[labels])
    with PartitionedCrowd.from_parquet(in_files(frame), part_size=100) as partitioned:
        crowd = whole(frame)
        assert partitioned.classes.tolist() == crowd.classes.tolist()
        assert partitioned.annotators.tolist() == crowd.annotators.tolist()
        fitted = MajorityVote().fit(crowd)
        assert_same(partitioned.aggregate("majority-vote"), crowd, fitted.labels_, fitted.quality_, fitted.probas_)


def test_categories_and_columns_of_other_names(noisy, in_files, whole):
    frame = noisy(7, N=50).astype({"task": str}).astype("category")
    other = frame.rename(columns={"task": "question", "annotator": "worker", "label": "answer"})
    with PartitionedCrowd.from_parquet(in_files(other), "question", "worker", "answer") as partitioned:
        crowd = whole(frame)
        fitted = MajorityVote().fit(crowd)
        assert_same(partitioned.aggregate("mv"), crowd, fitted.labels_, fitted.quality_, fitted.probas_)


def test_a_row_without_a_label_makes_its_task_and_annotator_known(in_files, whole):
    frame = pd.DataFrame(
        {"task": ["a", "a", "b", "c"], "annotator": ["x", "y", "x", "z"], "label": ["no", "yes", None, "no"]}
    )
    with PartitionedCrowd.from_parquet(in_files(frame, files=2)) as partitioned:
        assert (partitioned.num_tasks, partitioned.num_answers) == (3, 3)
        assert partitioned.annotators.tolist() == ["x", "y", "z"]
        found = partitioned.aggregate("dawid-skene").to_frame().loc[["a", "b", "c"]]
        fitted = DawidSkene().fit(whole(frame))
        assert close(found[["no", "yes"]], fitted.probas_)
        assert pd.isna(found.loc["b", "label"])
        assert pd.isna(found.loc["b", "quality"])


def test_ids_that_are_given_come_in_their_order(noisy, in_files):
    frame = noisy(8, N=40)
    with PartitionedCrowd.from_parquet(in_files(frame), classes=[3, 2, 1, 0], annotators=range(20)) as partitioned:
        assert partitioned.classes.tolist() == [3, 2, 1, 0]
        assert len(partitioned.aggregate("crowdlab").annotators) == 20


def test_the_columns_of_probabilities_do_not_hide_the_others(in_files):
    frame = pd.DataFrame({"task": [1, 2], "annotator": ["x", "x"], "label": ["task", "quality"]})
    with PartitionedCrowd.from_parquet(in_files(frame, files=1)) as partitioned:
        found = partitioned.aggregate("majority-vote").to_frame().sort_index()
        assert found["label"].tolist() == ["task", "quality"]
        assert found["class task"].tolist() == [1.0, 0.0]
