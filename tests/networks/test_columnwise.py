"""What the networks of single columns alone do: very wide tables get another first layer."""

from genmodels.layout import Block, TableLayout
from genmodels.networks.columnwise import Columnwise
from tests.algorithms.mixed import SIZES


def test_very_wide_tables_get_a_summed_context():
    wide = TableLayout(tuple(Block(f"k{i}", "categorical", 2) for i in range(400)))
    made = Columnwise(layout=wide, target=None, context="auto", **SIZES | {"hidden": 64})
    assert sum(p.numel() for p in made.parameters()) < 3_000_000
