import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from crowdcore import Crowd, cleanlab_api, majority_vote
from crowdcore.aggregate import MajorityVote, Wawa

law = settings(max_examples=25, deadline=None)
NAMES = np.array(["north", "east", "south", "west"], dtype=object)


def test_the_label_given_most_often_wins():
    crowd = Crowd.from_wide([[0, 0, 1], [2, 1, 2], [1, -1, -1]])
    assert majority_vote(crowd).tolist() == [0, 2, 1]


def test_first_the_model_breaks_a_tie():
    crowd = Crowd.from_wide([[0, 1], [0, 1], [0, 0]])
    P = [[0.3, 0.7], [0.6, 0.4], [0.1, 0.9]]
    assert majority_vote(crowd, P).tolist() == [1, 0, 0]


def test_the_model_chooses_only_among_the_tied_labels():
    crowd = Crowd.from_wide([[0, 1], [2, 2]])
    assert majority_vote(crowd, [[0.1, 0.2, 0.7], [0, 0, 1]])[0] == 1


@st.composite
def tied_crowds(draw):
    """A frame of answers, most of whose tasks are tied, with ids that are text or numbers; and a generator."""
    N, M, K = draw(st.integers(1, 25)), draw(st.integers(2, 6)), draw(st.integers(2, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    wide = rng.integers(K, size=(N, M))
    wide[rng.random((N, M)) < 0.4] = -1
    wide[0, :2] = 0, 1
    names = NAMES[:K] if draw(st.booleans()) else np.arange(K)
    crowd = Crowd.from_wide(np.where(wide >= 0, names[wide], None), classes=names)
    return crowd.to_long(), names, rng


def voted(frame, classes, vote=majority_vote):
    """The label of each task, by its id."""
    crowd = Crowd.from_long(frame, classes=classes)
    return dict(zip(crowd.tasks.tolist(), crowd.classes[vote(crowd)].tolist(), strict=True))


def by_class(crowd):
    return MajorityVote().fit(crowd).codes_


def by_skill(crowd):
    return Wawa().fit(crowd).codes_


@pytest.mark.parametrize("vote", [majority_vote, by_class, by_skill])
@law
@given(tied_crowds())
def test_ties_depend_on_no_order_of_rows_no_number_and_no_name_of_a_class_and_no_other_task(vote, case):
    frame, names, rng = case
    before = voted(frame, names, vote)
    assert voted(frame.sample(frac=1, random_state=int(rng.integers(100))), names, vote) == before
    order = rng.permutation(len(names))
    assert voted(frame, names[order], vote) == before
    renamed = dict(zip(names.tolist(), names[order].tolist(), strict=True))
    after = voted(frame.assign(label=frame["label"].map(renamed)), names, vote)
    assert after == {task: renamed[label] for task, label in before.items()}
    if vote is not by_skill:
        some = rng.choice(list(before), size=1 + len(before) // 2, replace=False).tolist()
        assert voted(frame[frame["task"].isin(some)], names, vote).items() <= before.items()


@law
@given(tied_crowds())
def test_the_aggregator_and_the_function_break_ties_alike(case):
    frame, names, _ = case
    assert voted(frame, names, by_class) == voted(frame, names)


@pytest.mark.parametrize("tasks", ["numbers", "text"])
@pytest.mark.parametrize("vote", [majority_vote, by_class])
@pytest.mark.parametrize("K", [2, 3, 5])
def test_each_tied_class_gets_its_share(tasks, vote, K):
    N = 3000
    ids = [f"task {i}" for i in range(N)] if tasks == "text" else range(N)
    task, annotator = np.divmod(np.arange(N * K), K)
    crowd = Crowd.from_codes(
        task, annotator, (annotator + task // 7) % K, tasks=ids, annotators=range(K), classes=range(K)
    )
    told = vote(crowd)
    for k in range(K):
        assert binomtest(int((told == k).sum()), N, 1 / K).pvalue > 1e-4
    followed = (told - np.arange(N) // 7) % K  # the annotator whose label it is
    for j in range(K):
        assert binomtest(int((followed == j).sum()), N, 1 / K).pvalue > 1e-4


def test_neighbouring_tasks_and_seeds_are_drawn_independently():
    crowd = Crowd.from_wide(np.tile([0, 1], (4000, 1)))
    drawn = np.array([majority_vote(crowd, seed=seed) for seed in range(3)])
    for a, b in [
        (drawn[0], drawn[1]),
        (drawn[1], drawn[2]),
        (drawn[0, 1:], drawn[0, :-1]),
        (drawn[0, 2:], drawn[0, :-2]),
    ]:
        assert binomtest(int((a == b).sum()), len(a), 0.5).pvalue > 1e-4


def test_of_a_rare_class_as_many_ties_are_right_as_by_chance():
    """300 tasks of two labels, 10 % of a rare class: cleanlab gives all ties to that class."""
    rng = np.random.default_rng(0)
    skills = np.array([0.95, 0.9, 0.86, 0.8, 0.6, 0.4])
    ours, theirs, expected = [], [], []
    for _ in range(20):
        truth = (np.arange(300) < 30).astype(int)
        wide = np.full((300, 6), -1)
        for i, k in enumerate(truth):
            who = rng.choice(6, size=2, replace=False)
            wide[i, who] = np.where(rng.random(2) < skills[who], k, 1 - k)
        crowd = Crowd.from_wide(wide, classes=[0, 1])
        labels = np.where(wide >= 0, wide, np.nan)
        ours.append(np.mean(majority_vote(crowd) == truth))
        theirs.append(np.mean(cleanlab_api.get_majority_vote_label(labels, verbose=False) == truth))
        expected.append(np.mean(crowd.counts[np.arange(300), truth] / 2))
    assert np.mean(ours) == pytest.approx(np.mean(expected), abs=0.015)
    assert np.mean(theirs) < np.mean(expected) - 0.1


def test_the_seed_decides_where_a_model_does_not_tell():
    crowd = Crowd.from_wide([[0, 1], [0, 0], [0, -1]] * 40)
    told = majority_vote(crowd, np.full((120, 2), 0.5))
    assert (told == majority_vote(crowd)).all()
    assert 5 < told.sum() < 35  # of forty ties; all of them in cleanlab


def test_chance_leaves_the_global_generator_alone():
    crowd = Crowd.from_wide([[0, 1], [0, 1]])
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the legacy state is what is tested
    majority_vote(crowd)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_a_task_without_answers():
    crowd = Crowd.from_wide([[0, 0], [-1, -1]], classes=[0, 1, 2])
    assert majority_vote(crowd).tolist() == [0, -1]
    assert majority_vote(crowd, [[0, 0, 1], [0.2, 0.2, 0.6]]).tolist() == [0, 2]


def test_an_ensemble_breaks_ties_by_its_mean():
    crowd = Crowd.from_wide([[0, 1]])
    assert majority_vote(crowd, [[[0.4, 0.6]], [[0.8, 0.2]]]).tolist() == [0]
