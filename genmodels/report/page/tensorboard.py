"""A report in TensorBoard: figures as scalars, pictures as images, the summary as text.

The synthetic data and the data sets beside it are runs of their own, so that one card shows a
figure with its reference points. What an earlier evaluation left in the folder is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from genmodels.report.page.markdown import summary_markdown
from genmodels.report.page.texts import ARROWS, short
from genmodels.report.rows import Report, Row

__all__ = ["write_tensorboard"]

RUNS = {
    "synthetic": "value",
    "held-out": "ceiling",
    "independent": "independent",
    "copies": "copies",
    "gaussian": "simple",
}
EVENTS = "events.out.tfevents.*"


def write_tensorboard(report: Report, folder: Path) -> Path:
    """Write one TensorBoard run per data set into `folder`.

    Scalars are called `evaluation/<axis>/<metric>`, pictures `evaluation/<section>/<caption>`.

    Args:
        report: the evaluation.
        folder: such as `<run>/tensorboard/evaluation/<report>`; event files that an earlier
            evaluation left there are removed.

    Returns:
        The folder.
    """
    from torch.utils.tensorboard import SummaryWriter

    for run, point in RUNS.items():
        place = folder / run
        for old in place.glob(EVENTS):
            old.unlink()
        if point == "simple" and all(row.simple is None for row in report.rows):
            continue
        with SummaryWriter(str(place)) as writer:
            for tag, row in _tags(report):
                value = getattr(row, point)
                if value is not None:
                    writer.add_scalar(tag, value, 0)
            if run == "synthetic":
                writer.add_text("evaluation/summary", summary_markdown(report), 0)
                for tag, pixels in _pictures(report):
                    writer.add_image(tag, pixels, 0, dataformats="HWC")
    return folder


def _tags(report: Report) -> Iterator[tuple[str, Row]]:
    used: set[str] = set()
    for row in report.rows:
        name = _name(f"{row.metric} {ARROWS[row.better]}")
        yield _fresh(f"evaluation/{row.axis}/{name}", used), row


def _pictures(report: Report) -> Iterator[tuple[str, np.ndarray]]:
    used: set[str] = set()
    for section in report.sections:
        for picture in section.pictures:
            with Image.open(BytesIO(picture.png)) as opened:
                pixels = np.asarray(opened.convert("RGB"))
            tag = f"evaluation/{_name(section.title)}/{_name(picture.caption)}"
            yield _fresh(tag, used), pixels


def _fresh(tag: str, used: set[str]) -> str:
    """The tag, numbered when another figure has it: TensorBoard would join the two."""
    fresh, k = tag, 2
    while fresh in used:
        fresh, k = f"{tag} ({k})", k + 1
    used.add(fresh)
    return fresh


def _name(text: str) -> str:
    """One part of a tag: short, and without the slash that parts tags."""
    return re.sub(r"[/\\<>&\"']", "_", short(text, 70)) or "_"
