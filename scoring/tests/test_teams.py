import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.teams import count_distribution, coverage

probabilities = st.lists(st.floats(0, 1), min_size=0, max_size=8)


@given(probabilities, st.integers(1, 5))
def test_exact_against_every_outcome_counted(p, people):
    exact = sum(
        math.prod(q if met else 1 - q for q, met in zip(p, outcome, strict=True))
        for outcome in itertools.product([False, True], repeat=len(p))
        if sum(outcome) >= people
    )
    found = coverage(p, people=people)
    assert found.at_least == pytest.approx(exact, abs=1e-9)
    assert found.expected == pytest.approx(sum(p))


@given(probabilities)
def test_counts_are_a_distribution(p):
    found = count_distribution(np.array(p))
    assert found.sum() == pytest.approx(1)
    assert found.min() >= 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.integers(1, 4))
def test_losing_the_best_one_never_helps(p, people):
    found = coverage(p, people=people)
    assert found.at_least_without_best <= found.at_least + 1e-12


def test_one_expert_does_not_cover_a_team():
    found = coverage([0.99, 0.05, 0.05], people=2)
    assert found.at_least < 0.15
    assert coverage([0.99, 0.05], people=1).at_least_without_best == pytest.approx(0.05)


@pytest.mark.parametrize(("p", "people"), [([1.2], 1), ([-0.1], 1), ([math.nan], 1), ([0.5], 0)])
def test_bad_input_is_refused(p, people):
    with pytest.raises(ValueError, match=r"must|holds|at least one"):
        coverage(p, people=people)
