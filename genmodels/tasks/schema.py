"""`genmodels schema`: what data seem to mean, for a person to correct."""

from __future__ import annotations

import logging
import shlex
from pathlib import Path

from omegaconf import DictConfig

from genmodels.files import write_text
from genmodels.schema import Schema
from genmodels.tasks.compose import require
from genmodels.tasks.parts import instantiate, source_of
from genmodels.tasks.stream import telling

__all__ = ["draft", "run"]

log = logging.getLogger(__name__)


def run(cfg: DictConfig) -> None:
    """Show the decisions and write the draft."""
    draft(cfg)
    log.info("The draft is in %s. Edit it, then:", cfg.out)
    words = [w for w in cfg.overrides if w.split("=")[0] not in ("out", "overwrite")]
    log.info("  genmodels train %s schema=%s", shlex.join(words), cfg.out)


def draft(cfg: DictConfig) -> Schema:
    """Infer a schema, print it on the terminal and write it to `cfg.out`.

    Raises:
        ValueError: when the data cannot be read, or the file exists already.
    """
    from rich.console import Console

    require(cfg)
    out = Path(str(cfg.out))
    if out.exists() and not cfg.overwrite:
        raise ValueError(f"{out} exists already; give another name (out=...) or overwrite=true")
    source = source_of(cfg)
    streamed = cfg.data.get("streaming")
    raw = telling(source, most=cfg.data.sample_rows) if streamed else source.load()
    schema: Schema = instantiate(cfg.data.infer)(raw)
    console = Console()
    # Without a terminal there is no width to fit: one line per entry is easier to search.
    console.width = console.width if console.is_terminal else 160
    console.print(instantiate(cfg.data.explain)(schema, raw))
    write_text(out, instantiate(cfg.data.draft)(schema))
    return schema
