"""Section on what the model itself gives away: does it hold rows that it was trained on for more
likely than other real rows? And, where that is a question, how many bits a row costs it.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from genmodels.metrics.intervals import Z95, auc, auc_interval
from genmodels.report.rows import Detail, Points, Report, Row, RowMaker, Section

__all__ = ["Bits", "likelihood_gap", "with_section"]

Bits = tuple[np.ndarray, np.ndarray]
"""Bits per dimension of training rows (N,) and of held-out rows (M,)."""


def likelihood_gap(
    trained: np.ndarray,
    held_out: np.ndarray,
    *,
    exact: bool,
    seed: int,
    bits: Bits | str | None = None,
) -> Section | None:
    """Training rows against held-out rows by the model's own likelihood.

    Args:
        trained: log-likelihood of training rows, or a lower bound of it, in nats, shape (N,).
        held_out: the same of held-out rows, shape (M,).
        exact: whether these are log-likelihoods, not bounds.
        seed: of the choice of rows and of the draws behind the bounds.
        bits: what each row costs, or why that is not known; None: nobody asks.

    Returns:
        None with fewer than two values a side, or with values that are not finite.
    """
    n, m = len(trained), len(held_out)
    if min(n, m) < 2 or not (np.isfinite(trained).all() and np.isfinite(held_out).all()):
        return None
    known = "it is exact" if exact else "known by a lower bound of it"
    text = (
        f"The model gives every real row a likelihood ({known}). A model that learnt "
        "its training rows by heart holds them for more likely than rows that it never saw. One "
        "that learnt what is general does not tell them apart. This is about the model, not "
        "about the synthetic data."
    )
    rows = _area(trained, held_out, seed), _mean(trained, held_out, seed)
    if isinstance(bits, str):
        text += f" It gives no bits per dimension: {bits}."
    details = (_bits(bits),) if isinstance(bits, tuple) else ()
    return Section("Does the model know its training rows?", text, rows, details)


def with_section(report: Report, section: Section) -> Report:
    """The report with a section behind the last one of the same axis."""
    axes = {row.axis for row in section.rows}
    places = [k for k, s in enumerate(report.sections) if axes & {row.axis for row in s.rows}]
    place = places[-1] + 1 if places else len(report.sections)
    sections = (*report.sections[:place], section, *report.sections[place:])
    return replace(report, sections=sections)


def _bits(bits: Bits) -> Detail:
    lines = []
    for name, values in zip(("training rows", "held-out rows"), bits, strict=True):
        half = Z95 * float(values.std(ddof=1)) / math.sqrt(len(values))
        mean = float(values.mean())
        lines.append((name, len(values), mean, mean - half, mean + half))
    headers = ("rows", "n", "bits per dimension", "95 % from", "to")
    title = "Bits per dimension: what a row costs, at most, where 8 is an 8-bit value uncompressed"
    return Detail(title, headers, tuple(lines))


def _area(trained: np.ndarray, held_out: np.ndarray, seed: int) -> Row:
    member = np.repeat([True, False], [len(trained), len(held_out)])
    score = np.concatenate([trained, held_out])
    return RowMaker(seed, len(score))(
        "memorisation",
        "training rows told from held-out rows by the model's likelihood, AUC",
        Points(auc(member, score), 0.5),
        "lower",
        interval=auc_interval(member, score),
        note=f"{len(trained):,} training against {len(held_out):,} held-out rows; 0.5: not at all, "
        "1: without error.",
        floor_is="copies",
        scale=0.5,
    )


def _mean(trained: np.ndarray, held_out: np.ndarray, seed: int) -> Row:
    gap = float(trained.mean() - held_out.mean())
    half = Z95 * math.sqrt(
        trained.var(ddof=1) / len(trained) + held_out.var(ddof=1) / len(held_out)
    )
    return RowMaker(seed, len(trained) + len(held_out))(
        "memorisation",
        "likelihood of training rows above that of held-out rows, mean (nats)",
        Points(gap, 0.0),
        "lower",
        interval=(gap - half, gap + half),
        note=f"{trained.mean():.5g} for training rows, {held_out.mean():.5g} for held-out rows.",
        floor_is="copies",
        headline=False,
        scale=max(float(held_out.std()), 1e-9),
    )
