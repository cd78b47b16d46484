"""Annotators who copy each other are found, and honest ones are not taken for copies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdcore import Crowd, hierarchical_dawid_skene, kernels
from crowdcore.votes.copies import find_copies, without_copies
from crowdcore.votes.outsiders import Outsiders
from crowdcore.votes.suspicion import NEEDED, Suspicion

K = 4


def with_accounts(seed, num_tasks, *, accounts, each, others=4, right=0.45, changed=0.0, accuracy=0.7, honest=30):
    """Return a crowd with `each` of the accounts of one bot, the last annotators, on every task; and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(K, size=num_tasks)
    bot = np.where(rng.random(num_tasks) < right, truth, (truth + 1 + rng.integers(K - 1, size=num_tasks)) % K)
    wide = np.full((num_tasks, honest + accounts), -1)
    for i in range(num_tasks):
        who = rng.choice(honest, others, replace=False)
        wrong = (truth[i] + 1 + rng.integers(K - 1, size=others)) % K
        wide[i, who] = np.where(rng.random(others) < accuracy, truth[i], wrong)
        who = honest + rng.choice(accounts, each, replace=False)
        wide[i, who] = np.where(rng.random(each) < changed, rng.integers(K, size=each), bot[i])
    return Crowd.from_wide(wide, classes=range(K)), truth


def members(crowd):
    return [group.annotators.tolist() for group in find_copies(crowd)]


# ---------------------------------------------------------------------- who copies is found


@pytest.mark.parametrize("changed", [0.0, 0.1])
def test_the_accounts_of_a_bot_are_one_group(changed):
    crowd, _ = with_accounts(1, 600, accounts=10, each=3, changed=changed)
    assert members(crowd) == [list(range(30, 40))]


def test_accounts_that_share_few_tasks_in_pairs_are_found_by_what_they_share_in_all():
    crowd, _ = with_accounts(2, 200, accounts=10, each=3)
    pairs = [Suspicion(crowd).log_odds([one, other]) for one in range(30, 40) for other in range(30, one)]
    assert max(pairs) < NEEDED
    assert members(crowd) == [list(range(30, 40))]


def test_a_pair_is_told_with_what_it_shares_and_what_could_be_expected():
    crowd, _ = with_accounts(1, 100, accounts=2, each=2, others=3)
    (found,) = find_copies(crowd)
    assert found.annotators.tolist() == [30, 31]
    assert found.shared.tolist() == found.same.tolist() == [100, 100]
    assert (found.expected < 50).all()
    assert found.log_odds > NEEDED


def test_who_copies_most_answers_of_somebody_good_is_found():
    rng = np.random.default_rng(0)
    truth = rng.integers(K, size=(800, 1))
    wide = np.where(rng.random((800, 9)) < 0.7, truth, rng.integers(K, size=(800, 9)))
    wide[:, 8] = np.where(rng.random(800) < 0.7, wide[:, 0], wide[:, 8])
    assert members(Crowd.from_wide(wide)) == [[0, 8]]


def test_two_bots_are_two_groups():
    rng = np.random.default_rng(0)
    truth, one, other = rng.integers(K, size=(3, 200, 1))
    honest = np.where(rng.random((200, 7)) < 0.7, truth, rng.integers(K, size=(200, 7)))
    assert sorted(members(Crowd.from_wide(np.hstack([one, one, honest, other, other])))) == [[0, 1], [9, 10]]


# ---------------------------------------------------------------------- who does not copy is not accused


def test_annotators_who_are_right_together_are_no_copies():
    rng = np.random.default_rng(0)
    truth = rng.integers(K, size=(500, 1))
    perfect = np.repeat(truth, 3, axis=1)
    usual = np.where(rng.random((500, 5)) < 0.7, truth, rng.integers(K, size=(500, 5)))
    assert members(Crowd.from_wide(np.hstack([perfect, usual]))) == []
    assert members(Crowd.from_wide(np.repeat(truth, 8, axis=1))) == []


def test_few_who_know_among_many_who_guess_are_no_copies():
    rng = np.random.default_rng(0)
    truth = rng.integers(K, size=(500, 1))
    assert members(Crowd.from_wide(np.hstack([np.repeat(truth, 4, axis=1), rng.integers(K, size=(500, 8))]))) == []


def test_annotators_who_always_say_the_same_are_no_copies():
    rng = np.random.default_rng(0)
    truth = rng.integers(K, size=(300, 1))
    honest = np.where(rng.random((300, 6)) < 0.8, truth, rng.integers(K, size=(300, 6)))
    assert members(Crowd.from_wide(np.hstack([honest, np.zeros((300, 2), int)]))) == []


def test_tasks_that_mislead_everybody_make_no_copies():
    rng = np.random.default_rng(0)
    truth = rng.integers(K, size=(400, 1))
    tempting = np.where(rng.random((400, 1)) < 0.3, (truth + 1) % K, truth)  # half of the annotators fall for it
    wide = np.where(rng.random((400, 9)) < 0.5, truth, tempting)
    assert members(Crowd.from_wide(np.where(rng.random((400, 9)) < 0.9, wide, rng.integers(K, size=(400, 9))))) == []


def test_most_of_the_crowd_is_no_copy():
    rng = np.random.default_rng(0)
    bot = rng.integers(K, size=(200, 1))
    assert members(Crowd.from_wide(np.hstack([np.repeat(bot, 5, axis=1), rng.integers(K, size=(200, 4))]))) == []
    assert members(Crowd.from_wide(np.hstack([bot, bot, rng.integers(K, size=(200, 1))]))) == []


# ---------------------------------------------------------------------- what counts once


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_equal_answers_of_a_group_are_one_and_others_stay(seed):
    rng = np.random.default_rng(seed)
    wide = rng.integers(-1, 3, size=(12, 6))
    crowd, group = Crowd.from_wide(wide, classes=range(3)), rng.choice(6, 3, replace=False)
    heard, kept = without_copies(crowd, [group])
    assert np.array_equal(crowd.label[kept], heard.label)
    assert np.array_equal(crowd.annotator[kept], heard.annotator)
    assert np.array_equal(crowd.task[kept], heard.task)
    for row, counts in zip(wide, heard.counts, strict=True):
        alone, together = np.delete(row, group), row[group]
        expected = np.bincount(alone[alone >= 0], minlength=3) + np.isin(np.arange(3), together)
        assert counts.tolist() == expected.tolist()


def test_without_groups_it_is_the_same_crowd():
    crowd, _ = with_accounts(1, 20, accounts=2, each=2)
    heard, kept = without_copies(crowd, ())
    assert heard is crowd
    assert kept.tolist() == list(range(len(crowd.label)))


def test_ten_accounts_are_worth_one_in_the_consensus():
    crowd, truth = with_accounts(1, 300, accounts=10, each=3)
    alone, _ = without_copies(crowd, [range(30, 40)])
    result, best = hierarchical_dawid_skene(crowd), hierarchical_dawid_skene(alone)
    assert [group.annotators.tolist() for group in result.copies] == [list(range(30, 40))]
    assert (result.consensus == truth).mean() > 0.8  # of what the bot says .45 is right
    assert np.array_equal(result.consensus, best.consensus)
    assert np.array_equal(result.posterior, best.posterior)


def test_all_answers_and_annotators_are_rated():
    crowd, truth = with_accounts(1, 300, accounts=10, each=3)
    result = hierarchical_dawid_skene(crowd)
    assert np.array_equal(result.label_quality, result.posterior[crowd.task, crowd.label])
    assert np.allclose(result.agreement, (crowd.counts / crowd.num_answers[:, None])[np.arange(300), result.consensus])
    assert result.annotators.num_answers.sum() == len(crowd.label)
    right = (crowd.label == truth[crowd.task])[crowd.annotator >= 30].mean()
    assert result.annotators.quality[30:].mean() == pytest.approx(right, abs=0.1)


def test_nothing_changes_where_nobody_copies():
    rng = np.random.default_rng(0)
    truth = rng.integers(K, size=(100, 1))
    crowd = Crowd.from_wide(np.where(rng.random((100, 6)) < 0.7, truth, rng.integers(K, size=(100, 6))))
    result = hierarchical_dawid_skene(crowd)
    assert result.copies == ()
    assert result.heard is result.crowd is crowd


# ---------------------------------------------------------------------- laws


@settings(max_examples=8)
@given(st.integers(0, 2**32 - 1))
def test_neither_the_order_of_tasks_nor_of_annotators_nor_of_classes_matters(seed):
    crowd, _ = with_accounts(seed % 50, 150, accounts=4, each=2, others=3, honest=12)
    wide = np.full((150, 16), -1)
    wide[crowd.task, crowd.annotator] = crowd.label
    rng = np.random.default_rng(seed)
    tasks, annotators, classes = rng.permutation(150), rng.permutation(16), rng.permutation(K)
    renamed = np.append(classes, -1)[wide][tasks][:, annotators]
    found = [sorted(annotators[group].tolist()) for group in members(Crowd.from_wide(renamed, classes=range(K)))]
    assert sorted(found) == sorted(members(crowd))


# ---------------------------------------------------------------------- the compiled loops


@pytest.fixture
def small():
    rng = np.random.default_rng(3)
    wide = rng.integers(-1, 3, size=(40, 7))
    return Crowd.from_wide(wide, classes=range(3)), wide


def test_how_members_meet_others(small):
    crowd, wide = small
    group, others = [1, 4, 5], [0, 2, 3, 6]
    mine = np.flatnonzero(np.isin(crowd.annotator, group))
    found = np.zeros(4)
    kernels.meet_others(crowd.indptr, crowd.label, crowd.task, mine, found)

    def meetings(pairs):
        both = [(wide[:, a], wide[:, b]) for a, b in pairs]
        met = sum(((a >= 0) & (b >= 0)).sum() for a, b in both)
        return met, sum(((a >= 0) & (a == b)).sum() for a, b in both)

    outside = meetings([(a, b) for a in group for b in others])
    inside = meetings([(a, b) for a in group for b in group if a < b])
    assert found.tolist() == [*outside, outside[0] + inside[0], outside[1] + inside[1]]


def test_what_is_expected_of_members(small):
    crowd, wide = small
    hit, miss, weight = np.array([0.7, 0.8, 0.6]), np.array([0.1, 0.1, 0.2]), 1.3
    group = [1, 4, 5]
    mine = np.flatnonzero(np.isin(crowd.annotator, group))
    codes, chances = np.empty((3, len(mine)), np.int64), np.empty((2, len(mine)))
    size = kernels.compare_group(
        crowd.indptr, crowd.annotator, crowd.label, crowd.task, mine, weight, hit, miss, codes[0], *chances, *codes[1:]
    )
    expected = []
    for row in wide:
        before = []
        outside = np.delete(row, group)
        outside = outside[outside >= 0]
        beliefs = np.exp(weight * np.bincount(outside, minlength=3))
        beliefs /= beliefs.sum()
        for who in group:
            if row[who] < 0 or not len(outside):
                continue
            if before:
                most = max(before, key=lambda label: (before.count(label), -_reached(before, label)))
                one, chance = (_chance(beliefs[most], hit[most], miss[most], told) for told in (1, before.count(most)))
                expected.append((who, one, chance, beliefs[most] < 0.5, row[who] == most))
            before.append(row[who])
    found = zip(codes[0], *chances, *codes[1:], strict=True)
    assert np.allclose([list(one) for one in found][:size], expected)


def _reached(before, label):
    """Return when a label had as many votes as it has."""
    return max(at for at, said in enumerate(before) if said == label)


def _chance(belief, hit, miss, told):
    right, wrong = belief * hit**told, (1 - belief) * miss**told
    return (right * hit + wrong * miss) / (right + wrong)


def test_pairs_gain_by_agreeing_against_the_others(small):
    crowd, wide = small
    outside, bins = Outsiders(crowd), 10
    skill, habit = np.linspace(0.2, 0.8, 7), np.full((7, 3), 1 / 3)
    mass = np.exp(crowd.counts)
    gains, (tried, agreed) = np.arange(1.0, bins + 1), np.zeros((2, bins))
    first, second, value = kernels.compare_pairs(
        crowd.indptr, crowd.annotator, crowd.label, outside.starts, outside.answer, crowd.task,
        mass[crowd.task, crowd.label], mass.sum(axis=1), np.exp(-1), skill, habit, 200, gains, 2.0, tried, agreed,
    )  # fmt: skip
    expected, num_tried, num_agreed = np.zeros((7, 7)), 0, 0
    for row in wide:
        for a in range(7):
            for b in range(a + 1, 7):
                others = np.delete(row, [a, b])
                if row[a] < 0 or row[b] < 0 or (row >= 0).sum() < 3:
                    continue
                beliefs = np.exp(np.bincount(others[others >= 0], minlength=3))
                belief = beliefs[row[a]] / beliefs.sum()
                if belief < 0.5:
                    guess = (1 - skill[a]) / 3
                    knows = belief * (skill[a] + guess) / (belief * skill[a] + guess)
                    chance = knows * skill[b] + (1 - skill[b]) / 3
                    expected[a, b] += gains[int(chance * bins)] if row[a] == row[b] else -2
                    num_tried, num_agreed = num_tried + 1, num_agreed + (row[a] == row[b])
    assert (tried.sum(), agreed.sum()) == (num_tried, num_agreed)
    assert len(first)
    assert np.argwhere(expected > 0).tolist() == sorted(map(list, zip(first.tolist(), second.tolist(), strict=True)))
    assert np.allclose(value, expected[first, second])


def test_groups_are_drafted_by_what_pairs_gain():
    gain = {(0, 1): 5.0, (0, 2): 4.0, (1, 2): 4.0, (3, 4): 2.0}
    pairs = sorted([*gain.items(), *(((b, a), value) for (a, b), value in gain.items())])
    starts = np.searchsorted([a for (a, _), _ in pairs], np.arange(6))
    drafts, total = np.full((2, 4), -1), np.empty(2)
    kernels.draft_groups(
        starts, np.array([b for (_, b), _ in pairs]), np.array([value for _, value in pairs]), np.array([0, 3]),
        np.array([1, 4]), 3.0, drafts, total,
    )  # fmt: skip
    assert drafts.tolist() == [[0, 1, 2, -1], [3, 4, -1, -1]]
    assert total.tolist() == [13 - 9, 2 - 6]
