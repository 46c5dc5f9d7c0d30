"""Mixtures, quantiles and point masses: against formulas, scikit-learn and known distributions."""

import math
import warnings

import numpy as np
import pyarrow as pa
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import BayesianGaussianMixture

from genmodels.codecs.columns.build import column_from_state
from genmodels.codecs.columns.knots import Knots
from genmodels.codecs.columns.mixture import compress, fit_mixture
from genmodels.codecs.columns.mode_specific import ModeSpecific
from genmodels.codecs.columns.numbers import Numbers, distinct
from genmodels.codecs.columns.point_masses import point_masses
from genmodels.codecs.columns.quantile import Quantile
from genmodels.codecs.columns.tokens import Tokens
from genmodels.schema import Column

COLUMN = Column("x", "continuous")


def chunked(values, **options):
    return pa.chunked_array([pa.array(values, **options)])


def samples(name, rows=3000):
    rng = np.random.default_rng(0)
    return {
        "three modes": np.concatenate(
            [
                rng.normal(-5, 1, rows // 3),
                rng.normal(0, 0.3, rows // 3),
                rng.normal(8, 2, rows // 3),
            ]
        ),
        "lognormal": np.exp(rng.normal(size=rows)),
        "ages": np.rint(rng.gamma(9, 4, rows) + 17),
        "uniform, shifted": 1e6 + rng.random(rows),
    }[name]


def log_likelihood(x, mixture):
    standard = (x[:, None] - mixture.means) / mixture.deviations
    density = mixture.weights * np.exp(-0.5 * standard**2) / mixture.deviations
    return float(np.log(density.sum(axis=1) / math.sqrt(2 * math.pi)).mean())


@pytest.mark.parametrize("name", ["three modes", "lognormal", "ages", "uniform, shifted"])
def test_the_mixture_is_as_likely_as_that_of_scikit_learn(name):
    x = samples(name)
    ours = fit_mixture(compress(*distinct(x), 2048), modes=10, rng=np.random.default_rng(0))
    reference = BayesianGaussianMixture(
        n_components=10,
        weight_concentration_prior_type="dirichlet_process",
        weight_concentration_prior=0.001,
        random_state=0,
        max_iter=100,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        theirs = reference.fit(x[:, None]).score(x[:, None])
    assert log_likelihood(x, ours) == pytest.approx(theirs, abs=0.02)
    assert ours.weights.sum() == pytest.approx(1.0)


def test_one_update_follows_the_equations_of_the_book():
    """One mode: Bishop 10.60-10.63 in closed form, on data of mean 0 and variance 1."""
    x = np.array([-1.5, -0.5, 0.5, 1.5]) / math.sqrt(1.25)
    mixture = fit_mixture(compress(x, np.full(4, 5), 10), modes=1, rng=np.random.default_rng(0))
    rows, prior_rows, prior_freedom, prior_scatter = 20.0, 1.0, 1.0, 1.0
    scatter = prior_scatter + rows * 1.0 + prior_rows * rows / (prior_rows + rows) * 0.0
    assert mixture.means == pytest.approx([0.0], abs=1e-12)
    assert mixture.deviations**2 == pytest.approx([scatter / (prior_freedom + rows)], rel=1e-5)


def test_compressed_points_keep_mean_and_variance():
    values, counts = distinct(np.random.default_rng(0).gamma(1, size=50_000))
    points = compress(values, counts, 500)
    assert len(points.centres) <= 500
    mean = points.counts @ points.centres / points.counts.sum()
    spread = points.counts @ ((points.centres - mean) ** 2 + points.variances)
    assert points.counts.sum() == counts.sum()
    assert mean == pytest.approx(np.average(values, weights=counts))
    assert spread / counts.sum() == pytest.approx(np.cov(values, aweights=counts, ddof=0))


def mode_specific(values, column=COLUMN, **options):
    defaults = {
        "with_point_masses": False,
        "modes": 10,
        "min_weight": 0.005,
        "concentration": 0.001,
        "points": 2048,
        "rng": np.random.default_rng(0),
    }
    return ModeSpecific.fit(column, chunked(values), **(defaults | options))


def test_alpha_is_the_place_in_the_mode_and_modes_are_drawn_from_the_posterior():
    x = samples("three modes")
    codec = mode_specific(x)
    alpha, mode = codec.encode(pa.array(x), np.random.default_rng(0))
    offsets, mixture = x - x.min(), codec.mixture
    expected = (offsets - mixture.means[mode[0]]) / (4 * mixture.deviations[mode[0]])
    assert alpha[0] == pytest.approx(expected, abs=1e-6)
    one = np.full(200_000, x[1500])
    drawn = codec.encode(pa.array(one), np.random.default_rng(1))[1][0]
    log_density = (
        np.log(mixture.weights / mixture.deviations)
        - 0.5 * ((offsets[1500] - mixture.means) / mixture.deviations) ** 2
    )
    reached = np.abs(offsets[1500] - mixture.means) <= 0.99 * 4 * mixture.deviations
    posterior = np.where(reached, np.exp(log_density), 0.0)
    shares = np.bincount(drawn, minlength=codec.modes) / len(one)
    assert shares == pytest.approx(posterior / posterior.sum(), abs=0.005)


def test_light_modes_go_unless_values_would_be_cut():
    rng = np.random.default_rng(0)
    x = np.append(rng.normal(size=20_000), [400.0])
    codec = mode_specific(x)
    back = codec.decode(*codec.encode(pa.array(x), rng), rng, 0).to_numpy()
    assert np.abs(back - x).max() <= codec.tolerance
    assert mode_specific(x, min_weight=0.2).modes < codec.modes


def test_values_beyond_the_training_range_are_cut_to_it():
    for codec in (mode_specific(np.arange(50.0)), quantile(np.arange(50.0))):
        back = codec.decode(
            *codec.encode(pa.array([-9.0, 77.0]), np.random.default_rng(0)), None, 0
        )
        assert back.to_numpy() == pytest.approx([0.0, 49.0], abs=1e-5)


def quantile(values, kind="continuous", masses=False, **options):
    column = Column("x", kind, **options)
    return Quantile.fit(column, chunked(values), with_point_masses=masses, knots=1024)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("continuous", "lognormal"), ("continuous", "three modes"), ("integer", "ages")],
)
def test_scores_are_normal_and_normal_scores_decode_to_the_distribution(kind, name):
    x = samples(name, 30_000)
    x = x.astype(np.int64) if kind == "integer" else x
    codec = quantile(x, kind)
    scores = np.sort(codec.encode(pa.array(x), np.random.default_rng(0))[0][0].astype(np.float64))
    furthest = -torch.special.ndtri(torch.tensor(0.5 / len(x), dtype=torch.float64)).item()
    normal = torch.special.ndtr(torch.from_numpy(scores * min(furthest, 4.0))).numpy()
    assert np.abs(normal - np.arange(len(x)) / len(x)).max() < 0.02
    z = np.random.default_rng(1).normal(size=30_000) / min(furthest, 4.0)
    made = codec.decode(z.astype(np.float32)[None], np.empty((0, len(z)), np.int32), None, 0)
    grid = np.quantile(x, np.linspace(0.02, 0.98, 49))
    difference = np.searchsorted(np.sort(made.to_numpy()), grid, "right") - np.searchsorted(
        np.sort(x), grid, "right"
    )
    assert np.abs(difference / len(x)).max() < 0.02


def test_the_look_up_table_agrees_with_plain_interpolation():
    rng = np.random.default_rng(0)
    values, counts = distinct(np.round(np.exp(3 * rng.normal(size=20_000)), 1))
    for step in (0.0, 0.1):
        knots = Knots.fit(values, counts, step=step, most=1024)
        assert (np.diff(knots.z) > 0).all()
        assert (np.diff(knots.x) >= 0).all()
        z = np.concatenate([rng.uniform(-1, 1, 20_000), knots.z])
        assert knots.offsets(z) == pytest.approx(np.interp(z, knots.z, knots.x), rel=1e-9, abs=1e-9)


def test_knots_hold_no_training_value_but_the_extremes():
    x = np.random.default_rng(0).normal(size=5000)
    codec = quantile(x)
    kept = codec.knots.x + codec.numbers.base
    assert len(kept) <= 1024
    assert len(kept) < len(x) / 7
    assert np.isin(kept[1:-1], x).sum() == 0


def test_a_point_mass_stands_out_from_its_neighbours():
    rng = np.random.default_rng(0)
    incomes = np.where(rng.random(20_000) < 0.4, 0, rng.integers(1, 5000, 20_000))
    values, counts = distinct(incomes)
    assert values[point_masses(counts)].tolist() == [0]
    lattice = rng.integers(0, 40, 20_000) * 10
    assert len(point_masses(distinct(lattice)[1])) == 0
    rare = np.append(rng.normal(size=1000), np.zeros(29))
    assert len(point_masses(distinct(rare)[1])) == 0


@pytest.mark.parametrize("fit", [mode_specific, quantile])
def test_point_masses_and_missing_are_outcomes_of_their_own(fit):
    rng = np.random.default_rng(0)
    x = np.where(rng.random(5000) < 0.4, 0.3, rng.normal(size=5000))
    mask = rng.random(5000) < 0.2
    column = Column("x", "continuous", nullable=True)
    data = chunked(x, mask=mask)
    if fit is quantile:
        codec = Quantile.fit(column, data, with_point_masses=True, knots=64)
        ordinary = 1
    else:
        codec = mode_specific(pa.array(x, mask=mask), with_point_masses=True)
        ordinary = codec.modes
    values, codes = codec.encode(data.chunk(0), rng)
    assert np.array_equal(codes[0] == ordinary, (x == 0.3) & ~mask)
    assert np.array_equal(codes[0] == ordinary + 1, mask)
    assert (values[codes >= ordinary] == 0).all()
    back = codec.decode(values, codes, rng, 0)
    assert np.array_equal(back.is_null().to_numpy(zero_copy_only=False), mask)
    hit = pa.array((x == 0.3) & ~mask)
    assert back.filter(hit).unique().to_pylist() == [0.3]


def on_a_lattice(rows, step, kind):
    """Multiples of 10 with a long tail, one in ten rows anywhere between."""
    rng = np.random.default_rng(0)
    tens = np.rint(np.exp(rng.normal(5, 0.4, rows))) * 10
    x = np.where(rng.random(rows) < 0.1, tens + rng.integers(1, 10, rows), tens) * step
    return x.astype(np.int64) if kind == "integer" else x


@pytest.mark.parametrize(
    ("kind", "step", "options"),
    [
        ("integer", 1, {}),
        ("continuous", 0.01, {"decimals": 2}),
        ("continuous", 1 / 3, {}),
    ],
)
def test_values_that_several_rows_share_come_back_with_their_mass(kind, step, options):
    x = on_a_lattice(20_000, step, kind)
    codec = quantile(x, kind, **options)
    assert len(codec.knots.x) <= 1024
    scores = codec.encode(pa.array(x), np.random.default_rng(0))[0]
    # between neighbours of the data's scores, so that no row is simply decoded again
    order = np.sort(scores[0].astype(np.float64))
    between = ((order[1:] + order[:-1]) / 2).astype(np.float32)[None]
    made = codec.decode(between, np.empty((0, len(x) - 1), np.int32), None, 0).to_numpy()
    values, counts = distinct(x)
    common = np.sort(np.argsort(-counts, kind="stable")[:200])
    assert (counts[common] >= 8).all()
    for value, count in zip(values[common], counts[common], strict=True):
        found = np.isclose(made, value, rtol=1e-7, atol=0.0).sum()
        assert count - 2 <= found <= count + 8 + count / 50


def test_a_whole_value_of_few_rows_has_no_knots_at_its_edges():
    x = on_a_lattice(20_000, 1, "integer")
    gaps = np.append(x[x % 10 == 0], x.max() + 1)  # the last one is beside the lattice
    for values in (x, gaps):
        codec = quantile(values, "integer")
        found, counts = distinct(values)
        rare = (found - found[0])[counts < 8][1:-1]
        assert len(rare) > 20
        kept = codec.knots.x
        assert not (np.isin(rare - 0.5, kept) & np.isin(rare + 0.5, kept)).any()


def test_a_value_of_one_row_among_ties_is_no_knot_but_the_extremes():
    rng = np.random.default_rng(0)
    pool = rng.normal(size=3000)
    x = rng.choice(pool, 20_000, p=np.exp(pool) / np.exp(pool).sum())
    codec = quantile(x)
    found, counts = distinct(x)
    single = (found - found[0])[counts == 1][1:-1]
    assert len(single) > 100
    assert not np.isin(single, codec.knots.x).any()
    common = (found - found[0])[counts >= 8]
    assert np.isin(common, codec.knots.x).mean() > 0.2


def test_codecs_saved_without_scale_and_counts_load_and_decode_as_before():
    x = samples("ages").astype(np.int64)
    data, column = chunked(x), Column("x", "integer")
    for codec, absent in (
        (quantile(x, "integer"), "furthest"),
        (Tokens.fit(column, data), "counts"),
    ):
        state = codec.state()
        del state[absent]
        twin = column_from_state(column, state)
        parts = codec.encode(pa.array(x), np.random.default_rng(0))
        again = twin.encode(pa.array(x), np.random.default_rng(0))
        assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))
        assert twin.decode(*parts, None, 0).equals(codec.decode(*parts, None, 0))
        assert len(twin.blocks[0].places) == len(codec.blocks[0].places)


CHARGES = 18.25 + 0.05 * np.arange(400)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (Column("charge", "continuous", decimals=2), np.round(CHARGES, 2)),
        (Column("pay", "integer"), np.arange(-40, 400) * 50 + 7),
    ],
    ids=["decimals", "whole numbers"],
)
@pytest.mark.parametrize("fit", ["quantile", "mode_specific"])
def test_what_is_decoded_lies_on_the_lattice_of_the_training_values(column, values, fit):
    data = chunked(values)
    if fit == "quantile":
        codec = Quantile.fit(column, data, with_point_masses=False, knots=64)
    else:
        codec = mode_specific(values, column=column)
    rng = np.random.default_rng(1)
    assert codec.decode(*codec.encode(data.combine_chunks(), rng), rng, 0).to_pylist() == list(
        values
    )
    scores = rng.uniform(-1, 1, (1, 5000))
    modes = np.zeros((1, 5000), np.int32)
    made = codec.decode(scores, modes, rng, 0).to_numpy()
    assert np.isin(made, values).all()
    again = column_from_state(column, codec.state())
    assert again.decode(scores, modes, rng, 0).to_pylist() == made.tolist()


@pytest.mark.parametrize(
    ("values", "step"),
    [
        (np.arange(100) * 5, 5),
        (np.append(np.arange(100) * 5, 13), 1),  # one value beside the lattice
        (np.arange(19) * 5, 1),  # too few to be sure of one
        (np.zeros(50, int), 1),
    ],
)
def test_a_lattice_needs_all_values_and_enough_of_them(values, step):
    assert Numbers.fit(Column("n", "integer"), chunked(values)).step == step
