"""A double of a simulator that can be told what its things are: scenes as rows of factors."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from genmodels.schema import Column, TableSchema

LEVELS = {
    "weather": ("sun", "rain", "snow"),
    "time": ("day", "night"),
    "class": ("car", "bus", "bicycle"),
}


@dataclass(frozen=True)
class Scenes:
    """Rows of weather, time, class and density; snow and bicycles are never drawn together.

    Args:
        told: what thing i is, i % len(told); empty: as it comes.
    """

    told: tuple[dict, ...] = ()
    name: str = "scenes"
    block_rows: int = 16
    notes: tuple[str, ...] = ()
    fit: None = None

    @property
    def schema(self):
        columns = (Column(name, "categorical", levels=levels) for name, levels in LEVELS.items())
        return TableSchema((*columns, Column("density", "continuous")))

    def rows_of(self, n):
        return n

    def covering(self, combinations):
        for one in combinations:
            unknown = set(one) - {*LEVELS, "density"}
            if unknown:
                raise ValueError(f"simulator=scenes has no factor {sorted(unknown)[0]!r}")
        return Scenes(told=tuple(dict(one) for one in combinations))

    def block(self, number, *, seed, device):
        rows = range(number * self.block_rows, (number + 1) * self.block_rows)
        drawn = [self._scene(i, seed) for i in rows]
        return pa.table({name: [scene[name] for scene in drawn] for name in drawn[0]})

    def _scene(self, i, seed):
        rng = np.random.default_rng([seed, i])
        scene = {name: str(rng.choice(levels)) for name, levels in LEVELS.items()}
        if scene["weather"] == "snow" and scene["class"] == "bicycle":
            scene["class"] = "car"
        scene["density"] = float(rng.random())
        return scene | (self.told[i % len(self.told)] if self.told else {})

    def facts(self):
        return {"name": self.name, "parameters": {}, "cannot_make": ["pedestrians"]}

    def fitted(self, observed):
        raise ValueError("scenes are not fitted")
