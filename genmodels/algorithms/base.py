"""What all generative models share: the clock, the meter, the flags, the state of a sampler.

The order of updates is not here: see `gan.py` and `vae.py`.
"""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

import lightning as L
import torch
from torch import Tensor, nn

from genmodels.algorithms.meter import Meter
from genmodels.calibration import Calibration
from genmodels.evidence import Evidence
from genmodels.layout import Condition, Expand, Layout
from genmodels.margins import Margin
from genmodels.types import Batch, Encoded

__all__ = [
    "BoundsLikelihood",
    "Calibratable",
    "Chooses",
    "Controllable",
    "ExactLikelihood",
    "GenerativeModel",
    "Settles",
    "Starts",
    "Steerable",
    "Truncates",
    "evaluating",
    "frozen_copy",
]


@contextmanager
def evaluating(*modules: nn.Module) -> Iterator[None]:
    """Evaluation mode inside, the former mode after; does nothing to a module already there."""
    training = [module for module in modules if module.training]
    for module in training:
        module.eval()
    try:
        yield
    finally:
        for module in training:
            module.train()


@runtime_checkable
class BoundsLikelihood(Protocol):
    """A model that knows how likely it holds a row to be."""

    latent_dim: int

    def log_likelihood_bound(self, batch: Batch, noise: Tensor) -> Tensor:
        """Lower bound (B,) of the log-likelihood in nats; noise (S, B, Z) standard normal."""


@runtime_checkable
class ExactLikelihood(Protocol):
    """A model that knows how likely it holds a row to be, or a part of it given the others."""

    def log_prob(self, x: Tensor, known: Tensor | None = None) -> Tensor:
        """Nats (B,) of rows (B, ...); of the rest of them given the variables `known` (V,)."""


@runtime_checkable
class Controllable(Protocol):
    """A model that draws the rest of rows when parts of them are known or restricted."""

    def sample_weighted(
        self, u: Tensor, evidence: Evidence, *, temper: float = 1.0
    ) -> tuple[Encoded, Tensor]:
        """Rows by uniforms (B, U), and their log-weights (B,).

        The rows have a distribution q; what is wanted is in proportion to q * exp(log-weight).
        """


@runtime_checkable
class Calibratable(Protocol):
    """A model whose variables can be drawn so that each is distributed as in training."""

    noise_dim: int

    def sample(
        self,
        z: Tensor,
        c: Tensor,
        u: Tensor,
        *,
        temper: float = 1.0,
        calibration: Calibration | None = None,
    ) -> Encoded:
        """Rows by uniforms (B, U), drawn with a calibration that `calibrate` found."""

    def calibrate(
        self,
        pilot: Sequence[Tensor],
        margins: Sequence[Margin],
        *,
        ends_only: bool,
        each: Callable[[Callable[[Any], Any], Sequence[Any]], list[Any]] = ...,
    ) -> Calibration:
        """What makes the rows by the uniforms `pilot`, several (B, U), agree with the margins.

        `each` calls a function on all pieces of the pilot, in turn or side by side.
        """


@runtime_checkable
class Chooses(Protocol):
    """A model that chooses its weights for sampling by itself, after each measurement."""

    def choose(self) -> dict[str, float]:
        """End a measurement; values by name, "val/loss" among them."""


@runtime_checkable
class Steerable(Protocol):
    """A model that can draw in more ways than one, chosen after training."""

    def steer(self, how: Mapping[str, Any]) -> None:
        """Draw as asked from now on; raises `ValueError` for a way or a value that it has not."""


@runtime_checkable
class Truncates(Protocol):
    """A module that pulls what it makes of latents towards their mean, w -> m + psi (w - m).

    What `sampler_modules` names is asked; `truncation` is psi, 1 in training.
    """

    truncation: float


@runtime_checkable
class Settles(Protocol):
    """A model with parts that are fitted to training samples now and then, not trained."""

    def settle(self, batches: Callable[[int], Iterator[Batch]]) -> None:
        """Fit them; `batches(n)` gives at most n training samples, always the same."""


@runtime_checkable
class Starts(Protocol):
    """A module that can start from what is frequent."""

    def start_from(self, codes: Tensor) -> None:
        """Take what is needed from the levels (N, Q) of the training rows."""


class GenerativeModel(L.LightningModule, ABC):
    """A model that learns from batches and samples from latents.

    Args:
        layout: what a sample is made of.
        condition: what it can be told.
        latent_dim: width Z of the latent.
    """

    samples_seen: Tensor
    nonfinite: Tensor
    reads: Callable[[Layout], nn.Module] = Expand  # how encoded rows become what `update` gets
    measures_loss = False  # whether a measurement on the validation rows gives "val/loss"

    def __init__(self, *, layout: Layout, condition: Condition, latent_dim: int) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.layout, self.condition, self.latent_dim = layout, condition, latent_dim
        self.meter = Meter()
        self.num_samples = 0
        self.total_samples = math.inf  # how many there will be, where training has an end
        self.register_buffer("samples_seen", torch.zeros((), dtype=torch.int64))
        self.register_buffer("nonfinite", torch.zeros((), dtype=torch.bool), persistent=False)
        self._random_states: dict[str, Tensor] | None = None

    @property
    @abstractmethod
    def noise_dim(self) -> int:
        """Number U of uniform numbers that `sample` needs per row."""

    @abstractmethod
    def sample(self, z: Tensor, c: Tensor, u: Tensor) -> Encoded:
        """Map latents (B, Z), conditions (B, K) and uniforms (B, U) in [0, 1) to samples.

        Pure: the same inputs give the same rows, whatever the mode the model is in.
        """

    @abstractmethod
    def update(
        self, batch: Batch, optimizers: Sequence[torch.optim.Optimizer], *, measure: bool
    ) -> Tensor:
        """One update of everything by one batch, without a synchronisation with the host.

        Args:
            batch: x (B, ...) and c (B, K).
            optimizers: as many as `configure_optimizers` returns, in that order.
            measure: whether to add the gradient norms to the meter.

        Returns:
            The sum of the losses, a scalar, to look for values that are not finite.
        """

    @abstractmethod
    def sampler_modules(self) -> dict[str, nn.Module]:
        """The modules whose weights a trained sampler consists of, by name."""

    def on_fit_start(self) -> None:
        """Modules that can start from what is frequent do so; a checkpoint is restored after."""
        starting = [module for module in self.modules() if isinstance(module, Starts)]
        if not starting:
            return
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        for module in starting:
            module.start_from(data.train.encoded["codes"])

    def training_step(self, batches: list[Batch], batch_idx: int) -> None:
        """One update per batch; only the last one goes through Lightning's wrappers.

        A wrapper's step costs more than a small update and counts in `global_step`, which thus
        advances once per list and optimizer.
        """
        wrappers: Any = self.optimizers()
        wrapped: list[Any] = wrappers if isinstance(wrappers, list) else [wrappers]
        raw: list[Any] = [getattr(wrapper, "optimizer", wrapper) for wrapper in wrapped]
        total = self.samples_seen.new_zeros((), dtype=torch.float32)
        for number, batch in enumerate(batches, start=1):
            last = number == len(batches)
            total = self.update(batch, wrapped if last else raw, measure=last)
            self.num_samples += len(batch.x) * self.world_size
        self.samples_seen.fill_(self.num_samples)
        self.nonfinite |= ~torch.isfinite(total)

    @property
    def world_size(self) -> int:
        """Number of processes that train together."""
        distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
        return torch.distributed.get_world_size() if distributed else 1

    def sampler_state(self) -> dict[str, Tensor]:
        """Weights and buffers of `sampler_modules`, by dotted name."""
        return {
            f"{name}.{key}": value.detach()
            for name, module in self.sampler_modules().items()
            for key, value in module.state_dict().items()
        }

    def load_sampler_state(self, state: Mapping[str, Tensor]) -> None:
        """Take the weights that `sampler_state` gave.

        Raises:
            ValueError: naming every entry that is missing, unknown or of another shape.
        """
        own = self.sampler_state()
        wrong = [f"missing {name}" for name in own if name not in state]
        wrong += [f"unknown {name}" for name in state if name not in own]
        wrong += [
            f"{name} has shape {tuple(state[name].shape)}, expected {tuple(own[name].shape)}"
            for name in own
            if name in state and state[name].shape != own[name].shape
        ]
        if wrong:
            raise ValueError("these weights belong to another model: " + "; ".join(wrong))
        with torch.no_grad():
            for name, value in own.items():
                value.copy_(state[name])

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        states = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(self.device)
        checkpoint["random_states"] = states

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.num_samples = int(checkpoint["state_dict"]["samples_seen"])
        self._random_states = checkpoint.get("random_states")

    def on_train_start(self) -> None:
        """Find the length of training; restore random states or part those of the processes."""
        epochs = self.trainer.max_epochs
        batches = getattr(getattr(self.trainer, "datamodule", None), "batches", None)
        if batches is not None and epochs is not None and epochs > 0:
            self.total_samples = float(epochs * batches.samples_per_epoch)
        states, self._random_states = self._random_states, None
        if states is not None and self.world_size == 1:
            torch.set_rng_state(states["cpu"].cpu())
            if "cuda" in states and self.device.type == "cuda":
                torch.cuda.set_rng_state(states["cuda"].cpu(), self.device)
        elif self.world_size > 1:
            torch.manual_seed(torch.initial_seed() + self.global_rank + self.num_samples)


def frozen_copy(module: nn.Module) -> nn.Module:
    """A copy that no optimizer sees."""
    return copy.deepcopy(module).requires_grad_(False)
