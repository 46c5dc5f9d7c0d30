"""Cars, trucks and buses of solids, looking along their own z; sizes in metres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genmodels.simulators.scenes.solids import RGB, Patch, Quad, Shape, mixed

__all__ = ["Look", "draw_bus", "draw_car", "draw_truck", "vehicle_size"]

_PAINTS: tuple[RGB, ...] = (
    (176, 30, 34),
    (34, 66, 138),
    (232, 232, 230),
    (44, 46, 50),
    (150, 156, 162),
    (30, 104, 74),
    (214, 158, 34),
    (92, 40, 46),
    (120, 170, 206),
    (196, 92, 30),
)
_LIVERIES: tuple[RGB, ...] = (
    (196, 34, 36),
    (230, 178, 30),
    (36, 92, 168),
    (56, 140, 72),
    (222, 222, 214),
)
_BOXES: tuple[RGB, ...] = ((226, 226, 222), (66, 100, 158), (176, 72, 44), (110, 126, 116))
_GLASS: RGB = (46, 60, 74)
_DARK: RGB = (26, 27, 30)
_TYRE: RGB = (22, 22, 24)
_RIM: RGB = (128, 130, 134)
_SNOW: RGB = (232, 236, 242)
_WHITE_LIGHT: RGB = (255, 246, 214)
_RED_LIGHT: RGB = (235, 26, 18)
_AMBER: RGB = (255, 170, 60)
_CABIN_LIGHT: RGB = (176, 156, 110)


@dataclass(frozen=True, slots=True)
class Look:
    """What makes one thing differ from others of its class.

    Args:
        u: numbers in [0, 1), its own.
        lit: whether lamps are on.
        snowy: whether snow lies on it.
        wet: whether people carry umbrellas.
    """

    u: Sequence[float]
    lit: bool
    snowy: bool
    wet: bool

    def pick(self, which: int, among: Sequence[RGB]) -> RGB:
        return among[int(self.u[which] * len(among))]

    def glow(self, colour: RGB) -> RGB | None:
        return colour if self.lit else None


def vehicle_size(name: str, u: Sequence[float]) -> tuple[float, float]:
    """Width and length."""
    if name == "car":
        return 1.78 + 0.14 * (u[2] > 0.6), 4.0 + 0.8 * u[1]
    return (2.46, 7.2 + 2.6 * u[1]) if name == "truck" else (2.55, 10.0 + 2.0 * u[1])


def _lamps(shape: Shape, faces: dict[str, Quad], look: Look, *, low: float, high: float) -> None:
    """Head and tail lights and a number plate between two heights of the end faces."""
    tail = (214, 34, 26) if look.lit else (158, 22, 22)
    for s0, s1 in ((0.02, 0.2), (0.8, 0.98)):
        shape.on(faces.get("rear"), (s0, low, s1, high), tail, look.glow(_RED_LIGHT))
        lamp = _WHITE_LIGHT if look.lit else (226, 228, 224)
        shape.on(faces.get("front"), (s0, low, s1, high), lamp, look.glow(_WHITE_LIGHT))
    for end in ("rear", "front"):
        shape.on(faces.get(end), (0.36, low - 0.26, 0.64, low - 0.06), (224, 222, 196))


def _wheels(shape: Shape, places: Sequence[float], half: float, radius: float) -> None:
    """Discs and the treads behind them; drawn before a body they show below it."""
    for z in places:
        for side in (-1.0, 1.0):
            inner, outer = sorted((side * (half - 0.28), side * (half - 0.02)))
            low = (inner, outer, z - radius * 0.6, z + radius * 0.6, 0.0)
            high = (inner, outer, z - radius * 0.8, z + radius * 0.8, radius * 1.4)
            shape.solid(low, high, _TYRE)


def _discs(
    shape: Shape, faces: dict[str, Quad], places: Sequence[float], half: float, radius: float
) -> None:
    for name, side in (("left", -half), ("right", half)):
        if name in faces:
            for z in places:
                shape.disc(side, radius, z, radius, _TYRE)
                shape.disc(side, radius, z, radius * 0.55, _RIM)


def draw_car(shape: Shape, look: Look) -> None:
    """A saloon, a hatchback, an estate or a van."""
    width, length = vehicle_size("car", look.u)
    half, end = width / 2, length / 2
    kind = look.u[2]
    waist, roof = (0.82, 1.44) if kind < 0.6 else (0.98, 1.72 + 0.3 * (kind > 0.85))
    boot = 0.75 if kind < 0.3 else 0.06
    hood = 1.25 if kind < 0.85 else 0.75
    paint = look.pick(0, _PAINTS)
    above = mixed(paint, _SNOW, 0.8) if look.snowy else mixed(paint, (255, 255, 255), 0.08)
    axles, radius = (-end + 0.8, end - 0.85), 0.33 + 0.04 * (kind > 0.6)
    _wheels(shape, axles, half, radius)
    body = shape.solid(
        (-half, half, -end, end, 0.26),
        (-half + 0.03, half - 0.03, -end + 0.04, end - 0.1, waist),
        paint,
        top=above,
    )
    for face in body.values():
        shape.on(face, (0.0, 0.0, 1.0, 0.16), mixed(paint, _DARK, 0.75))
    shape.on(body.get("front"), (0.26, 0.36, 0.74, 0.68), _DARK)
    _lamps(shape, body, look, low=0.52, high=0.86)
    _discs(shape, body, axles, half, radius)
    for side in ("left", "right"):
        shape.on(body.get(side), (0.47, 0.2, 0.478, 0.98), mixed(paint, _DARK, 0.5))
    slope = 0.5 if kind < 0.85 else 0.3
    cabin = shape.solid(
        (-half + 0.06, half - 0.06, -end + boot, end - hood, waist),
        (-half + 0.22, half - 0.22, -end + boot + slope * 0.8, end - hood - slope * 1.4, roof),
        paint,
        top=above,
    )
    for name in ("front", "rear"):
        shape.on(cabin.get(name), (0.06, 0.08, 0.94, 0.86), _GLASS)
    for name in ("left", "right"):
        for s0, s1 in ((0.08, 0.5), (0.54, 0.92)):
            shape.on(cabin.get(name), (s0, 0.06, s1, 0.86), _GLASS)


def draw_truck(shape: Shape, look: Look) -> None:
    """A lorry with a cab and a box."""
    width, length = vehicle_size("truck", look.u)
    half, end = width / 2, length / 2
    tall = 3.3 + 0.6 * look.u[3]
    cab, box = look.pick(0, _PAINTS), look.pick(4, _BOXES)
    if cab == (44, 46, 50):
        cab = (214, 158, 34)
    axles, radius = (-end + 1.0, -end + 2.05, end - 1.05), 0.5
    _wheels(shape, axles, half - 0.04, radius)
    frame = shape.solid(
        (-half + 0.1, half - 0.1, -end, end - 1.9, 0.55),
        (-half + 0.1, half - 0.1, -end, end - 1.9, 0.98),
        (48, 50, 54),
    )
    _lamps(shape, {"rear": frame["rear"]} if "rear" in frame else {}, look, low=0.3, high=0.9)
    parts = [_cab(shape, look, cab, half, end), _box(shape, look, box, half, end, tall)]
    if shape.pose.cos < 0.0:  # it comes nearer: the cab hides the box
        parts.reverse()
    for part in parts:
        shape.patches += part
    _discs(shape, frame, axles, half - 0.02, radius)


def _cab(shape: Shape, look: Look, paint: RGB, half: float, end: float) -> list[Patch]:
    before = len(shape.patches)
    above = mixed(paint, _SNOW, 0.8) if look.snowy else paint
    faces = shape.solid(
        (-half + 0.05, half - 0.05, end - 1.95, end, 0.4),
        (-half + 0.1, half - 0.1, end - 1.95, end - 0.22, 2.7),
        paint,
        top=above,
    )
    shape.on(faces.get("front"), (0.08, 0.52, 0.92, 0.9), _GLASS)
    shape.on(faces.get("front"), (0.2, 0.2, 0.8, 0.42), _DARK)
    _lamps(shape, {"front": faces["front"]} if "front" in faces else {}, look, low=0.12, high=0.24)
    for name, (s0, s1) in {"left": (0.12, 0.72), "right": (0.28, 0.88)}.items():
        shape.on(faces.get(name), (s0, 0.52, s1, 0.88), _GLASS)
    return _taken(shape, before)


def _box(shape: Shape, look: Look, paint: RGB, half: float, end: float, tall: float) -> list[Patch]:
    before = len(shape.patches)
    above = mixed(paint, _SNOW, 0.9) if look.snowy else paint
    box = (-half, half, -end, end - 2.1)
    faces = shape.solid((*box, 0.95), (*box, tall), paint, top=above)
    shape.on(faces.get("rear"), (0.49, 0.04, 0.51, 0.96), mixed(paint, _DARK, 0.6))
    shape.on(faces.get("rear"), (0.0, 0.0, 1.0, 0.05), (176, 40, 36))
    band = look.pick(5, _LIVERIES)
    for name in ("left", "right"):
        shape.on(faces.get(name), (0.0, 0.32, 1.0, 0.5), mixed(paint, band, 0.7))
        shape.on(faces.get(name), (0.0, 0.0, 1.0, 0.04), mixed(paint, _DARK, 0.6))
    return _taken(shape, before)


def draw_bus(shape: Shape, look: Look) -> None:
    """A city bus with rows of windows."""
    width, length = vehicle_size("bus", look.u)
    half, end, tall = width / 2, length / 2, 3.0 + 0.15 * look.u[3]
    paint = look.pick(0, _LIVERIES)
    axles, radius = (-end + 2.2, end - 2.3), 0.48
    _wheels(shape, axles, half, radius)
    box = (-half, half, -end, end)
    above = mixed(paint, _SNOW, 0.85) if look.snowy else mixed(paint, (255, 255, 255), 0.3)
    faces = shape.solid((*box, 0.3), (*box, tall), paint, top=above)
    glass = _CABIN_LIGHT if look.lit else _GLASS
    inside = (96, 84, 58) if look.lit else None
    for face in faces.values():
        if face is not faces.get("top"):
            shape.on(face, (0.0, 0.0, 1.0, 0.1), mixed(paint, _DARK, 0.7))
    for name in ("left", "right"):
        shape.on(faces.get(name), (0.0, 0.34, 1.0, 0.4), mixed(paint, (250, 250, 250), 0.7))
        for k in range(7):
            s = 0.02 + k * 0.139
            shape.on(faces.get(name), (s, 0.46, s + 0.122, 0.82), glass, inside)
    for s in (0.36, 0.86):
        shape.on(faces.get("right"), (s, 0.1, s + 0.09, 0.8), mixed(_GLASS, paint, 0.2), inside)
    shape.on(faces.get("rear"), (0.1, 0.5, 0.9, 0.82), glass, inside)
    shape.on(faces.get("rear"), (0.2, 0.14, 0.8, 0.36), mixed(paint, _DARK, 0.4))
    shape.on(faces.get("front"), (0.05, 0.3, 0.95, 0.8), _GLASS if not look.lit else (90, 84, 66))
    for name in ("front", "rear"):
        shape.on(faces.get(name), (0.2, 0.86, 0.8, 0.96), _DARK)
        sign = (255, 178, 60) if look.lit else (220, 160, 60)
        shape.on(faces.get(name), (0.3, 0.88, 0.7, 0.94), sign, look.glow(_AMBER))
    _lamps(shape, faces, look, low=0.12, high=0.2)
    _discs(shape, faces, axles, half, radius)


def _taken(shape: Shape, before: int) -> list[Patch]:
    """What was drawn since, to be put in order."""
    patches = shape.patches[before:]
    del shape.patches[before:]
    return patches
