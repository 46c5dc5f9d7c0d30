"""What a training would cost is said without one: counts, multiply-adds, memory, samples."""

from functools import partial

import pytest
import torch

from genmodels.algorithms.vae import VAE
from genmodels.layout import Condition, ImageLayout
from genmodels.likelihoods.images import Gaussian
from genmodels.tasks import train as training
from genmodels.tasks.compose import compose
from genmodels.tasks.dry_run import Products, cost_of, dry_run
from genmodels.types import Batch
from tests.tasks.small import words
from tests.tasks.test_r3gan_run import TINY, images


class Straight(torch.nn.Module):
    """A network of one product each way, whose cost is known."""

    def __init__(self, width, outputs):
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(width, n) for n in outputs)

    def forward(self, x, c):
        made = tuple(layer(x.flatten(1)) for layer in self.layers)
        return made if len(made) > 1 else made[0].unflatten(1, (1, 4, 4))


def straight():
    layout = ImageLayout(1, 4, 4)
    return VAE(
        layout=layout,
        condition=Condition(),
        latent_dim=3,
        encoder=Straight(16, (3, 3)),
        decoder=Straight(3, (16,)),
        likelihood=Gaussian(layout=layout, scale=0.3, sampling="mean"),
        optimizer=partial(torch.optim.Adam, lr=1e-3),
    )


def test_products_and_parameters_are_counted_as_by_hand():
    cost = cost_of(straight(), Batch(torch.zeros(5, 1, 4, 4), torch.zeros(5, 0)), samples=1000)
    encoder, decoder = 2 * 16 * 3, 3 * 16
    assert cost.forward == {"encoder": encoder, "decoder": decoder}
    assert cost.parameters["encoder"] == encoder + 6
    assert cost.parameters["decoder"] == decoder + 16
    # Backward: both factors of each product, besides the images, which need no gradient.
    assert cost.update == 2 * encoder + 3 * decoder
    numbers = sum(cost.parameters.values())
    assert cost.optimizer >= 2 * 4 * numbers
    assert cost.weights >= 4 * numbers
    assert 4 * 5 * (16 + 3) <= cost.activations < 4 * 5 * 400
    assert "1,000 samples" in cost.lines[-1]


@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("kind", [torch.nn.Conv2d, torch.nn.ConvTranspose2d])
def test_a_convolution_costs_twice_as_much_on_the_way_back(kind, groups):
    layer = kind(8, 12, 3, padding=1, groups=groups, device="meta")
    x = torch.zeros(2, 8, 5, 5, device="meta", requires_grad=True)
    with Products() as forward:
        y = layer(x)
    with Products() as backward:
        y.sum().backward()
    assert forward.count == 2 * 5 * 5 * 8 * 12 * 9 / groups
    assert backward.count == 2 * forward.count


def test_a_dry_run_writes_nothing_and_says_the_cost(tmp_path, caplog, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = images(tmp_path / "some.npz", (8, 8))
    before = sorted(tmp_path.rglob("*"))
    with caplog.at_level("INFO"):
        training.run(compose("train", [*TINY, f"data.path={file}", "dry_run=true"]))
    assert sorted(tmp_path.rglob("*")) == before
    text = caplog.text
    for word in ("generator", "discriminator", "multiply-adds", "activations", "samples"):
        assert word in text


def test_more_samples_per_update_hold_more_and_cost_the_same_each(tmp_path):
    file = images(tmp_path / "some.npz", (8, 8))
    small, large = (
        dry_run(compose("train", [*TINY, f"data.path={file}", f"batching.batch_size={size}"]))
        for size in (8, 16)
    )
    assert large.update == pytest.approx(small.update)
    assert large.activations == pytest.approx(2 * small.activations, rel=0.1)
    assert large.samples == 2 * small.samples == 20 * 4 * 16


@pytest.mark.parametrize("model", ["tvae", "ctgan"])
def test_rows_of_a_file_have_a_cost_too(tmp_path, model):
    given = words(tmp_path, "dry_run=true")
    if model == "ctgan":
        given = [word for word in given if "coder" not in word and "monitor" not in word]
    cost = dry_run(compose("train", [f"model={model}", *given]))
    assert min(cost.update, cost.weights, cost.optimizer, *cost.forward.values()) > 0
    assert not (tmp_path / "run").exists()


def test_a_dry_run_is_true_or_false(tmp_path):
    with pytest.raises(ValueError, match="dry_run must be true or false"):
        training.run(compose("train", words(tmp_path, "dry_run=maybe")))
