"""A classifier that says how surely an image is of its class, and how well it knows real ones.

The network is the small one of `images/domain_cnn.py`. What it is used for is not here: see
`sampling/picking.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genmodels.metrics.images.domain_cnn import DomainCNN, FittedCNN, fit_cnn
from genmodels.types import Images

__all__ = ["LabelJudge"]


@dataclass(frozen=True, eq=False)
class LabelJudge:
    """A trained classifier with what is known of it.

    Args:
        cnn: trained on real images.
        facts: plain JSON: `accuracy` on real images that it did not see, `images` and `held_out`
            (how many it was trained and tested on), `seed` and `steps`.
        shape: (C, classes, small) of the network, to rebuild it.
    """

    cnn: FittedCNN
    facts: Mapping[str, Any]
    shape: tuple[int, int, bool]

    @classmethod
    def fit(
        cls, train: Images, held: Images, classes: int, *, seed: int, steps: int, side: int
    ) -> LabelJudge:
        """Train on `train`, and measure on `held`; the same seed gives the same judge.

        Args:
            train: N real images with labels.
            held: real images with labels that are not among them.
            classes: number of classes, whether or not all occur.
            seed: of the weights and the batches.
            steps: updates of 128 images.
            side: images are shrunk to at most this many pixels.

        Raises:
            ValueError: when labels are missing, or all images are of one class.
        """
        for images, what in ((train, "training"), (held, "held-out")):
            if images.labels is None:
                raise ValueError(f"a classifier needs classes, but the {what} images have none")
        assert train.labels is not None
        if len(np.unique(train.labels)) < 2:
            raise ValueError("a classifier needs two classes, the training images are of one")
        cnn = fit_cnn(train.pixels, train.labels, classes, seed=seed, steps=steps, side=side)
        right = cnn.predict(held.pixels) == held.labels
        facts = {
            "accuracy": float(right.mean()),
            "images": len(train),
            "held_out": len(held),
            "seed": seed,
            "steps": steps,
        }
        small = min(side, max(train.pixels.shape[-2:])) <= 16
        return cls(cnn, facts, (train.pixels.shape[1], classes, small))

    @torch.inference_mode()
    def __call__(self, images: Images) -> np.ndarray:
        """Probability of each class, float32 (N, classes)."""
        return np.concatenate(
            [self.cnn.network(x).softmax(1).float().numpy() for x in self.cnn.blocks(images.pixels)]
        )

    def tensors(self) -> dict[str, Tensor]:
        """All weights and statistics of the network, by name."""
        return {name: value.contiguous() for name, value in self.cnn.network.state_dict().items()}

    def state(self) -> dict[str, Any]:
        """The rest as plain JSON."""
        return {"facts": dict(self.facts), "shape": list(self.shape), "side": self.cnn.side}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> LabelJudge:
        """Rebuild a judge.

        Raises:
            KeyError, TypeError, ValueError, RuntimeError: when the parts do not fit together.
        """
        channels, classes, small = state["shape"]
        network = DomainCNN(channels=channels, classes=classes, small=small)
        network.load_state_dict(dict(tensors))
        network = network.to(memory_format=torch.channels_last).eval()
        cnn = FittedCNN(network=network, side=int(state["side"]))
        return cls(cnn, dict(state["facts"]), (channels, classes, small))
