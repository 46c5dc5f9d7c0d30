"""From plain colours to a picture: light of the hour, fog, rain, snow, lamps and the sensor.

Fog after Koschmieder: I = J t + A (1 - t) with t = exp(-3.912 Z / V), where V is the distance at
which a black thing's contrast falls to 2 %.

References:
    Narasimhan and Nayar, "Vision and the Atmosphere", 2002.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from genmodels.simulators.scenes.camera import Camera
from genmodels.simulators.scenes.roadside import lamp_places
from genmodels.simulators.scenes.scene import Scene
from genmodels.simulators.scenes.solids import RGB

__all__ = ["Layers", "clear_sight", "clearness", "developed", "through_air"]

_CONTRAST = 3.912  # -ln 0.02
_LIGHTS: dict[tuple[str, str], tuple[RGB, RGB, RGB]] = {
    ("day", "clear"): ((255, 250, 240), (92, 142, 208), (196, 216, 234)),
    ("day", "rain"): ((176, 182, 190), (132, 140, 150), (172, 178, 184)),
    ("day", "fog"): ((208, 210, 212), (196, 200, 204), (206, 209, 211)),
    ("day", "snow"): ((226, 230, 238), (186, 193, 203), (212, 217, 224)),
    ("dusk", "clear"): ((190, 150, 132), (72, 84, 142), (246, 166, 98)),
    ("dusk", "rain"): ((118, 112, 122), (82, 82, 98), (138, 124, 122)),
    ("dusk", "fog"): ((140, 128, 128), (134, 124, 128), (162, 146, 140)),
    ("dusk", "snow"): ((148, 146, 166), (122, 124, 148), (166, 160, 174)),
    ("night", "clear"): ((34, 38, 58), (8, 10, 24), (32, 34, 52)),
    ("night", "rain"): ((30, 33, 46), (15, 17, 25), (34, 36, 46)),
    ("night", "fog"): ((36, 38, 48), (40, 40, 46), (62, 60, 62)),
    ("night", "snow"): ((50, 54, 74), (36, 39, 54), (66, 68, 84)),
}
"""Of time and weather: light on things; colour of the sky above, and at the horizon."""
_SIGHT = {"clear": 1400.0, "rain": 320.0, "fog": 60.0, "snow": 170.0}
"""Metres, where no range is told."""
_STREET_LAMP = np.array([255.0, 196.0, 120.0], np.float32) / 255.0
_HEADLAMP = np.array([250.0, 244.0, 222.0], np.float32) / 255.0


def clear_sight(weather: str) -> float:
    """How far one sees in a weather, metres."""
    return _SIGHT[weather]


@dataclass(frozen=True, slots=True)
class Layers:
    """What a picture is made of, at its pixels (H, W) or (H, W, 3), float32 of 0 to 255.

    Args:
        seen: colours as in plain daylight, times the share t of their light that comes through.
        through: t.
        glow: light that lamps and windows send, times t; None by day.
        shade: 1 where no shadow falls.
        depth: metres, at the centre of each pixel.
        ground: whether a pixel shows ground.
    """

    seen: np.ndarray
    through: np.ndarray
    glow: np.ndarray | None
    shade: np.ndarray
    depth: np.ndarray
    ground: np.ndarray


def through_air(depth: np.ndarray, sight: float) -> np.ndarray:
    """Share of light that comes through, the same shape."""
    share = np.multiply(depth, np.float32(-_CONTRAST / sight))
    return np.exp(share, out=share)


def clearness(depth: float, sight: float) -> float:
    """The same of one depth."""
    return math.exp(-_CONTRAST * depth / sight)


def developed(layers: Layers, scene: Scene, camera: Camera, rng: np.random.Generator) -> np.ndarray:
    """The picture, uint8 (H, W, 3)."""
    light, zenith, horizon = (
        np.array(colour, np.float32) for colour in _LIGHTS[scene.time, scene.weather]
    )
    picture = layers.seen * _illuminated(layers, scene, camera, light / 255.0)
    picture += (1.0 - layers.through)[..., None] * _air(
        layers.depth.shape, camera, zenith, horizon, scene, rng
    )
    if layers.glow is not None:
        picture += _bloom(layers.glow, scene, camera)
    if scene.weather == "rain":
        picture = _wet(picture, layers)
        picture = _streaks(picture, rng, brighter=26.0 if scene.time == "night" else 42.0)
    if scene.weather == "snow":
        picture = _flakes(picture, rng, white=150.0 if scene.time == "night" else 250.0)
    return _sensed(picture, scene, rng)


def _illuminated(layers: Layers, scene: Scene, camera: Camera, ambient: np.ndarray) -> np.ndarray:
    """Light at each pixel: of the sky, less in shadows; of lamps in the dark."""
    light = layers.shade[..., None] * ambient
    if scene.time == "day":
        return light
    strong = 1.0 if scene.time == "night" else 0.35
    height, width = layers.depth.shape
    near = np.minimum(layers.depth, 150.0)
    scale = near / np.float32(camera.focal)
    x = (np.arange(width, dtype=np.float32) + 0.5 - camera.cx) * scale
    y = camera.height - (np.arange(height, dtype=np.float32)[:, None] + 0.5 - camera.horizon) * (
        scale
    )
    pools = np.zeros_like(near)
    for at, z in lamp_places(scene.street):
        if z < 60.0:
            side = at - camera.x
            aside = (x - side) ** 2
            aside += (near - z) ** 2
            aside += 26.0
            pools += (26.0 / aside) ** 2
    pools *= np.exp(-((np.maximum(y - 1.0, 0.0) / 3.0) ** 2))
    beam = np.exp(-((x / (1.3 + 0.2 * near)) ** 2) - near / 26.0)
    beam *= np.exp(-((np.maximum(y, 0.0) / 1.5) ** 2))
    light += (0.62 * strong * pools)[..., None] * _STREET_LAMP
    light += (0.8 * strong * beam)[..., None] * _HEADLAMP
    return light


def _air(
    shape: tuple[int, ...],
    camera: Camera,
    zenith: np.ndarray,
    horizon: np.ndarray,
    scene: Scene,
    rng: np.random.Generator,
) -> np.ndarray:
    """Colour of the air in front of nothing: the sky, and below its edge the same as there."""
    height, width = shape
    rows = np.arange(height, dtype=np.float32) + 0.5
    rise = np.clip((camera.horizon - rows) / (0.75 * camera.focal), 0.0, 1.0) ** 0.7
    sky = horizon + rise[:, None, None] * (zenith - horizon)
    cloudy = {"clear": 0.35, "rain": 0.2, "fog": 0.03, "snow": 0.08}[scene.weather]
    grid = rng.integers(0, 256, (5, 4), dtype=np.uint8)
    clouds = np.asarray(
        Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC), np.float32
    )
    cover = np.clip(clouds / 255.0 - 0.45, 0.0, 1.0) * cloudy * np.minimum(1.0, 4 * rise)[:, None]
    white = np.float32(0.5) * (horizon + np.max(horizon))
    return np.asarray(sky + cover[..., None] * (white - sky), np.float32)


def _bloom(glow: np.ndarray, scene: Scene, camera: Camera) -> np.ndarray:
    """Light and its halo, wider in fog, rain and snow."""
    strong = 1.0 if scene.time == "night" else 0.6
    wide = {"clear": 0.5, "rain": 0.8, "fog": 1.3, "snow": 0.9}[scene.weather]
    source = Image.fromarray(np.minimum(glow, 255.0).astype(np.uint8))
    pixel = camera.focal / 120.0
    total = glow * np.float32(strong)
    for radius, share, step in ((1.2, 1.1, 1), (4.0, 2.2, 4)):
        small = source.reduce(step)  # as good, and quicker, where all is blurred anyway
        blurred = small.filter(ImageFilter.GaussianBlur(radius * pixel / step))
        blurred = blurred.resize(source.size, Image.Resampling.BILINEAR)
        total += np.asarray(blurred, np.float32) * np.float32(share * wide * strong)
    return total


def _wet(picture: np.ndarray, layers: Layers) -> np.ndarray:
    """A wet road: what stands on it is smeared downwards into it."""
    mirrored = np.empty_like(picture)
    above = picture[0].copy()
    for row in range(len(picture)):
        above += np.float32(0.085) * (picture[row] - above)
        mirrored[row] = above
    share = np.where(layers.ground, np.float32(0.42), np.float32(0.0))[..., None]
    return np.asarray(picture + share * (mirrored * np.float32(1.05) - picture), np.float32)


def _streaks(picture: np.ndarray, rng: np.random.Generator, *, brighter: float) -> np.ndarray:
    """Falling rain, near drops longer."""
    height, width = picture.shape[:2]
    layer = Image.new("L", (2 * width, 2 * height))
    pen = ImageDraw.Draw(layer)
    slope = float(rng.uniform(-0.25, 0.25))
    count = int(width * height / 110)
    for u, v, near in rng.random((count, 3)).tolist():
        long = (0.03 + 0.09 * near) * 2 * height
        x, y = u * 2 * width, v * 2.2 * height - 0.1 * height
        pen.line((x, y, x + slope * long, y + long), fill=int(60 + 120 * near))
    rain = np.asarray(layer.reduce(2), np.float32)
    return np.asarray(picture + rain[..., None] * np.float32(brighter / 255.0), np.float32)


def _flakes(picture: np.ndarray, rng: np.random.Generator, *, white: float) -> np.ndarray:
    """Falling snow: many small flakes, few large and blurred ones."""
    height, width = picture.shape[:2]
    layer = Image.new("L", (2 * width, 2 * height))
    pen = ImageDraw.Draw(layer)
    count, unit = int(width * height / 85), max(height, width) / 64.0
    for u, v, near in rng.random((count, 3)).tolist():
        r = unit * (0.28 + 0.9 * near**5)
        x, y = u * 2 * width, v * 2 * height
        pen.ellipse((x - r, y - r, x + r, y + r), fill=int(235 - 90 * near**3))
    snow = np.asarray(layer.filter(ImageFilter.GaussianBlur(0.5)).reduce(2), np.float32)
    cover = snow[..., None] * np.float32(0.9 / 255.0)
    return np.asarray(picture + cover * (np.float32(white) - picture), np.float32)


def _sensed(picture: np.ndarray, scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """A soft shoulder for bright light, and noise, more of it in the dark."""
    knee = np.float32(190.0)
    over = np.maximum(picture - knee, 0.0)
    picture = np.minimum(picture, knee) + over * (65.0 / (65.0 + over))
    spread = {"day": 2.0, "dusk": 3.0, "night": 4.5}[scene.time]
    noise = rng.standard_normal(picture.shape, np.float32)
    noise *= np.float32(spread)
    picture += noise
    return np.asarray(np.clip(picture, 0.0, 255.0), np.uint8)
