"""Terms of a generator's loss that read its outputs before the head."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genmodels.layout import Condition
from genmodels.types import Batch

__all__ = ["ConditionTerm"]


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
