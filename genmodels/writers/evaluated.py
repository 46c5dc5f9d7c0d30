"""What a report found, noted in the dataset that it judged: in its manifest and on its card."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from genmodels.writers.base import MANIFEST
from genmodels.writers.croissant import write_croissant
from genmodels.writers.manifest import write_card, write_manifest
from genmodels.writers.verify import read_manifest, words_differ

__all__ = ["note_evaluation"]


def note_evaluation(folder: Path, found: Mapping[str, Any]) -> None:
    """Put a summary where readers of the dataset look; an earlier one is replaced.

    The data are not touched, and `verify` finds the dataset as it was written.

    Args:
        folder: of a dataset.
        found: plain JSON: `axes`, a list of `axis`, `verdict`, `sentence` and `figure`, and
            what else is to be said.

    Raises:
        ValueError: when it is no dataset, or its manifest or card was changed.
        OSError: when it is not writable.
    """
    manifest = read_manifest(folder)
    if words_differ(folder, manifest):
        raise ValueError(f"{folder / MANIFEST} or a document beside it was changed")
    when = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = {key: value for key, value in manifest.items() if key not in ("digest", "documents")}
    manifest["evaluation"] = {"when": when, **found}
    try:
        documents = [write_card(folder, manifest), write_croissant(folder, manifest)]
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"{folder / MANIFEST} does not say all that a card needs") from error
    write_manifest(folder, manifest, documents)
