"""Calibrated draws have the margins of training, keep their dependence, and depend on one row."""

import numpy as np
import pytest
import torch
from scipy import stats

from genmodels.algorithms.base import Calibratable
from genmodels.algorithms.calibrating import level_offset, score_map
from genmodels.calibration import ScoreMap
from genmodels.margins import Margin, margins_of
from tests.algorithms.mixed import LAYOUT, prior
from tests.algorithms.siblings import row_gan, row_vae

ROWS = 20_000


def uniforms(model, rows=ROWS, seed=5):
    return torch.rand(rows, model.noise_dim, generator=torch.Generator().manual_seed(seed))


def training(rows=20_000, seed=0):
    """Rows whose margins are nothing like those of an untrained model."""
    rng = np.random.default_rng(seed)
    codes = [rng.choice(3, rows, p=[0.7, 0.3, 0.0]), rng.choice(3, rows, p=[0.5, 0.1, 0.4]),
             rng.choice(4, rows, p=[0.1, 0.2, 0.3, 0.4]), rng.choice(7, rows)]  # fmt: skip
    x = np.where(codes[1] == 0, rng.beta(2, 5, rows) * 1.6 - 0.8, 0.0)
    values = np.stack([x, rng.normal(0.1, 0.15, rows).clip(-1, 1)], 1)
    return {"values": torch.from_numpy(values).float(),
            "codes": torch.from_numpy(np.stack(codes, 1)).int()}  # fmt: skip


def drawn(model, calibration, u):
    blank = torch.zeros(len(u), 0)
    return model.sample(blank, blank, u, calibration=calibration)


@pytest.fixture(scope="module")
def case():
    model, rows = prior(), training()
    return model, rows, margins_of(rows, LAYOUT)


def calibrated(model, margins, *, ends_only=False):
    return model.calibrate(uniforms(model, 32_768, 1).split(4096), margins, ends_only=ends_only)


def distances(made, rows):
    """Total variation of the levels, and Kolmogorov-Smirnov distances of the scores."""
    found = [
        0.5 * np.abs(np.bincount(m, minlength=7) / len(m) - np.bincount(r, minlength=7) / len(r))
        .sum()
        for m, r in zip(made["codes"].T.numpy(), rows["codes"].T.numpy(), strict=True)
    ]  # fmt: skip
    first = [d["values"][d["codes"][:, 1] == 0, 0].numpy() for d in (made, rows)]
    second = [d["values"][:, 1].numpy() for d in (made, rows)]
    return [*found, stats.ks_2samp(*first).statistic, stats.ks_2samp(*second).statistic]


def test_after_marginal_every_margin_is_that_of_training_and_before_it_is_not(case):
    model, rows, margins = case
    u = uniforms(model)
    assert min(distances(drawn(model, None, u), rows)) > 0.03
    made = drawn(model, calibrated(model, margins), u)
    assert max(distances(made, rows)) < 0.015
    assert not (made["codes"][:, 0] == 2).any()


def test_a_score_is_never_beyond_those_of_training_and_both_ends_are_reached_as_often(case):
    model, rows, margins = case
    made = drawn(model, calibrated(model, margins), uniforms(model, 200_000))["values"][:, 1]
    ends = float(rows["values"][:, 1].min()), float(rows["values"][:, 1].max())
    assert float(made.min()) == pytest.approx(ends[0], abs=1e-6)
    assert float(made.max()) == pytest.approx(ends[1], abs=1e-6)
    for end in ends:
        assert 3 <= int((made - end).abs().lt(1e-6).sum()) <= 25  # 10 expected


def test_pin_reaches_the_ends_as_often_and_leaves_the_middle_and_the_levels_alone(case):
    model, _, _ = case
    u = uniforms(model, 200_000)
    free = drawn(model, None, u)["values"][:, 1]
    y = free[:ROWS].clamp(-0.7, 0.8)  # 'training' with other ends
    rows = training()
    rows["values"][:, 1] = y
    pinned = calibrated(model, margins_of(rows, LAYOUT), ends_only=True)
    made = drawn(model, pinned, u)
    assert float(made["values"][:, 1].min()) == pytest.approx(-0.7, abs=1e-6)
    low = (made["values"][:, 1] + 0.7).abs().lt(1e-6).double().mean()
    assert float(low) == pytest.approx(float((y == -0.7).double().mean()), rel=0.5)
    assert all(adjustment.offset is None for adjustment in pinned)
    first = drawn(model, None, u)["codes"][:, 0]
    assert torch.equal(made["codes"][:, 0], first)
    curve = next(a.curve for v, a in zip(model.drawing.arrangement.variables, pinned, strict=True)
                 if v.name == "y")  # fmt: skip
    middle = torch.linspace(*free.quantile(torch.tensor([0.03, 0.97])).tolist(), 99)
    torch.testing.assert_close(curve(middle), middle, atol=1e-5, rtol=0)


def test_a_sure_rule_survives_other_margins():
    rng = np.random.default_rng(0)
    group = rng.random(30_000) < 0.5
    logits = torch.from_numpy(np.where(group[:, None], [[20.0, 0.0]], [[0.0, 20.0]])).float()
    offset = level_offset(logits, np.array([70, 30]))
    assert float(offset.abs().max()) <= 3.0
    kept = (logits + offset).argmax(1) == logits.argmax(1)
    assert bool(kept.all())


def test_offsets_move_mean_probabilities_to_the_target_and_drop_levels_never_seen():
    logits = torch.randn(5000, 4, generator=torch.Generator().manual_seed(0)) * 2
    counts = np.array([50, 30, 20, 0])
    mean = (logits + level_offset(logits, counts)).softmax(1).mean(0)
    torch.testing.assert_close(mean, torch.tensor([0.5, 0.3, 0.2, 0.0]), atol=2e-3, rtol=0)
    assert float(level_offset(logits, np.zeros(4)).abs().sum()) == 0.0


def test_dependence_is_kept_where_the_margins_are_right_already(case):
    model, _, _ = case
    rows = drawn(model, None, uniforms(model, 60_000, 8))
    made = drawn(model, calibrated(model, margins_of(rows, LAYOUT)), uniforms(model, 60_000, 9))
    for part in (lambda d: d["codes"][:, 0] * 4 + d["codes"][:, 2],
                 lambda d: d["codes"][:, 3] * 2 + (d["values"][:, 1] > 0)):  # fmt: skip
        cells = [torch.bincount(part(d).long(), minlength=14) / 60_000 for d in (rows, made)]
        assert float((cells[0] - cells[1]).abs().sum()) < 0.025


def test_what_is_found_is_a_function_of_the_pilot_and_a_row_of_its_uniforms(case):
    model, _, margins = case
    one, two = calibrated(model, margins), calibrated(model, margins)
    u = uniforms(model, 64)
    whole, again = drawn(model, one, u), drawn(model, two, u)
    part = drawn(model, one, u[:9])
    for name in ("values", "codes"):
        assert torch.equal(whole[name], again[name])
        torch.testing.assert_close(whole[name][:9], part[name], atol=1e-6, rtol=0)


def test_few_scores_are_left_alone():
    margin = Margin(np.zeros(0, int), np.array([0.1, 0.9]), np.array([-1.0, 1.0]))
    assert score_map(torch.zeros(20), margin, ends_only=False) is None
    empty = Margin(np.zeros(0, int), np.zeros(0), np.zeros(0))
    assert score_map(torch.randn(500), empty, ends_only=False) is None


def test_a_score_map_is_monotone_linear_between_its_knots_and_constant_beyond():
    knots = (
        torch.tensor([-0.5, 0.0, 0.0, 0.5]).double(),
        torch.tensor([-1.0, 0.0, 0.2, 0.3]).double(),
    )
    curve = ScoreMap(at=knots[0], to=knots[1])
    found = curve(torch.tensor([-9.0, -0.25, 0.0, 0.25, 9.0]))
    torch.testing.assert_close(found, torch.tensor([-1.0, -0.5, 0.2, 0.25, 0.3]))


def test_models_that_make_whole_rows_at_once_cannot_be_calibrated():
    assert isinstance(prior(), Calibratable)
    assert not isinstance(row_vae(), Calibratable)
    assert not isinstance(row_gan(), Calibratable)
