"""Images for training a network elsewhere: a data set of torch that draws new ones every epoch.

A generator is worth more than any number of its samples on disk: a network that sees fresh
ones in each epoch does not learn the same few by heart (dataset recycling).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from genmodels.tasks.compose import compose
from genmodels.tasks.sampler import open_sampler
from genmodels.types import Images

__all__ = ["SyntheticImages"]

_OWN = ("run", "n", "seed", "out", "format", "overwrite")


class SyntheticImages(Dataset[Any]):
    """Images of a run with their classes, drawn anew for each epoch.

    Image i of an epoch depends on (seed, epoch, i) and the overrides alone; those of epoch 0 are
    what `genmodels sample` writes with the same words. `set_epoch` draws all of them, on a GPU if
    there is one, and holds them as bytes. Call it before the epoch's first batch: workers of
    a `DataLoader` get a copy, so `persistent_workers` must be false, or they go on with the old.

    ```python
    images = SyntheticImages("runs/mnist", 60_000, overrides=["balance=label", "filter.keep=0.8"])
    for epoch in range(20):
        images.set_epoch(epoch)
        for x, y in DataLoader(images, batch_size=128, shuffle=True):
            ...
    ```

    Args:
        run: folder of the run.
        n: images per epoch, at least 1; None: as `genmodels sample` without n, such as by
            `per_class` in the overrides.
        seed: another seed draws other images.
        refresh: whether every epoch has images of its own; else all have those of epoch 0.
        transform: of an image (C, H, W), float32 in [0, 1]; None: it is returned as it is.
        overrides: further words of `genmodels sample`, such as "balance=label",
            "latent_scale=1.2" or "filter.agree=true". With "shortfall=drop" an epoch may have
            fewer images than the one before.

    Attributes:
        classes: their names, in the order of the numbers; empty for images without classes.
        epoch: whose images these are.

    Raises:
        ValueError: when there is no such run, it makes no images, or a word does not fit.

    References:
        Lampis, Lomurno, Matteucci, "Bridging the Gap: Enhancing the Utility of Synthetic Data via
        Post-Processing Techniques", 2023 (dynamic dataset recycling).
    """

    def __init__(
        self,
        run: str | Path,
        n: int | None = None,
        seed: int = 0,
        *,
        refresh: bool = True,
        transform: Callable[[Tensor], Any] | None = None,
        overrides: Sequence[str] = (),
    ) -> None:
        _refuse_own(overrides)
        words = [f"run={run}", f"seed={seed}", *overrides]
        words += [] if n is None else [f"n={n}"]
        self.sampler, self.rows = open_sampler(compose("sample", words))
        self.seed, self.refresh, self.transform = seed, refresh, transform
        self.epoch = 0
        self.images = self._drawn(0)
        self.classes = self.images.class_names

    def set_epoch(self, epoch: int) -> None:
        """Draw the images of an epoch, counted from 0, unless they are there already.

        Raises:
            ValueError: when it is negative, or too few images are as the overrides ask.
        """
        if epoch < 0:
            raise ValueError(f"epoch must be 0 or larger, got {epoch}")
        if epoch != self.epoch and self.refresh:
            self.images = self._drawn(epoch)
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> Any:
        """Image i and the number of its class; the image alone where there are no classes.

        With attributes, a dict of them and of the `label` takes the place of the number.
        """
        x: Any = torch.from_numpy(self.images.pixels[i].copy()).float().div_(255.0)
        x = x if self.transform is None else self.transform(x)
        label = {} if self.images.labels is None else {"label": int(self.images.labels[i])}
        known = {name: values[i].item() for name, values in self.images.attributes.items()}
        if known:
            return x, label | known
        return (x, label["label"]) if label else x

    def __getstate__(self) -> dict[str, Any]:
        """Workers read what is drawn, and need no model to draw more."""
        return self.__dict__ | {"sampler": None}

    def _drawn(self, epoch: int) -> Images:
        if self.sampler is None:
            raise ValueError("a copy in another process cannot draw: call set_epoch in the first")
        drawn = self.sampler.reseeded(_seed_of(self.seed, epoch)).sample(self.rows)
        if not isinstance(drawn, Images):
            raise ValueError("SyntheticImages needs a run that makes images, this one makes tables")
        if not len(drawn):
            raise ValueError("no image is as the overrides ask: ask for less, or redraws=<more>")
        return drawn


def _refuse_own(words: Sequence[str]) -> None:
    for word in words:
        if (key := word.partition("=")[0].lstrip("+~")) in _OWN:
            raise ValueError(
                f"{key}= is no override here: run, n and seed are arguments, nothing is written"
            )


def _seed_of(seed: int, epoch: int) -> int:
    """Of the draws of an epoch; epoch 0 has the seed itself."""
    if epoch == 0:
        return seed
    sequence = np.random.SeedSequence(entropy=seed, spawn_key=(epoch,))
    return int(sequence.generate_state(1, np.uint64)[0])
