"""A learned prior over the latents of a deterministic encoder, drawn one after the other.

The encoder is the codec: it maps a row to discrete latents (levels, the states of numbers) and to
the place of a number inside its state, and it does so with certainty. The evidence lower bound
of such a VAE has no gap: the chain rule gives the exact log-likelihood of an encoded row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from genmodels.algorithms.base import GenerativeModel, evaluating, frozen_copy
from genmodels.algorithms.calibrating import Each, calibrated, in_turn
from genmodels.algorithms.choosing import Chosen
from genmodels.algorithms.conditional import Conditional
from genmodels.algorithms.drawing import Drawing
from genmodels.algorithms.optimizers import (
    OptimizerFactory,
    average_gradients,
    build_optimizer,
)
from genmodels.arrangement import Compact
from genmodels.calibration import Calibration
from genmodels.ema import EMA
from genmodels.evidence import Evidence
from genmodels.layout import Condition, Layout
from genmodels.margins import Margin
from genmodels.precision import Rounded, Rounding
from genmodels.types import Batch, Encoded

__all__ = ["Prior"]


class Prior(GenerativeModel):
    """loss = -sum_j log p(x_j | what comes before j in the order), the exact NLL of a row.

    Most batches are learned in the network's usual order. In the others a random subset of the
    variables comes first, in random order: so each subset can be given, and the rest be drawn,
    or its probability be asked for, without rejection.

    Args:
        layout, condition: see `GenerativeModel`.
        network: (scores (B, F), levels (B, Q), ranks (V,)) -> hidden vectors (V, B, H) and shifts
            of means (F, B); `.start`, `.read` and `.observe` do the same variable by variable;
            `.hidden` is H.
        likelihood: `.log_prob(hidden, shift, scores, levels)` -> (V, B), and `.draw` of a variable;
            or a factory missing `layout` and `hidden`.
        optimizer: factory missing its parameters.
        any_order: share of the updates that learn rows in a random order, in [0, 1).
        clip: largest norm of the gradient.
        ema: average of all weights, to sample and to validate with.
        rounding: whether products round to bfloat16 in training: "auto" where that is native.

    References:
        van den Oord et al., "Neural Discrete Representation Learning", 2017, section 3 (a
        prior learned over discrete latents).
        Uria et al., "A Deep and Tractable Density Estimator", 2014 (training over orders).
    """

    measures_loss = True
    reads = Compact

    def __init__(
        self,
        *,
        layout: Layout,
        condition: Condition,
        network: nn.Module,
        likelihood: nn.Module | Callable[..., nn.Module],
        optimizer: OptimizerFactory,
        any_order: float,
        clip: float,
        ema: EMA,
        rounding: Rounding,
    ) -> None:
        super().__init__(layout=layout, condition=condition, latent_dim=0)
        if not 0.0 <= any_order < 1.0:
            raise ValueError(f"model.any_order must be in [0, 1), got {any_order}")
        if condition.groups:
            raise ValueError(
                "this model needs no condition in training, any part of a row can be given "
                "when sampling: set condition=none"
            )
        if not isinstance(likelihood, nn.Module):
            likelihood = likelihood(layout=layout, hidden=network.hidden)
        self.network, self.likelihood = network, likelihood
        self.average = nn.ModuleDict(
            {"network": frozen_copy(network), "likelihood": frozen_copy(likelihood)}
        ).eval()
        self.chosen = Chosen(self.average, count=len(network.get_buffer("rank")))
        self.parts = Compact(layout)
        self.factory, self.ema = optimizer, ema
        self.any_order, self.clip, self.rounded = any_order, clip, Rounded(rounding)
        self.drawing = Drawing(layout=layout)
        self.measured: list[tuple[Tensor, int]] = []

    @property
    def noise_dim(self) -> int:
        return self.drawing.noise_dim

    @property
    def rank(self) -> Tensor:
        """Ranks (V,) of the variables in the usual order."""
        return self.network.get_buffer("rank")

    @property
    def held(self) -> nn.ModuleDict:
        """The modules to sample with: the chosen ones, or the average before any measurement."""
        chosen: Any = self.chosen.modules_by_name
        return self.average if self.chosen.empty else chosen

    def sampled(self) -> tuple[Any, Any]:
        """The network and the likelihood to sample with."""
        held = self.held
        return held["network"], held["likelihood"]

    def trained(self) -> list[nn.Parameter]:
        whole = [*self.network.parameters(), *self.likelihood.parameters()]
        return [p for p in whole if p.requires_grad]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return build_optimizer(self.factory, self.trained())

    def on_train_epoch_start(self) -> None:
        """What variables share is held fast once they choose their weights apart."""
        if bool(self.chosen.apart):
            for parameter in self.chosen.shared(self.live()):
                parameter.requires_grad_(False)

    def live(self) -> nn.ModuleDict:
        """The modules that are trained, by name."""
        return nn.ModuleDict({"network": self.network, "likelihood": self.likelihood})

    def update(
        self, batch: Batch, optimizers: Sequence[torch.optim.Optimizer], *, measure: bool
    ) -> Tensor:
        (optimizer,) = optimizers
        values, codes = self.parts.parts(batch.x)
        with self.rounded(self.device):
            order = self.order(len(batch.x))
            log_prob = _log_probs(self.network, self.likelihood, values, codes, order)
        loss = -log_prob.sum(0).mean()
        loss.backward()
        params = self.trained()
        average_gradients(params)
        norm = torch.nn.utils.clip_grad_norm_(params, self.clip)
        if measure:
            self.meter.add("train/gradient_norm", norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        samples = len(batch.x) * self.world_size
        seen, total = self.num_samples + samples, self.total_samples
        for name, module in (("network", self.network), ("likelihood", self.likelihood)):
            self.ema.update(self.average[name], module, batch=samples, samples=seen, total=total)
        self.meter.add("train/loss", loss)
        return loss.detach()

    def order(self, rows: int) -> Tensor:
        """Ranks (V,) for an update: the usual ones, or a random subset comes first."""
        usual = self.rank
        number = self.num_samples // (rows * self.world_size)
        if int((number + 1) * self.any_order) == int(number * self.any_order):
            return usual
        draw = torch.rand(2, len(usual), device=usual.device)
        size = torch.rand(1, device=usual.device)
        return torch.where(draw[0] < size, draw[1], 1.0 + usual)

    @torch.no_grad()
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Notes the negative log-likelihood of each variable, in the usual order."""
        values, codes = self.parts.parts(batch.x)
        modules = self.average
        found = _log_probs(modules["network"], modules["likelihood"], values, codes, self.rank)
        self.measured.append((-found.double().sum(1), found.shape[1]))

    @torch.no_grad()
    def choose(self) -> dict[str, float]:
        """End a measurement: take the better weights, see `Chosen`.

        Returns:
            val/loss of the chosen weights and val/loss_now of the present ones, nats per row.
        """
        rows = sum(count for _, count in self.measured)
        losses = torch.stack([loss for loss, _ in self.measured]).sum(0).div(rows).float()
        self.measured = []
        if self.chosen.consider(self.average, losses):
            for modules in (self.live(), self.average):
                modules.load_state_dict(self.chosen.modules_by_name.state_dict())
        return {"val/loss": float(self.chosen.best.sum()), "val/loss_now": float(losses.sum())}

    @torch.no_grad()
    def log_prob(self, x: Tensor, known: Tensor | None = None) -> Tensor:
        """Log-probability of each row, or of the rest of it given the variables `known`.

        If the rest is one variable of levels, it follows from whole rows by Bayes' rule, see
        `Conditional`. If it is more, or a score that does not come last, the known variables are
        read first, in an order that was learned less well: what is left is not exactly in the
        proportions of whole rows.

        Args:
            x: rows (B, ...) as `Compact` gives them.
            known: which variables are given, bool (V,), the same for all rows; None: nothing.

        Returns:
            Nats, shape (B,): probabilities of levels times densities of scores (times 4).
        """
        rank = self.rank
        counted = torch.ones(len(rank), device=rank.device)
        values, codes = self.parts.parts(x)
        if known is not None:
            rest = (~known).nonzero().flatten().tolist()
            if len(rest) == 1 and (one := self.conditional(rest[0])).variable.value is None:
                found = one.exact({"values": values, "codes": codes}, rank.new_full((1,), 0.5))
                return found.log_weight.gather(1, codes[:, [one.variable.code]]).squeeze(1)
            given = self.drawing.arranged(known)
            rank, counted = torch.where(given, rank - len(rank), rank), (~given).float()
        with evaluating(self.held):
            return counted @ _log_probs(*self.sampled(), values, codes, rank)

    def conditional(self, variable: int) -> Conditional:
        """What one variable, numbered as in the layout, may be given others."""
        network, likelihood = self.sampled()
        return Conditional(
            drawing=self.drawing, network=network, likelihood=likelihood, variable=variable
        )

    @torch.no_grad()
    def log_likelihood_bound(self, batch: Batch, noise: Tensor) -> Tensor:
        """The exact log-likelihood (B,) in nats; noise (S, B, 0) is not needed."""
        return self.log_prob(batch.x)

    def sampler_modules(self) -> dict[str, nn.Module]:
        return dict(self.held.items())

    @torch.no_grad()
    def sample(
        self,
        z: Tensor,
        c: Tensor,
        u: Tensor,
        *,
        temper: float = 1.0,
        calibration: Calibration | None = None,
    ) -> Encoded:
        with evaluating(self.held):
            network, likelihood = self.sampled()
            return self.drawing.free(network, likelihood, u, temper=temper, calibration=calibration)

    @torch.no_grad()
    def calibrate(
        self,
        pilot: Sequence[Tensor],
        margins: Sequence[Margin],
        *,
        ends_only: bool,
        each: Each = in_turn,
    ) -> Calibration:
        """See `Calibratable`."""
        with evaluating(self.held):
            network, likelihood = self.sampled()
            return calibrated(
                self.drawing,
                network,
                likelihood,
                pilot,
                margins,
                ends_only=ends_only,
                each=each,
            )

    @torch.no_grad()
    def sample_weighted(
        self, u: Tensor, evidence: Evidence, *, temper: float = 1.0
    ) -> tuple[Encoded, Tensor]:
        """Draw what is not known: known variables first, then restricted ones, then the rest.

        Rows are proposed in an order that was learned less well than the usual one, so each is
        weighed by its exact likelihood: log p(x) - log q(x) with p in the usual order, q as drawn.

        Args:
            u: uniform in [0, 1), shape (B, U).
            evidence: about B rows.
            temper: see `sample`; rows of another temper than 1 are not weighed.

        Returns:
            The rows, and their log-weights (B,): what is wanted is in proportion to q exp(weight).
        """
        network, likelihood = self.sampled()
        with evaluating(self.held):
            rows, density = self.drawing.given(network, likelihood, u, evidence, temper=temper)
            if temper != 1.0:
                return rows, torch.zeros_like(density)
            values, codes = rows["values"], rows["codes"].long()
            found = _log_probs(network, likelihood, values, codes, self.rank)
        return rows, found.sum(0) - density


def _log_probs(
    network: Any, likelihood: Any, values: Tensor, codes: Tensor, rank: Tensor
) -> Tensor:
    """Of each variable of whole rows, in the order of the ranks (V,): nats, shape (V, B)."""
    h, shift = network(values, codes, rank)
    found: Tensor = likelihood.log_prob(h, shift, values, codes)
    return found
