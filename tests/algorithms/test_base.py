"""The clock, the meter, checkpoints: what every model inherits."""

from functools import partial
from types import SimpleNamespace

import lightning as L
import pytest
import torch
from torch.utils.data import DataLoader

from genmodels.algorithms.meter import Meter
from genmodels.algorithms.optimizers import average_gradients, build_optimizer, gradient_norm
from tests.algorithms import mixed
from tests.algorithms.tables import CONDITION, NONE, batch, gan, vae

QUIET = ("num_workers", "logging interval", "validation_step", "LeafSpec", "litlogger")
pytestmark = [pytest.mark.filterwarnings(f"ignore:.*{words}") for words in QUIET]
MODELS = [pytest.param(gan, CONDITION, id="gan"), pytest.param(vae, NONE, id="vae")]


def test_the_meter_gives_means_over_everything_added_and_starts_afresh():
    meter = Meter()
    meter.add("a", torch.tensor(1.0, requires_grad=True))
    meter.add("a", torch.tensor([2.0, 3.0]))
    meter.add("b", torch.tensor(5.0))
    assert meter.flush() == {"a": 2.0, "b": 5.0}
    assert meter.flush() == {}


def fit(model, condition, folder, *, epochs, checkpoint=None):
    lists = [[batch(condition, seed=3 * i + j) for j in range(3)] for i in range(2)]
    trainer = L.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )
    loader = DataLoader(lists, batch_size=None, generator=torch.Generator())
    trainer.fit(model, loader, ckpt_path=checkpoint, weights_only=True)
    return trainer


@pytest.mark.parametrize(("make", "condition"), MODELS)
def test_a_resumed_training_ends_where_an_uninterrupted_one_does(make, condition, tmp_path):
    torch.manual_seed(1)
    whole = make()
    fit(whole, condition, tmp_path, epochs=2)
    assert int(whole.samples_seen) == whole.num_samples == 2 * 2 * 3 * 12
    assert not whole.nonfinite

    first = make()
    trainer = fit(first, condition, tmp_path, epochs=1)
    path = tmp_path / "first.ckpt"
    trainer.save_checkpoint(path)
    torch.load(path, weights_only=True)
    torch.rand(100)
    second = make()
    fit(second, condition, tmp_path, epochs=2, checkpoint=path)
    assert second.num_samples == whole.num_samples
    state = second.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in whole.state_dict().items())


def test_values_that_are_not_finite_raise_the_flag(tmp_path):
    model = vae()
    with torch.no_grad():
        next(model.decoder.parameters()).fill_(torch.nan)
    fit(model, NONE, tmp_path, epochs=1)
    assert model.nonfinite


def test_whole_betas_from_yaml_are_accepted_and_adam_is_fused():
    p = torch.nn.Parameter(torch.ones(2))
    optimizer = build_optimizer(partial(torch.optim.Adam, lr=0.1, betas=[0, 0.99]), [p])
    assert optimizer.defaults["betas"] == (0.0, 0.99)
    assert optimizer.defaults["fused"]
    sgd = build_optimizer(partial(torch.optim.SGD, lr=0.1), [p])
    p.grad = torch.tensor([3.0, 4.0])
    assert gradient_norm([p]).item() == pytest.approx(5.0)
    sgd.step()
    torch.testing.assert_close(p.detach(), torch.tensor([0.7, 0.6]))


def average_in_process(rank, folder):
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2
    )
    params = [torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(3))]
    params[0].grad = torch.full((2,), float(rank))
    if rank == 1:
        params[1].grad = torch.full((3,), 4.0)
    average_gradients(params)
    assert params[0].grad.tolist() == [0.5, 0.5]
    assert params[1].grad.tolist() == [2.0, 2.0, 2.0]
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_average_their_gradients(tmp_path):
    torch.multiprocessing.spawn(average_in_process, (str(tmp_path),), nprocs=2)


def test_one_process_leaves_gradients_alone():
    p = torch.nn.Parameter(torch.ones(2))
    average_gradients([p])
    assert p.grad is None


class Frequent(torch.nn.Module):
    """Notes from which levels it was asked to start."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def start_from(self, codes):
        self.asked.append(codes)


@pytest.mark.parametrize(("make", "condition"), MODELS)
def test_every_module_that_can_starts_from_the_training_levels_however_deep(make, condition):
    model, codes = make(), torch.zeros(3, 2)
    starting = [Frequent(), Frequent()]
    model.first, model.second = starting[0], torch.nn.Sequential(torch.nn.ModuleList(starting[1:]))
    data = SimpleNamespace(train=SimpleNamespace(encoded={"codes": codes}))
    model._trainer = SimpleNamespace(datamodule=data)
    model.on_fit_start()
    assert all(len(module.asked) == 1 and module.asked[0] is codes for module in starting)


def test_all_weights_of_a_prior_start_from_the_training_levels():
    model, rows = mixed.prior(), mixed.encoded(50)
    data = SimpleNamespace(train=SimpleNamespace(encoded=rows))
    model._trainer = SimpleNamespace(datamodule=data)
    model.on_fit_start()
    wanted = mixed.likelihood()
    wanted.start_from(rows["codes"])
    copies = (model.average, model.chosen.modules_by_name)
    for made in (model.likelihood, *(modules["likelihood"] for modules in copies)):
        for found, bias in zip(made.biases, wanted.biases, strict=True):
            assert torch.equal(found, bias)
