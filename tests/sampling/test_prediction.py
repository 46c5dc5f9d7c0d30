"""Columns told from partial rows: against sums over the model's own joint."""

import numpy as np
import pyarrow as pa
import pytest
import torch
import yaml

from genmodels.arrangement import Compact
from genmodels.codecs.aims import Aim
from genmodels.codecs.restrict import Restrictor
from genmodels.codecs.table import TableCodec
from genmodels.sampling import prediction as prediction_module
from genmodels.sampling.control.partial import PartialRows, given_variables
from genmodels.sampling.prediction import Prediction, centre, quantiles
from genmodels.schema import Column, TableSchema
from genmodels.tasks.choices import CONFIGS
from tests.algorithms.mixed import prior

SCHEMA = TableSchema(
    (
        Column("a", "categorical", levels=("x", "y", "z")),
        Column("b", "categorical", levels=("p", "q"), nullable=True),
        Column("one", "integer"),
        Column("two", "integer"),
        Column("sum", "integer"),
        Column("y", "categorical", role="target", levels=("no", "yes", "maybe")),
    )
)
RECIPE = yaml.safe_load((CONFIGS / "codec" / "tabvae.yaml").read_text(encoding="utf-8"))
RECIPE = {key: value for key, value in RECIPE.items() if key[0] != "_"} | {"seed": 0}


def levels(rng, names, rows, gaps=0.0):
    index = rng.integers(0, len(names), rows).astype(np.int32)
    empty = rng.random(rows) < gaps
    return pa.DictionaryArray.from_arrays(pa.array(index, mask=empty), pa.array(list(names)))


def data(rows=1500):
    rng = np.random.default_rng(0)
    one, two = rng.integers(0, 4, rows), rng.integers(0, 500, rows)
    return pa.table(
        {
            "a": levels(rng, "xyz", rows),
            "b": levels(rng, "pq", rows, 0.2),
            "one": one,
            "two": two,
            "sum": one + two,
            "y": levels(rng, ("no", "yes", "maybe"), rows),
        }
    )


@pytest.fixture(scope="module")
def restrictor():
    made = Restrictor(TableCodec.fit(data(), SCHEMA, **RECIPE))
    assert [identity.column for identity in made.identities] in (["sum"], ["two"])
    return made


@pytest.fixture(scope="module")
def model(restrictor):
    return prior(restrictor.codec.layout, target="y")


def predict(model, restrictor, raw, target, **options):
    rows = PartialRows(
        raw=raw, restricts=restrictor, unknown=lambda column: not column.nullable,
        slack=float("inf"), what="predict", without=target,
    )  # fmt: skip
    options = {"draws": 64, "seed": 0, "block_rows": 1024} | options
    aim = Aim(restrictor, target)
    return Prediction(model=model, restricts=restrictor, aim=aim, rows=rows, **options)


def nats(model, restrictor, table):
    encoded = restrictor.codec.encode(table, seed=0)
    return model.log_prob(Compact(restrictor.codec.layout)(encoded)).double().numpy()


def with_level(table, name, level):
    index = table.schema.get_field_index(name)
    kind = table.schema.field(name).type.value_type
    values = pa.array([level] * len(table), kind).dictionary_encode()
    return table.set_column(index, name, values)


@pytest.mark.parametrize("target", ["y", "a"])
def test_classes_of_whole_rows_follow_bayes_rule(model, restrictor, target):
    table = data().slice(0, 40)
    # numbers are at the same place within their step: the same seed, and one block
    found = predict(model, restrictor, table.drop_columns(["sum"]), target).probabilities()
    names = restrictor.schema[target].levels
    each = [nats(model, restrictor, with_level(table, target, name)) for name in names]
    wanted = torch.from_numpy(np.stack(each, 1)).softmax(1).numpy()
    np.testing.assert_allclose(found.sum(1), 1.0, atol=1e-12)
    np.testing.assert_allclose(found, wanted, atol=0.02)  # but for the place within a step


@pytest.mark.parametrize("target", ["y", "a"])
def test_columns_that_are_not_there_are_summed_over(model, restrictor, target):
    """b is unknown, everything else is known: the sum over b has three terms."""
    other = "a" if target == "y" else "y"
    table = data().slice(0, 12)
    known = table.drop_columns(["b", target])
    found = predict(model, restrictor, known, target, draws=1500).probabilities()
    total = np.zeros((12, 3))
    for position, level in enumerate(restrictor.schema[target].levels):
        for b in ("p", "q", None):
            rows = with_level(with_level(table, target, level), "b", b)
            total[:, position] += np.exp(nats(model, restrictor, rows))
    assert other in known.column_names
    np.testing.assert_allclose(found, total / total.sum(1, keepdims=True), atol=0.03)


def test_a_gap_where_training_had_gaps_is_known(model, restrictor):
    table = with_level(data().slice(0, 10), "b", None)
    told = predict(model, restrictor, table, "y", draws=1)
    again = predict(model, restrictor, table, "y", draws=2, seed=5)
    np.testing.assert_allclose(told.probabilities(), again.probabilities(), atol=0.02)
    unknown = predict(model, restrictor, table.drop_columns(["b"]), "y").probabilities()
    assert np.abs(unknown - told.probabilities()).max() > 0.01


def test_a_gap_where_training_had_none_is_unknown(model, restrictor):
    table = data().slice(0, 6)
    empty = with_level(table, "a", None)
    one = predict(model, restrictor, empty, "y").probabilities()
    two = predict(model, restrictor, table.drop_columns(["a"]), "y").probabilities()
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_row_i_depends_on_the_seed_and_i_alone(model, restrictor):
    raw = data().slice(0, 150).drop_columns(["a"])
    many = predict(model, restrictor, raw, "y", draws=8, block_rows=64).probabilities()
    few = predict(model, restrictor, raw.slice(0, 70), "y", draws=8, block_rows=64).probabilities()
    np.testing.assert_allclose(few, many[:70], atol=1e-5)
    other = predict(model, restrictor, raw, "y", draws=8, seed=1, block_rows=64).probabilities()
    assert np.abs(other - many).max() > 1e-3


def test_levels_of_numbers_have_an_exact_mean_and_median(model, restrictor):
    raw = data().slice(0, 30).drop_columns(["sum"])
    prediction = predict(model, restrictor, raw, "one")
    p = prediction.probabilities()
    np.testing.assert_allclose(prediction.numbers("mean"), p @ np.arange(4), atol=1e-9)
    median = (p.cumsum(1) < 0.5).sum(1)
    np.testing.assert_array_equal(prediction.numbers("median"), median)


@pytest.mark.parametrize("target", ["one", "two", "sum"])
def test_a_column_of_an_identity_follows_from_the_others(model, restrictor, target):
    table = data().slice(0, 80)
    for how in ("mean", "median"):
        found = predict(model, restrictor, table, target).numbers(how)
        np.testing.assert_array_equal(found, table[target].to_numpy())


def test_a_computed_column_is_told_without_its_sources(model, restrictor):
    """Its mean is that of its sources, whose means are told from the same draws."""
    computed = restrictor.identities[0]
    table = data().slice(0, 5).drop_columns([computed.column, *computed.sources])
    found, *parts = (
        predict(model, restrictor, table, name, draws=600).numbers("mean")
        for name in (computed.column, *computed.sources)
    )
    wanted = computed.of(parts)
    np.testing.assert_allclose(found, wanted, atol=0.5)


def test_a_computed_column_without_two_of_its_sources_is_refused(model, restrictor):
    computed = restrictor.identities[0]
    raw = data().slice(0, 3).drop_columns(list(computed.sources))
    with pytest.raises(ValueError, match=f"predict: row 1 gives '{computed.column}' but not"):
        predict(model, restrictor, raw, computed.sources[0])


def test_a_computed_column_cannot_be_given_without_its_sources(restrictor):
    computed = restrictor.identities[0]
    with pytest.raises(ValueError, match=r"is computed from .* name them instead"):
        given_variables([computed.column], restrictor)
    assert given_variables([computed.column, *computed.sources], restrictor).sum() == 2
    with pytest.raises(ValueError, match=r"there is no column 'bb'; did you mean 'b'\?"):
        given_variables(["bb"], restrictor)


def test_levels_without_a_code_share_that_of_the_others():
    rng = np.random.default_rng(0)
    names = [f"k{i}" for i in range(6)]
    chosen = rng.choice(6, 3000, p=[0.4, 0.3, 0.15, 0.09, 0.04, 0.02])
    table = pa.table({"k": pa.array([names[i] for i in chosen]).dictionary_encode()})
    schema = TableSchema((Column("k", "categorical", levels=tuple(names), nullable=True),))
    codec = TableCodec.fit(table, schema, **RECIPE | {"max_levels": 4})
    aim = Aim(Restrictor(codec), "k")
    p = np.array([[0.2, 0.1, 0.1, 0.2, 0.4]])  # three kept levels, <other>, <missing>
    found = aim.shares(np.log(p))[0]
    counts = np.bincount(chosen, minlength=6)[3:]
    np.testing.assert_allclose(found[:3], p[0, :3] / 0.6)
    np.testing.assert_allclose(found[3:], 0.2 / 0.6 * counts / counts.sum())


def test_a_centre_leaves_missing_values_out():
    values = np.array([[1.0, 5.0, np.nan], [np.nan, np.nan, np.nan], [2.0, 4.0, 9.0]])
    weight = np.log(np.array([[1.0, 3.0, 96.0], [1.0, 1.0, 1.0], [1.0, 1.0, 2.0]]))
    np.testing.assert_allclose(centre(values, weight, "mean"), [4.0, np.nan, 6.0])
    np.testing.assert_allclose(centre(values, weight, "median"), [5.0, np.nan, 4.0])


def test_options_out_of_range_are_refused_by_name(model, restrictor):
    raw = data().slice(0, 3)
    for draws in (0, 2.5, "8"):
        with pytest.raises(ValueError, match=f"draws must be a whole .* at least 1, got {draws!r}"):
            predict(model, restrictor, raw, "y", draws=draws)
    with pytest.raises(ValueError, match="how must be mean or median"):
        predict(model, restrictor, raw, "one").numbers("mode")


def test_the_likeliest_class_is_that_of_the_probabilities(model, restrictor, monkeypatch):
    prediction = predict(model, restrictor, data().slice(0, 90), "a", block_rows=40)
    wanted = prediction.probabilities()
    monkeypatch.setattr(prediction_module, "_AT_ONCE", 20)  # six rows of three classes
    np.testing.assert_array_equal(prediction.probabilities(), wanted)
    np.testing.assert_array_equal(prediction.likeliest(), wanted.argmax(1))


def test_more_probabilities_than_can_be_held_are_refused_by_name(model, restrictor, monkeypatch):
    monkeypatch.setattr(prediction_module, "_MOST", 100)
    prediction = predict(model, restrictor, data().slice(0, 34), "a")
    with pytest.raises(ValueError, match=r"34 rows times 3 classes of 'a' .* at most 33 rows"):
        prediction.probabilities()
    assert len(prediction.likeliest()) == 34
    assert len(predict(model, restrictor, data().slice(0, 33), "a").probabilities()) == 33


def test_long_work_says_how_far_it_is(model, restrictor, monkeypatch, caplog):
    monkeypatch.setattr(prediction_module, "_SILENT", -1.0)
    with caplog.at_level("INFO", logger="genmodels"):
        predict(model, restrictor, data().slice(0, 90), "a", block_rows=40).probabilities()
    assert [record.getMessage().split(", ")[0] for record in caplog.records] == [
        "predict a: 40 of 90 rows", "predict a: 80 of 90 rows",
    ]  # fmt: skip


@pytest.mark.parametrize(("spread", "error"), [(1.0, 0.004), (1.5, 0.01)])
def test_the_mean_of_a_skewed_number_is_nearly_right(spread, error):
    p, share = (x.double() for x in quantiles())
    assert share.sum().item() == pytest.approx(1.0, abs=1e-6)
    torch.testing.assert_close(share.cumsum(0) - share / 2, p, rtol=0, atol=1e-6)
    found = (torch.special.ndtri(p) * spread).exp() @ share
    assert found.item() == pytest.approx(np.exp(spread**2 / 2), rel=error)
