"""Rows to complete where the run computes a column from others."""

import numpy as np
import pyarrow as pa
import pytest
import yaml

from genmodels.codecs.restrict import Restrictor
from genmodels.codecs.table import TableCodec
from genmodels.sampling.control.completion import Completion
from genmodels.sampling.control.given import CellBuilder, understand
from genmodels.schema import Column, TableSchema
from genmodels.tasks.choices import CONFIGS
from genmodels.wishes import Range, Wish

SCHEMA = TableSchema(tuple(Column(name, "integer") for name in ("a", "b", "total")))


@pytest.fixture(scope="module")
def restrictor():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 1000, (2, 2000))
    node = yaml.safe_load((CONFIGS / "codec" / "tabvae.yaml").read_text(encoding="utf-8"))
    chosen = {key: value for key, value in node.items() if key[0] != "_"}
    raw = pa.table({"a": a, "b": b, "total": a + b})
    codec = TableCodec.fit(raw, SCHEMA, **chosen | {"identities": True, "seed": 0})
    assert [identity.column for identity in codec.identities] == ["total"]
    return Restrictor(codec)


def complete(restrictor, **columns):
    made = Completion(raw=pa.table(columns), restricts=restrictor, fill="missing")
    builder = CellBuilder(made.rows)
    made.put(builder, 0)
    return {name: (c.values.to_pylist(), c.known.tolist()) for name, c in builder.cells().items()}


def test_a_source_follows_from_the_total_and_the_others(restrictor):
    cells = complete(restrictor, total=[700, 500, None], a=[200, None, 3], b=[None, 100, None])
    assert cells["a"] == ([200, 400, 3], [True, True, True])
    assert cells["b"] == ([500, 100, None], [True, True, False])
    assert cells["total"] == ([700, 500, None], [True, True, False])
    assert complete(restrictor, total=[700], a=[200])["b"] == ([500], [True])


def test_a_total_without_its_sources_is_refused_with_the_row(restrictor):
    with pytest.raises(ValueError, match=r"row 2 gives 'total' but not 'a' and 'b'"):
        complete(restrictor, total=[None, 500], a=[1, None])


def test_what_follows_must_be_a_value_that_training_could_have_had(restrictor):
    with pytest.raises(ValueError, match=r"column 'b', row 1: -2000 is not between"):
        complete(restrictor, total=[-1000], a=[1000])


def test_a_computed_column_is_computed_again_from_given_cells(restrictor):
    table = pa.table({"a": [100, 200], "b": [500, 500], "total": [0, 0]})
    assert restrictor.derive(table, {}, decoded=table)["total"].to_pylist() == [600, 700]


def test_an_exact_wish_for_a_computed_column_is_looked_at_after_decoding(restrictor):
    wish = Wish("total", "900", ranges=(Range(900, 900),))
    request = understand([wish, Wish("a", "3", ranges=(Range(3, 3),))], restrictor)
    assert list(request.cells) == ["a"]
    assert request.wishes == (wish,)
