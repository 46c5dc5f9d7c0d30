"""One-hots, tokens, identifiers and constants beyond the common contract."""

import json
import re
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from genmodels.codecs.columns.constant import Constant
from genmodels.codecs.columns.identifier import Identifier
from genmodels.codecs.columns.onehot import MISSING, OTHER, OneHot
from genmodels.codecs.columns.tokens import Tokens
from genmodels.schema import Column


def texts(values, levels=None):
    return pa.chunked_array([pa.array(values).dictionary_encode()])


def decode(codec, codes, seed=0, start=0):
    rows = codes.shape[1]
    return codec.decode(np.empty((0, rows), np.float32), codes, np.random.default_rng(seed), start)


def test_rare_levels_share_a_code_and_come_back_by_their_frequency():
    names = [*"abcdef"]
    data = texts([*"a" * 500, *"b" * 300, *"c" * 90, *"d" * 60, *"e" * 30, *"f" * 20])
    codec = OneHot.fit(Column("x", "categorical", levels=tuple(names)), data, max_levels=3)
    assert codec.names == ("a", "b", OTHER)
    assert codec.frequencies == pytest.approx((0.5, 0.3, 0.2))
    rows = 40_000
    made = decode(codec, np.full((1, rows), 2, np.int32))
    shares = {v["values"]: v["counts"] / rows for v in made.value_counts().to_pylist()}
    assert shares == pytest.approx({"c": 0.45, "d": 0.3, "e": 0.15, "f": 0.1}, abs=0.02)
    assert decode(codec, np.full((1, 50), 2, np.int32)).equals(
        decode(codec, np.full((1, 50), 2, np.int32))
    )


def test_levels_that_an_open_set_does_not_list_are_learned_and_unseen_ones_are_other():
    column = Column("x", "categorical", levels=("a",), closed=False)
    codec = OneHot.fit(column, texts([*"aaab"]), max_levels=10)
    assert codec.names == ("a", "b", OTHER)
    codes = codec.encode(pa.array(["b", "new"]).dictionary_encode(), np.random.default_rng(0))[1]
    assert codes.tolist() == [[1, 2]]
    assert set(decode(codec, np.full((1, 200), 2, np.int32)).to_pylist()) == {"a", "b"}


def test_an_unknown_level_of_a_closed_set_is_refused_by_name():
    codec = OneHot.fit(Column("x", "categorical", levels=("a",)), texts(["a"]), max_levels=10)
    with pytest.raises(ValueError, match=r"'x': 'new' is not one of its 1 levels"):
        codec.encode(pa.array(["new"]).dictionary_encode(), np.random.default_rng(0))


def test_missing_is_a_level_with_its_share():
    column = Column("x", "categorical", levels=("a", "b"), nullable=True)
    codec = OneHot.fit(column, texts(["a", "b", "b", None]), max_levels=10)
    assert codec.names == ("a", "b", MISSING)
    assert codec.frequencies == (0.25, 0.5, 0.25)


def test_300_000_levels_cost_little_memory():
    rng = np.random.default_rng(0)
    rows, levels = 400_000, 300_000
    dictionary = pa.array([f"user {i:06d}" for i in range(levels)])
    indices = pa.array(rng.integers(0, levels, rows).astype(np.int32))
    data = pa.chunked_array([pa.DictionaryArray.from_arrays(indices, dictionary)])
    column = Column("x", "categorical", levels=("user 000000",), closed=False)
    tracemalloc.start()
    codec = OneHot.fit(column, data, max_levels=100)
    codes = codec.encode(data.chunk(0), rng)[1]
    made = decode(codec, codes[:, :1000])
    top = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert codec.blocks[0].width == 100
    assert len(made.dictionary) <= 1000
    assert top < 100e6
    assert len(json.dumps(codec.state())) < 10e6


def test_tokens_encode_a_new_value_as_the_nearest():
    codec = Tokens.fit(Column("x", "integer"), pa.chunked_array([[1, 5, 9, 5]]))
    codes = codec.encode(pa.array([0, 3, 4, 8, 100]), np.random.default_rng(0))[1]
    assert decode(codec, codes).to_pylist() == [1, 1, 5, 9, 9]


def identifiers(format, kind=None, rows=1000, start=0, **options):
    column = Column("x", "identifier", format=format, **options)
    codec = Identifier.fit(column, pa.chunked_array([pa.array([], kind or pa.string())]))
    assert codec.blocks == ()
    return decode(codec, np.empty((0, rows), np.int32), start=start)


def test_identifiers_follow_the_row_index():
    assert identifiers("integer", pa.int64(), 3, minimum=500).to_pylist() == [500, 501, 502]
    assert identifiers("integer", rows=2, start=7).to_pylist() == ["8", "9"]
    assert identifiers("C{:06d}", rows=2, start=9).to_pylist() == ["C000010", "C000011"]
    assert identifiers("{:d}-x", rows=1, start=99).to_pylist() == ["100-x"]


@pytest.mark.parametrize("format", ["integer", "uuid", "C{:06d}", "id_{:d}"])
def test_identifiers_are_unique_and_blocks_agree(format):
    whole = identifiers(format, rows=5000)
    assert len(whole.unique()) == 5000
    assert whole.slice(3000, 100).equals(identifiers(format, rows=100, start=3000))


def test_uuids_are_version_4():
    pattern = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}")
    assert all(pattern.fullmatch(text) for text in identifiers("uuid").to_pylist())


def test_missing_identifiers_keep_their_rows():
    data = pa.array(["C1", None, "C3"])
    codec = Identifier.fit(Column("x", "identifier", format="C{:d}"), pa.chunked_array([data]))
    back = decode(codec, codec.encode(data, np.random.default_rng(0))[1])
    assert back.to_pylist() == ["C1", None, "C3"]


def test_an_unknown_identifier_format_is_refused():
    with pytest.raises(ValueError, match=r"format '\{a\}\{b\}'"):
        identifiers("{a}{b}")


def test_a_constant_column_with_two_values_is_refused():
    with pytest.raises(ValueError, match="'x' is constant in the schema but holds 1 and 2"):
        Constant.fit(Column("x", "constant"), pa.chunked_array([[1, 2]]))
