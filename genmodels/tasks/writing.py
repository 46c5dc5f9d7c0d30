"""The writer that a format names, of a verb that combines rows."""

from __future__ import annotations

from omegaconf import DictConfig, OmegaConf

from genmodels.schema import Schema
from genmodels.tasks.choices import nearest
from genmodels.tasks.parts import complete, instantiate
from genmodels.writers.base import Writer

__all__ = ["chosen_writer"]


def chosen_writer(
    writers: DictConfig, kind: str, schema: Schema, *, synthetic: bool = False
) -> Writer:
    """The writer of a format, whose files say whether all rows are synthetic.

    Raises:
        ValueError: when there is no such format, or it cannot hold such data.
    """
    if kind not in writers:
        raise ValueError(f"there is no format={kind}{nearest(kind, map(str, writers))}")
    node = writers[kind]
    if "synthetic" in node:
        node = OmegaConf.merge(node, {"synthetic": synthetic})
    writer = complete(instantiate(node), schema=schema)
    assert isinstance(writer, Writer)
    return writer
