"""Terms of a generator's loss that read its outputs before the head, or their slopes."""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from genmodels.layout import Block, Condition, Groups, Layout, TableLayout
from genmodels.scores import SPREAD, piecewise_linear
from genmodels.types import Batch

__all__ = ["ConditionTerm", "PairTerm", "PathLength", "Styled"]


class ConditionTerm(nn.Module):
    """Cross entropy between the condition and the logits of the block that it names.

    t(o, c) = log sum_j exp(o_j) - sum_j c_j o_j, with j over the levels of the group that is on.

    Args:
        condition: groups with a dense `start`; a group without one is not part of the sample
            and cannot be asked for here.
        weight: factor.

    References:
        Xu et al., "Modeling Tabular Data using Conditional GAN", 2019, section 4.3.
    """

    levels: Tensor
    places: Tensor
    blocks: Tensor
    padding: Tensor

    def __init__(self, *, condition: Condition, weight: float = 1.0) -> None:
        super().__init__()
        missing = [g.name for g in condition.groups if g.start is None]
        if missing:
            raise ValueError(
                f"the condition term cannot read {', '.join(map(repr, missing))} from the sample; "
                "remove it with `~model.terms.condition`"
            )
        self.weight = weight
        widest = max((g.size for g in condition.groups), default=0)
        levels: list[int] = []
        places: list[int] = []
        blocks: list[list[int]] = []
        padding: list[list[bool]] = []
        for number, group in enumerate(condition.groups):
            start = group.start or 0
            levels += range(start, start + group.size)
            places += [number] * group.size
            blocks.append([start + min(j, group.size - 1) for j in range(widest)])
            padding.append([j >= group.size for j in range(widest)])
        self.register_buffer("levels", torch.tensor(levels, dtype=torch.float32), False)
        self.register_buffer("places", torch.tensor(places, dtype=torch.float32), False)
        self.register_buffer("blocks", torch.tensor(blocks, dtype=torch.long), False)
        self.register_buffer("padding", torch.tensor(padding, dtype=torch.bool), False)

    def forward(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Outputs (B, D) and a batch with c (B, K) -> (B,); zero where nothing is on."""
        if not len(self.levels):
            return outputs.new_zeros(len(outputs))
        c, outputs = batch.c, outputs.to(batch.c.dtype)
        level, group = (c * self.levels).sum(1).long(), (c * self.places).sum(1).long()
        inside = outputs.gather(1, self.blocks.index_select(0, group))
        inside = inside.masked_fill(self.padding.index_select(0, group), -torch.inf)
        chosen = outputs.gather(1, level.unsqueeze(1)).squeeze(1)
        return (inside.logsumexp(1) - chosen) * (self.weight * c.sum(1))


class PairTerm(nn.Module):
    """What pairs of variables look like together: the best quadratic discriminator, without one.

    t(o) = f^T A f - tr(A R), A = weight (M - R) outside the pairs of one variable, where f are
    features of a row, R and M their second moments E f f^T over real and over generated rows.
    Given the latent, variables are independent, so f may hold the probabilities of levels
    instead of drawn ones: M is exact, and so is the gradient. M and R are running averages over
    the batches; the mean of t is weight |M - R|^2 when the generator stands still.

    The features are 1, the levels, and of a score y and the piecewise linear code of Phi(y), zero
    where it does not count; each is divided by (E f^2 + floor)^(1 / 4) over real rows, between
    counting every row alike and counting every level alike.

    Args:
        layout: of a table.
        weight: factor.
        cells: of the piecewise linear code of a score.
        floor: keeps the rarest levels from counting more than their noise allows.
        inertia: share of the averages that is kept from one batch to the next.
        most: with more features, each update pairs a random choice of so many, and no averages
            are kept.

    References:
        Li et al., "Generative Moment Matching Networks", 2015, eq. 3 (with a kernel of degree 2).
    """

    seen: Tensor
    real: Tensor
    fake: Tensor
    owners: Tensor
    scalars: Tensor
    gates: Tensor
    ungated: Tensor
    steps: Tensor

    def __init__(
        self, *, layout: Layout, weight: float, cells: int, floor: float, inertia: float, most: int
    ) -> None:
        super().__init__()
        if not isinstance(layout, TableLayout):
            raise ValueError(
                "PairTerm compares the variables of a table, but the data are images; remove it "
                "with `~model.terms.pairs`"
            )
        self.weight, self.floor = weight, floor
        self.inertia, self.most, self.groups = inertia, most, Groups(layout)
        gates = [gate for block in layout.blocks for gate in _gates(layout, block)]
        owners = [-1, *_owners(layout)]
        owners += [owners[1 + i] for i in layout.continuous for _ in range(cells)]
        index = {
            "owners": owners,
            "scalars": layout.continuous,
            "gates": [max(g, 0) for g in gates],
        }
        for name, places in index.items():
            self.register_buffer(name, torch.tensor(places, dtype=torch.long), False)
        self.register_buffer("ungated", torch.tensor([float(g < 0) for g in gates]), False)
        self.register_buffer("steps", torch.arange(cells, dtype=torch.float32), False)
        self.register_buffer("seen", torch.zeros(()))
        size = len(owners) if len(owners) <= most else 0
        for name in ("real", "fake"):
            self.register_buffer(name, torch.zeros(size, size))

    def features(self, x: Tensor) -> Tensor:
        """Rows (B, D), whose levels may be probabilities -> features (B, 1 + D + F cells)."""
        one = x.new_ones(len(x), 1)
        if not len(self.scalars):
            return torch.cat([one, x], 1)
        counts = torch.maximum(x.index_select(1, self.gates), self.ungated)
        y = x.index_select(1, self.scalars) * SPREAD
        code = piecewise_linear(torch.special.ndtr(y), self.steps) * counts.unsqueeze(2)
        return torch.cat([one, x.index_copy(1, self.scalars, y * counts), code.flatten(1)], 1)

    def forward(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Outputs (B, D) and a batch with x (B, D) -> (B,)."""
        outputs = outputs.to(batch.x.dtype)
        scores = outputs.index_select(1, self.scalars).tanh()
        soft = self.groups.softmax(outputs).index_copy(1, self.scalars, scores)
        chosen = self.chosen()
        fake, real = (self.features(x).index_select(1, chosen) for x in (soft, batch.x))
        with torch.no_grad():
            found, wanted = (f.t() @ f / len(f) for f in (fake, real))
            critic, goal = self.critic(found, wanted, self.owners[chosen])
        return ((fake @ critic) * fake).sum(1) - (critic * goal).sum()

    def chosen(self) -> Tensor:
        """Which features are paired now."""
        count = len(self.owners)
        if count <= self.most:
            return torch.arange(count, device=self.owners.device)
        return torch.randperm(count, device=self.owners.device)[: self.most]

    def critic(self, fake: Tensor, real: Tensor, owners: Tensor) -> tuple[Tensor, Tensor]:
        """A and R, both (C, C), from the moments of a batch and the averages, renewed here."""
        if len(self.real):
            kept = self.inertia * (self.seen > 0)
            self.fake.copy_(torch.lerp(fake.to(self.fake.dtype), self.fake, kept))
            self.real.copy_(torch.lerp(real.to(self.real.dtype), self.real, kept))
            self.seen.fill_(1.0)
            fake, real = self.fake, self.real.clone()
        scale = (real.diagonal() + self.floor).pow(-0.25)
        apart = (owners[:, None] != owners) * (scale[:, None] * scale).square()
        return self.weight * apart * (fake - real), real


@runtime_checkable
class Styled(Protocol):
    """A generator in two steps, with a latent w between them."""

    def style(self, z: Tensor, c: Tensor) -> Tensor:
        """(B, Z), (B, K) -> w (B, W), one for all layers."""

    def synthesise(self, w: Tensor) -> Tensor:
        """Styles w (B, W) -> outputs (B, ...)."""


class PathLength(nn.Module):
    """(|J^T y| - a)^2: steps in w of one length should change outputs by one length everywhere.

    J = d outputs / d w; y is standard normal, divided by the square root of the number H W of
    positions; a is the running mean of |J^T y|. It is taken in every `every`-th update of the
    generator, on samples of its own, and then counts `every` times.

    Args:
        weight: factor; that of the paper is 1 / (log2(r) - 1) with outputs of r x r.
        every: updates of the generator between two evaluations, at least 1.
        share: of the batch, in (0, 1].
        inertia: share of the mean that is kept from one evaluation to the next, in [0, 1).

    Raises:
        ValueError: when a number is out of its range.

    References:
        Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020, eq. 4 and
        appendix B; section 3.1 (lazy regularisation).
    """

    total: Tensor
    gathered: Tensor

    def __init__(self, *, weight: float, every: int, share: float, inertia: float) -> None:
        super().__init__()
        if every < 1 or not 0.0 < share <= 1.0 or not 0.0 <= inertia < 1.0:
            raise ValueError(
                "PathLength: every must be at least 1, share in (0, 1] and inertia in [0, 1), "
                f"got every={every}, share={share}, inertia={inertia}"
            )
        self.weight, self.every = weight, every
        self.share, self.inertia = share, inertia
        self.register_buffer("total", torch.zeros(()))
        self.register_buffer("gathered", torch.zeros(()))

    def due(self, update: int) -> bool:
        return update % self.every == 0

    def probe(self, generator: nn.Module, z: Tensor, c: Tensor) -> Tensor:
        """Latents (B, Z) and c (B, K) -> (b,), weight included, of the first b = share B of them.

        Raises:
            ValueError: for a generator that is not `Styled`.
        """
        if not isinstance(generator, Styled):
            raise ValueError(
                "PathLength needs a generator with styles, such as that of model=stylegan2; "
                "remove it with `model.terms.path_length=null`"
            )
        rows = max(1, int(self.share * len(z) + 0.5))
        lengths = path_lengths(generator, z[:rows], c[:rows])
        with torch.no_grad():
            self.total.lerp_(lengths.mean().to(self.total.dtype), 1.0 - self.inertia)
            self.gathered.lerp_(torch.ones_like(self.gathered), 1.0 - self.inertia)
            mean = self.total / self.gathered
        return (lengths - mean.to(lengths.dtype)).square() * (self.weight * self.every)


def path_lengths(generator: Styled, z: Tensor, c: Tensor) -> Tensor:
    """|J^T y| for one y per sample, (B,); differentiable in the generator's weights."""
    w = generator.style(z, c)
    outputs = generator.synthesise(w)
    y = torch.randn_like(outputs) / math.sqrt(math.prod(outputs.shape[2:]))
    (slopes,) = torch.autograd.grad((outputs * y).sum(), w, create_graph=True)
    return (slopes.square().sum(1) + 1e-12).sqrt()


def _owners(layout: TableLayout) -> list[int]:
    """The variable of each dense position: a number and its states are one."""
    found: list[int] = []
    for k, block in enumerate(layout.blocks):
        states = k > 0 and layout.blocks[k - 1].gated
        found += [k - 1 if states else k] * block.width
    return found


def _gates(layout: TableLayout, block: Block) -> list[int]:
    """Of each scalar of a block: the dense position of the level that opens it, -1 for none."""
    if block.kind == "categorical":
        return []
    return [layout.slices[block.name].stop if block.gated else -1] * block.width
