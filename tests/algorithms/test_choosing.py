"""The weights that samples come from: the best sum first, then the best of each variable."""

import torch

from genmodels.algorithms.base import Chooses
from tests.algorithms.mixed import batch, prior


def measured(model, losses):
    """Pretend that the averaged weights had these losses per variable."""
    model.measured = [(torch.tensor(losses, dtype=torch.float64), 1)]
    return model.choose()


def marked(model, value):
    with torch.no_grad():
        for parameter in model.average.parameters():
            parameter.fill_(value)


def weights(model):
    """One weight of each variable: the bias of its hidden layer."""
    network, _ = model.sampled()
    return network.biases[0][:, 0, 0].tolist()


def test_a_prior_chooses():
    assert isinstance(prior(), Chooses)


def test_before_a_measurement_samples_come_from_the_average():
    model = prior()
    marked(model, 0.25)
    assert weights(model) == [0.25] * 5


def test_the_best_sum_is_kept_while_it_improves():
    model = prior()
    marked(model, 1.0)
    assert measured(model, [2.0] * 5) == {"val/loss": 10.0, "val/loss_now": 10.0}
    marked(model, 2.0)
    assert measured(model, [3.0, 1.0, 1.0, 1.0, 1.0])["val/loss"] == 7.0
    assert weights(model) == [2.0] * 5


def test_after_the_first_failure_each_variable_keeps_its_own_best():
    model = prior()
    marked(model, 1.0)
    measured(model, [2.0] * 5)
    marked(model, 2.0)
    assert measured(model, [9.0, 1.0, 1.0, 1.0, 1.0])["val/loss"] == 10.0
    assert model.average["network"].biases[0][0, 0, 0] == 1.0  # training went back
    assert model.network.biases[0][0, 0, 0] == 1.0
    marked(model, 3.0)
    found = measured(model, [1.0, 5.0, 1.5, 5.0, 5.0])
    assert found["val/loss"] == 1.0 + 2.0 + 1.5 + 2.0 + 2.0
    assert weights(model) == [3.0, 1.0, 3.0, 1.0, 1.0]


def test_the_loss_of_the_mixed_weights_is_what_was_promised():
    model, data = prior(any_order=0.0), batch(64)
    held_out = batch(64, seed=1)
    optimizer = model.configure_optimizers()
    for _ in range(12):
        for _ in range(15):
            model.on_train_epoch_start()
            model.update(data, [optimizer], measure=False)
            model.num_samples += 64
        model.validation_step(held_out, 0)
        promised = model.choose()["val/loss"]
    assert bool(model.chosen.apart)
    torch.testing.assert_close(
        -model.log_prob(held_out.x).mean().item(), promised, rtol=1e-4, atol=0
    )


def test_what_variables_share_is_held_fast_once_they_part():
    model = prior()
    measured(model, [2.0] * 5)
    measured(model, [3.0] * 5)
    model.on_train_epoch_start()
    fixed = [name for name, p in model.network.named_parameters() if not p.requires_grad]
    assert fixed
    assert all(name.startswith("features.vectors") for name in fixed)


def test_a_network_that_shares_its_first_layer_stays_with_the_sum():
    model = prior(context="summed")
    marked(model, 1.0)
    measured(model, [2.0] * 5)
    marked(model, 2.0)
    measured(model, [9.0, 1.0, 1.0, 1.0, 1.0])
    assert not bool(model.chosen.apart)
    assert weights(model) == [1.0] * 5


def test_a_measurement_that_is_not_finite_chooses_nothing():
    model = prior()
    marked(model, 1.0)
    measured(model, [2.0] * 5)
    marked(model, 2.0)
    measured(model, [float("nan")] * 5)
    assert weights(model) == [1.0] * 5
