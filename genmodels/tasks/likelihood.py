"""Whether the model of a run holds its training rows for more likely than held-out ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig
from torch import Tensor

from genmodels.algorithms.base import BoundsLikelihood, ExactLikelihood
from genmodels.report.likelihood import Bits, likelihood_gap, with_section
from genmodels.report.rows import Report
from genmodels.run import Run
from genmodels.schema import Schema
from genmodels.tasks.build import Loaded, load_run
from genmodels.tasks.parts import instantiate
from genmodels.tasks.prepared import choose_condition, told_rows
from genmodels.types import Batch, Raw, take_rows

__all__ = ["Bounds", "with_likelihood"]

SKIPPED = "The model's likelihood of its training rows was not compared with that of others"


def with_likelihood(
    report: Report,
    origin: Run,
    train: Raw,
    holdout: Raw,
    *,
    parse: Callable[[Raw, Schema], Raw],
    options: DictConfig,
    seed: int,
) -> Report:
    """The report with a section on the model's likelihood, where the model has one.

    Args:
        report: of the synthetic data.
        origin: the run.
        train: what its training saw, raw.
        holdout: real data that it did not see, raw.
        parse: (raw, schema) -> raw typed by the schema, with gaps where it does not fit.
        options: `rows`, at most so many of each are looked at; `draws` of the latent of each;
            `batch_size`.
        seed: of the choice of rows and of the draws.
    """
    if not origin.weights.is_file() or int(options.rows) < 1:
        return report
    try:
        loaded = load_run(origin)
        if not isinstance(loaded.model, BoundsLikelihood):
            return report
        bounds = Bounds(loaded, draws=options.draws, batch_size=options.batch_size, seed=seed)
        others = _expressible(loaded, parse(holdout, loaded.schema), train)
        trained, untrained = bounds.compare(train, others, most=int(options.rows))
    except ValueError as error:
        return replace(report, remarks=(*report.remarks, f"{SKIPPED}: {error}"))
    exact = isinstance(loaded.model, ExactLikelihood)
    bits = _bits(loaded.model, trained, untrained)
    section = likelihood_gap(trained, untrained, exact=exact, seed=seed, bits=bits)
    if section is None:
        text = f"{SKIPPED}: too few rows, or the model is not finite on some."
        return replace(report, remarks=(*report.remarks, text))
    return with_section(report, section)


def _bits(model: Any, *bounds: np.ndarray) -> Bits | str | None:
    """Bounds as bits per dimension, or why they are none; None where the model has no answer."""
    refused = getattr(model, "no_bits", None)
    if refused != "":
        return refused
    trained, held_out = (model.bits_per_dimension(torch.from_numpy(b)).numpy() for b in bounds)
    return trained, held_out


class Bounds:
    """Lower bounds of the log-likelihood of raw rows under a trained model.

    Args:
        loaded: a run whose model bounds its likelihood.
        draws: latents per row.
        batch_size: rows at a time.
        seed: of everything random.
    """

    def __init__(self, loaded: Loaded, *, draws: int, batch_size: int, seed: int) -> None:
        self.loaded, self.draws, self.batch_size, self.seed = loaded, draws, batch_size, seed

    def compare(self, train: Raw, holdout: Raw, *, most: int) -> tuple[np.ndarray, np.ndarray]:
        """Bounds of as many training rows as held-out rows, at most `most` of each.

        Raises:
            ValueError: when the codec of the run cannot express the rows.
        """
        n = min(most, len(train), len(holdout))
        rng = np.random.default_rng([self.seed, 33])
        chosen = (take_rows(raw, rng.permutation(len(raw))[:n]) for raw in (train, holdout))
        trained, held_out = (self(raw) for raw in chosen)
        return trained, held_out

    def __call__(self, raw: Raw) -> np.ndarray:
        """Nats, shape (N,), float64."""
        model: Any = self.loaded.model
        generator = torch.Generator().manual_seed(self.seed)
        found: list[Tensor] = []
        for batch in self._batches(raw, generator):
            shape = self.draws, len(batch.x), model.latent_dim
            found.append(model.log_likelihood_bound(batch, torch.randn(shape, generator=generator)))
        return torch.cat(found).double().numpy() if found else np.zeros(0)

    def _batches(self, raw: Raw, generator: torch.Generator) -> Iterator[Batch]:
        cfg, schema, codec, _ = self.loaded
        condition, chosen = choose_condition(codec, schema, cfg.condition)
        encoded = codec.encode(raw, seed=self.seed)
        rows = told_rows(codec, raw, encoded, condition, chosen)
        rows = rows.through(self.loaded.model.reads(codec.layout))
        everything = torch.arange(len(rows))
        told = rows.told(everything, generator)
        for start in range(0, len(rows), self.batch_size):
            part = slice(start, start + self.batch_size)
            yield rows.batch(everything[part], None if told is None else told[part])


def _expressible(loaded: Loaded, holdout: Raw, train: Raw) -> Raw:
    """Held-out rows without those that the codec has no outcome for, as for validation rows."""
    keep = instantiate(loaded.cfg.data.get("expressible"))
    return holdout if keep is None else keep(holdout, train, loaded.schema)
