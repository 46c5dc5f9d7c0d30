"""The street as patches: ground, markings, and what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from genmodels.simulators.scenes.camera import Camera, Plane, Point, level
from genmodels.simulators.scenes.scene import Scene, Street
from genmodels.simulators.scenes.solids import RGB, Patch, mixed
from genmodels.simulators.scenes.words import STUFF

__all__ = ["ground_patches"]

_ALONG = (7.0, 11.0, 17.0, 26.0, 40.0, 64.0, 110.0, 220.0)
_ROAD, _PAVEMENT, _GROUND = (STUFF.index(name) for name in ("road", "pavement", "ground"))
_HILLS = 420.0
_WHITE: RGB = (226, 228, 226)
_SNOW: RGB = (236, 240, 246)


class _Ground:
    """Strips on the level ground.

    Args:
        camera: sees them.
        street: whose bend they follow.
        near: Z where they begin, below the picture.
    """

    def __init__(self, camera: Camera, street: Street, near: float) -> None:
        self.camera, self.street, self.near = camera, street, near
        self.plane = camera.ground()

    def strip(self, left: float, right: float, colour: RGB, stuff: int | None) -> Patch:
        """Along the street from X = left to right; None: painted on what is there."""
        along = [self.near, *(z for z in _ALONG if z > self.near)]
        points = [self._at(left, z) for z in along]
        points += [self._at(right, z) for z in reversed(along)]
        return self._patch(points, colour, stuff)

    def block(
        self, xs: tuple[float, float], zs: tuple[float, float], colour: RGB, stuff: int | None
    ) -> Patch:
        """A rectangle from X to X and Z to Z."""
        start, stop = max(zs[0], self.near), max(zs[1], self.near)
        corners = ((xs[0], start), (xs[1], start), (xs[1], stop), (xs[0], stop))
        return self._patch([self._at(x, z) for x, z in corners], colour, stuff)

    def _at(self, x: float, z: float) -> Point:
        return self.camera.project(x + self.street.shift(z), 0.0, z)

    def _patch(self, points: list[Point], colour: RGB, stuff: int | None) -> Patch:
        plane: Plane | None = None if stuff is None else self.plane
        return Patch(points, colour, plane, stuff=stuff or 0)


def ground_patches(
    scene: Scene, camera: Camera, size: tuple[int, int], rng: np.random.Generator
) -> Iterator[Patch]:
    """Hills, ground, street and markings, from back to front.

    Args:
        scene: whose street it is.
        camera: in samples.
        size: width and height of the picture in samples.
        rng: for what differs from street to street.
    """
    street, snow = scene.street, scene.weather == "snow"
    width, height = size
    below = max(height - camera.horizon, 1.0)
    near = max(0.4, 0.7 * camera.focal * camera.height / below)
    grass: RGB = (104, 124, 74) if street.scenery != "city" else (128, 126, 118)
    grass = mixed(grass, _SNOW, 0.92) if snow else grass
    wide = ((-9 * width, camera.horizon), (10 * width, camera.horizon))
    low = ((10 * width, height + 9.0), (-9 * width, height + 9.0))
    yield from _hills(scene, camera, width, rng)
    yield Patch([*wide, *low], grass, camera.ground(), stuff=_GROUND)
    yield from _surfaces(_Ground(camera, street, near), street, rng, snow=snow)


def _surfaces(
    ground: _Ground, street: Street, rng: np.random.Generator, *, snow: bool
) -> Iterator[Patch]:
    tone = int(rng.integers(78, 112))
    asphalt: RGB = (tone, tone, tone + 3)
    stone: RGB = (158, 154, 146)
    if snow:
        asphalt, stone = mixed(asphalt, _SNOW, 0.5), mixed(stone, _SNOW, 0.85)
    half, kerb = street.half, mixed(stone, _WHITE, 0.45)
    other = street.other
    if street.scenery != "open":
        yield ground.strip(-half - street.pavement, half + street.pavement, stone, _PAVEMENT)
    if other is not None:
        pave = (other[0] - street.pavement, other[1] + street.pavement)
        yield ground.block((-90.0, 90.0), pave, stone, _PAVEMENT)
        yield ground.block((-90.0, 90.0), other, asphalt, _ROAD)
    yield ground.strip(-half - 0.14, half + 0.14, kerb, _PAVEMENT)
    if other is not None:
        yield ground.block((-half - 6.0, half + 6.0), other, asphalt, _ROAD)
    yield ground.strip(-half, half, asphalt, _ROAD)
    if snow:
        for lane in range(-street.lanes, street.lanes):
            for rut in (0.3, 0.7):
                x = (lane + rut) * street.lane
                yield ground.strip(x - 0.3, x + 0.3, mixed(asphalt, (60, 62, 66), 0.4), None)
    paint = mixed(asphalt, _WHITE, 0.25 if snow else 0.85)
    yield from _markings(ground, street, paint, yellow=bool(rng.random() < 0.3))


def _markings(ground: _Ground, street: Street, paint: RGB, *, yellow: bool) -> Iterator[Patch]:
    edge = street.lanes * street.lane
    crossing = street.crossing
    gap = None if crossing is None else (crossing - 1.2, (street.other or (0, crossing + 3.4))[1])
    middle = mixed(paint, (226, 178, 50), 0.7) if yellow else paint
    lines: list[tuple[float, bool, RGB]] = [(0.0, yellow, middle), (-edge, True, paint)]
    lines += [(edge, True, paint)]
    lines += [(side * k * street.lane, False, paint) for k in range(1, street.lanes)
              for side in (-1, 1)]  # fmt: skip
    for x, solid, colour in lines:
        for start, stop in _stretches(ground.near, solid=solid, gap=gap):
            yield ground.block((x - 0.08, x + 0.08), (start, stop), colour, None)
    if crossing is not None:
        x = -street.half + 0.4
        while x + 0.5 < street.half:
            yield ground.block((x, x + 0.5), (crossing, crossing + 3.0), paint, None)
            x += 1.0
        stop_line = (crossing - 1.1, crossing - 0.75)
        yield ground.block((0.1, edge), stop_line, paint, None)


def _stretches(
    near: float, *, solid: bool, gap: tuple[float, float] | None
) -> Iterator[tuple[float, float]]:
    """Z from and to of what is painted of a line, which a crossing interrupts."""
    dashes: Sequence[tuple[float, float]]
    if solid:
        ends = [near, *(z for z in _ALONG if z > near)]
        dashes = list(pairwise(ends))
    else:
        dashes = [(z, z + 3.0) for z in np.arange(1.5, 50.0, 7.0).tolist()]
    for start, stop in dashes:
        if stop <= near:
            continue
        if gap is None or stop <= gap[0] or start >= gap[1]:
            yield start, stop
            continue
        if start < gap[0]:
            yield start, gap[0]
        if stop > gap[1]:
            yield gap[1], stop


def _hills(scene: Scene, camera: Camera, width: int, rng: np.random.Generator) -> Iterator[Patch]:
    """What closes the view: far woods, or a skyline."""
    count = 14
    tall = rng.random(count) * {"city": 46.0, "suburb": 20.0, "open": 24.0}[scene.street.scenery]
    colour: RGB = (112, 118, 128) if scene.street.scenery == "city" else (92, 112, 92)
    if scene.weather == "snow":
        colour = mixed(colour, _SNOW, 0.45)
    stuff = STUFF.index("building" if scene.street.scenery == "city" else "vegetation")
    scale = camera.focal / _HILLS
    points = [(-0.1 * width, camera.horizon + 2.0)]
    for k in range(count):
        left, right = width * (1.2 * k / count - 0.1), width * (1.2 * (k + 1) / count - 0.1)
        v = camera.horizon - scale * (8.0 + float(tall[k]))
        if scene.street.scenery == "city":
            points += [(left, v), (right, v)]
        else:
            points.append(((left + right) / 2, v))
    points.append((1.1 * width, camera.horizon + 2.0))
    yield Patch(points, colour, level(_HILLS), stuff=stuff)
