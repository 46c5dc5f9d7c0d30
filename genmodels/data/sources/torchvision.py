"""Well-known image datasets by name, through torchvision; downloaded only when asked."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from genmodels.data.attributes import Wanted, is_all, pick
from genmodels.data.sources.decode import Resize, check_size, resize_pixels
from genmodels.data.sources.reading import read_files
from genmodels.types import Images

__all__ = ["TorchvisionImages"]

Name = Literal["MNIST", "FashionMNIST", "CIFAR10", "SVHN", "CelebA"]
SPLITS = {
    "MNIST": ("train", "test"),
    "FashionMNIST": ("train", "test"),
    "CIFAR10": ("train", "test"),
    "SVHN": ("train", "test", "extra"),
    "CelebA": ("train", "valid", "test", "all"),
}


class TorchvisionImages:
    """One of torchvision's datasets as an array.

    Args:
        name: MNIST, FashionMNIST, CIFAR10, SVHN or CelebA.
        path: folder that holds the dataset, in torchvision's own layout.
        split: train or test (SVHN also extra; CelebA also valid and all).
        download: fetch the files into `path` when they are not there.
        size: null (as they are), a number, or [height, width].
        resize: fit, crop, stretch or pad; see `decode.Policy`.
        attribute: CelebA's label, one of its 40 attributes such as Smiling, or null for none.
        attributes: names of CelebA's attributes to read besides, "all" others, or null for none.
    """

    def __init__(
        self,
        *,
        name: Name,
        path: str | Path,
        split: str = "train",
        download: bool = False,
        size: int | list[int] | tuple[int, int] | None = None,
        resize: Resize = "fit",
        attribute: str | None = None,
        attributes: Wanted = None,
    ) -> None:
        if name not in get_args(Name):
            raise ValueError(f"name must be one of {', '.join(get_args(Name))}; got {name!r}")
        if split not in SPLITS[name]:
            known = ", ".join(SPLITS[name])
            raise ValueError(f"data.split of {name} must be one of {known}; got {split!r}")
        self.name = name
        self.path = Path(path).expanduser()
        self.split = split
        self.download = download
        self.size = check_size(size)
        self.resize: Resize = resize
        self.attribute, self.attributes = attribute, attributes
        self._digest = ""

    def load(self) -> Images:
        """Read the dataset, downloading it first if that was asked for.

        Raises:
            FileNotFoundError: when it is not in `path` and `download` is false.
            ValueError: when the download fails.
        """
        images = self._read()
        digest = hashlib.sha256(repr((images.pixels.shape, images.class_names)).encode())
        digest.update(np.ascontiguousarray(images.pixels).data)
        digest.update(b"" if images.labels is None else images.labels.tobytes())
        for attribute, values in images.attributes.items():
            digest.update(attribute.encode() + values.tobytes())
        self._digest = digest.hexdigest()
        return images

    def _read(self) -> Images:
        dataset = self._open()
        if self.name == "CelebA":
            return self._faces(dataset)
        pixels, labels = _arrays(dataset)
        pixels = resize_pixels(pixels, self.size, self.resize)
        names = [str(c) for c in getattr(dataset, "classes", range(10))]
        if self.name == "MNIST":
            names = [name.split(" ")[0] for name in names]  # "0 - zero"
        return Images(pixels, labels, tuple(names))

    def fingerprint(self) -> str:
        """SHA-256 of the arrays; after `load` it is known without reading again."""
        if not self._digest:
            self.load()
        return self._digest

    def _open(self) -> Any:
        from torchvision import datasets

        part: dict[str, Any] = {"split": self.split}
        if self.name in ("MNIST", "FashionMNIST", "CIFAR10"):
            part = {"train": self.split == "train"}
        try:
            with warnings.catch_warnings():
                # NumPy deprecates how CIFAR's own files store their arrays.
                warnings.filterwarnings("ignore", category=DeprecationWarning)
                warnings.filterwarnings("ignore", message=".*align should be passed")
                opener = getattr(datasets, self.name)
                return opener(str(self.path), download=self.download, **part)
        except (OSError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            if self.download:
                raise ValueError(
                    f"{self.name} could not be downloaded into {self.path} ({reason}); check the "
                    "network, or put the files there yourself and set data.download=false"
                ) from error
            raise FileNotFoundError(
                f"{self.name} ({self.split}) is not in {self.path} ({reason.split('. ')[0]}); set "
                "data.download=true to fetch it, or data.path to where it is"
            ) from error

    def _faces(self, dataset: Any) -> Images:
        folder = self.path / dataset.base_folder / "img_align_celeba"
        pixels, kept = read_files(
            [str(folder / name) for name in dataset.filename],
            size=self.size,
            resize=self.resize,
            channels=3,
            alpha="drop",
            unreadable="error",
            max_pixels=1_000_000,
            workers=None,
        )
        names = [name for name in dataset.attr_names if name]
        others = [name for name in names if name != self.attribute]  # it is told as the class
        known = others if is_all(self.attributes) else names
        attributes = {
            name: dataset.attr[:, names.index(name)].numpy().astype(bool)[kept]
            for name in pick(known, self.attributes)
        }
        if self.attribute is None:
            return Images(pixels, attributes=attributes)
        if self.attribute not in names:
            raise ValueError(
                f"data.attribute {self.attribute!r} is none of CelebA's: {', '.join(names)}"
            )
        labels = dataset.attr[:, names.index(self.attribute)].numpy().astype(np.int64)[kept]
        return Images(pixels, labels, (f"not {self.attribute}", self.attribute), attributes)


def _arrays(dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (N, C, H, W) uint8 and labels (N,) int64, whatever torchvision keeps them in."""
    pixels = np.asarray(dataset.data)
    labels = np.asarray(dataset.targets if hasattr(dataset, "targets") else dataset.labels)
    if pixels.ndim == 3:
        pixels = pixels[:, None]
    elif pixels.shape[1] != 3:
        pixels = pixels.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(pixels), labels.astype(np.int64)
