"""How many rows each source of a mix gives."""

import numpy as np
import pytest

from genmodels.tasks.compose import compose
from genmodels.tasks.ingredients import Ingredient, _shares, rows_of_each


def sources(rows, shares):
    cfg = compose("mix", [f"shares={list(shares)}"])
    found = _shares(cfg, [str(k) for k in range(len(shares))])
    none = np.zeros(rows, np.int32)
    return [Ingredient(name, None, none, share, "", None) for name, share in found.items()]


@pytest.mark.parametrize("shares", [(0.5000004, 0.5000004), (0.4999997, 0.4999997), (0.3, 0.7)])
def test_the_counts_sum_to_what_was_asked_for_whatever_rounding_shares_have(shares):
    n = 4_000_000
    counts = rows_of_each(sources(n, shares), n)
    assert counts.sum() == n
    np.testing.assert_allclose(counts / n, shares, atol=1e-6)
