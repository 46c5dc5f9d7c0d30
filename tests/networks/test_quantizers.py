"""Rounding to codes: what comes back, where gradients go, and a codebook that keeps its codes."""

import pytest
import torch

from genmodels.networks.quantizers import FSQ, Codebook, usage

LEVELS = [(8, 6, 5), (2, 2), (3,), (4, 5, 2)]


def codebook(codes=6, width=2, features=2, decay=0.9, commitment=0.25, dead=0.05, seed=0):
    torch.manual_seed(seed)
    options = {"decay": decay, "commitment": commitment, "dead": dead, "epsilon": 1e-5}
    return Codebook(codes=codes, width=width, features=features, **options)


def identical(book):
    """Let the projections change nothing but the normalisation."""
    with torch.no_grad():
        for layer in (book.into, book.out):
            layer.weight.copy_(torch.eye(2))
            layer.bias.zero_()
    return book


@pytest.mark.parametrize("levels", LEVELS, ids=str)
def test_every_code_of_fsq_comes_back_as_itself(levels):
    fsq = FSQ(levels=levels, features=4)
    every = torch.arange(fsq.codes)[None]
    digits = every[..., None] // fsq.steps % fsq.levels
    assert len({tuple(row) for row in digits[0].tolist()}) == fsq.codes
    # Undo the bound: the point whose rounding is each digit exactly.
    z = torch.atanh((digits - fsq.middle + fsq.offset) / fsq.reach) - fsq.shift
    bounded = torch.tanh(z + fsq.shift) * fsq.reach - fsq.offset
    tokens = ((bounded.round().long() + fsq.middle) * fsq.steps).sum(2)
    assert torch.equal(tokens, every)


@pytest.mark.parametrize("levels", LEVELS, ids=str)
def test_fsq_tokens_are_codes_and_look_up_to_the_vectors_that_the_decoder_saw(levels):
    torch.manual_seed(0)
    fsq = FSQ(levels=levels, features=4)
    found = fsq(torch.randn(50, 7, 4) * 5)
    assert 0 <= int(found.tokens.min()) <= int(found.tokens.max()) < fsq.codes
    torch.testing.assert_close(fsq.lookup(found.tokens), found.vectors)
    assert not found.cost.any()


def test_fsq_reaches_both_ends_of_every_level():
    torch.manual_seed(0)
    fsq = FSQ(levels=[8, 6, 5], features=16)
    with torch.no_grad():
        fsq.into.weight.mul_(4.0)
    tokens = fsq(torch.randn(200, 50, 16)).tokens
    digits = tokens[..., None] // fsq.steps % fsq.levels
    assert digits.amin((0, 1)).tolist() == [0, 0, 0]
    assert digits.amax((0, 1)).tolist() == [7, 5, 4]


def test_fsq_passes_the_gradient_of_the_bound_as_if_nothing_were_rounded():
    torch.manual_seed(0)
    fsq = FSQ(levels=[8, 5], features=3).double()
    h = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 4, 3, dtype=torch.float64)
    (got,) = torch.autograd.grad((fsq(h).vectors * weight).sum(), h)
    normal = torch.nn.functional.layer_norm(h, (3,))
    smooth = torch.tanh(fsq.into(normal) + fsq.shift) * fsq.reach - fsq.offset
    (wanted,) = torch.autograd.grad((fsq.out(smooth / fsq.middle) * weight).sum(), h)
    torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-7)
    assert got.abs().max() > 1e-3


def test_the_codebook_takes_the_nearest_code():
    book = codebook(codes=20, width=3, features=8)
    found = book(torch.randn(5, 4, 8))
    distances = torch.cdist(found.points, book.book.expand(5, -1, -1))
    assert torch.equal(found.tokens, distances.argmin(2))
    nearest = distances.amin(2).square().sum(1)
    torch.testing.assert_close(found.cost, 0.25 * nearest, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(book.lookup(found.tokens), found.vectors)


def test_the_codebook_hands_its_gradient_to_what_was_rounded():
    book = identical(codebook(commitment=0.0))
    h = torch.randn(3, 2, 2, requires_grad=True)
    weight = torch.randn(3, 2, 2)
    (got,) = torch.autograd.grad((book(h).vectors * weight).sum(), h)
    (wanted,) = torch.autograd.grad((torch.nn.functional.layer_norm(h, (2,)) * weight).sum(), h)
    torch.testing.assert_close(got, wanted)


def test_codes_are_the_smoothed_means_of_what_they_stand_for():
    """After one update from N = 1, m = e: N_k = g + (1 - g) n_k, m_k = g e_k + (1 - g) sum."""
    book = codebook(codes=3, dead=0.0, decay=0.8)
    before = book.book.double()
    points = torch.randn(4, 5, 2)
    tokens = torch.arange(20).view(4, 5) % 2  # the third stands for nothing
    book.learn(points, tokens)
    sums = torch.stack([points[tokens == k].sum(0) for k in range(3)]).double()
    counts = 0.8 + 0.2 * torch.tensor([10.0, 10.0, 0.0], dtype=torch.float64)
    smooth = (counts + 1e-5) / (counts.sum() + 3e-5) * counts.sum()
    wanted = (0.8 * before + 0.2 * sums) / smooth[:, None]
    torch.testing.assert_close(book.book.double(), wanted, rtol=1e-5, atol=1e-6)


def test_a_dead_code_takes_the_place_of_a_point_of_the_batch():
    book = codebook(codes=4, decay=0.5, dead=0.1)
    points = torch.randn(8, 5, 2)
    book.learn(points, torch.randint(4, (8, 5)))
    with torch.no_grad():
        book.book[3], book.sums[3], book.counts[3] = 1e3, 0.0, 0.0
    tokens = torch.randint(3, (8, 5))
    others = book.book[:3].clone()
    book.learn(points, tokens)
    flat = points.flatten(0, 1)
    assert (flat - book.book[3]).abs().sum(1).min() < 1e-3
    assert book.counts[3] == 10.0  # of 40 points and 4 codes
    assert all((flat - code).abs().sum(1).min() > 1e-3 for code in book.book[:3])
    assert not torch.equal(others, book.book[:3])


def test_without_restarts_a_dead_code_stays_where_it_is():
    book = codebook(codes=4, dead=0.0)
    before = book.book[3].clone()
    for _ in range(5):
        book.learn(torch.randn(8, 5, 2), torch.randint(3, (8, 5)))
    torch.testing.assert_close(book.book[3], before, rtol=0.01, atol=0.01)


def test_restarts_keep_all_codes_in_use_where_points_are_few():
    """Points in one corner: all codes come to them, so perplexity is near the number of codes."""
    used = {}
    for dead in (0.0, 0.05):
        book = codebook(codes=32, decay=0.9, dead=dead)
        generator = torch.Generator().manual_seed(1)
        for _ in range(60):
            points = 3.0 + 0.1 * torch.randn(16, 16, 2, generator=generator)
            tokens = torch.cdist(points.flatten(0, 1), book.book).argmin(1).view(16, 16)
            book.learn(points, tokens)
        used[dead] = float(usage(tokens, 32)[0])
    assert used[0.0] < 6.0
    assert used[0.05] > 16.0


@pytest.mark.parametrize(
    ("tokens", "perplexity", "share"),
    [([0, 1, 2, 3], 4.0, 0.5), ([5, 5, 5, 5], 1.0, 0.125), ([0, 0, 1, 1], 2.0, 0.25),
     ([0, 0, 0, 7], 4.0 / 3.0**0.75, 0.25)],
)  # fmt: skip
def test_perplexity_is_the_exponential_of_the_entropy(tokens, perplexity, share):
    found = usage(torch.tensor([tokens]), 8)
    assert [float(x) for x in found] == pytest.approx([perplexity, share])


@pytest.mark.parametrize("make", [lambda: FSQ(levels=[4, 4], features=6), codebook])
def test_rounding_of_products_does_not_reach_the_codes(make):
    quantizer = make()
    h = torch.randn(30, 4, quantizer.features)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = quantizer(h)
        vectors = quantizer.lookup(rounded.tokens)
    whole = quantizer(h)
    assert torch.equal(rounded.tokens, whole.tokens)
    assert torch.equal(rounded.vectors, whole.vectors)
    torch.testing.assert_close(vectors, whole.vectors)


def learn_in_process(rank, folder):
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2
    )
    book, whole = codebook(codes=4, dead=0.0), codebook(codes=4, dead=0.0)
    restarted = codebook(codes=4, dead=0.2)
    torch.manual_seed(5)
    points, tokens = torch.randn(8, 3, 2), torch.randint(4, (8, 3))
    own = slice(4 * rank, 4 * rank + 4)
    torch.manual_seed(rank)
    book.learn(points[own], tokens[own])
    restarted.learn(points[own], tokens[own])
    both = [torch.zeros_like(restarted.book) for _ in range(2)]
    torch.distributed.all_gather(both, restarted.book)
    assert torch.equal(*both)
    torch.distributed.destroy_process_group()
    whole.learn(points, tokens)
    torch.testing.assert_close(book.book, whole.book)


@pytest.mark.slow
def test_two_processes_learn_the_codebook_of_one(tmp_path):
    torch.multiprocessing.spawn(learn_in_process, (str(tmp_path),), nprocs=2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FSQ(levels=[8, 1], features=4), r"quantizer\.levels .*\[8, 1\]"),
        (lambda: codebook(codes=1), r"quantizer\.codes"),
        (lambda: codebook(dead=1.0), r"quantizer\.dead"),
    ],
)
def test_what_is_no_set_of_codes_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
