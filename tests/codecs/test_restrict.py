"""Limits on encoded variables: necessary for each row that is as wished, sharp where stated."""

import numpy as np
import pyarrow as pa
import pytest
import torch
import yaml

from genmodels.codecs.restrict import Restrictor
from genmodels.codecs.table import TableCodec
from genmodels.schema import Column, TableSchema
from genmodels.tasks.choices import CONFIGS
from genmodels.variables import variables
from genmodels.wishes import Cells, Range, Wish

DAY = 86_400_000_000
ROWS = 3000


def options(name):
    node = yaml.safe_load((CONFIGS / "codec" / f"{name}.yaml").read_text(encoding="utf-8"))
    return {key: value for key, value in node.items() if key[0] != "_"} | {"seed": 0}


def table(seed=0):
    rng = np.random.default_rng(seed)
    gain = np.where(rng.random(ROWS) < 0.8, 0, rng.integers(100, 90_000, ROWS))
    city = rng.choice([f"c{i:02d}" for i in range(40)], ROWS, p=_weights(40))
    start = np.datetime64("2019-12-01", "us").astype(np.int64)
    moment = start + rng.integers(0, 200 * 24 * 60, ROWS) * 60_000_000
    return pa.table(
        {
            "age": pa.array(rng.integers(17, 300, ROWS), mask=rng.random(ROWS) < 0.1),
            "gain": gain,
            "rate": np.round(rng.normal(0, 3, ROWS), 1),
            "x": rng.normal(size=ROWS),
            "few": rng.choice([0.1, 0.2, 0.7], ROWS),
            "city": pa.array(city, mask=rng.random(ROWS) < 0.05).dictionary_encode(),
            "flag": rng.random(ROWS) < 0.4,
            "at": pa.array(moment, mask=rng.random(ROWS) < 0.1).cast(pa.timestamp("us")),
            "half": pa.array(["v", None] * (ROWS // 2)),
            "id": np.arange(ROWS),
        }
    )


def _weights(n):
    weights = 1.0 / np.arange(1, n + 1)
    return weights / weights.sum()


SCHEMA = TableSchema(
    (
        Column("age", "integer", nullable=True),
        Column("gain", "integer"),
        Column("rate", "continuous", decimals=1),
        Column("x", "continuous"),
        Column("few", "continuous"),
        Column("city", "categorical", levels=tuple(f"c{i:02d}" for i in range(40)), nullable=True),
        Column("flag", "boolean", levels=(False, True)),
        Column("at", "datetime", nullable=True),
        Column("half", "constant", value="v"),
        Column("id", "identifier"),
    )
)
MARCH = np.datetime64("2020-03-01", "us").astype(np.int64)


def ranges(column, *pairs, **more):
    return Wish(column, "asked", ranges=tuple(Range(*pair) for pair in pairs), **more)


WISHES = [
    ranges("age", (80, None, True)),
    ranges("age", (20, 30), missing=True),
    ranges("age", (30, 30), (40, 45)),
    Wish("age", "missing", present=False, missing=True),
    Wish("age", "not missing"),
    ranges("gain", (20_000, None, True)),
    ranges("gain", (None, 0)),
    ranges("gain", (0, 5000)),
    ranges("rate", (0.7, 2.3)),
    ranges("rate", (0.7, 2.3, True, True)),
    ranges("rate", (-0.3, -0.3), (0.1, 0.3)),
    ranges("x", (0.5, None, True)),
    ranges("x", (-1.0, -0.5), (2.0, None)),
    ranges("few", (0.15, 0.3)),
    Wish("city", "asked", levels=("c00", "c03")),
    Wish("city", "asked", levels=("c00",), negated=True),
    Wish("city", "asked", levels=("c00", "c39"), missing=True),
    Wish("flag", "asked", levels=(True,)),
    ranges("at", (MARCH, MARCH + 31 * DAY, False, True)),
    ranges("at", (MARCH, MARCH + DAY, False, True)),
    ranges("at", (MARCH + DAY // 4, MARCH + DAY // 2)),
    ranges("at", (None, MARCH), missing=True),
    Wish("half", "asked", present=False, missing=True),
    Wish("half", "not missing"),
]


@pytest.fixture(scope="module", params=["quantile", "mode_specific", "tabvae", "tokens"])
def fitted(request):
    name = "quantile" if request.param == "tokens" else request.param
    chosen = options(name) | {"max_levels": 20}
    if request.param == "tokens":
        chosen |= {"numeric": "tokens", "max_levels": 300}
    return request.param, TableCodec.fit(table(), SCHEMA, **chosen)


def inside(codec, limits, encoded):
    """Which encoded rows keep all limits."""
    keep = np.ones(len(encoded["codes"]), bool)
    found = variables(codec.layout)
    for v, limit in limits.items():
        code = None if found[v].code is None else encoded["codes"][:, found[v].code].numpy()
        if limit.allowed is not None:
            assert len(limit.allowed) == found[v].levels
            keep &= limit.allowed[code]
        if limit.spans is not None:
            score = encoded["values"][:, found[v].value].numpy()
            hit = (
                (score[:, None] >= limit.spans[:, 0]) & (score[:, None] <= limit.spans[:, 1])
            ).any(1)
            keep &= hit | (code != 0 if code is not None else False)
    return keep


@pytest.mark.parametrize("wish", WISHES, ids=lambda w: f"{w.column}-{w.ranges or w.levels}")
def test_rows_that_are_as_wished_keep_the_limits(fitted, wish):
    _, codec = fitted
    encoded = codec.encode(table(), seed=1)
    wanted = wish.fits(table()[wish.column])
    assert 0 < wanted.sum() < ROWS
    assert inside(codec, Restrictor(codec).limits(wish), encoded)[wanted].all()


SHARP = ("age", "gain", "rate", "x", "few", "flag", "half")


@pytest.mark.parametrize("wish", WISHES, ids=lambda w: f"{w.column}-{w.ranges or w.levels}")
def test_what_keeps_the_limits_decodes_to_what_is_wished(fitted, wish):
    name, codec = fitted
    encoded = codec.encode(table(), seed=1)
    kept = inside(codec, Restrictor(codec).limits(wish), encoded)
    decoded = codec.decode(encoded, rng=np.random.default_rng(0))
    fits = wish.fits(decoded[wish.column])
    assert not (fits & ~kept).any()
    if wish.column in SHARP and name != "mode_specific":
        assert (fits == kept).all()
    else:  # parts of a date, levels without a code and modes say a part of the wish
        assert fits.sum() <= kept.sum() < ROWS + (name == "mode_specific")


@pytest.mark.parametrize("name", ["quantile", "tabvae"])
def test_every_score_in_the_spans_is_a_wished_number(name):
    codec = TableCodec.fit(table(), SCHEMA, **options(name))
    found = variables(codec.layout)
    for wish in WISHES[:13]:
        limits = Restrictor(codec).limits(wish)
        for v, limit in limits.items():
            if limit.spans is None:
                continue
            at = np.linspace(limit.spans[:, 0], limit.spans[:, 1], 2001).astype(np.float32).ravel()
            values = np.zeros((len(at), len(codec.layout.continuous)), np.float32)
            values[:, found[v].value] = at
            codes = np.zeros((len(at), len(codec.layout.categorical)), np.int32)
            rows = _rows(values, codes)
            decoded = codec.decode(rows, rng=np.random.default_rng(0))
            assert wish.fits(decoded[wish.column]).all(), wish


def _rows(values, codes):
    import torch

    return {"values": torch.from_numpy(values), "codes": torch.from_numpy(codes)}


def test_a_day_is_known_to_the_day_and_hours_within_it_to_the_minute():
    codec = TableCodec.fit(table(), SCHEMA, **options("quantile") | {"weekday": False})
    restrictor = Restrictor(codec)
    whole = restrictor.limits(ranges("at", (MARCH, MARCH + 31 * DAY, False, True)))
    one = restrictor.limits(ranges("at", (MARCH + DAY // 4, MARCH + DAY // 2)))
    assert (len(whole), len(one)) == (1, 2)
    encoded = codec.encode(table(), seed=1)
    wish = ranges("at", (MARCH + DAY // 4, MARCH + DAY // 2))
    assert (inside(codec, one, encoded) == wish.fits(table()["at"])).all()


def test_levels_without_a_code_are_named_with_their_frequency():
    codec = TableCodec.fit(table(), SCHEMA, **options("quantile") | {"max_levels": 20})
    restrictor = Restrictor(codec)
    levels, counts = restrictor.rare_levels(Wish("city", "asked", levels=("c38", "c39")))
    assert levels.to_pylist() == ["c38", "c39"]
    city = table()["city"].to_pylist()
    assert counts.tolist() == [city.count("c38"), city.count("c39")]
    assert restrictor.rare_levels(Wish("city", "asked", levels=("c00", "c39"))) is None
    assert restrictor.rare_levels(Wish("city", "asked", levels=("c00",))) is None
    names, counts, missing = restrictor.levels("city")
    assert missing == city.count(None)
    assert counts[names.to_pylist().index("c00")] == city.count("c00")
    assert restrictor.levels("age") is None


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (ranges("age", (400, None)), "no such value"),
        (ranges("x", (50.0, None)), "no such value"),
        (ranges("few", (0.3, 0.6)), "no such value"),
        (Wish("gain", "missing", present=False, missing=True), "no such value"),
        (Wish("city", "asked", levels=("c77",)), "'c77' was not among the 40 levels"),
        (Wish("city", "asked", levels=("C1",)), "did you mean 'c10' or 'c11' or 'c12'"),
        (
            ranges("at", (MARCH + 1000 * DAY, MARCH + 1001 * DAY, False, True)),
            "read as the day 2022-11-26. Write 2020-01-31 or",
        ),
        (ranges("at", (MARCH + 1000 * DAY, None)), "read as 2022-11-26 00:00:00 and later"),
        (ranges("at", (None, MARCH - 1000 * DAY, False, True)), "read as before 2017-06-05"),
        (ranges("at", (MARCH + 1000 * DAY, None)), "from 2019-12-01 .* to 2020-06-1"),
        (Wish("id", "missing", present=False, missing=True), "never missing"),
    ],
)
def test_wishes_that_no_training_value_meets_are_refused(wish, message):
    codec = TableCodec.fit(table(), SCHEMA, **options("tabvae"))
    with pytest.raises(ValueError, match=message):
        Restrictor(codec).limits(wish)


def test_known_cells_are_encoded_as_the_codec_does_and_others_are_not_known():
    codec = TableCodec.fit(table(), SCHEMA, **options("tabvae"))
    restrictor = Restrictor(codec)
    raw = table().slice(0, 200)
    rng = np.random.default_rng(5)
    cells = {
        name: Cells(raw[name].combine_chunks(), rng.random(200) < 0.5)
        for name in ("age", "rate", "city", "at", "gain")
    }
    evidence = restrictor.known(cells, 200, lambda i: np.random.default_rng(i))
    decoded = codec.decode(evidence.encoded, rng=np.random.default_rng(0))
    for name, given in cells.items():
        got, asked = decoded[name].to_pylist(), raw[name].to_pylist()
        assert all(got[i] == asked[i] for i in np.flatnonzero(given.known)), name
    first = variables(codec.layout)
    at = [i for i, v in enumerate(first) if v.name.startswith("at.")]
    assert len(at) >= 2
    for v in at:
        assert evidence.known[:, v].numpy().tolist() == cells["at"].known.tolist()
    assert not evidence.known[:, [i for i, v in enumerate(first) if v.name == "x"]].any()


def test_values_out_of_range_and_new_gaps_are_unfit():
    codec = TableCodec.fit(table(), SCHEMA, **options("tabvae"))
    restrictor = Restrictor(codec)
    known = np.array([True, True, False])
    rows, why = restrictor.unfit("age", Cells(pa.array([20, 400, 500]), known))
    assert rows.tolist() == [1]
    assert why == "400 is not between 17 and 299, as in training"
    assert restrictor.unfit("age", Cells(pa.array([20, 400, 500]), known), slack=1.0) is None
    assert restrictor.unfit("age", Cells(pa.array([-900, 5, 5]), known), slack=1.0) is not None
    assert restrictor.unfit("age", Cells(pa.array([20, None, 500]), known)) is None
    rows, why = restrictor.unfit("x", Cells(pa.array([0.5, None, 1.0]), known))
    assert rows.tolist() == [1]
    assert "none was missing in training" in why


def test_a_range_holds_the_steps_of_a_lattice_that_lie_in_it():
    prices = pa.table({"price": np.round(np.tile(0.05 * np.arange(400), 3), 2)})
    schema = TableSchema(columns=(Column("price", "continuous", decimals=2),))
    codec = TableCodec.fit(prices, schema, **options("quantile"))
    rng = np.random.default_rng(0)
    for wish, fewest, most in (
        (Wish("price", "> 3", ranges=(Range(3.0, None, above=True),)), 3.05, 19.95),
        (Wish("price", "3.02 to 3.12", ranges=(Range(3.02, 3.12),)), 3.05, 3.10),
    ):
        (limit,) = Restrictor(codec).limits(wish).values()
        low, high = limit.spans.flatten().tolist()
        values = torch.from_numpy(rng.uniform(low, high, (2000, 1)).astype(np.float32))
        encoded = {"values": values, "codes": torch.zeros(2000, 0, dtype=torch.int32)}
        made = codec.decode(encoded, rng=rng)["price"].to_numpy()
        assert (made.min(), made.max()) == (fewest, most)
