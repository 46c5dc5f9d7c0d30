"""What things are drawn of: faces of solids, patches on them, discs and limbs.

A shape is drawn in the order in which it is built. Of a solid only the faces that look at the
camera are kept; since it is convex, no two of them hide each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from genmodels.simulators.scenes.camera import Camera, Plane, Point, level, plane_of

__all__ = ["RGB", "Box", "Patch", "Pose", "Quad", "Shape", "mixed", "scaled"]

RGB = tuple[int, int, int]
Box = tuple[float, float, float, float, float]
"""x0, x1, z0, z1 and y of a level rectangle."""
Corner = tuple[float, float, float]

_DETAIL = 100.0
"""Twice the samples that a face must have for what is painted on it to matter."""
_ROUND = [(math.cos(k * math.pi / 6), math.sin(k * math.pi / 6)) for k in range(12)]
_SIDES: dict[str, tuple[int, int, int, int]] = {
    "rear": (0, 1, 5, 4),
    "front": (2, 3, 7, 6),
    "left": (3, 0, 4, 7),
    "right": (1, 2, 6, 5),
    "top": (4, 5, 6, 7),
}
"""Corners of a face as seen from outside, from the lower left on: 0 to 3 go round the low end from
the left rear one over the right rear one, 4 to 7 the high one."""
_NORMALS = {"rear": (0, -1), "front": (0, 1), "left": (-1, 0), "right": (1, 0)}


class Patch(NamedTuple):
    """A polygon to draw.

    Args:
        points: corners.
        colour: as in plain daylight.
        plane: of its depth; None: it lies on what was drawn before.
        glow: light that it sends out, None: none.
        stuff: what a semantic mask calls it, where that is not told by the object.
    """

    points: list[Point]
    colour: RGB
    plane: Plane | None
    glow: RGB | None = None
    stuff: int = 0


@dataclass(slots=True)
class Pose:
    """Where a thing stands and where it looks: yaw 0 is away from the camera, to the right > 0."""

    x: float
    z: float
    cos: float
    sin: float

    @classmethod
    def of(cls, x: float, z: float, yaw: float) -> Pose:
        return cls(x, z, math.cos(yaw), math.sin(yaw))

    def world(self, x: float, y: float, z: float) -> Corner:
        return self.x + x * self.cos + z * self.sin, y, self.z + z * self.cos - x * self.sin


class Quad(NamedTuple):
    """A visible face: the point at s of its width and t of its height is o + s p + t q + s t r.

    Args:
        o, p, q, r: of the world.
        shade: how bright it is.
        area: twice the samples that it takes.
    """

    o: Corner
    p: Corner
    q: Corner
    r: Corner
    shade: float
    area: float

    @classmethod
    def of(cls, corners: Sequence[Corner], shade: float, area: float) -> Quad:
        """Of corners from the lower left on, as seen from outside."""
        (ax, ay, az), (bx, by, bz), (cx, cy, cz), (dx, dy, dz) = corners
        across, up = (bx - ax, by - ay, bz - az), (dx - ax, dy - ay, dz - az)
        twist = (ax - bx + cx - dx, ay - by + cy - dy, az - bz + cz - dz)
        return cls(corners[0], across, up, twist, shade, area)


class Shape:
    """One thing on its way to be drawn.

    Args:
        camera: sees it.
        pose: of it.
        sun: where light comes from, (X, Z) of length up to 1.
        stuff: what a semantic mask calls it.
    """

    def __init__(self, *, camera: Camera, pose: Pose, sun: Point, stuff: int = 0) -> None:
        self.camera, self.pose, self.sun, self.stuff = camera, pose, sun, stuff
        self.patches: list[Patch] = []

    def solid(self, low: Box, high: Box, colour: RGB, *, top: RGB | None = None) -> dict[str, Quad]:
        """A solid between two level rectangles; returns the faces that are seen well."""
        seen = {}
        eight = [
            self.pose.world(box[i], box[4], box[j])
            for box in (low, high)
            for i, j in ((0, 2), (1, 2), (1, 3), (0, 3))
        ]
        eight_points = [self.camera.project(*corner) for corner in eight]
        for name, (i, j, k, m) in _SIDES.items():
            points = [eight_points[i], eight_points[j], eight_points[k], eight_points[m]]
            area = -_area(points)
            if area <= 0.0:
                continue
            corners = [eight[i], eight[j], eight[k], eight[m]]
            shade = self._shade(name)
            paint = top if name == "top" and top is not None else colour
            plane = plane_of(points, [corner[2] for corner in corners])
            self.patches.append(Patch(points, scaled(paint, shade), plane, stuff=self.stuff))
            if area > _DETAIL:
                seen[name] = Quad.of(corners, shade, area)
        return seen

    def on(
        self,
        quad: Quad | None,
        rect: tuple[float, float, float, float],
        colour: RGB,
        glow: RGB | None = None,
    ) -> None:
        """A rectangle (s0, t0, s1, t1) on a face, if that is seen."""
        if quad is None:
            return
        s0, t0, s1, t1 = rect
        (ox, oy, oz), (px, py, pz), (qx, qy, qz), (rx, ry, rz), shade, _ = quad
        camera, points = self.camera, []
        for s, t in ((s0, t0), (s1, t0), (s1, t1), (s0, t1)):
            st = s * t
            scale = camera.focal / (oz + s * pz + t * qz + st * rz)
            u = camera.cx + scale * (ox + s * px + t * qx + st * rx - camera.x)
            v = camera.horizon + scale * (camera.height - oy - s * py - t * qy - st * ry)
            points.append((u, v))
        self.patches.append(Patch(points, scaled(colour, shade), None, glow))

    def disc(self, x: float, y: float, z: float, radius: float, colour: RGB) -> None:
        """A round plate across the thing's own x, such as a wheel."""
        corners = [self.pose.world(x, y + radius * s, z + radius * c) for c, s in _ROUND]
        points = [self.camera.project(*corner) for corner in corners]
        depth = self.pose.world(x, y, z)[2]
        self.patches.append(Patch(points, colour, level(depth), stuff=self.stuff))

    def ring(self, x: float, y: float, z: float, radii: tuple[float, float], colour: RGB) -> None:
        """A tyre across the thing's own x, which one sees through."""
        turns = ((radii[0], (*_ROUND, _ROUND[0])), (radii[1], (_ROUND[0], *_ROUND[::-1])))
        corners = [
            self.pose.world(x, y + r * s, z + r * c) for r, round_ in turns for c, s in round_
        ]
        points = [self.camera.project(*corner) for corner in corners]
        depth = self.pose.world(x, y, z)[2]
        self.patches.append(Patch(points, colour, level(depth), stuff=self.stuff))

    def ball(
        self, at: Corner, radius: float, colour: RGB, glow: RGB | None = None, *, flat: float = 1.0
    ) -> None:
        """A ball, or an upright egg of `flat` times its height."""
        x, y, z = self.pose.world(*at)
        u, v = self.camera.project(x, y, z)
        r = radius * self.camera.focal / z
        points = [(u + r * c, v + r * flat * s) for c, s in _ROUND]
        self.patches.append(Patch(points, colour, level(z), glow, self.stuff))

    def limb(self, start: Corner, end: Corner, radii: tuple[float, float], colour: RGB) -> None:
        """A rod between two points with round ends, of one radius at each."""
        a, b = self.pose.world(*start), self.pose.world(*end)
        (u0, v0), (u1, v1) = self.camera.project(*a), self.camera.project(*b)
        r0, r1 = radii[0] * self.camera.focal / a[2], radii[1] * self.camera.focal / b[2]
        angle = math.atan2(v1 - v0, u1 - u0) + math.pi / 2
        points = [
            (u + r * math.cos(angle + k * math.pi / 4), v + r * math.sin(angle + k * math.pi / 4))
            for u, v, r, turns in ((u0, v0, r0, range(5)), (u1, v1, r1, range(4, 9)))
            for k in turns
        ]
        self.patches.append(Patch(points, colour, level((a[2] + b[2]) / 2), stuff=self.stuff))

    def _shade(self, side: str) -> float:
        """How bright a face is: from above most, and from the sun's side more."""
        if side == "top":
            return 1.06
        nx, nz = _NORMALS[side]
        x = nx * self.pose.cos + nz * self.pose.sin
        z = nz * self.pose.cos - nx * self.pose.sin
        return 0.78 + 0.24 * (x * self.sun[0] + z * self.sun[1])


def _area(points: Sequence[Point]) -> float:
    """Twice the area of four corners, below 0 if they go round as one sees them from outside."""
    (a, b), (c, d), (e, f), (g, h) = points
    return (e - a) * (h - d) - (g - c) * (f - b)


def scaled(colour: RGB, factor: float) -> RGB:
    r, g, b = colour
    return min(255, int(r * factor)), min(255, int(g * factor)), min(255, int(b * factor))


def mixed(a: RGB, b: RGB, share: float) -> RGB:
    """`share` of b, the rest of a."""
    (ar, ag, ab), (br, bg, bb) = a, b
    return (
        round(ar + (br - ar) * share),
        round(ag + (bg - ag) * share),
        round(ab + (bb - ab) * share),
    )
