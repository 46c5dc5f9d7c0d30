"""Networks that turn images into features, with what a reader must know to repeat a figure.

Distances are named by their encoder. Only Inception's may be called FID and KID; nothing here
downloads weights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from genmodels.metrics.images.domain_cnn import FittedCNN
from genmodels.metrics.images.efficientnet import HEAD, load_lite0, weights_of_lite0
from genmodels.metrics.images.random_features import random_features, width_of

__all__ = ["Encoder", "check_encoder", "domain_encoder", "pretrained", "random_encoder"]

INCEPTION = "inception:"
INCEPTION_WIDTH = 2048
SIDE = 96  # what EfficientNet sees: 28 or 32 pixels are enlarged to it, large ones averaged down
BLOCK = 256


@dataclass(frozen=True, eq=False)
class Encoder:
    """A fixed map from raw pixels to features.

    Args:
        name: part of the names of figures, such as "DomainCNN".
        width: D.
        checksum: first 12 hex digits of the sha256 of the weights.
        resize: how images are brought to the size that the network sees.
        read: (N, C, H, W) uint8 -> features (N, D).
        standardise: whether distances may rescale the features; published ones may not.
    """

    name: str
    width: int
    checksum: str
    resize: str
    read: Callable[[np.ndarray], np.ndarray]
    standardise: bool = True

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """(N, C, H, W) uint8 -> (N, D) float64; N may be 0."""
        if not len(pixels):
            return np.zeros((0, self.width))
        return self.read(pixels).astype(np.float64)

    @property
    def is_inception(self) -> bool:
        return self.name == "Inception"

    def distance(self, kind: str) -> str:
        """The name of a distance: "FD" -> "FD-DomainCNN", and "FID" with Inception."""
        known = {"FD": "FID", "KD": "KID"}
        return known[kind] if self.is_inception else f"{kind}-{self.name}"


def check_encoder(spec: str) -> str:
    """Return a known name of an encoder, or say which ones there are.

    Raises:
        ValueError: for any other.
    """
    if spec in ("domain_cnn", "efficientnet_lite0") or spec.startswith(INCEPTION):
        return spec
    raise ValueError(
        f"encoder={spec} is not known: domain_cnn (trained on the real images), efficientnet_lite0 "
        "(pip install 'genmodels[eval]') or inception:<path of the usual weight file>"
    )


def domain_encoder(cnn: FittedCNN) -> Encoder:
    """Features of a small network that was trained on the real training images."""
    resize = f"averaged down to {cnn.side} pixels where larger (bilinear, antialiased)"
    checksum = _checksum(cnn.network.state_dict())
    return Encoder("DomainCNN", cnn.width, checksum, resize, cnn.features)


def random_encoder(channels: int, *, side: int) -> Encoder:
    """Features of fixed random convolutions: for images without labels to learn from."""

    def read(pixels: np.ndarray) -> np.ndarray:
        return random_features(pixels, side=side)

    resize = f"averaged down to {side} pixels where larger (bilinear, antialiased)"
    return Encoder("RandomConv", width_of(channels), "seeded, none", resize, read)


def pretrained(spec: str) -> Encoder:
    """An encoder with weights that come from elsewhere, see `check_encoder`.

    Raises:
        ValueError: when a package or a file is missing, or holds something else.
    """
    return _inception(spec) if spec.startswith(INCEPTION) else _lite0()


def _lite0() -> Encoder:
    path = weights_of_lite0()
    network = load_lite0(path)

    @torch.no_grad()
    def read(pixels: np.ndarray) -> np.ndarray:
        out = []
        for colour in _colour_blocks(pixels):
            size = (SIDE, SIDE)
            x = F.interpolate(colour.float(), size, mode="bicubic", antialias=True).clamp(0, 255)
            x = ((x - 127) / 128).contiguous(memory_format=torch.channels_last)
            out.append(network.features(x).numpy())
        return np.concatenate(out)

    resize = f"to {SIDE} x {SIDE} pixels (bicubic, antialiased)"
    return Encoder("EffLite0", HEAD, _file_checksum(path), resize, read)


def _inception(spec: str) -> Encoder:
    path = Path(spec.removeprefix(INCEPTION))
    if not path.is_file():
        raise ValueError(
            f"encoder={spec}: no file {path}; give the path of the Inception weights "
            "that FID is defined with (weights-inception-2015-12-05-6726825d.pth)"
        )
    network = _inception_network(path)

    @torch.no_grad()
    def read(pixels: np.ndarray) -> np.ndarray:
        return np.concatenate([network(x)[0].numpy() for x in _colour_blocks(pixels)])

    resize = "to 299 x 299 pixels (bilinear as in TensorFlow 1, not antialiased: FID's own)"
    return Encoder("Inception", INCEPTION_WIDTH, _file_checksum(path), resize, read, False)


def _inception_network(path: Path) -> Callable[[Tensor], tuple[Tensor, ...]]:
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError as error:
        raise ValueError(
            "encoder=inception:<path> needs torch-fidelity: pip install 'genmodels[eval]'"
        ) from error
    from tempfile import TemporaryDirectory

    wrong = f"{path} does not hold the weights of FID's Inception network"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a stranger's file may fail in any way
        raise ValueError(wrong) from error
    with TemporaryDirectory() as folder:
        # The extractor reads files without a guard: it gets only what was read with one.
        clean = Path(folder) / "weights.pth"
        torch.save(state, clean)
        try:
            return FeatureExtractorInceptionV3(
                "inception", [str(INCEPTION_WIDTH)], feature_extractor_weights_path=str(clean)
            )
        except (RuntimeError, TypeError, AttributeError) as error:
            raise ValueError(wrong) from error


def _colour_blocks(pixels: np.ndarray) -> Iterator[Tensor]:
    """(N, C, H, W) uint8 -> blocks (B, 3, H, W) uint8: grey thrice, alpha and further ones cut."""
    for start in range(0, len(pixels), BLOCK):
        block = pixels[start : start + BLOCK]
        colour = block[:, :3] if block.shape[1] >= 3 else np.repeat(block[:, :1], 3, 1)
        yield torch.from_numpy(np.ascontiguousarray(colour))


def _file_checksum(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:12]


def _checksum(state: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()[:12]
