"""Pictures of what a generator makes, during training: in TensorBoard and as PNG files.

The latents are drawn once from a generator of their own, so that looking changes nothing in
the training, and so that one place of the grid shows the same latent at every time.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor

from genmodels.algorithms.base import GenerativeModel
from genmodels.callbacks.finish_images import finish
from genmodels.callbacks.ledger import Ledger
from genmodels.callbacks.typed import model_of
from genmodels.combinations import Combinations
from genmodels.files import atomic_path
from genmodels.layout import Expand, ImageLayout, Vectors
from genmodels.report.looks.looks import Looks
from genmodels.report.looks.rows import shown_rows
from genmodels.report.looks.sheet import draw_grid
from genmodels.types import Batch, Images

__all__ = ["ImagePreview"]

log = logging.getLogger(__name__)


class ImagePreview(L.Callback):
    """Every few epochs, a grid with one row per class and one column per fixed latent.

    A model that is told attributes has rows of those, see `report/looks/rows.py`.

    Writes `<folder>/real.png` once, `<folder>/fake-<samples seen>.png`, and, when the model can
    reconstruct, `<folder>/reconstruction-<samples seen>.png`: real and reconstructed in turns.

    Has no state, and should come after the callbacks that save: the pictures at the end take time
    and room. When they cannot be made, a warning says so.

    Args:
        ledger: TensorBoard gets the same pictures.
        reference: real images.
        folder: where the files go, such as `<run>/pictures`.
        every: epochs between grids; the end of training always gives one.
        rows: most classes or levels shown; of more, evenly spaced ones.
        columns: images per row.
        seed: of the latents and of the choice of real images.
        looks: makes further pictures at the end of training; None: none.
    """

    told: bool
    shown_at: int
    z: Tensor
    u: Tensor
    c: Tensor
    c_real: Tensor

    def __init__(
        self,
        *,
        ledger: Ledger,
        reference: Images,
        folder: Path,
        every: int,
        rows: int,
        columns: int,
        seed: int,
        looks: Looks | None = None,
    ) -> None:
        if min(every, rows, columns) < 1:
            raise ValueError("preview.every, preview.rows and preview.columns must be at least 1")
        self.ledger, self.folder = ledger, Path(folder)
        self.every, self.columns, self.rows, self.reference = every, columns, rows, reference
        self.labels = _rows_shown(reference, rows)
        self.names = tuple(reference.class_names[i] for i in self.labels)
        self.num_rows = len(self.labels) or rows
        self.real = _examples(reference, self.labels, self.num_rows, columns, seed)
        self.seed, self.looks = seed, looks

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        model = model_of(pl_module)
        told = model.condition.combinations
        if told is None:
            self._of_classes(model)
        else:
            self._of_attributes(model, told)
        self.shown_at = -1
        if trainer.is_global_zero and not (self.folder / "real.png").exists():
            self._show("real", self.real, self.names, "real.png", model.num_samples)

    def _of_classes(self, model: GenerativeModel) -> None:
        self.told = bool(self.labels) and model.condition.width > 0
        # Rows of classes share their latents; otherwise every cell has its own.
        own, times = (self.columns, self.num_rows) if self.told else (len(self.real), 1)
        rng = torch.Generator().manual_seed(self.seed)
        self.z = torch.randn(own, model.latent_dim, generator=rng).repeat(times, 1)
        self.u = torch.rand(own, model.noise_dim, generator=rng).repeat(times, 1)
        self.c = torch.zeros(len(self.real), model.condition.width)
        if self.told:
            labels = torch.tensor(self.labels).repeat_interleave(self.columns)
            self.c = Vectors(model.condition)(labels)
        self.c_real = self.c

    def _of_attributes(self, model: GenerativeModel, told: Combinations) -> None:
        """Cells of a row differ from others in one attribute; real ones have it, and their own."""
        self.told = True
        rows = shown_rows(model.condition, most=self.rows, columns=self.columns, seed=self.seed)
        self.names, self.num_rows, self.c = rows.names, len(rows.names), rows.c
        chosen = rows.real(self.reference, told, np.random.default_rng(self.seed))
        shown = self.reference.take(chosen)
        own, codes = Combinations.of(told.facets, shown)
        self.real, self.c_real = shown.pixels, torch.from_numpy(own.features[codes])
        rng = torch.Generator().manual_seed(self.seed)
        self.z = torch.randn(self.columns, model.latent_dim, generator=rng)[rows.latents]
        self.u = torch.rand(self.columns, model.noise_dim, generator=rng)[rows.latents]

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if (trainer.current_epoch + 1) % self.every == 0:
            self._preview(trainer, model_of(pl_module))

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        try:
            self._finish(trainer, model_of(pl_module))
        except Exception as error:  # whatever it is, it must not cost a training that is done
            log.warning(
                "the pictures at the end of training could not be made (%s: %s); the training "
                "itself is complete. Try again with: genmodels look run=%s",
                type(error).__name__, error, self.folder.parent,
            )  # fmt: skip

    def _finish(self, trainer: L.Trainer, model: GenerativeModel) -> None:
        self._preview(trainer, model)
        if self.looks is not None and trainer.is_global_zero:
            finish(
                trainer,
                model,
                looks=self.looks,
                ledger=self.ledger,
                folder=self.folder,
                seed=self.seed,
            )

    @torch.no_grad()
    def _preview(self, trainer: L.Trainer, model: GenerativeModel) -> None:
        if not trainer.is_global_zero or model.num_samples == self.shown_at:
            return
        self.shown_at = step = model.num_samples
        z, c, u = (x.to(model.device) for x in (self.z, self.c, self.u))
        fake = model.sample(z, c, u)["pixels"].cpu().numpy()
        names = self.names if self.told else ()
        self._show("fake", fake, names, f"fake-{step:010d}.png", step)
        reconstruct: Any = getattr(model, "reconstruct", None)
        if reconstruct is not None:
            pixels = torch.from_numpy(self.real).to(model.device)
            assert isinstance(model.layout, ImageLayout)
            x = Expand(model.layout).to(model.device)({"pixels": pixels})
            again = reconstruct(Batch(x, self.c_real.to(model.device)), u)["pixels"].cpu().numpy()
            pairs = np.stack([self.real, again], axis=1).reshape(-1, *self.real.shape[1:])
            file = f"reconstruction-{step:010d}.png"
            self._show("reconstruction", pairs, self.names, file, step)

    def _show(
        self,
        tag: str,
        pixels: np.ndarray,
        names: tuple[str, ...],
        file: str,
        step: int,
    ) -> None:
        grid = draw_grid(pixels, self.num_rows, names)
        with atomic_path(self.folder / file) as temporary:
            grid.save(temporary, "PNG")
        if self.ledger.writer is not None:
            picture = np.asarray(grid)
            self.ledger.writer.add_image(f"preview/{tag}", picture, step, dataformats="HWC")


def _rows_shown(reference: Images, rows: int) -> tuple[int, ...]:
    """Class indices of the rows: those that have images, evenly spaced if there are too many."""
    if reference.labels is None:
        return ()
    there = np.unique(reference.labels)
    spaced = np.linspace(0, len(there) - 1, min(rows, len(there))).round().astype(int)
    return tuple(int(i) for i in there[spaced])


def _examples(
    reference: Images, labels: tuple[int, ...], rows: int, columns: int, seed: int
) -> np.ndarray:
    """Real images (rows * columns, C, H, W), row by row of their class; few are repeated."""
    rng = np.random.default_rng(seed)
    if reference.labels is None:
        pools = [np.arange(len(reference))]
        wanted = rows * columns
    else:
        pools = [np.flatnonzero(reference.labels == label) for label in labels]
        wanted = columns
    chosen = [np.resize(rng.permutation(pool), wanted) for pool in pools]
    return reference.pixels[np.concatenate(chosen)]
