"""What a calibration finds depends on neither the workers nor the autograd mode of a thread."""

import numpy as np
import pytest
import torch

from genmodels.algorithms.calibrating import in_turn
from genmodels.margins import margins_of
from genmodels.sampling.pilot import PILOT_ROWS, calibration_of
from tests.algorithms.mixed import LAYOUT, encoded, prior

CPU = torch.device("cpu")


def found(workers, how="marginal", precision="float32"):
    margins = margins_of(encoded(5000), LAYOUT)
    return calibration_of(prior(), margins, how, device=CPU, precision=precision, workers=workers)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_it_does_not_depend_on_the_workers(precision):
    for one, two in zip(found(1, precision=precision), found(3, precision=precision), strict=True):
        assert (one.offset is None) == (two.offset is None)
        if one.offset is not None:
            assert torch.equal(one.offset, two.offset)
            assert not two.offset.requires_grad
        if one.curve is not None:
            assert torch.equal(one.curve.at, two.curve.at)


class Recorder:
    """Notes what a calibration is given."""

    noise_dim = 6

    def sample(self, z, c, u, *, temper=1.0, calibration=None):
        raise AssertionError

    def calibrate(self, pilot, margins, *, ends_only, each=in_turn):
        self.sizes = [len(u) for u in pilot]
        self.modes = each(lambda _: (torch.is_grad_enabled(), torch.get_num_threads()), pilot)
        self.ordered = each(lambda u: float(u[0, 0]), pilot) == [float(u[0, 0]) for u in pilot]
        return ()


@pytest.mark.parametrize(("rows", "size"), [(8192, 4096), (512, 512)])
def test_a_pilot_is_drawn_in_pieces_by_the_width_of_a_row(rows, size):
    model = Recorder()
    calibration_of(model, [], "pin", device=CPU, precision="float32", piece_rows=rows, workers=2)
    assert sum(model.sizes) == PILOT_ROWS
    assert np.unique(model.sizes).tolist() == [size]
    assert set(model.modes) == {(False, 1)}
    assert model.ordered
