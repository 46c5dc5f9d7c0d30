"""`genmodels train ... dry_run=true`: what a training would cost, without one and without a run.

Updates are made on torch's meta device, which knows shapes and no numbers, so that a model for a
large GPU can be judged on a laptop. What is counted: multiply-adds of products and convolutions.
What is not: everything else, and what a device keeps for itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import lightning as L
import torch
from omegaconf import DictConfig, open_dict
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from genmodels.algorithms.base import GenerativeModel
from genmodels.tasks.build import build_model
from genmodels.tasks.compose import require
from genmodels.tasks.fit import check_fit
from genmodels.tasks.parts import instantiate
from genmodels.tasks.prepare import prepare
from genmodels.tasks.quiet import quiet_libraries
from genmodels.types import Batch, Source

__all__ = ["Cost", "dry_run"]

log = logging.getLogger(__name__)

UPDATES = 4
"""Updates that are averaged, as not every penalty and every step is due in each."""
RATES = (1.0, 10.0, 100.0)
"""Tera floating point operations per second that times are given for; a guess is the user's."""


@dataclass(frozen=True)
class Cost:
    """What a training would cost.

    Args:
        parameters: learned numbers of each network, by name.
        forward: multiply-adds of each network for one sample, by name; only those that were seen.
        update: multiply-adds of a whole update, for one training sample.
        batch_size: samples per update.
        weights: bytes of weights and buffers, averages included.
        gradients: bytes of the gradients.
        optimizer: bytes of what the optimizers keep.
        activations: bytes that an update keeps for its backward passes, at most; None where that
            cannot be told.
        samples: that training will see; None without a limit of epochs.
    """

    parameters: dict[str, int]
    forward: dict[str, int]
    update: float
    batch_size: int
    weights: int
    gradients: int
    optimizer: int
    activations: int | None
    samples: int | None

    @property
    def lines(self) -> list[str]:
        """The same in words, for the terminal."""
        memory = {
            "weights and their average": self.weights,
            "gradients": self.gradients,
            "optimizers": self.optimizer,
            f"activations at {self.batch_size:,} per update": self.activations,
        }
        known = [part for part in memory.values() if part is not None]
        counts = [
            f"{name} {count:,}" + _per_sample(self.forward.get(name))
            for name, count in self.parameters.items()
        ]
        return [
            "Learned parameters:  " + "; ".join(counts),
            f"An update:           {_short(self.update)} multiply-adds per sample",
            f"Memory, at least:    {_bytes(sum(known))}: "
            + ", ".join(f"{k} {_bytes(v)}" for k, v in memory.items()),
            "Training:            " + self._training(),
        ]

    def _training(self) -> str:
        if self.samples is None:
            return "without a limit of epochs (trainer.max_epochs)"
        total = self.samples * self.update
        times = [f"{_duration(2.0 * total / (rate * 1e12))} at {rate:g}" for rate in RATES]
        return (
            f"{self.samples:,} samples, {_short(total)} multiply-adds: {', '.join(times)} "
            "TFLOP/s, as far as products decide"
        )


def dry_run(cfg: DictConfig, *, source: Source | None = None) -> Cost:
    """Say what a training would cost; nothing is trained and nothing is written.

    Args:
        cfg: as `compose("train", ...)` gives it.
        source: data to use instead of what `cfg.data.source` names; they say how large a sample is.

    Raises:
        ValueError: for what the user can put right.
    """
    with quiet_libraries():
        require(cfg)
        check_fit(cfg)
        L.seed_everything(cfg.seed, verbose=False)
        prepared = prepare(cfg, source, None, encode=False)
        with open_dict(cfg):
            if "compile" in cfg.model:
                cfg.model.compile = False  # there is nothing to compile for
        model = build_model(cfg, prepared.codec.layout, prepared.condition, prepared.schema)
        rows = prepared.train.through(model.reads(prepared.codec.layout))
        updates, size = instantiate(cfg.batching).updates(prepared.training_rows)
        batch = rows.batch(torch.arange(size) % len(rows), None)
        epochs = cfg.trainer.max_epochs
        limited = epochs is not None and epochs > 0
        cost = cost_of(model, batch, samples=epochs * updates * size if limited else None)
    for line in cost.lines:
        log.info(line)
    return cost


def cost_of(model: GenerativeModel, batch: Batch, *, samples: int | None) -> Cost:
    """The cost of a model that learns from such batches; it ends up on the meta device."""
    model, batch = model.to("meta"), batch.to("meta")
    found: Any = model.configure_optimizers()
    optimizers = found if isinstance(found, list) else [found]
    networks = {
        name: module
        for name, module in model.named_children()
        if any(p.requires_grad for p in module.parameters())
    }
    learned = {name: _learned(module) for name, module in networks.items()}
    size, held = len(batch.x), Held([*model.parameters(), *model.buffers()])

    def update(number: int) -> None:
        model.num_samples = number * size
        model.update(batch, optimizers, measure=False)

    with _first_inputs(networks) as inputs:
        update(0)
    with Products() as products:
        for number in range(UPDATES):
            update(number)
    kept = [v for o in optimizers for state in o.state.values() for v in state.values()]
    return Cost(
        parameters=learned,
        forward={n: _forward(networks[n], *given) for n, given in inputs.items()},
        update=products.count / (UPDATES * size),
        batch_size=size,
        weights=sum(map(_size, [*model.parameters(), *model.buffers()])),
        gradients=4 * max(learned.values(), default=0),
        optimizer=sum(_size(value) for value in kept if isinstance(value, Tensor)),
        activations=held.most_in(lambda: update(0)),
        samples=samples,
    )


class Products(TorchDispatchMode):
    """Counts multiply-adds of products and convolutions, in every order of derivative.

    torch's `FlopCounterMode` counts the same, and follows modules by hooks that forbid gradients
    of gradients.
    """

    def __init__(self) -> None:
        super().__init__()
        self.count = 0.0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        formula = flop_registry.get(func._overloadpacket)
        if formula is None:  # in inference mode, what is made of other operations comes whole
            with self:
                parts = func.decompose(*args, **(kwargs or {}))
            if parts is not NotImplemented:
                return parts
        out = func(*args, **(kwargs or {}))
        if func._overloadpacket is torch.ops.aten.convolution_backward:
            self.count += convolution_backward(*args)
        elif formula is not None:
            self.count += formula(*args, **(kwargs or {}), out_val=out) / 2.0
        return out


def convolution_backward(gradient: Tensor, x: Tensor, weight: Tensor, *options: Any) -> int:
    """As much as forward for each of the two gradients; torch's formula forgets the groups."""
    transposed, wanted = bool(options[4]), options[-1]
    places = x if transposed else gradient
    return places.numel() * weight[0].numel() * (int(wanted[0]) + int(wanted[1]))


class Held:
    """Counts the bytes that are kept for backward passes; what shares a storage counts once.

    Args:
        besides: what is there anyway, and is not counted.
    """

    def __init__(self, besides: Iterable[Tensor]) -> None:
        self.now, self.most = 0, 0
        self.users = {tensor.untyped_storage()._cdata: 1 for tensor in besides}

    def most_in(self, action: Callable[[], None]) -> int | None:
        """Most bytes at a time; None when something in the action forbids to look."""
        try:
            with torch.autograd.graph.saved_tensors_hooks(self.pack, lambda kept: kept.tensor):
                action()
        except RuntimeError as error:
            if "hooks" not in str(error):
                raise
            return None
        return self.most

    def pack(self, tensor: Tensor) -> Kept:
        return Kept(tensor, self)


class Kept:
    """One tensor that is kept, until its backward pass lets it go."""

    def __init__(self, tensor: Tensor, held: Held) -> None:
        storage = tensor.untyped_storage()
        self.tensor, self.held = tensor, held
        self.key, self.bytes = storage._cdata, storage.nbytes()
        users = held.users.get(self.key, 0)
        held.users[self.key] = users + 1
        if not users:
            held.now += self.bytes
            held.most = max(held.most, held.now)

    def __del__(self) -> None:
        users = self.held.users.get(self.key, 0) - 1
        self.held.users[self.key] = users
        if not users:
            self.held.now -= self.bytes


@contextmanager
def _first_inputs(networks: dict[str, nn.Module]) -> Iterator[dict[str, tuple[Any, ...]]]:
    """What each network is given at its first call inside, by its name."""
    found: dict[str, tuple[Any, ...]] = {}

    def listener(name: str) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        def note(module: nn.Module, given: tuple[Any, ...]) -> None:
            found.setdefault(name, given)

        return note

    hooks = [m.register_forward_pre_hook(listener(name)) for name, m in networks.items()]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def _forward(network: nn.Module, *given: Any) -> int:
    """Multiply-adds of one forward pass, for one sample."""
    count = next((len(part) for part in given if isinstance(part, Tensor)), 1)
    with torch.no_grad(), Products() as products:
        network(*given)
    return round(products.count / count)


def _learned(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def _size(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _per_sample(count: int | None) -> str:
    return "" if count is None else f" ({_short(count)} multiply-adds per sample)"


def _short(number: float) -> str:
    """Three digits and a letter: 1.23 M."""
    for letter in ("", " k", " M", " G", " T", " P"):
        if number < 1000.0:
            return f"{number:.3g}{letter}"
        number /= 1000.0
    return f"{number:.3g} E"


def _duration(seconds: float) -> str:
    for unit, length in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.2g} s"


def _bytes(number: float | None) -> str:
    return "unknown" if number is None else f"{_short(number)}B".replace("  ", " ")
