import pytest
import torch

from genmodels.layout import Block, ImageLayout, TableLayout
from genmodels.networks.grids import Grid

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (2, 20, 28), (3, 5, 7), (4, 64, 48), (1, 1, 9)]


@pytest.mark.parametrize(
    ("size", "start", "stages"),
    [
        ((8, 8), (4, 4), 1),
        ((28, 28), (7, 7), 2),
        ((32, 32), (4, 4), 3),
        ((20, 28), (5, 7), 2),
        ((5, 7), (3, 4), 1),
        ((64, 48), (8, 6), 3),
    ],
)
def test_start_grid_is_the_size_halved_and_rounded_up(size, start, stages):
    grid = Grid.of(ImageLayout(1, *size))
    assert (grid.start, grid.stages) == (start, stages)


@pytest.mark.parametrize("shape", SHAPES)
def test_crop_undoes_pad_and_pad_fills_the_grid(shape):
    grid = Grid.of(ImageLayout(*shape))
    x = torch.randn(2, *shape)
    padded = grid.pad(x)
    assert padded.shape[2:] == tuple(side * 2**grid.stages for side in grid.start)
    assert torch.equal(grid.crop(padded), x)
    assert padded.square().sum() == pytest.approx(float(x.square().sum()), rel=1e-5)


def test_widths_double_and_stop_at_eight_times():
    assert Grid.of(ImageLayout(3, 256, 256)).widths(4) == (4, 8, 16, 32, 32, 32)


def test_a_table_is_refused_with_advice():
    with pytest.raises(ValueError, match="model=ctgan"):
        Grid.of(TableLayout((Block("a", "continuous", 1),)))
