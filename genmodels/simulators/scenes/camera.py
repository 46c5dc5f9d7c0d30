"""A pinhole camera above a level road.

World: X to the right, Y up, Z ahead, in metres, the camera at (x, height, 0). A point appears at
u = cx + f (X - x) / Z and v = horizon + f (height - Y) / Z. Along any plane 1/Z is linear in
(u, v), so that three corners tell the depth of a whole face.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Camera", "Plane", "Point", "level", "plane_of"]

Point = tuple[float, float]
Plane = tuple[float, float, float, float, float]
"""a, b, c of 1/Z = a u + b v + c, and the nearest and the farthest Z of a face."""

_FLAT = 1e-3
_HORIZON = 5000.0
"""Metres at which the ground ends, as it does on a round earth."""


@dataclass(frozen=True, slots=True)
class Camera:
    """Where things appear.

    Args:
        x, height: of the camera, metres.
        focal: pixels.
        cx, horizon: where the road's far end appears, pixels.
    """

    x: float
    height: float
    focal: float
    cx: float
    horizon: float

    def project(self, x: float, y: float, z: float) -> Point:
        scale = self.focal / z
        return self.cx + scale * (x - self.x), self.horizon + scale * (self.height - y)

    def window(self, left: float, top: float, zoom: float) -> Camera:
        """The camera whose picture begins at (left, top) of this one's, `zoom` times as large."""
        return Camera(
            self.x,
            self.height,
            self.focal * zoom,
            (self.cx - left) * zoom,
            (self.horizon - top) * zoom,
        )

    def sampled(self, times: int) -> Camera:
        """The same, in whole numbers of samples, `times` along each side of a pixel."""
        return self.window(0.5 / times, 0.5 / times, float(times))

    def ground(self) -> Plane:
        """The level Y = 0."""
        slope = 1.0 / (self.focal * self.height)
        return 0.0, slope, -slope * self.horizon, 0.0, _HORIZON


def level(z: float) -> Plane:
    """A depth that is the same all over."""
    return 0.0, 0.0, 1.0 / z, z, z


def plane_of(points: list[Point], depths: list[float]) -> Plane:
    """The plane through the first, second and last corner of a face."""
    (u0, v0), (u1, v1), (u2, v2) = points[0], points[1], points[-1]
    near, far = min(depths), max(depths)
    du1, dv1, du2, dv2 = u1 - u0, v1 - v0, u2 - u0, v2 - v0
    area = du1 * dv2 - du2 * dv1
    if abs(area) < _FLAT:
        return 0.0, 0.0, 2.0 / (near + far), near, far
    w0 = 1.0 / depths[0]
    dw1, dw2 = 1.0 / depths[1] - w0, 1.0 / depths[-1] - w0
    a, b = (dw1 * dv2 - dw2 * dv1) / area, (dw2 * du1 - dw1 * du2) / area
    return a, b, w0 - a * u0 - b * v0, near, far
