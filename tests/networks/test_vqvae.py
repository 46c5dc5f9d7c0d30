"""The autoencoder of grids of codes: any size and number of channels, one vector per position."""

import pytest
import torch

from genmodels.layout import Block, ImageLayout, TableLayout
from genmodels.networks.grids import Grid
from genmodels.networks.vqvae import Decoder, Encoder

SHAPES = {
    (1, 8, 8): (4, 4),
    (1, 20, 28): (5, 7),
    (2, 17, 31): (5, 8),
    (1, 28, 28): (7, 7),
    (4, 32, 32): (8, 8),
    (3, 64, 48): (8, 6),
    (3, 5, 7): (3, 4),
    (1, 1, 9): (1, 5),
}


def pair(shape, cells=64, features=6):
    torch.manual_seed(0)
    options = {"cells": cells, "width": 4, "blocks": 1, "features": features}
    layout = ImageLayout(*shape)
    return Encoder(layout=layout, **options), Decoder(layout=layout, **options)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_an_image_becomes_a_grid_of_vectors_and_comes_back(shape):
    encoder, decoder = pair(shape)
    assert encoder.grid.start == SHAPES[shape]
    x = torch.randn(3, *shape)
    vectors = encoder(x)
    assert vectors.shape == (3, encoder.length, 6)
    assert encoder.length == SHAPES[shape][0] * SHAPES[shape][1]
    out = decoder(vectors)
    assert out.shape == x.shape
    out.square().sum().backward()
    for network in (encoder, decoder):
        silent = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
        assert silent == []


@pytest.mark.parametrize(
    ("cells", "start"), [(256, (14, 14)), (64, (7, 7)), (48, (4, 4)), (1, (1, 1))]
)
def test_the_grid_is_the_finest_that_has_no_more_cells(cells, start):
    assert Grid.within(ImageLayout(1, 28, 28), cells).start == start


def test_vectors_are_in_raster_order():
    """What changes at the top right changes the vectors there most, and the other way round."""
    encoder, decoder = pair((1, 32, 48))
    assert encoder.grid.start == (4, 6)
    x = torch.randn(1, 1, 32, 48)
    other = x.clone()
    other[..., :8, -8:] += 3.0
    change = (encoder(other) - encoder(x)).square().sum(2).view(4, 6)
    assert change[:2, 4:].mean() > 3.0 * max(change[2:].mean(), change[:, :2].mean())
    vectors = torch.randn(1, 24, 6)
    moved = vectors.clone()
    moved[:, 5] += 3.0
    change = (decoder(moved) - decoder(vectors)).square()[0, 0]
    assert change[:16, 32:].mean() > 3.0 * max(change[24:].mean(), change[:, :16].mean())


def test_each_row_is_encoded_and_decoded_alone():
    encoder, decoder = (network.double() for network in pair((2, 17, 31)))
    x = torch.randn(4, 2, 17, 31, dtype=torch.float64)
    vectors = encoder(x)
    torch.testing.assert_close(encoder(x[1:2]), vectors[1:2])
    torch.testing.assert_close(decoder(vectors[1:2]), decoder(vectors)[1:2])


def test_what_has_no_grid_is_refused():
    table = TableLayout((Block("a", "continuous", 1),))
    with pytest.raises(ValueError, match="for images"):
        Encoder(layout=table, cells=64, width=4, blocks=1, features=6)
    with pytest.raises(ValueError, match=r"model\.encoder\.cells must be at least 1, got 0"):
        Encoder(layout=ImageLayout(1, 8, 8), cells=0, width=4, blocks=1, features=6)
