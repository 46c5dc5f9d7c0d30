"""What the networks of single columns alone do: very wide tables get another first layer."""

import pytest
import torch

from genmodels.layout import Block, TableLayout
from genmodels.networks.columnwise import Columnwise
from tests.algorithms.mixed import SIZES


def test_very_wide_tables_get_a_summed_context():
    wide = TableLayout(tuple(Block(f"k{i}", "categorical", 2) for i in range(400)))
    made = Columnwise(layout=wide, target=None, context="auto", **SIZES | {"hidden": 64})
    assert sum(p.numel() for p in made.parameters()) < 3_000_000


def test_a_summed_context_feeds_hidden_layers_as_wide_as_the_sum_at_most():
    layout = TableLayout((Block("a", "categorical", 2), Block("b", "categorical", 3)))
    wide, narrow = (
        Columnwise(layout=layout, target=None, context="summed", **SIZES | {"hidden": hidden})
        for hidden in (64, 4)
    )
    assert (wide.hidden, narrow.hidden) == (SIZES["summed"], 4)


@pytest.mark.parametrize("count", [1, 2, 5, 16, 17])
def test_sums_of_what_comes_before(count):
    layout = TableLayout(tuple(Block(f"k{i}", "categorical", 2) for i in range(count)))
    torch.manual_seed(0)
    context = Columnwise(layout=layout, target=None, context="summed", **SIZES).context
    fixed, learned = torch.randn(3, count), torch.randn(3, 4 * count)
    rank = torch.randperm(count).float()
    with torch.no_grad():
        found = context(fixed, learned, rank)
        whole = torch.cat([fixed, learned, torch.zeros(3, 1)], 1)
        pairs = zip(context.padded, context.inner, strict=True)
        terms = torch.stack([whole[:, at] @ inner for at, inner in pairs])
        for j in range(count):
            before = terms[rank < rank[j]].sum(0) * context.scale
            wanted = context.bias[j] + before @ context.outer[j]
            torch.testing.assert_close(found[j], wanted, rtol=1e-4, atol=1e-5)
