"""What all pictures of a report share: colours, a small figure, its bytes, and safe texts.

Names of columns and levels are drawn as plain ASCII: fonts may lack a letter, and a `$` must not
become mathematics. The full name stands in the caption, which HTML escapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

__all__ = [
    "COPIES",
    "INDEPENDENT",
    "REAL",
    "SYNTHETIC",
    "THIRD",
    "ascii_text",
    "canvas",
    "colours_of",
    "grid",
    "legend",
    "png",
]

# Okabe and Ito's colours: told apart by colour-blind readers, and on white and black alike.
REAL, SYNTHETIC, THIRD = "#0072B2", "#D55E00", "#009E73"
COPIES, INDEPENDENT = "#CC79A7", "#4D4D4D"
OTHERS = ("#E69F00", "#56B4E9", "#8C6BB1", "#A6761D")
DPI, SHADES = 130, 48


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of that many inches with one plain pair of axes."""
    figure, (axes,) = grid(width, height, 1)
    return figure, axes


def grid(width: float, height: float, count: int) -> tuple[Figure, list[Axes]]:
    """A figure with `count` pairs of axes side by side."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    panels = [figure.add_subplot(1, count, k + 1) for k in range(count)]
    for axes in panels:
        axes.tick_params(labelsize=6, width=0.5, length=2)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_linewidth(0.5)
        axes.xaxis.get_offset_text().set_fontsize(6)
        axes.yaxis.get_offset_text().set_fontsize(6)
    return figure, panels


def png(figure: Figure, *, shades: int = SHADES) -> bytes:
    """The figure as a palette PNG, a third of the size of one in full colour."""
    out, small = BytesIO(), BytesIO()
    figure.savefig(out, format="png", dpi=DPI, pil_kwargs={"compress_level": 1})
    with Image.open(out) as drawn:
        drawn.convert("RGB").quantize(shades).save(small, "PNG", optimize=True, dpi=(DPI, DPI))
    return small.getvalue()


def ascii_text(text: str, *, width: int = 14) -> str:
    """At most `width` printable ASCII letters; a lost letter is a question mark."""
    flat = " ".join(text.split())
    plain = "".join(c if " " <= c <= "~" else "?" for c in flat)
    # matplotlib leaves names with an underscore in front out of legends.
    plain = f" {plain}" if plain.startswith("_") else plain
    return plain if len(plain) <= width else plain[: width - 1] + "~"


def colours_of(names: Sequence[str]) -> list[str]:
    """One colour per name: the same for what is real, synthetic, independent or copied throughout.

    Held-out rows are drawn as real ones, unless training rows are drawn beside them.
    """
    out: list[str] = []
    spare = list(OTHERS)
    beside = any(_is(name, ("training", "train ")) for name in names)
    for name in names:
        colour = _known(name, beside)
        if colour is None or colour in out:
            colour = spare.pop(0) if spare else INDEPENDENT
        out.append(colour)
    return out


def legend(
    figure: Figure, names: Sequence[str], colours: Sequence[str], *, columns: int = 4
) -> None:
    """Coloured names above the axes, outside of them."""
    handles = [Line2D([], [], color=c, linewidth=4) for c in colours]
    texts = [ascii_text(name, width=40) for name in names]
    made = figure.legend(
        handles, texts, loc="outside upper left", ncols=columns, fontsize=6.5, frameon=False,
        handlelength=1.0, columnspacing=1.2,
    )  # fmt: skip
    for text in made.get_texts():
        text.set_parse_math(False)


def _known(name: str, beside: bool) -> str | None:
    if _is(name, ("hybrid", "+", "gaussian per class")):
        return THIRD
    if _is(name, ("independent", "shuffled")):
        return INDEPENDENT
    if _is(name, ("copies", "copy")):
        return COPIES
    if _is(name, ("synthetic",)):
        return SYNTHETIC
    if _is(name, ("held-out", "holdout")):
        return THIRD if beside else REAL
    return REAL if _is(name, ("real", "train")) else None


def _is(name: str, words: tuple[str, ...]) -> bool:
    return any(word in f"{name.lower()} " for word in words)
