"""What stands beside a street: buildings, houses, trees and lamps."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from genmodels.simulators.scenes.camera import Camera
from genmodels.simulators.scenes.scene import Scene, Street
from genmodels.simulators.scenes.solids import RGB, Patch, Pose, Quad, Shape, mixed
from genmodels.simulators.scenes.words import STUFF

__all__ = ["lamp_places", "roadside_patches"]

_BUILDING, _TREE, _POLE = (STUFF.index(name) for name in ("building", "vegetation", "pole"))
_WALLS: tuple[RGB, ...] = (
    (168, 120, 96),
    (188, 176, 156),
    (142, 142, 146),
    (198, 186, 140),
    (130, 92, 78),
    (172, 162, 166),
)
_ROOFS: tuple[RGB, ...] = ((126, 62, 48), (84, 80, 84), (104, 74, 58))
_GLASS: RGB = (74, 88, 102)
_LIT: RGB = (255, 214, 140)
_LAMP: RGB = (255, 206, 130)
_SNOW: RGB = (234, 238, 244)
_LAMP_EVERY, _LAMP_TALL = 24.0, 6.2
_PLAIN = 500.0
"""Twice the samples below which a wall has no windows."""
_FIRST, _LAST = 5.0, 100.0


def lamp_places(street: Street) -> list[tuple[float, float]]:
    """(X, Z) of the lamps of a street, which stand in turn on the right and on the left."""
    if street.scenery == "open":
        return []
    places = []
    for k, z in enumerate(np.arange(9.0, 90.0, _LAMP_EVERY / 2).tolist()):
        side = 1.0 if k % 2 else -1.0
        if not _in_other(street, z, z, 0.5):
            places.append((side * (street.half + 0.35) + street.shift(z), z))
    return places


def roadside_patches(scene: Scene, camera: Camera, rng: np.random.Generator) -> Iterator[Patch]:
    """Everything that stands there, from back to front: houses, then what is before them."""
    houses: list[tuple[float, Shape]] = []
    for side in (-1.0, 1.0):
        houses += _row(scene, camera, rng, side)
    rest: list[tuple[float, Shape]] = []
    for x, z in lamp_places(scene.street):
        rest.append((z, _lamp(scene, camera, x, z)))
    rest += _trees(scene, camera, rng)
    for group in (houses, rest):
        for _, shape in sorted(group, key=lambda pair: -pair[0]):
            yield from shape.patches


def _row(
    scene: Scene, camera: Camera, rng: np.random.Generator, side: float
) -> Iterator[tuple[float, Shape]]:
    """One side of the street."""
    street = scene.street
    if street.scenery == "open":
        return
    city = street.scenery == "city"
    z = _FIRST + float(rng.random()) * 3.0
    while z < _LAST:
        length = float(rng.uniform(9.0, 18.0) if city else rng.uniform(8.0, 12.0))
        back = street.half + street.pavement + (0.3 if city else float(rng.uniform(3.0, 6.0)))
        deep = float(rng.uniform(8.0, 12.0))
        dice = rng.random(6)
        if not _in_other(street, z, z + length, 1.0) and (city or dice[5] < 0.8):
            middle = z + length / 2
            x = side * (back + deep / 2) + street.shift(middle)
            pose = Pose.of(x, middle, math.atan(2 * street.bend * middle))
            shape = Shape(camera=camera, pose=pose, sun=scene.sun, stuff=_BUILDING)
            draw = _block if city else _house
            draw(shape, scene, (deep, length), dice, rng.random(12))
            yield middle, shape
        z += length + (float(rng.choice([0.0, 0.0, 3.0])) if city else float(rng.uniform(3, 9)))


def _block(
    shape: Shape,
    scene: Scene,
    size: tuple[float, float],
    dice: np.ndarray,
    lights: np.ndarray,
) -> None:
    """A town house with rows of windows and a shop below."""
    x, z = size[0] / 2, size[1] / 2
    floors = 2 + int(dice[0] * 4)
    tall = 3.4 + 3.0 * floors
    wall = _WALLS[int(dice[1] * len(_WALLS))]
    shade = 0.85 + 0.25 * float(dice[2])
    wall = mixed(wall, (255, 255, 255) if shade > 1 else (0, 0, 0), abs(shade - 1))
    box = (-x, x, -z, z)
    faces = shape.solid((*box, 0.0), (*box, tall), wall, top=_SNOW)
    ground = 3.4 / tall
    for name, wide in (("left", 2 * z), ("right", 2 * z), ("rear", 2 * x)):
        quad = faces.get(name)
        if quad is None or quad.area < _PLAIN:
            continue
        # As many bays as can be told apart.
        bays = max(2, min(int(wide / 2.6), int(math.sqrt(quad.area) / 12.0)))
        shape.on(quad, (0.0, 0.0, 1.0, ground * 0.82), mixed(wall, (60, 54, 50), 0.45))
        _windows(shape, quad, wall, (floors, bays), ground)
        if scene.lit:
            _lit_windows(shape, quad, lights, (floors, bays), ground)
        if scene.weather == "snow":
            shape.on(quad, (0.0, 0.975, 1.0, 1.0), _SNOW)


def _windows(shape: Shape, quad: Quad, wall: RGB, grid: tuple[int, int], ground: float) -> None:
    """Bands of glass, parted by wall: the same look for far fewer polygons."""
    floors, bays = grid
    step = (1.0 - ground) / floors
    for k in range(floors):
        low = ground + (k + 0.28) * step
        shape.on(quad, (0.02, low, 0.98, low + 0.48 * step), _GLASS)
    for k in range(bays + 1):
        s = 0.98 * k / bays
        shape.on(quad, (s - 0.01, ground, s + 0.4 / bays, 0.985), wall)


def _lit_windows(
    shape: Shape, quad: Quad, lights: np.ndarray, grid: tuple[int, int], ground: float
) -> None:
    """Some of them, by lot."""
    floors, bays = grid
    step = (1.0 - ground) / floors
    for number in lights[: 3 + floors].tolist():
        k, bay = int(number * floors), int(number * 977) % bays
        low, s = ground + (k + 0.28) * step, 0.98 * bay / bays + 0.42 / bays
        warm = mixed(_LIT, (210, 226, 240), (number * 31) % 1.0 * 0.7)
        rect = (s, low, s + 0.54 / bays, low + 0.48 * step)
        shape.on(quad, rect, warm, mixed((0, 0, 0), warm, 0.75))


def _house(
    shape: Shape,
    scene: Scene,
    size: tuple[float, float],
    dice: np.ndarray,
    lights: np.ndarray,
) -> None:
    """A house with a pitched roof."""
    x, z, tall = size[0] / 2, size[1] / 2, 3.0 + 2.2 * (dice[0] > 0.5)
    wall = mixed(_WALLS[int(dice[1] * len(_WALLS))], (255, 255, 255), 0.25)
    roof = _SNOW if scene.weather == "snow" else _ROOFS[int(dice[2] * len(_ROOFS))]
    box = (-x, x, -z, z)
    faces = shape.solid((*box, 0.0), (*box, tall), wall)
    for name in ("left", "right", "rear"):
        for k in range(3):
            rect = (0.1 + 0.3 * k, 0.35, 0.28 + 0.3 * k, 0.75)
            lit = scene.lit and lights[k] < 0.4
            glow = mixed((0, 0, 0), _LIT, 0.75) if lit else None
            shape.on(faces.get(name), rect, _LIT if lit else _GLASS, glow)
    over = 0.4
    low = (-x - over, x + over, -z - over, z + over, tall)
    shape.solid(low, (-0.05, 0.05, -z - over + 0.2, z + over - 0.2, tall + 2.6), roof)


def _lamp(scene: Scene, camera: Camera, x: float, z: float) -> Shape:
    shape = Shape(camera=camera, pose=Pose.of(x, z, 0.0), sun=scene.sun, stuff=_POLE)
    arm = -1.5 if x > scene.street.shift(z) else 1.5
    grey: RGB = (92, 96, 98)
    shape.limb((0.0, 0.0, 0.0), (0.0, _LAMP_TALL, 0.0), (0.085, 0.06), grey)
    shape.limb((0.0, _LAMP_TALL, 0.0), (arm, _LAMP_TALL + 0.3, 0.0), (0.05, 0.05), grey)
    bulb: RGB = _LAMP if scene.lit else (206, 206, 198)
    shape.ball((arm, _LAMP_TALL + 0.22, 0.0), 0.17, bulb, _LAMP if scene.lit else None, flat=0.6)
    return shape


def _trees(scene: Scene, camera: Camera, rng: np.random.Generator) -> Iterator[tuple[float, Shape]]:
    street = scene.street
    how_many = {"city": 3, "suburb": 7, "open": 9}[street.scenery]
    for _ in range(int(rng.integers(0, how_many + 1))):
        dice = rng.random(5)
        z = 8.0 + 60.0 * float(dice[0])
        away = 0.2 if street.scenery == "city" else 1.5 + 9.0 * float(dice[1]) ** 2
        x = street.half + street.pavement + away
        if _in_other(street, z, z, 2.0):
            continue
        pose = Pose.of((x if dice[2] < 0.5 else -x) + street.shift(z), z, 0.0)
        shape = Shape(camera=camera, pose=pose, sun=scene.sun, stuff=_TREE)
        _tree(shape, scene, float(dice[3]), float(dice[4]))
        yield z, shape


def _tree(shape: Shape, scene: Scene, a: float, b: float) -> None:
    tall = 3.6 + 2.6 * a
    leaf = mixed((58, 92, 46), (112, 116, 48), b)
    if scene.weather == "snow":
        leaf = mixed(leaf, _SNOW, 0.6)
    shape.limb((0.0, 0.0, 0.0), (0.0, tall * 0.6, 0.0), (0.17, 0.12), (84, 66, 50))
    for x, y, r in ((-0.7, 0.66, 1.0), (0.7, 0.7, 0.95), (0.1, 0.85, 1.15), (0.0, 0.68, 1.0)):
        light = mixed(leaf, (255, 255, 220), 0.12 if y > 0.8 else 0.0)
        shape.ball((x, tall * y, 0.0), r * (0.75 + 0.4 * a), light)


def _in_other(street: Street, start: float, stop: float, margin: float) -> bool:
    """Whether Z from start to stop is where another street crosses, or people do."""
    if street.other is None:
        return False
    low, high = street.other
    return stop > low - margin - street.pavement and start < high + margin + street.pavement
