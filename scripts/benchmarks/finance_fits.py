"""Models of prices fitted to a real price file: information criteria, stylised facts, a picture."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from common import RESULTS, data_folder

from genmodels.data.prices import Observed
from genmodels.metrics.return_sums import Sums, sums
from genmodels.simulators.finance.fit.result import returns_of
from genmodels.simulators.finance.paths import log_returns
from genmodels.tasks.choices import CONFIGS, choices
from genmodels.tasks.compose import compose
from genmodels.tasks.parts import instantiate

mpl.use("agg")
import matplotlib.pyplot as plt

FILE = "tables/ohlc_aapl.csv.gz"
LAGS, PATHS = 100, 64
PICTURE = "finance_aapl.png"


def fits() -> dict[str, Any]:
    """Every simulator fitted to daily closes of AAPL; its paths are as long as the real series."""
    observed = Observed(path=str(data_folder() / FILE), column="close").load()
    real = returns_of(observed["series"])
    lines, series, criteria = {"real": facts(real[None])}, {"real": real[None]}, {}
    for name in choices("simulator", [CONFIGS]):
        cfg = compose("simulate", [f"simulator={name}"])
        if "finance" not in str(cfg.simulator.get("_target_")):
            continue
        found = instantiate(cfg.simulator.fit)(observed["series"])
        blocks = log_returns(found.model, 0, PATHS, steps=len(real), seed=0)
        series[name] = torch.cat(list(blocks), 1)[..., 0].numpy().T
        lines[name] = facts(series[name])
        criteria[name] = {
            key: found.facts()[key] for key in ("estimates", "log_likelihood", "aic", "bic")
        } | {"cannot_make": list(found.model.lacks), "notes": list(found.notes)}
    draw(series)
    return {"file": FILE, "returns": len(real), "facts": lines, "fits": criteria}


def summed(r: np.ndarray) -> Sums:
    return sums(r, lags=LAGS, horizons=(1, 20), block=r.shape[1], apart=True).whole


def facts(r: np.ndarray) -> dict[str, float]:
    """Stylised facts of paths, each as long as the real series."""
    found = summed(r)
    return {
        "standard deviation": float(np.sqrt(found.variance)),
        "excess kurtosis": float(found.kurtosis),
        "Hill index": float(found.tail_index),
        "ACF of abs(r), lags 1-20": float(found.acf_absolute[:20].mean()),
        "ACF of abs(r), lags 21-100": float(found.acf_absolute[20:].mean()),
        "leverage, lags 1-10": float(found.leverage_effect[:10].mean()),
        "excess kurtosis of 20 days": float(found.aggregated_kurtosis(20)),
        "ACF of r, lags 1-20": float(found.acf[:20].mean()),
    }


def draw(series: dict[str, np.ndarray]) -> None:
    """Real log-returns above one path of each model, and their memory beside each other."""
    figure, axes = plt.subplots(len(series), 2, figsize=(11, 1.35 * len(series)), sharex="col")
    real = summed(series["real"]).acf_absolute
    for (left, right), (name, r) in zip(axes, series.items(), strict=True):
        left.plot(100 * r[0], color="0.2" if name == "real" else "C1", linewidth=0.4)
        left.set_ylim(-20, 20)
        left.set_ylabel(name.replace("_", "\n"), fontsize=8)
        right.plot(np.arange(1, LAGS + 1), real, color="0.2", linewidth=1, label="real")
        if name != "real":
            own = summed(r).acf_absolute
            right.plot(np.arange(1, LAGS + 1), own, color="C1", linewidth=1, label=name)
        right.axhline(0, color="0.7", linewidth=0.5)
        right.set_ylim(-0.05, 0.35)
    axes[0, 0].set_title(
        "daily log-returns of AAPL and of one path of each fitted model, %", fontsize=9
    )
    axes[0, 1].set_title("autocorrelation of |r| by lag, days", fontsize=9)
    figure.tight_layout()
    RESULTS.mkdir(exist_ok=True)
    figure.savefig(RESULTS / PICTURE, dpi=90)
    plt.close(figure)
