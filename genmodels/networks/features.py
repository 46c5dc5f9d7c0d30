"""What a network reads of a variable: its score seen in several ways, its level as a vector."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from genmodels.arrangement import Arrangement
from genmodels.scores import FURTHEST, SPREAD, middles, piecewise_linear
from genmodels.variables import Variable

__all__ = ["Features"]

_FEW = 4  # variables with at most so many levels get vectors of this width


class Features(nn.Module):
    """Fixed features of numbers, and learned vectors of other levels, of all variables of a row.

    A variable's fixed features are 1 (it is there), and of a score or an ordered level: the
    normal score y, the standardised value, and the piecewise linear code of u = Phi(y) in
    `cells` cells, 2 clip(cells u - k, 0, 1) - 1. A score that does not count has zeros there.

    Args:
        arrangement: the V variables.
        order: in which their features lie side by side, V numbers.
        cells: of the piecewise linear code of one number, at most.
        most_cells: of all numbers together, as far as 8 each allow.
        embedding: width of the vector of a level; variables with few levels have 4 at most.

    References:
        Gorishniy et al., "On Embeddings for Numerical Features in Tabular Deep Learning", 2022,
        section 3.1 (piecewise linear code).
    """

    curves: Tensor
    states: Tensor
    gated: Tensor
    ordered: Tensor
    ordered_codes: Tensor
    ordered_starts: Tensor
    fixed_columns: Tensor
    learned_columns: Tensor
    steps: Tensor

    def __init__(
        self,
        *,
        arrangement: Arrangement,
        order: Sequence[int],
        cells: int,
        most_cells: int,
        embedding: int,
    ) -> None:
        super().__init__()
        kept = arrangement.variables
        numbers = sum(bool(v.value is not None or v.places) for v in kept)
        cells = min(cells, max(8, most_cells // max(1, numbers)))
        self.variables, self.cells, self.width = kept, cells, 2 + cells
        self.scored = [i for i, v in enumerate(kept) if v.value is not None]
        self.places = [i for i, v in enumerate(kept) if v.value is None and v.places]
        plain = [v.code is not None and (v.value is not None or not v.places) for v in kept]
        self.leveled = [i for i, without_order in enumerate(plain) if without_order]
        self.rank_of_score = {i: k for k, i in enumerate(self.scored)}
        self.register_buffer("steps", torch.arange(cells, dtype=torch.float32), False)
        self._read_scores([kept[i] for i in self.scored])
        self._read_places([kept[i] for i in self.places])
        self._make_vectors([kept[i] for i in self.leveled], embedding)
        self._arrange(order)

    def _read_scores(self, scored: Sequence[Variable]) -> None:
        grids = [v.places or _ramp() for v in scored]
        curves = torch.tensor(grids, dtype=torch.float32).clamp(-FURTHEST, FURTHEST)
        self.register_buffer("curves", curves if scored else torch.zeros(0, 2), False)
        states = [v.code if v.gated and v.code is not None else 0 for v in scored]
        self.register_buffer("states", torch.tensor(states, dtype=torch.long), False)
        self.register_buffer("gated", torch.tensor([v.gated for v in scored]).bool(), False)
        self.any_gated = any(v.gated for v in scored)
        values = torch.tensor([v.value for v in scored], dtype=torch.long)
        self.register_buffer("values", values, False)

    def _read_places(self, ordered: Sequence[Variable]) -> None:
        rows, starts = [torch.zeros(0, self.width)], [0]
        for v in ordered:
            seen = len(v.places)
            u = middles(seen)
            y = torch.special.ndtri(u).float()[:, None]
            place = torch.tensor(v.places).clamp(-FURTHEST, FURTHEST)[:, None]
            found = torch.cat([y, place, self._code(u.float())], 1)
            rows.append(torch.cat([found, torch.zeros(v.levels - seen, self.width)]))
            starts.append(starts[-1] + v.levels)
        codes = torch.tensor([v.code for v in ordered], dtype=torch.long)
        self.register_buffer("ordered", torch.cat(rows), False)
        self.register_buffer("ordered_codes", codes, False)
        self.register_buffer("ordered_starts", torch.tensor(starts[:-1]).long(), False)

    def _make_vectors(self, leveled: Sequence[Variable], width: int) -> None:
        """Two tables, one for the variables with few levels: fewer features to multiply."""
        self.vectors = nn.ParameterList()
        self.groups: list[tuple[list[int], int]] = []
        for few in (True, False):
            chosen = [i for i, v in enumerate(leveled) if (v.levels <= _FEW) == few]
            size = min(_FEW, width) if few else width
            if not chosen:
                continue
            levels = [leveled[i].levels for i in chosen]
            starts = torch.tensor([0, *levels]).cumsum(0)[:-1]
            codes = torch.tensor([leveled[i].code for i in chosen], dtype=torch.long)
            number = len(self.groups)
            self.register_buffer(f"codes{number}", codes, False)
            self.register_buffer(f"starts{number}", starts, False)
            self.vectors.append(nn.Parameter(torch.randn(sum(levels), size) * 0.5))
            self.groups.append(([self.leveled[i] for i in chosen], size))

    def _arrange(self, order: Sequence[int]) -> None:
        """Where the features of each variable end up, when they lie in `order`."""
        owners = [*range(len(self.variables))]
        owners += [i for i in [*self.scored, *self.places] for _ in range(self.width)]
        learned = [i for members, size in self.groups for i in members for _ in range(size)]
        rank = {i: r for r, i in enumerate(order)}
        for name, group in (("fixed", owners), ("learned", learned)):
            columns = sorted(range(len(group)), key=lambda k: rank[group[k]])
            found = torch.tensor([group[k] for k in columns], dtype=torch.long)
            self.register_buffer(f"{name}_columns", torch.tensor(columns).long(), False)
            self.register_buffer(f"{name}_owners", found, False)
        owned = [self.get_buffer(f"{name}_owners").tolist() for name in ("fixed", "learned")]
        self.fixed_slices, self.learned_slices = (_slices(owners) for owners in owned)
        self.stops = [
            [sum(rank[i] < r for i in own) for r in range(len(rank) + 1)] for own in owned
        ]

    def columns(self) -> list[list[int]]:
        """Where the features of each variable lie when learned ones follow all fixed ones."""
        first = len(self.get_buffer("fixed_owners"))
        found: list[list[int]] = [[] for _ in self.variables]
        for start, slices in ((0, self.fixed_slices), (first, self.learned_slices)):
            for i, part in slices.items():
                found[i] += range(start + part.start, start + part.stop)
        return found

    def forward(self, values: Tensor, codes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores (B, F) and levels (B, Q) of whole rows.

        Returns:
            Fixed features (B, A), learned ones (B, E), both in `order`, and the normal scores
            and standardised values of the scores that count, shape (B, 2 F).
        """
        parts = [values.new_ones(len(values), len(self.variables))]
        straight = values.new_zeros(len(values), 0)
        if self.scored:
            seen = self.score_features(values.index_select(1, self.get_buffer("values")), codes)
            straight = torch.cat([seen[:, :, 0], seen[:, :, 1]], 1)
            parts.append(seen.flatten(1))
        if self.places:
            parts.append(
                self.ordered[codes[:, self.ordered_codes] + self.ordered_starts].flatten(1)
            )
        fixed = torch.cat(parts, 1).index_select(1, self.fixed_columns)
        return fixed, self.level_vectors(codes), straight

    def score_features(self, scores: Tensor, codes: Tensor) -> Tensor:
        """Of all scores (B, F): shape (B, F, 2 + cells), zeros where a score does not count."""
        seen = self._seen(scores, self.curves)
        if not self.any_gated:
            return seen
        counts = (codes.index_select(1, self.states) == 0) | ~self.gated
        return seen * counts.unsqueeze(2)

    def level_vectors(self, codes: Tensor) -> Tensor:
        """Learned features (B, E) of the levels (B, Q)."""
        parts = [
            embedding(codes[:, self.get_buffer(f"codes{k}")] + self.get_buffer(f"starts{k}"), table)
            for k, table in enumerate(self.vectors)
        ]
        if not parts:
            return self.curves.new_zeros(len(codes), 0)
        joined = torch.cat([part.flatten(1) for part in parts], 1)
        return joined.index_select(1, self.learned_columns)

    def of(
        self, i: int, value: Tensor | None, code: Tensor | None, rows: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Fixed and learned features of variable i alone, zeros in rows that do not know it.

        Args:
            i: the variable.
            value: its score (B,), if it has one.
            code: its level (B,), if it has levels.
            rows: which rows know it, bool (B,); None: all.
        """
        variable, given = self.variables[i], value if value is not None else code
        assert given is not None
        parts = [torch.ones(len(given), 1, device=given.device)]
        if variable.value is not None:
            assert value is not None
            k = self.rank_of_score[i]
            seen = self._seen(value[:, None], self.curves[k : k + 1])[:, 0]
            parts.append(
                seen * (code == 0)[:, None] if code is not None and variable.gated else seen
            )
        elif variable.places:
            assert code is not None
            start = self.ordered_starts[self.places.index(i)]
            parts.append(self.ordered[code + start])
        fixed, learned = torch.cat(parts, 1), self._vector(i, code, parts[0])
        if rows is None:
            return fixed, learned
        return fixed * rows[:, None], learned * rows[:, None]

    def _vector(self, i: int, code: Tensor | None, one: Tensor) -> Tensor:
        for k, (members, _) in enumerate(self.groups):
            if code is not None and i in members:
                start = self.get_buffer(f"starts{k}")[members.index(i)]
                return embedding(code + start, self.vectors[k])
        return one.new_zeros(len(one), 0)

    def _seen(self, scores: Tensor, curves: Tensor) -> Tensor:
        """Scores (B, F) through curves (F, M): (B, F, 2 + cells)."""
        y = scores * SPREAD
        last = curves.shape[1] - 1
        place = ((scores + 1.0) * (last / 2)).clamp(0.0, last - 1e-4)
        below = place.long()
        flat = curves.flatten()
        index = below + torch.arange(len(curves), device=scores.device) * (last + 1)
        raw = torch.lerp(flat[index], flat[index + 1], place - below)
        u = torch.special.ndtr(y)
        return torch.cat([torch.stack([y, raw], 2), self._code(u)], 2)

    def _code(self, u: Tensor) -> Tensor:
        """(...,) in [0, 1] -> (..., cells)."""
        return piecewise_linear(u, self.steps).mul_(2.0).sub_(1.0)


def _slices(owners: Sequence[int]) -> dict[int, slice]:
    """Where the features of each variable lie, when they lie side by side."""
    found: dict[int, slice] = {}
    for k, owner in enumerate(owners):
        found[owner] = slice(found[owner].start if owner in found else k, k + 1)
    return found


def _ramp() -> tuple[float, ...]:
    """Standardised values of a score that nothing is known about: the normal score itself."""
    return tuple(SPREAD * (k / 128 - 1.0) for k in range(257))
