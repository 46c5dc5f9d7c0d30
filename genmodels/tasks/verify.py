"""`genmodels verify <folder>`: whether a dataset is as it was written.

Exit codes besides those of every verb: 3 when a file is changed, missing or extra.
"""

from __future__ import annotations

import logging
from pathlib import Path

from omegaconf import DictConfig

from genmodels.tasks.compose import require
from genmodels.writers.base import MANIFEST
from genmodels.writers.verify import differences, read_manifest

__all__ = ["DIFFERS", "run", "verify"]

log = logging.getLogger(__name__)
DIFFERS = 3
_SHOWN, _LONGEST = 20, 300


def run(cfg: DictConfig) -> int:
    """Say what differs, and return 3 when something does."""
    found = verify(cfg)
    for line in found[:_SHOWN]:
        log.warning("%s", _printable(line))
    if len(found) > _SHOWN:
        log.warning("... and %s more", f"{len(found) - _SHOWN:,}")
    if found:
        log.warning("%s is not as it was written", cfg.dataset)
        return DIFFERS
    manifest = read_manifest(Path(str(cfg.dataset)))
    count = len(manifest["files"])
    log.info(
        "%s is as it was written: %s rows in %s, each with the hash that %s says",
        cfg.dataset,
        f"{int(manifest.get('rows') or 0):,}",
        f"{count:,} files" if count > 1 else "1 file",
        MANIFEST,
    )
    return 0


def _printable(line: str) -> str:
    """A line in which a name of a stranger can neither move the cursor nor fill the screen."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line[:_LONGEST])


def verify(cfg: DictConfig) -> list[str]:
    """What is changed, missing or extra, one line each; empty for a dataset as it was written.

    Args:
        cfg: of the verb verify.

    Raises:
        ValueError: when there is no dataset.
    """
    require(cfg)
    return list(differences(Path(str(cfg.dataset))))
