"""Pictures of a trained model of images: what it makes, walks, morphs, nearest training images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from genmodels.algorithms.base import GenerativeModel
from genmodels.report.looks.animation import encode_gif
from genmodels.report.looks.neighbours import neighbour_sheet, pixel_neighbours
from genmodels.report.looks.sheet import cell_side, draw_grid
from genmodels.report.looks.walks import Cast, make, morph, walk
from genmodels.types import Images, Raw

__all__ = ["WHAT", "Look", "Looks"]

WHAT = ("grid", "walk", "morph", "neighbours")
SMALLEST = 48  # pixels that an image is high and wide, at least
LARGEST = 1000  # pixels that a picture is wide or high, about


@dataclass(frozen=True, eq=False)
class Look:
    """One picture.

    Args:
        what: one of `WHAT`.
        suffix: "png" or "gif".
        data: the file.
        size: width and height in pixels.
        caption: what it shows, in plain words.
    """

    what: str
    suffix: str
    data: bytes
    size: tuple[int, int]
    caption: str


class Looks:
    """Makes pictures; each one from latents of its own seed, so that looking changes nothing.

    Args:
        rows: most classes, one a row.
        columns: images a row; large images are shown in fewer rows and columns.
        keys: latents that a walk visits before it is back at the first, 2 or more.
        steps: pictures from one of them, or one class, to the next.
        milliseconds: that each picture of a GIF is shown.
        megabytes: most of a GIF.
        made: images whose nearest training images are looked for.
        nearest: training images beside each.
        bank: training images that are searched, at most.
        side: images are shrunk to so many pixels before they are compared.
        projector: training images whose latents TensorBoard's projector gets, where the model
            has an encoder that gives one vector; 0: none.
    """

    def __init__(
        self,
        *,
        rows: int,
        columns: int,
        keys: int,
        steps: int,
        milliseconds: int,
        megabytes: float,
        made: int,
        nearest: int,
        bank: int,
        side: int,
        projector: int,
    ) -> None:
        least: dict[str, float] = {
            "rows": rows,
            "columns": columns,
            "steps": steps,
            "made": made,
            "side": side,
        }
        least |= {"nearest": nearest, "milliseconds": milliseconds, "megabytes": megabytes}
        wrong = [name for name, value in least.items() if value <= 0]
        if wrong or keys < 2 or bank < 2 or projector < 0:
            raise ValueError(
                f"looks: {', '.join(wrong) or 'keys, bank or projector'} too small; all numbers "
                "must be above 0, looks.keys and looks.bank at least 2, looks.projector at least 0"
            )
        self.rows, self.columns, self.keys, self.steps = rows, columns, keys, steps
        self.milliseconds, self.most_bytes = milliseconds, int(megabytes * 1e6)
        self.made, self.nearest, self.bank, self.side = made, nearest, bank, side
        self.projector = projector

    def __call__(
        self, what: str, model: GenerativeModel, *, training: Raw | None, seed: int
    ) -> Look:
        """One picture of a model.

        Args:
            what: one of `WHAT`.
            model: trained.
            training: images that it has seen; needed for `neighbours`.
            seed: of the latents.

        Raises:
            ValueError: when this model has no such picture, saying why.
        """
        if what == "neighbours":
            return self._neighbours(model, training, seed)
        cast = self._cast(model, seed)
        if what == "grid":
            grid = draw_grid(
                make(model, cast.z[0], cast.c, cast.u), cast.rows, cast.names, smallest=SMALLEST
            )
            return _png(what, grid, "What the model makes: a column shares its latent.")
        if what == "walk":
            caption = "On the way from latent to latent; a column shares its latents."
            return self._gif(what, walk(model, cast, steps=self.steps), cast, cast.names, caption)
        following = (*cast.names[1:], *cast.names[:1])
        names = tuple(f"{a} to {b}" for a, b in zip(cast.names, following, strict=True))
        frames = morph(model, cast, steps=self.steps)
        caption = "From one class to the next and back; a column shares its latent."
        return self._gif(what, frames, cast, names, caption)

    def _cast(self, model: GenerativeModel, seed: int) -> Cast:
        height, width = model.layout.shape[-2:]
        most = max(2, LARGEST // cell_side(height, width, SMALLEST))
        rows, columns = min(self.rows, most), min(self.columns, most)
        return Cast.of(model, rows=rows, columns=columns, keys=self.keys, seed=seed)

    def _gif(
        self,
        what: str,
        frames: Iterator[np.ndarray],
        cast: Cast,
        names: tuple[str, ...],
        caption: str,
    ) -> Look:
        drawn = [draw_grid(pixels, cast.rows, names, smallest=SMALLEST) for pixels in frames]
        data = encode_gif(drawn, milliseconds=self.milliseconds, most_bytes=self.most_bytes)
        return Look(what, "gif", data, drawn[0].size, caption)

    def _neighbours(self, model: GenerativeModel, training: Raw | None, seed: int) -> Look:
        if not isinstance(training, Images) or len(training) < 2:
            raise ValueError("there are no training images to look for neighbours in")
        cast = Cast.of(model, rows=self.made, columns=1, keys=1, seed=seed)
        # One latent for each row: Cast would share it.
        other = Cast.of(model, rows=1, columns=cast.rows, keys=1, seed=seed)
        made = make(model, other.z[0, : cast.rows], cast.c, other.u[: cast.rows])
        index, distance, usual = pixel_neighbours(
            made,
            training.pixels,
            nearest=min(self.nearest, len(training)),
            bank=self.bank,
            side=self.side,
            seed=seed,
        )
        foot = f"training image to nearest other, median: {usual:#.3g}"
        sheet = neighbour_sheet(made, training.pixels, index, distance, cast.names, foot=foot)
        caption = (
            "Made images, a seeded choice, and the training images nearest to each in pixels, "
            "with the root mean squared difference of their levels, 0 to 255. Between a training "
            f"image and the nearest other one it is {usual:#.3g}, in the median."
        )
        return _png("neighbours", sheet, caption)


def _png(what: str, picture: Image.Image, caption: str) -> Look:
    out = BytesIO()
    picture.save(out, "PNG", optimize=True)
    return Look(what, "png", out.getvalue(), picture.size, caption)
