"""From (seed, row) to a scene: what is asked for, and what chance decides."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from genmodels.simulators.scenes.air import clear_sight
from genmodels.simulators.scenes.camera import Camera
from genmodels.simulators.scenes.placement import draw_street, placed
from genmodels.simulators.scenes.scene import Scene
from genmodels.simulators.scenes.words import Shares

__all__ = ["Conditions", "Plan", "generator", "with_focus"]

_IN_SIGHT = 0.8
"""Share of the sight beyond which nothing is placed, as nobody could tell it: t is 4 % there."""
_MOST = 250
"""Objects of a scene: masks count them in one byte."""


def generator(seed: int, row: int, attempt: int, what: int) -> np.random.Generator:
    """Random numbers of one row, for one purpose."""
    key = (row, attempt, what)
    sequence = np.random.SeedSequence(entropy=seed, spawn_key=key)
    return np.random.Generator(np.random.SFC64(sequence))


@dataclass(frozen=True, slots=True)
class Conditions:
    """What holds for one row.

    Args:
        weather, time: shares; certain where a plan says so.
        classes: shares of the objects that are tried for.
        density: how many, on average.
        focus: a class of which one is surely seen.
    """

    weather: Shares
    time: Shares
    classes: Shares
    density: float
    focus: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """How scenes are drawn by lot.

    Args:
        usual: conditions of every row that no combination speaks of.
        scenery: shares.
        camera_height, fog_sight, view: ranges: metres, metres, and degrees from left to right.
        combinations: of some of weather, time, class and density, which rows take in turn; what
            one does not name is left to chance, as everything is without any.
    """

    usual: Conditions
    scenery: Shares
    camera_height: tuple[float, float]
    fog_sight: tuple[float, float]
    view: tuple[float, float]
    combinations: Sequence[Mapping[str, Any]]

    def conditions(self, row: int) -> Conditions:
        if not self.combinations:
            return self.usual
        told, usual = self.combinations[row % len(self.combinations)], self.usual
        return Conditions(
            weather={told["weather"]: 1.0} if "weather" in told else usual.weather,
            time={told["time"]: 1.0} if "time" in told else usual.time,
            classes=usual.classes,
            density=float(told.get("density", usual.density)),
            focus=told.get("class", usual.focus),
        )

    def levels(self, factor: Literal["weather", "time"], every: Sequence[str]) -> tuple[str, ...]:
        """What rows may have of a factor, in the order of all."""
        usual = set(self.usual.weather if factor == "weather" else self.usual.time)
        found = {one.get(factor) for one in self.combinations}
        if not self.combinations or None in found:
            found |= usual
        return tuple(level for level in every if level in found)

    @property
    def densities(self) -> list[float]:
        """What rows may have."""
        usual = self.usual.density
        return [float(one.get("density", usual)) for one in self.combinations] or [usual]

    def scene(self, rng: np.random.Generator, asked: Conditions, size: tuple[int, int]) -> Scene:
        """A scene under conditions, before it is known what of it is seen."""
        weather, time = _lot(rng, asked.weather), _lot(rng, asked.time)
        street = draw_street(rng, self.scenery)
        camera = self._camera(rng, size, street.lane * (0.5 + int(rng.integers(street.lanes))))
        sight = clear_sight(weather)
        if weather == "fog":
            low, high = (math.log(end) for end in self.fog_sight)
            sight = math.exp(float(rng.uniform(low, high)))
        azimuth = float(rng.uniform(-math.pi, math.pi))
        slant = 0.9 if weather == "clear" and time != "night" else 0.25
        count = min(_MOST, int(rng.poisson(asked.density)))
        things = placed(
            rng,
            camera=camera,
            width=size[1],
            street=street,
            count=max(count, 1) if asked.focus else count,
            classes=asked.classes,
            focus=asked.focus,
        )
        return Scene(
            weather=weather,
            time=time,
            density=asked.density,
            camera=camera,
            street=street,
            things=tuple(thing for thing in things if thing.z < _IN_SIGHT * sight),
            sun=(slant * math.sin(azimuth), slant * math.cos(azimuth)),
            sight=sight,
        )

    def _camera(self, rng: np.random.Generator, size: tuple[int, int], x: float) -> Camera:
        height, width = size
        above = float(rng.uniform(*self.camera_height))
        view = math.radians(float(rng.uniform(*self.view)))
        focal = 0.5 * width / math.tan(view / 2)
        # From higher up one looks farther down, and the horizon is higher in the picture.
        horizon = height * (float(rng.uniform(0.38, 0.5)) - 0.035 * min(above - 1.2, 5.0))
        middle = width * (0.5 + float(rng.uniform(-0.06, 0.06)))
        return Camera(x + float(rng.uniform(-0.3, 0.3)), above, focal, middle, horizon)


def with_focus(asked: Conditions, rng: np.random.Generator) -> Conditions:
    """The same, with a class of focus by lot where none is told."""
    return asked if asked.focus else replace(asked, focus=_lot(rng, asked.classes))


def _lot(rng: np.random.Generator, shares: Shares) -> str:
    return str(rng.choice(list(shares), p=list(shares.values())))
