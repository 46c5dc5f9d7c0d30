"""What the transformer alone does: its formula, tokens, dropout, rounding, and how it grows."""

import math

import pytest
import torch
from torch.nn.functional import layer_norm

from genmodels.arrangement import Compact
from genmodels.layout import Block, TableLayout
from genmodels.networks.attention import AttentionBlock
from genmodels.networks.transformer import Transformer
from tests.algorithms.mixed import LAYOUT, batch, encoded, prior
from tests.networks.ordered import SIZES, hidden, of, transformer

LEVELS = TableLayout(
    (Block("a", "categorical", 2), Block("b", "categorical", 3), Block("c", "categorical", 2))
)


def test_what_is_known_counts_and_not_when_it_became_known():
    made, rows, found = transformer(), encoded(6), []
    for order in ((0, 1, 3), (3, 0, 1)):
        drawn = made.start(6)
        with torch.no_grad():
            for i in order:
                made.observe(drawn, i, *of(made, rows, i), None)
            found.append(made.read(drawn, 4, None)[0])
    assert torch.equal(*found)


def test_a_block_is_its_formula():
    torch.manual_seed(3)
    block = AttentionBlock(hidden=6, heads=2, inner=8, layers=1).double()
    x, tokens = torch.randn(2, 1, 6).double(), torch.randn(3, 1, 6).double()
    visible = torch.tensor([[True, False, False], [True, False, True]])
    with torch.no_grad():
        found = block(x, tokens, visible, None)[:, 0]
        for j in range(2):
            query, read = block.query(block.norms[0](x[j, 0])), []
            for head in (slice(0, 3), slice(3, 6)):
                seen = tokens[visible[j], 0]
                logits = block.key(seen)[:, head] @ query[head] / math.sqrt(3)
                read.append(logits.softmax(0) @ block.value(seen)[:, head])
            y = x[j, 0] + block.out.weight @ torch.cat(read)
            gate, up = block.up(block.norms[1](y)).chunk(2)
            y = y + block.down(gate * gate.sigmoid() * up)
            torch.testing.assert_close(found[j], y)


def test_a_token_is_the_normalised_map_of_the_features_of_its_variable():
    made, rows = transformer(), encoded(7)
    with torch.no_grad():
        fixed, learned, _ = made.features(rows["values"], rows["codes"].long())
        tokens, whole = made.tokens(fixed, learned), torch.cat([fixed, learned], 1)
        torch.testing.assert_close(tokens[0], layer_norm(made.tokens.begin, (16,)).expand(7, -1))
        for i, own in enumerate(made.features.columns()):
            group, row = made.tokens.homes[i]
            mapped = whole[:, own] @ made.tokens.weights[group][row]
            mapped = mapped - mapped.mean(1, keepdim=True)
            wanted = mapped / (mapped.square().mean(1, keepdim=True) + 1e-5).sqrt()
            torch.testing.assert_close(tokens[1 + i], wanted, rtol=1e-4, atol=1e-4)


def test_the_probabilities_of_all_rows_sum_to_one_in_any_order():
    model = prior(LEVELS, network=transformer(LEVELS))
    codes = torch.cartesian_prod(torch.arange(2), torch.arange(3), torch.arange(2)).int()
    x = Compact(LEVELS)({"values": torch.zeros(12, 0), "codes": codes})
    for rank in ([0.0, 1.0, 2.0], [2.0, 0.0, 1.0], [1.0, 2.0, 0.0]):
        model.network.rank.copy_(torch.tensor(rank))
        assert model.log_prob(x).exp().sum().item() == pytest.approx(1.0, abs=1e-5)


def test_an_update_needs_no_value_on_the_host_and_trains_every_parameter():
    model = prior(network=transformer(dropout=0.5)).to("meta")
    (optimizer,) = optimizers = [model.configure_optimizers()]
    data = batch(8).to("meta")
    for _ in range(4):  # the fourth is in a random order
        loss = model.update(data, optimizers, measure=True)
        model.num_samples += 8
    assert loss.device.type == "meta"
    assert len(optimizer.state) == len(model.trained())


def test_training_lowers_the_loss_and_the_average_follows():
    model, data = prior(network=transformer(dropout=0.1)), batch(64)
    optimizers = [model.configure_optimizers()]
    before = -model.log_prob(data.x).mean().item()
    for _ in range(120):
        last = model.update(data, optimizers, measure=False).item()
        model.num_samples += 64
    assert last < before - 1.0
    assert -model.log_prob(data.x).mean().item() < before - 1.0


def test_rounded_products_stay_near():
    made, rows = transformer(), encoded(32)
    exact, _ = hidden(made, rows)
    with torch.autocast("cpu", torch.bfloat16):
        rounded, _ = hidden(made, rows)
    assert not torch.equal(exact, rounded)
    assert (exact - rounded).abs().max().item() < 0.1


def test_dropout_is_for_training_alone():
    made, rows = transformer(dropout=0.5), encoded(8)
    torch.manual_seed(0)
    assert not torch.equal(hidden(made, rows)[0], hidden(made, rows)[0])
    made.eval()
    assert torch.equal(hidden(made, rows)[0], hidden(made, rows)[0])
    torch.testing.assert_close(hidden(made, rows)[0], hidden(transformer(), rows)[0])


def test_its_weights_make_another_one_the_same():
    made, rows = transformer(), encoded(8)
    torch.manual_seed(9)
    twin = Transformer(layout=LAYOUT, target=None, **SIZES)
    assert not torch.equal(hidden(twin, rows)[0], hidden(made, rows)[0])
    twin.load_state_dict(made.state_dict())
    assert torch.equal(hidden(twin, rows)[0], hidden(made, rows)[0])


def test_the_size_does_not_grow_with_the_square_of_the_number_of_variables():
    sizes = []
    for count in (250, 1000):
        wide = TableLayout(tuple(Block(f"k{i}", "categorical", 2) for i in range(count)))
        made = transformer(wide, hidden=64, heads=4)
        sizes.append(sum(p.numel() for p in made.parameters()))
    assert sizes[1] < 4 * sizes[0]
    assert hidden(made, encoded(2, wide))[0].shape == (1000, 2, 64)


@pytest.mark.parametrize(("key", "value"), [("heads", 3), ("layers", 0)])
def test_sizes_that_do_not_fit_are_refused_by_name(key, value):
    with pytest.raises(ValueError, match=rf"model\.network\.{key}"):
        transformer(**{key: value})
