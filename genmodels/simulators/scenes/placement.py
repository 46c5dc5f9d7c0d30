"""Where things stand: vehicles in lanes with the traffic, bicycles at the kerb, people on foot.

Context is what makes simulated scenes worth training on: a car that drives along its lane, at the
size that its distance gives it.

References:
    Prakash et al., "Structured Domain Randomization: Bridging the Reality Gap by Context-Aware
    Synthetic Data", 2018.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from genmodels.simulators.scenes.camera import Camera
from genmodels.simulators.scenes.scene import Street, Thing
from genmodels.simulators.scenes.vehicles import vehicle_size
from genmodels.simulators.scenes.words import Shares

__all__ = ["draw_street", "placed"]

_TRIES = 16
_LOOKS = 8
_REACH = {"car": 46.0, "truck": 55.0, "bus": 55.0, "bicycle": 24.0, "pedestrian": 24.0}
"""Metres ahead within which a class is placed: beyond it has too few pixels to be told."""
_FOCUS_REACH = 0.45
_SPACE = 0.5
"""Metres that things keep from each other."""
_AHEAD = 4.2
"""Metres in front of the camera that are free."""


def draw_street(rng: np.random.Generator, scenery: Shares) -> Street:
    """A street of any kind."""
    kind = str(rng.choice(list(scenery), p=list(scenery.values())))
    lanes = int(rng.integers(1, 3 if kind != "city" else 4))
    has_crossing = rng.random() < (0.2 if kind == "open" else 0.5)
    place = float(rng.uniform(9.0, 22.0))
    parking = 2.2 if kind != "open" and rng.random() < 0.45 else 0.0
    return Street(
        lanes=min(lanes, 2),
        lane=float(rng.uniform(3.1, 3.6)),
        parking=parking,
        pavement=float(rng.uniform(1.6, 3.2)),
        bend=float(rng.normal(0.0, 0.0012)),
        crossing=place if has_crossing else None,
        junction=bool(rng.random() < 0.55),
        scenery=kind,
    )


def placed(
    rng: np.random.Generator,
    *,
    camera: Camera,
    width: int,
    street: Street,
    count: int,
    classes: Shares,
    focus: str | None,
) -> list[Thing]:
    """Things on a street, the one of class `focus` first; fewer where there is no room.

    Args:
        rng: of the scene.
        camera: sees them.
        width: of the picture, pixels.
        street: that they are on.
        count: of things to try for.
        classes: how often each class is tried.
        focus: a class of which one is placed near the middle.
    """
    things: list[Thing] = []
    names = [str(n) for n in rng.choice(list(classes), count, p=list(classes.values()))]
    if focus is not None:
        names = [focus, *names[1:]]
    for k, name in enumerate(names):
        ahead = focus is not None and k == 0
        for _ in range(_TRIES):
            thing = _tried(rng, name, street, near=ahead)
            if _seen(thing, camera, width, middle=ahead) and _free(thing, things, street):
                things.append(thing)
                break
    return things


def _tried(rng: np.random.Generator, name: str, street: Street, *, near: bool) -> Thing:
    u = rng.random(_LOOKS + 6).tolist()
    looks, dice = u[:_LOOKS], u[_LOOKS:]
    reach = _REACH[name] * (_FOCUS_REACH if near else 1.0)
    z = _AHEAD + (reach - _AHEAD) * dice[0] ** 1.5
    if name in ("bicycle", "pedestrian"):
        size = (0.6, 1.75) if name == "bicycle" else (0.6, 0.6)
        found = _cyclist(dice, street, z) if name == "bicycle" else _walker(dice, street, z)
    else:
        size = vehicle_size(name, looks)
        found = _vehicle(name, dice, street, z + size[1] / 2)
    x, z, yaw = found
    return Thing(name, x, z, yaw, *size, looks)


def _vehicle(
    name: str, dice: Sequence[float], street: Street, z: float
) -> tuple[float, float, float]:
    if street.other is not None and dice[1] < 0.16:
        start, stop = street.other
        right = dice[2] < 0.5  # to the right: on the near side of the street that crosses
        lane = start + 1.75 if right else stop - 1.75
        return (dice[3] * 2 - 1) * 14.0, lane, math.pi / 2 if right else -math.pi / 2
    away = dice[2] < 0.55
    if name == "car" and street.parking and dice[1] > 0.62:
        x = street.half - street.parking / 2
    else:
        # Long vehicles keep to the outer lane.
        outer = name != "car" and dice[3] < 0.8
        lane = street.lanes - 1 if outer else int(dice[3] * street.lanes)
        x = (lane + 0.5) * street.lane + (dice[4] - 0.5) * 0.5
    along = math.atan(2 * street.bend * z) + (dice[5] - 0.5) * 0.05
    side = x if away else -x
    return side + street.shift(z), z, along if away else along + math.pi


def _cyclist(dice: Sequence[float], street: Street, z: float) -> tuple[float, float, float]:
    if street.crossing is not None and dice[1] < 0.15:
        yaw = math.pi / 2 if dice[2] < 0.5 else -math.pi / 2
        return (dice[3] * 2 - 1) * street.half, street.crossing + 1.0 + dice[4], yaw
    away = dice[2] < 0.55
    x = street.lanes * street.lane - 0.45 + (dice[4] - 0.5) * 0.3
    along = math.atan(2 * street.bend * z) + (dice[5] - 0.5) * 0.2
    return (x if away else -x) + street.shift(z), z, along if away else along + math.pi


def _walker(dice: Sequence[float], street: Street, z: float) -> tuple[float, float, float]:
    if street.crossing is not None and dice[1] < 0.5:
        yaw = (1.0 if dice[2] < 0.5 else -1.0) * math.pi / 2 + (dice[5] - 0.5) * 0.5
        return (dice[3] * 2 - 1) * street.half, street.crossing + 0.4 + 2.2 * dice[4], yaw
    side = 1.0 if dice[2] < 0.5 else -1.0
    x = street.half + 0.3 + (street.pavement - 0.5) * dice[3]
    yaw = (0.0 if dice[4] < 0.5 else math.pi) + (dice[5] - 0.5) * 0.6
    return side * x + street.shift(z), z, yaw


def _seen(thing: Thing, camera: Camera, width: int, *, middle: bool) -> bool:
    """Whether its middle is in the picture, and nothing of it beside the camera."""
    reach = _spans(thing)[1]
    if thing.z - reach < _AHEAD * 0.8:
        return False
    u, _ = camera.project(thing.x, 0.0, thing.z)
    margin = 0.12 if middle else -0.04
    return margin * width <= u <= (1.0 - margin) * width


def _free(thing: Thing, others: Sequence[Thing], street: Street) -> bool:
    """Whether it touches nothing, and blocks no crossing unless it uses it."""
    wide, long = _spans(thing)
    for other in others:
        w, n = _spans(other)
        near_x = abs(thing.x - other.x) < wide + w + _SPACE
        if near_x and abs(thing.z - other.z) < long + n + _SPACE:
            return False
    if street.other is not None and abs(thing.x - street.shift(thing.z)) > street.half + 3.5:
        start, stop = street.other
        return thing.z + long < start or thing.z - long > stop or abs(math.sin(thing.yaw)) > 0.7
    return True


def _spans(thing: Thing) -> tuple[float, float]:
    """Half of what it takes along X and along Z."""
    c, s = abs(math.cos(thing.yaw)), abs(math.sin(thing.yaw))
    w, n = thing.width / 2, thing.length / 2
    return w * c + n * s, w * s + n * c
