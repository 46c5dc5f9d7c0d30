"""A small convolutional classifier: the learner of image utility and the source of features."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genmodels.metrics.images.random_features import shrink

__all__ = ["DomainCNN", "FittedCNN", "fit_cnn"]

FEATURES = 64


class DomainCNN(nn.Module):
    """Three convolutions, 64 features, one linear layer.

    Args:
        channels: of the images.
        classes: number of labels.
        small: whether the images are at most 16 pixels wide; the first layer then keeps the size.
    """

    def __init__(self, *, channels: int, classes: int, small: bool) -> None:
        super().__init__()
        widths, strides = (channels, 32, 64, 128), (1 if small else 2, 2, 2)
        layers: list[nn.Module] = []
        for a, b, stride in zip(widths[:-1], widths[1:], strides, strict=True):
            convolution = nn.Conv2d(a, b, 3, stride, 1, bias=False)
            layers += [convolution, nn.BatchNorm2d(b), nn.ReLU()]
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten())
        self.neck = nn.Linear(4 * widths[-1], FEATURES)
        self.head = nn.Linear(FEATURES, classes)

    def features(self, x: Tensor) -> Tensor:
        """(B, C, h, w) in [-1, 1] -> (B, 64)."""
        return F.relu(self.neck(self.body(x)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) in [-1, 1] -> logits (B, classes)."""
        return self.head(self.features(x))


class FittedCNN:
    """A trained classifier that reads raw pixels in blocks.

    Args:
        network: in evaluation mode.
        side: images are shrunk to at most this many pixels.
    """

    def __init__(self, *, network: DomainCNN, side: int) -> None:
        self.network, self.side = network, side

    @property
    def width(self) -> int:
        """Number of features."""
        return FEATURES

    @torch.no_grad()
    def features(self, pixels: np.ndarray) -> np.ndarray:
        """(N, C, H, W) uint8 -> (N, 64) float64."""
        blocks = [self.network.features(x) for x in self.blocks(pixels)]
        return torch.cat(blocks).double().numpy() if blocks else np.zeros((0, FEATURES))

    @torch.no_grad()
    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """(N, C, H, W) uint8 -> class numbers (N,)."""
        blocks = [self.network(x).argmax(1) for x in self.blocks(pixels)]
        return torch.cat(blocks).numpy() if blocks else np.zeros(0, dtype=np.int64)

    def blocks(self, pixels: np.ndarray) -> list[Tensor]:
        """(N, C, H, W) uint8 -> what the network reads, 512 at a time."""
        blocks = (shrink(pixels[i : i + 512], self.side) for i in range(0, len(pixels), 512))
        return [x.contiguous(memory_format=torch.channels_last) for x in blocks]


def fit_cnn(
    pixels: np.ndarray,
    labels: np.ndarray,
    classes: int,
    *,
    seed: int,
    steps: int,
    batch: int = 128,
    side: int = 32,
    rate: float = 3e-3,
) -> FittedCNN:
    """Train with AdamW and a one-cycle rate, on the CPU; the same seed gives the same network.

    Args:
        pixels: uint8, shape (N, C, H, W).
        labels: class numbers, shape (N,).
        classes: number of classes, whether or not all occur.
        seed: of the weights and the batches.
        steps: updates; cut to 30 passes over the data, but not below 100.
        batch: images per update.
        side: images are shrunk to at most this many pixels.
        rate: peak learning rate.
    """
    steps = min(steps, max(100, 30 * len(pixels) // batch))
    draws = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        small = min(side, max(pixels.shape[-2:])) <= 16
        network = DomainCNN(channels=pixels.shape[1], classes=classes, small=small)
    # On the CPU a third faster than the usual order of memory.
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    target = torch.from_numpy(labels.astype(np.int64))
    network.train()
    for _ in range(steps):
        rows = torch.randint(len(pixels), (batch,), generator=draws)
        x = shrink(pixels[rows.numpy()], side).contiguous(memory_format=torch.channels_last)
        loss = F.cross_entropy(network(x), target[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return FittedCNN(network=network.eval(), side=side)
