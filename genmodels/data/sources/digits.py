"""The 1,797 handwritten digits that come with scikit-learn: the embedded image data."""

from __future__ import annotations

import hashlib

import numpy as np

from genmodels.types import Images

__all__ = ["Digits"]

BRIGHTEST = 16


class Digits:
    """8x8 gray digits, values 0..16 scaled to 0..255, ten classes.

    References:
        Alpaydin, Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998 (test part).
    """

    def load(self) -> Images:
        from sklearn.datasets import load_digits

        data = load_digits()
        pixels = np.rint(data.images * (255 / BRIGHTEST)).astype(np.uint8)
        names = tuple(str(name) for name in data.target_names)
        return Images(pixels[:, None], data.target.astype(np.int64), names)

    def fingerprint(self) -> str:
        """SHA-256 of pixels and labels."""
        images = self.load()
        assert images.labels is not None
        return hashlib.sha256(images.pixels.tobytes() + images.labels.tobytes()).hexdigest()
