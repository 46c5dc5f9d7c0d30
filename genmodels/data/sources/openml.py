"""Tables of openml.org by name or number, downloaded when asked for and kept on this machine."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any

import pyarrow as pa

from genmodels.data.sources.frame import frame_table
from genmodels.data.sources.parts import check_rows, drop_columns, table_fingerprint

__all__ = ["OpenML"]


class OpenML:
    """One OpenML data set; the download is cached by scikit-learn.

    Args:
        dataset: the name ("adult") or the number (1590).
        version: of a data set given by name; "active" is the oldest one still active.
        cache: folder for downloads; null: scikit-learn's own.
        drop: columns to leave out.
    """

    def __init__(
        self,
        *,
        dataset: str | int,
        version: int | str = "active",
        cache: str | None = None,
        drop: Sequence[str] = (),
    ) -> None:
        self.dataset = dataset
        self.version = version
        self.cache = cache
        self.drop = tuple(drop)

    def load(self) -> pa.Table:
        """Download, or read from the cache.

        Raises:
            ValueError: when there is no network, no such data set, or its values are not a table.
        """
        table = frame_table(self._fetch())
        return check_rows(drop_columns(table, self.drop), f"OpenML {self.dataset!r}")

    def fingerprint(self) -> str:
        return table_fingerprint(self.load())

    def _fetch(self) -> Any:
        from sklearn.datasets import fetch_openml

        numbered = isinstance(self.dataset, int) or self.dataset.isdigit()
        which: dict[str, Any] = {"data_id": int(self.dataset)} if numbered else {
            "name": self.dataset, "version": self.version,
        }  # fmt: skip
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", ".*network error.*")  # we say it in one line
                found = fetch_openml(
                    **which, as_frame=True, parser="auto", data_home=self.cache, n_retries=1
                )
        except (OSError, HTTPException) as error:  # URLError and time-outs are OSErrors
            raise ValueError(_why(self.dataset, error)) from error
        except ValueError as error:
            raise ValueError(f"OpenML {self.dataset!r}: {error}") from error
        if found.frame is None:
            raise ValueError(f"OpenML {self.dataset!r} is not a table")
        return found.frame


def _why(dataset: str | int, error: Exception) -> str:
    if getattr(error, "code", None) in (404, 412):
        return f"OpenML has no data set {dataset!r}"
    reason = getattr(error, "reason", None) or error
    return (
        f"OpenML {dataset!r} cannot be downloaded: no connection to openml.org ({reason}); "
        "download it elsewhere and use data=csv data.path=..."
    )
