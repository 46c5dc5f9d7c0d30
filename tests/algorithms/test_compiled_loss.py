"""The discriminator's loss compiled as a whole: the same numbers, or a warning and no harm."""

import logging

import pytest
import torch
import torch._inductor.config as inductor_config

from genmodels.algorithms.traced import CompiledLoss
from genmodels.types import Batch
from tests.algorithms.test_image_updates import PENALTIES, augmentation, batch, gan, optimizers


def double(model, backend):
    """In float64, where a difference of views loses nothing, with a backend of choice."""
    model = model.double()
    model.compiled = CompiledLoss(
        discriminator=model.discriminator,
        augment=model.augment,
        loss=model.loss,
        joint=model.joint,
        backend=backend,
    )
    data = batch(model)
    return model, Batch(data.x.double(), data.c.double())


def losses_and_gradients(model, data, compiled):
    """The same draws for both, as the compiler may keep torch's own."""
    kept, model.compiled = model.compiled, model.compiled if compiled else None
    torch.manual_seed(5)
    values = model.discriminator_losses(model.penalties, data, -data.x.flip(0))
    total = torch.stack(list(values)).sum()
    gradients = torch.autograd.grad(total, list(model.discriminator.parameters()))
    model.compiled = kept
    return [value.detach() for value in values], gradients


def assert_equal_to_eager(model, data):
    eager, compiled = (losses_and_gradients(model, data, flag) for flag in (False, True))
    assert model.compiled is not None
    assert not model.compiled.failed
    torch.testing.assert_close(compiled, eager, rtol=1e-5, atol=1e-7)


TRACED = [
    ("r1_r2", True),
    ("differences", False),
    *(
        pytest.param(name, joint, marks=pytest.mark.slow)
        for name, joint in [("none", True), ("r1", True), ("r1", False), ("forward", True)]
    ),
]


@pytest.mark.parametrize(("penalties", "joint"), TRACED)
def test_the_whole_loss_can_be_traced_to_equal_losses_and_gradients(penalties, joint):
    torch.manual_seed(0)
    made = gan(penalties=penalties, augment=augmentation() if joint else None, joint=joint)
    assert_equal_to_eager(*double(made, "aot_eager"))


@pytest.mark.slow
@pytest.mark.parametrize("penalties", PENALTIES)
def test_the_compiled_loss_equals_the_eager_one(penalties):
    torch.manual_seed(0)
    model, data = double(gan(penalties=penalties, augment=augmentation()), "inductor")
    with inductor_config.patch(fallback_random=True):
        assert_equal_to_eager(model, data)


def refuse(graph, inputs):
    raise RuntimeError("no compiler here")


def test_a_compiler_that_fails_leaves_one_warning_and_the_eager_result(caplog):
    weights = []
    for backend in (refuse, None):
        torch.manual_seed(0)
        model, data = double(gan(penalties="r1_r2", augment=augmentation()), backend)
        model.compiled = None if backend is None else model.compiled
        steps = optimizers(model)
        torch.manual_seed(1)
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                model.update(data, steps, measure=False)
                model.num_samples += 12
        weights.append(torch.cat([p.flatten() for p in model.parameters()]))
    said = [r.getMessage() for r in caplog.records if "model.compile=true" in r.getMessage()]
    assert len(said) == 1
    assert "no compiler here" in said[0]
    assert torch.equal(*weights)


def test_a_schedule_and_a_lazy_penalty_do_not_compile_twice():
    counted = []

    def count(graph, inputs):
        counted.append(graph)
        return graph.forward

    torch.manual_seed(0)
    model, data = double(gan(penalties="r1_r2"), count)
    steps = optimizers(model)
    for number in range(6):
        model.update(data, steps, measure=False)
        model.num_samples = 12 * (number + 1)
    assert not model.compiled.failed
    assert len(counted) == 2  # r1 and r2 together, and r1 alone


def test_the_switch_is_off_unless_asked_for():
    assert gan().compiled is None
    assert gan(compile=True).compiled is not None
