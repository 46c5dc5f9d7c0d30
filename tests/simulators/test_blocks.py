"""Path i depends on (seed, i) alone; impossible parameters are refused in one line."""

import math

import numpy as np
import pytest
import torch

from genmodels.simulators.finance.garch import GARCH
from genmodels.simulators.finance.gbm import GBM
from genmodels.simulators.finance.heston import Heston
from genmodels.simulators.finance.merton import Merton
from genmodels.simulators.finance.paths import PricePaths, block_paths
from genmodels.simulators.finance.regime_switching import RegimeSwitching
from tests.simulators.prices import MODELS, simulated

G = {"mu": 0.0, "sigma": 0.2}
H = {"mu": 0.0, "kappa": 1.0, "theta": 0.04, "xi": 0.25, "rho": -0.5}
A = {"mu": 0.0, "omega": 1e-6, "alpha": 0.1, "beta": 0.8}
M = {"mu": 0.0, "sigma": 0.1, "intensity": 1.0, "jump_mean": 0.0, "jump_std": 0.1}
R = {"means": [0, 0], "volatilities": [1, 2], "transitions": [[0.9, 0.1], [0.1, 0.9]]}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("chunk", [1, 700, 8193])
def test_a_path_is_the_same_to_the_byte_in_any_chunk(name, chunk):
    whole = simulated(MODELS[name], 9000, steps=30, seed=9)
    for start in (0, min(8000, 9000 - chunk), 9000 - chunk):
        part = simulated(MODELS[name], chunk, steps=30, seed=9, start=start)
        assert part.numpy().tobytes() == whole[:, start : start + chunk].numpy().tobytes()


@pytest.mark.parametrize("name", MODELS)
def test_the_number_of_threads_changes_no_byte_and_the_seed_every_path(name):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = simulated(MODELS[name], 1024, steps=100)
        torch.set_num_threads(2)
        two = simulated(MODELS[name], 1024, steps=100)
    finally:
        torch.set_num_threads(before)
    assert one.numpy().tobytes() == two.numpy().tobytes()
    other = simulated(MODELS[name], 1024, steps=100, seed=1)
    assert bool((one.sum(0) != other.sum(0)).all())


@pytest.mark.parametrize("name", MODELS)
def test_prices_are_finite_and_above_zero(name):
    paths = PricePaths(model=MODELS[name], steps=1000)
    values = paths.block(0, seed=0, device=torch.device("cpu")).to_pandas().to_numpy()
    assert values.shape == (2048, 1001)
    assert np.isfinite(values).all()
    assert (values > 0).all()
    assert (values[:, 0] == 100.0).all()


def test_a_block_stays_small_however_long_a_path_is():
    assert block_paths(252, 1) == 8192
    assert block_paths(5000, 4) == 64
    assert block_paths(10_000_000, 1) == 1


@pytest.mark.parametrize("values", ["close", "return"])
def test_rows_of_paths_and_rows_of_steps_hold_the_same_numbers(values):
    model = GBM(mu=[0.0, 0.1], sigma=0.2, correlation=[[1, 0.5], [0.5, 1]])
    wide, long = (
        PricePaths(model=model, steps=5, rows=rows, values=values, names=["a", "b"])
        for rows in ("path", "step")
    )
    device = torch.device("cpu")
    one, other = (p.block(1, seed=0, device=device).to_pandas() for p in (wide, long))
    assert tuple(one.columns) == wide.schema.names
    assert tuple(other.columns) == long.schema.names == ("path", "step", "a", "b")
    assert long.block_rows == len(other) == long.rows_of(wide.block_rows)
    for name in ("a", "b"):
        table = other.pivot_table(index="path", columns="step", values=name)
        assert table.index[0] == wide.block_rows
        columns = [column for column in one.columns if column.startswith(name)]
        assert (table.to_numpy() == one[columns].to_numpy()).all()


def test_several_assets_share_parameters_given_once():
    model = GBM(mu=0.1, sigma=[0.1, 0.2])
    assert model.assets == 2
    assert model.mu.tolist() == [0.1, 0.1]


def test_garch_says_when_its_kurtosis_is_infinite():
    assert GARCH(**A).notes == ()
    assert "fourth moment" in GARCH(**A, nu=4.0).notes[0]
    assert GARCH(**{**A, "alpha": 0.5, "beta": 0.0}).notes == ()  # 3 alpha^2 < 1
    assert "fourth moment" in GARCH(**{**A, "alpha": 0.6, "beta": 0.0}).notes[0]


def test_feller_is_a_note_and_no_mistake():
    assert Heston(**H).notes == ()
    assert "Feller" in Heston(**{**H, "xi": 0.5}).notes[0]


@pytest.mark.parametrize(
    ("kind", "known", "wrong", "message"),
    [
        (GBM, G, {"sigma": -0.1}, "sigma must be at least 0, got -0.1"),
        (GBM, G, {"mu": math.nan}, "mu must be finite"),
        (GBM, G, {"sigma": "high"}, "sigma must be a number, or one for each asset, got 'high'"),
        (GBM, G, {"steps_per_year": 0.0}, "steps_per_year must be above 0"),
        (GBM, G, {"mu": [1, 2], "sigma": [1, 2, 3]}, "mu of 2, sigma of 3"),
        (GBM, G, {"sigma": []}, "sigma is empty"),
        (GBM, G, {"correlation": [[1, 0.5]]}, "correlation must be a square matrix"),
        (GBM, G, {"correlation": [[1, 0.5], [0.4, 1]]}, "correlation must be symmetric"),
        (GBM, G, {"correlation": [[1, 2], [2, 1]]}, "positive definite, its smallest eigenvalue"),
        (GBM, G, {"correlation": [[2, 0], [0, 1]]}, "ones on its diagonal"),
        (Merton, M, {"intensity": -1.0}, "intensity must be at least 0"),
        (Merton, M, {"jump_std": -1.0}, "jump_std must be at least 0"),
        (Heston, H, {"rho": -1.1}, r"rho must be in \[-1, 1\], got -1.1"),
        (Heston, H, {"kappa": 0.0}, "kappa must be above 0"),
        (Heston, H, {"v0": -1.0}, "v0 must be at least 0"),
        (Heston, H, {"v0": "high"}, "v0 must be a variance, null or stationary, got high"),
        (Merton, M, {"jump_mean": 800.0}, "the mean size of a jump must be finite"),
        (Merton, M, {"intensity": 1e30}, "intensity must be at most 1e.06 jumps in a step"),
        (
            Merton,
            M,
            {"intensity": [1.0, 2.0], "common_jumps": True},
            "all assets have one intensity",
        ),
        (GARCH, A, {"nu": "high"}, "nu must be a number"),
        (GARCH, A, {"burn_in": -1}, "burn_in must be a number of steps, 0 or more, got -1"),
        (GARCH, A, {"beta": 0.9}, "beta . gamma / 2 must be below 1"),
        (GARCH, A, {"gamma": -0.2}, r"alpha \+ gamma must be at least 0"),
        (GARCH, A, {"omega": 0.0}, "omega must be above 0"),
        (GARCH, A, {"nu": 2.0}, "nu must be above 2"),
        (RegimeSwitching, R, {"transitions": [[0.9, 0.2], [0.1, 0.9]]}, "row 0 must sum to 1"),
        (RegimeSwitching, R, {"transitions": [[1.5, -0.5], [0, 1]]}, r"must be in \[0, 1\]"),
        (RegimeSwitching, R, {"means": [0.0]}, "different numbers of regimes"),
        (RegimeSwitching, R, {"volatilities": [-1, 1]}, "volatilities must be at least 0"),
    ],
)
def test_impossible_parameters_are_refused_in_one_line(kind, known, wrong, message):
    with pytest.raises(ValueError, match=message) as error:
        kind(**{**known, **wrong})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"start": 0.0}, "start must be a price above 0"),
        ({"names": ["a", "b"]}, "names must be 1 different names"),
    ],
)
def test_impossible_paths_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        PricePaths(**{"model": GBM(**G), "steps": 5, **wrong})


def test_a_fit_of_several_assets_is_refused():
    model = GBM(mu=0.0, sigma=[0.1, 0.2])
    with pytest.raises(ValueError, match="a fit is of one asset"):
        PricePaths(model=model, steps=5, fit=lambda prices: None).fitted({"series": np.ones(100)})


@pytest.mark.parametrize(("sigma", "values"), [(1e200, "close"), (1e170, "return"), (1e3, "close")])
def test_prices_that_no_number_can_hold_are_refused(sigma, values):
    paths = PricePaths(model=GBM(mu=0.0, sigma=sigma), steps=5000, values=values)
    with pytest.raises(ValueError, match="prices that no number can hold within 5000 steps"):
        paths.block(0, seed=0, device=torch.device("cpu"))


def test_a_long_step_of_heston_with_a_positive_rho_is_said():
    wild = {**H, "xi": 2.0, "rho": 0.9}
    assert not any("too long" in note for note in Heston(**wild).notes)
    assert any("too long" in note for note in Heston(**wild, steps_per_year=1.0).notes)
