"""The transformer reads what it may and nothing else; step by step as whole rows, like its twin."""

import math

import pytest
import torch
from torch.nn.functional import layer_norm

from genmodels.arrangement import Compact
from genmodels.layout import Block, ImageLayout, TableLayout
from genmodels.networks.attention import AttentionBlock
from genmodels.networks.transformer import Transformer
from tests.algorithms.mixed import LAYOUT, batch, encoded, network, prior

LEVELS = TableLayout(
    (Block("a", "categorical", 2), Block("b", "categorical", 3), Block("c", "categorical", 2))
)
SIZES = {
    "hidden": 16, "layers": 2, "heads": 2, "expansion": 2.0, "dropout": 0.0, "cells": 4,
    "most_cells": 99, "embedding": 5,
}  # fmt: skip


def transformer(layout=LAYOUT, **changes):
    torch.manual_seed(0)
    return Transformer(layout=layout, **({"target": None} | SIZES | changes))


MADE = {
    "full": lambda: network(context="full"),
    "summed": lambda: network(context="summed"),
    "transformer": transformer,
}
BOTH = pytest.mark.parametrize("kind", MADE)


def hidden(made, rows, rank=None):
    values, codes = rows["values"], rows["codes"].long()
    with torch.no_grad():
        return made(values, codes, made.rank if rank is None else rank)


def of(made, rows, j):
    variable = made.arrangement.variables[j]
    value = None if variable.value is None else rows["values"][:, variable.value]
    return value, None if variable.code is None else rows["codes"][:, variable.code].long()


def same(made, j, read, whole):
    h, shift = read
    torch.testing.assert_close(h, whole[0][j], rtol=1e-5, atol=1e-5)
    if shift is not None:
        torch.testing.assert_close(shift, whole[1][j - made.arrangement.scores])


def shuffled(seed):
    return torch.randperm(5, generator=torch.Generator().manual_seed(seed))


def straightened(kind):
    """With a straight path that matters."""
    made = MADE[kind]()
    with torch.no_grad():
        made.straight.normal_(generator=torch.Generator().manual_seed(1))
    return made


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_a_variable_is_read_by_those_of_a_higher_rank_alone(kind, seed):
    made, rows = MADE[kind](), encoded(8)
    rank = shuffled(seed).float()
    before, _ = hidden(made, rows, rank)
    for i, variable in enumerate(made.arrangement.variables):
        changed = {name: value.clone() for name, value in rows.items()}
        if variable.code is not None:
            column = changed["codes"][:, variable.code]
            changed["codes"][:, variable.code] = (column + 1) % variable.levels
        if variable.value is not None:
            changed["values"][:, variable.value] += 0.2
        after, _ = hidden(made, changed, rank)
        assert (before != after).any(2).any(1).tolist() == (rank > rank[i]).tolist()


@BOTH
def test_drawing_one_by_one_reads_what_whole_rows_read(kind):
    made, rows = straightened(kind), encoded(9)
    whole, drawn = hidden(made, rows), made.start(9)
    for number, j in enumerate(made.order):
        with torch.no_grad():
            same(made, j, made.read(drawn, j, number), whole)
            same(made, j, made.read(drawn, j, None), whole)
            made.observe(drawn, j, *of(made, rows, j), None)


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_drawing_in_any_order_reads_what_whole_rows_read_in_it(kind, seed):
    made, rows, order = straightened(kind), encoded(9), shuffled(seed)
    whole, drawn = hidden(made, rows, order.argsort().float()), made.start(9)
    for j in order.tolist():
        with torch.no_grad():
            same(made, j, made.read(drawn, j, None), whole)
            made.observe(drawn, j, *of(made, rows, j), None)


@BOTH
def test_rows_that_know_different_variables_read_as_if_each_were_alone(kind):
    made, rows, others = straightened(kind), encoded(24), encoded(24, seed=7)
    known = torch.rand(24, 5, generator=torch.Generator().manual_seed(2)) < 0.5
    drawn = made.start(24)
    wholes = [
        hidden(made, rows, torch.where(known[row], made.rank - 5, made.rank)) for row in range(24)
    ]
    with torch.no_grad():
        for j in range(5):
            told = [
                None if a is None else torch.where(known[:, j], a, b)
                for a, b in zip(of(made, rows, j), of(made, others, j), strict=True)
            ]
            made.observe(drawn, j, *told, known[:, j])
        for j in made.order:
            h, shift = made.read(drawn, j, None)
            for row in (~known[:, j]).nonzero().flatten().tolist():
                part = None if shift is None else shift[row]
                whole = tuple(x[:, row] for x in wholes[row])
                same(made, j, (h[row], part), whole)
            made.observe(drawn, j, *of(made, rows, j), ~known[:, j])


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


@BOTH
def test_the_target_is_drawn_last(kind):
    usual = MADE[kind]()
    assert [usual.arrangement.variables[j].name for j in usual.order] == ["a", "x", "n", "y", "b"]
    made = {"target": "x"} | ({} if kind == "transformer" else {"context": kind})
    aimed = transformer(**made) if kind == "transformer" else network(**made)
    assert aimed.arrangement.variables[aimed.order[-1]].name == "x"
    assert aimed.rank.argmax().item() == aimed.order[-1]


def test_the_size_does_not_grow_with_the_square_of_the_number_of_variables():
    sizes = []
    for count in (250, 1000):
        wide = TableLayout(tuple(Block(f"k{i}", "categorical", 2) for i in range(count)))
        made = transformer(wide, hidden=64, heads=4)
        sizes.append(sum(p.numel() for p in made.parameters()))
    assert sizes[1] < 4 * sizes[0]
    assert hidden(made, encoded(2, wide))[0].shape == (1000, 2, 64)


@pytest.mark.parametrize("block", [Block("x", "continuous", 1), Block("k", "categorical", 3)])
def test_a_single_variable_of_either_kind_is_enough(block):
    layout = TableLayout((block,))
    h, shift = hidden(transformer(layout), encoded(4, layout))
    assert h.shape == (1, 4, 16)
    assert shift.shape == ((1, 4) if block.kind == "continuous" else (0, 4))


@pytest.mark.parametrize(("key", "value"), [("heads", 3), ("layers", 0)])
def test_sizes_that_do_not_fit_are_refused_by_name(key, value):
    with pytest.raises(ValueError, match=rf"model\.network\.{key}"):
        transformer(**{key: value})


def test_images_are_refused_with_advice():
    with pytest.raises(ValueError, match="model=conv_vae"):
        transformer(ImageLayout(1, 2, 2))
