"""In the crowds of the benchmarks, whose annotators are independent, nobody is taken for a copy."""

import pytest

from benchmarks.science.papers.cases import read_table
from benchmarks.science.papers.datasets import MissingError
from benchmarks.science.papers.generated import KINDS, random_recipe
from crowdcore.votes.copies import find_copies
from harness.checkout import DATA


@pytest.mark.parametrize("name", ["spammers", "adversaries, alone", "erring together", "students and teachers, alone"])
def test_independent_annotators_are_not_accused(name):
    assert find_copies(KINDS[name].make(5).crowd) == ()


def test_nor_those_of_crowds_drawn_at_random():
    # of 2,000 such crowds six have somebody: a few experts among many who confuse the same classes
    assert [seed for seed in range(30) if find_copies(random_recipe(seed, with_model=False).make(seed).crowd)] == []


@pytest.mark.parametrize("name", ["dog", "face-sentiment"])
def test_nor_real_ones(name):
    try:
        crowd, _ = read_table(DATA, name)
    except MissingError as error:
        pytest.skip(str(error))
    assert find_copies(crowd) == ()
