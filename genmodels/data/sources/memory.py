"""Raw data that is in memory already: an Arrow table or images."""

from __future__ import annotations

import hashlib

from genmodels.data.sources.parts import check_rows, table_fingerprint
from genmodels.types import Images, Raw

__all__ = ["Memory"]


class Memory:
    """A `pyarrow.Table` or `Images`, as they are.

    Args:
        raw: the data.
        least: how many rows it must have, 1 or 2.
    """

    def __init__(self, *, raw: Raw, least: int = 2) -> None:
        self.raw = raw
        self.least = least

    def load(self) -> Raw:
        if isinstance(self.raw, Images):
            return self.raw
        return check_rows(self.raw, "the table", least=self.least)

    def fingerprint(self) -> str:
        """SHA-256 of values, names and types, or of pixels, labels and attributes."""
        if not isinstance(self.raw, Images):
            return table_fingerprint(self.raw)
        digest = hashlib.sha256(self.raw.pixels.tobytes())
        digest.update(b"" if self.raw.labels is None else self.raw.labels.tobytes())
        for name, values in self.raw.attributes.items():
            digest.update(f"{name}\0{values.tolist()}\n".encode())
        return digest.hexdigest()
