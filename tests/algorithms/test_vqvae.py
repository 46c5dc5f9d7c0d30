"""Updates of discrete latents and their prior: who learns from whom, and what a bound is."""

import math

import pytest
import torch

from genmodels.algorithms.base import BoundsLikelihood
from genmodels.layout import Condition
from genmodels.likelihoods.images import to_pixels
from genmodels.types import Batch
from tests.algorithms.grids import DECODINGS, LABELLED, QUANTIZERS, batch, train, vqvae

SHAPES = [(1, 8, 8), (1, 20, 28), (2, 17, 31), (4, 32, 32), (3, 64, 48)]
AUTOENCODER = ("learned.encoder", "learned.quantizer", "learned.decoder", "learned.likelihood")


@pytest.mark.parametrize(("sampling", "decoding"), [("mean", "raster"), ("draw", "parallel")])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("quantizer", QUANTIZERS)
def test_updates_and_samples_run_without_the_host(quantizer, shape, sampling, decoding):
    """Any transfer to or from the host raises on this device."""
    ways = {"sampling": sampling, "decoding": decoding, "guidance": 2.0, "top_p": 0.9}
    model = vqvae(quantizer, shape, **ways).to("meta")
    optimizers = model.configure_optimizers()
    for number in range(2):
        model.num_samples = 12 * number
        loss = model.update(batch(model, device="meta"), optimizers, measure=True)
        assert loss.device.type == "meta"
    z, c, u = (torch.empty(4, n, device="meta") for n in (0, 3, model.noise_dim))
    pixels = model.sample(z, c, u)["pixels"]
    assert (pixels.shape, pixels.dtype) == ((4, *shape), torch.uint8)


@pytest.mark.parametrize("decoding", DECODINGS)
@pytest.mark.parametrize("condition", [LABELLED, Condition()], ids=["labelled", "unlabelled"])
@pytest.mark.parametrize("quantizer", QUANTIZERS)
def test_an_update_moves_every_parameter(quantizer, condition, decoding):
    torch.manual_seed(0)
    model = vqvae(quantizer, (2, 5, 7), condition, decoding=decoding)
    before = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    train(model, 2)
    after = dict(model.named_parameters())
    assert before
    assert [name for name, value in before.items() if torch.equal(value, after[name])] == []


def test_the_autoencoder_learns_alone_at_first():
    torch.manual_seed(0)
    model = vqvae(prior_after=24)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    for _ in range(2):
        train(model, 1)
        now = model.state_dict()
        assert all(torch.equal(now[k], v) for k, v in before.items() if ".prior." in k)
    assert "train/prior/loss" not in model.meter.flush()
    train(model, 1)
    assert any(not torch.equal(model.state_dict()[k], v) for k, v in before.items()
               if k.startswith("learned.prior"))  # fmt: skip
    assert "train/prior/loss" in model.meter.flush()


@pytest.mark.parametrize("quantizer", QUANTIZERS)
def test_the_prior_changes_nothing_in_the_autoencoder(quantizer):
    states = []
    for prior_after in (0, 1000):
        torch.manual_seed(0)
        model = vqvae(quantizer, prior_after=prior_after)
        data, optimizers = batch(model), model.configure_optimizers()
        for seed in range(3):
            torch.manual_seed(seed)
            model.update(data, optimizers, measure=False)
        states.append({k: v for k, v in model.state_dict().items() if k.startswith(AUTOENCODER)})
    assert all(torch.equal(states[0][k], v) for k, v in states[1].items())


def test_the_prior_learns_the_tokens_of_the_averaged_encoder(monkeypatch):
    torch.manual_seed(0)
    model = train(vqvae(), 20)
    data, seen = batch(model), []
    prior = model.learned["prior"]
    log_prob = prior.log_prob
    monkeypatch.setattr(prior, "log_prob", lambda t, c: seen.append(t) or log_prob(t, c))
    train(model, 0)
    optimizers = model.configure_optimizers()
    model.prior_phase(data, optimizers[1], False)
    average = model.average["quantizer"](model.average["encoder"](data.x)).tokens
    live = model.learned["quantizer"](model.learned["encoder"](data.x)).tokens
    assert torch.equal(seen[0], average)
    assert not torch.equal(live, average)


@pytest.mark.parametrize("decoding", DECODINGS)
@pytest.mark.parametrize("quantizer", QUANTIZERS)
def test_a_sample_is_a_function_of_its_inputs_alone(quantizer, decoding):
    torch.manual_seed(0)
    model = train(vqvae(quantizer, sampling="draw", decoding=decoding), 2)
    z, c, u = torch.empty(5, 0), batch(model, 5).c, torch.rand(5, model.noise_dim)
    whole = model.sample(z, c, u)["pixels"]
    assert torch.equal(model.train().sample(z, c, u)["pixels"], whole)
    assert model.training
    assert torch.equal(model.sample(z[1:3], c[1:3], u[1:3])["pixels"], whole[1:3])


@pytest.mark.parametrize("quantizer", QUANTIZERS)
def test_weights_for_sampling_survive_saving_and_loading(quantizer):
    torch.manual_seed(0)
    one, other = train(vqvae(quantizer), 2), vqvae(quantizer)
    other.load_sampler_state({k: v.clone() for k, v in one.sampler_state().items()})
    z, data, u = torch.empty(6, 0), batch(one, 6), torch.rand(6, one.noise_dim)
    assert torch.equal(one.sample(z, data.c, u)["pixels"], other.sample(z, data.c, u)["pixels"])
    noise = torch.empty(1, 6, 0)
    assert torch.equal(
        one.log_likelihood_bound(data, noise), other.log_likelihood_bound(data, noise)
    )


def test_the_bound_is_below_the_likelihood_of_all_tokens_together():
    """Four positions of two codes: log p(x | c) = log of the sum over all rows of tokens."""
    torch.manual_seed(0)
    model = train(vqvae(shape=(1, 4, 4)), 5)
    model.average["quantizer"] = model.average["quantizer"].__class__(levels=[2], features=6)
    model.average["prior"] = vqvae(shape=(1, 4, 4)).average["prior"]
    data = batch(model, 3)
    assert isinstance(model, BoundsLikelihood)
    bound = model.log_likelihood_bound(data, torch.empty(2, 3, 0))
    rows = torch.cartesian_prod(*[torch.arange(2)] * 4)
    average = model.average
    outputs = average["decoder"](average["quantizer"].lookup(rows))
    total = []
    for x, c in zip(data.x, data.c, strict=True):
        given = average["likelihood"].log_prob(outputs, x.expand(16, -1, -1, -1))
        prior = average["prior"].log_prob(rows, c.expand(16, -1))
        total.append(torch.logsumexp(given + prior, 0))
        own = average["quantizer"](average["encoder"](x[None])).tokens
        place = int((rows == own).all(1).nonzero())
        assert (given + prior)[place].item() == pytest.approx(bound[len(total) - 1].item())
    assert (bound <= torch.stack(total) + 1e-4).all()


def test_validation_measures_the_bound_and_its_bits():
    torch.manual_seed(0)
    model = vqvae()
    data = batch(model)
    model.validation_step(data, 0)
    found = model.meter.flush()
    bound = -float(model.log_likelihood_bound(data, torch.empty(1, 12, 0)).mean())
    assert found["val/loss"] == pytest.approx(bound)
    assert found["val/reconstruction"] + found["val/prior"] == pytest.approx(bound, rel=1e-5)
    assert found["val/bits_per_dimension"] == pytest.approx(bound / (64 * math.log(2)), rel=1e-5)


def test_updates_fill_the_meter_with_the_agreed_names():
    model = train(vqvae(), 1)
    assert set(model.meter.flush()) == {
        "train/codes_used",
        "train/commitment",
        "train/gradient_norm",
        "train/loss",
        "train/perplexity",
        "train/prior/gradient_norm",
        "train/prior/loss",
        "train/reconstruction",
    }


@pytest.mark.parametrize("quantizer", QUANTIZERS)
def test_two_kinds_of_picture_are_learned_by_their_label(quantizer):
    """Upper half white, or lower half white."""
    torch.manual_seed(0)
    model = vqvae(quantizer)
    optimizers = model.configure_optimizers()
    c = torch.eye(3)[:2].repeat(16, 1)
    upper = torch.ones(1, 8, 8)
    upper[:, 4:] = -1.0
    x = torch.stack([upper, upper.flip(1)]).repeat(16, 1, 1, 1)
    for _ in range(250):
        model.update(Batch(x, c), optimizers, measure=False)
        model.num_samples += 32
    pixels = model.sample(torch.empty(32, 0), c, torch.rand(32, model.noise_dim))["pixels"]
    wrong = (pixels.float() - to_pixels(x).float()).abs().mean((1, 2, 3))
    assert wrong.median() < 30
    again = model.reconstruct(Batch(x, c), torch.rand(32, model.noise_dim))["pixels"]
    assert (again.float() - to_pixels(x).float()).abs().mean() < 20


def test_guidance_zero_ignores_the_label():
    torch.manual_seed(0)
    model = vqvae(guidance=0.0)
    with torch.no_grad():
        model.average["prior"].head.weight.normal_()
    z, c, u = torch.empty(6, 0), batch(model, 6).c, torch.rand(6, model.noise_dim)
    other = c.roll(1, 1)
    assert torch.equal(model.sample(z, c, u)["pixels"], model.sample(z, other, u)["pixels"])
    model.steer({"guidance": 1})
    assert not torch.equal(model.sample(z, c, u)["pixels"], model.sample(z, other, u)["pixels"])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"guidance": -1.0}, "guidance must be a number at least 0, got -1.0"),
        ({"temper": 0.0}, "temper must be a number above 0"),
        ({"top_p": 1.5}, "top_p must be a number above 0 and at most 1"),
        ({"top_p": "much"}, "got 'much'"),
        ({"truncation": 0.7}, "no truncation"),
    ],
)
def test_a_way_of_drawing_that_is_none_is_refused(how, message):
    model = vqvae()
    with pytest.raises(ValueError, match=message):
        model.steer(how)
    assert model.drawing == {"guidance": 1.0, "temper": 1.0, "top_p": 1.0}
