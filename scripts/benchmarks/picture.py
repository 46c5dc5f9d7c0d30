"""The README's picture: real and synthetic side by side, Adult's columns and two sets of images.

Reads what `leaderboard.py` and `images.py` left in the scratch folder and in results/.
"""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from common import RESULTS, SCRATCH

mpl.use("agg")
import matplotlib.pyplot as plt

NUMBERS = ["age", "hours-per-week", "education-num"]
BARS = ["marital-status", "occupation"]


def number(axis: plt.Axes, real: pd.Series, synthetic: pd.Series) -> None:
    edges = np.histogram_bin_edges(real, 30)
    axis.hist(real, edges, density=True, color="0.75", label="real")
    axis.hist(
        synthetic, edges, density=True, histtype="step", color="C0", lw=1.6, label="synthetic"
    )


def bars(axis: plt.Axes, real: pd.Series, synthetic: pd.Series) -> None:
    levels = real.value_counts().index[:8]
    place = np.arange(len(levels))
    for shift, rows, colour in ((-0.2, real, "0.75"), (0.2, synthetic, "C0")):
        shares = rows.value_counts(normalize=True).reindex(levels, fill_value=0)
        axis.bar(place + shift, shares, 0.4, color=colour)
    axis.set_xticks(place, [level[:9] for level in levels], rotation=45, ha="right", fontsize=7)


def main() -> None:
    real = pd.read_csv(SCRATCH / "tables" / "adult" / "train.csv")
    made = SCRATCH / "leaderboard" / "adult-tabvae-0-synthetic" / "data"
    synthetic = pd.read_csv(next(made.glob("*.csv")))
    figure = plt.figure(figsize=(11, 7.6), constrained_layout=True)
    top, middle, bottom = figure.subfigures(3, 1, height_ratios=[1, 1.55, 0.42])
    axes = top.subplots(1, 5)
    for axis, name in zip(axes, [*NUMBERS, *BARS], strict=True):
        (number if name in NUMBERS else bars)(axis, real[name], synthetic[name])
        axis.set_title(f"Adult, tabvae: {name}", fontsize=9)
        axis.set_yticks([])
    axes[0].legend(fontsize=7)
    digits = {
        "MNIST, real": "real_mnist",
        "MNIST, dcgan": "fake_dcgan_mnist",
        "MNIST, vqvae": "fake_vqvae_mnist",
    }
    chests = {
        "PneumoniaMNIST, real": "real_pneumonia",
        "PneumoniaMNIST, dcgan": "fake_dcgan_pneumonia",
    }
    for part, pictures in ((middle, digits), (bottom, chests)):
        for axis, (title, name) in zip(
            part.subplots(1, len(pictures)), pictures.items(), strict=True
        ):
            axis.imshow(plt.imread(RESULTS / f"{name}.png"), cmap="gray")
            axis.set_title(title, fontsize=9)
            axis.axis("off")
    figure.savefig(RESULTS / "side_by_side.png", dpi=100)


if __name__ == "__main__":
    main()
