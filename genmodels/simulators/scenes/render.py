"""From a scene to its picture and its exact labels.

All that is seen comes from one test of depth per sample. Colours are averages of the samples of
a pixel; masks and depth are those of its middle sample, so that masks part the picture and a
visible share is of the very shape that is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from genmodels.simulators.scenes.air import Layers, developed, through_air
from genmodels.simulators.scenes.camera import Camera
from genmodels.simulators.scenes.people import draw_bicycle, draw_pedestrian
from genmodels.simulators.scenes.roadside import roadside_patches
from genmodels.simulators.scenes.scene import Scene, Thing
from genmodels.simulators.scenes.sheet import Box, Sheet, box_around
from genmodels.simulators.scenes.solids import Patch, Pose, Shape
from genmodels.simulators.scenes.street import ground_patches
from genmodels.simulators.scenes.vehicles import Look, draw_bus, draw_car, draw_truck
from genmodels.simulators.scenes.words import CLASSES, STUFF

__all__ = ["Drawn", "Picture", "render", "shape_of"]

_DRAW = {
    "car": draw_car,
    "truck": draw_truck,
    "bus": draw_bus,
    "bicycle": draw_bicycle,
    "pedestrian": draw_pedestrian,
}
_GROUND = np.array([name in ("road", "pavement", "ground") for name in (*STUFF, *CLASSES)])


@dataclass(frozen=True, slots=True)
class Drawn:
    """An object that is seen.

    Args:
        thing: what it is.
        visible: pixels of it that are seen.
        whole: pixels that it would have if nothing stood before it.
        box: of what is seen, left, top, right, bottom (outside), pixels.
        whole_box: of all of it within the picture.
        reach: the same beyond the picture's edges, as drawn.
    """

    thing: Thing
    visible: int
    whole: int
    box: Box
    whole_box: Box
    reach: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture and its labels.

    Args:
        pixels: uint8 (H, W, 3).
        instances: uint8 (H, W), k of the k-th object from 1, 0 elsewhere.
        semantics: uint8 (H, W), of STUFF and then CLASSES.
        depth: float32 (H, W), metres; `sheet.FAR` of the sky.
        objects: in the order of their numbers.
    """

    pixels: np.ndarray
    instances: np.ndarray
    semantics: np.ndarray
    depth: np.ndarray
    objects: list[Drawn]


@dataclass(slots=True)
class _Part:
    """One thing in samples: where, how deep, its colours and its light."""

    thing: Thing
    patches: list[Patch]
    box: Box
    covered: np.ndarray
    depth: np.ndarray
    colour: Image.Image
    glow: Image.Image | None


def shape_of(thing: Thing, scene: Scene, camera: Camera) -> Shape:
    """A thing as patches."""
    shape = Shape(camera=camera, pose=Pose.of(thing.x, thing.z, thing.yaw), sun=scene.sun)
    look = Look(thing.u, scene.lit, scene.weather == "snow", scene.weather == "rain")
    _DRAW[thing.name](shape, look)
    return shape


def render(
    scene: Scene,
    *,
    camera: Camera,
    size: tuple[int, int],
    samples: int,
    least_pixels: int,
    least_visible: float,
    rngs: Sequence[np.random.Generator],
) -> Picture:
    """Draw a scene.

    Args:
        scene: of things that need not be visible.
        camera: that it is seen through, in pixels.
        size: height and width of the picture.
        samples: along each side of a pixel, odd.
        least_pixels, least_visible: what of an object must be seen; others are left out, of the
            picture and of the labels.
        rngs: for the street's details, and for weather and sensor.
    """
    height, width = size
    fine, wide, tall = camera.sampled(samples), width * samples, height * samples
    back = Sheet(width=wide, height=tall, lit=scene.lit)
    back.draw(ground_patches(scene, fine, (wide, tall), rngs[0]))
    back.draw(roadside_patches(scene, fine, rngs[0]))
    everywhere = (0, 0, wide, tall)
    numbers = back.numbers(everywhere)
    depth = back.depth(numbers, everywhere)
    parts = _parts(scene, fine, (wide, tall))
    kept = _kept(parts, depth, samples, least_pixels=least_pixels, least_visible=least_visible)
    ids = np.zeros((tall, wide), np.uint8)
    shade = _shadows(kept, scene, fine, (wide, tall)).reduce(samples)
    for k, part in enumerate(kept, 1):
        _put(part, k, back, depth, ids)
    middle = samples // 2
    at = (slice(middle, None, samples), slice(middle, None, samples))
    instances, fine_depth = ids[at].copy(), depth[at].copy()
    names = [0, *(len(STUFF) + CLASSES.index(part.thing.name) for part in kept)]
    semantics = np.array(back.stuff, np.uint8)[numbers[at]]
    semantics = np.where(instances > 0, np.array(names, np.uint8)[instances], semantics)
    share = np.rint(through_air(depth, scene.sight) * np.float32(255.0)).astype(np.uint8)
    through = Image.fromarray(share)
    layers = Layers(
        seen=_averaged(back.colour, through, samples),
        through=np.asarray(through.reduce(samples), np.float32) * np.float32(1 / 255.0),
        glow=None if back.glow is None else _averaged(back.glow, through, samples),
        shade=_on_ground(shade, semantics),
        depth=fine_depth,
        ground=_GROUND[semantics],
    )
    pixels = developed(layers, scene, camera, rngs[1])
    objects = [_described(part, k, instances, samples) for k, part in enumerate(kept, 1)]
    return Picture(pixels, instances, semantics, fine_depth, objects)


def _parts(scene: Scene, camera: Camera, size: tuple[int, int]) -> list[_Part]:
    """All things that reach into the picture, drawn each for itself."""
    sheet, parts = Sheet(width=size[0], height=size[1], lit=scene.lit), []
    for thing in scene.things:
        patches = shape_of(thing, scene, camera).patches
        box = box_around(patches, size)
        if box is None:
            continue
        sheet.draw(patches)
        numbers = sheet.numbers(box)
        glow = None if sheet.glow is None else sheet.glow.crop(box)
        colour, depth = sheet.colour.crop(box), sheet.depth(numbers, box)
        parts.append(_Part(thing, patches, box, numbers > 0, depth, colour, glow))
        sheet.clear(box)
    return parts


def _kept(
    parts: list[_Part],
    depth: np.ndarray,
    samples: int,
    *,
    least_pixels: int,
    least_visible: float,
) -> list[_Part]:
    """Those that are seen well enough; the worst goes first, since others are seen better then."""
    kept = list(parts)
    while kept:
        front = depth[samples // 2 :: samples, samples // 2 :: samples].copy()
        ids = np.zeros(front.shape, np.uint8)
        for k, part in enumerate(kept, 1):
            (rows, columns), covered, deep = _middles(part, samples)
            nearer = covered & (deep < front[rows, columns])
            front[rows, columns][nearer] = deep[nearer]
            ids[rows, columns][nearer] = k
        seen = np.bincount(ids.ravel(), minlength=len(kept) + 1)[1:]
        whole = [int(np.count_nonzero(_middles(part, samples)[1])) for part in kept]
        shares = [a / max(b, 1) for a, b in zip(seen.tolist(), whole, strict=True)]
        marks = [
            share if share < least_visible or count < least_pixels else 2.0
            for share, count in zip(shares, seen.tolist(), strict=True)
        ]
        worst = int(np.argmin(marks))
        if marks[worst] > 1.0:
            return kept
        del kept[worst]
    return kept


def _middles(part: _Part, samples: int) -> tuple[tuple[slice, slice], np.ndarray, np.ndarray]:
    """Of the pixels whose middle sample is in a part's box: which, whether covered, how deep."""
    middle = samples // 2
    left, top, right, bottom = part.box
    first = (max(0, -((middle - top) // samples)), max(0, -((middle - left) // samples)))
    last = (-((middle - bottom) // samples), -((middle - right) // samples))
    rows, columns = slice(first[0], last[0]), slice(first[1], last[1])
    inside = (
        slice(first[0] * samples + middle - top, None, samples),
        slice(first[1] * samples + middle - left, None, samples),
    )
    return (rows, columns), part.covered[inside], part.depth[inside]


def _put(part: _Part, number: int, back: Sheet, depth: np.ndarray, ids: np.ndarray) -> None:
    """A part in front of what is farther away."""
    left, top, right, bottom = part.box
    at = (slice(top, bottom), slice(left, right))
    nearer = part.covered & (part.depth < depth[at])
    np.copyto(depth[at], part.depth, where=nearer)
    ids[at][nearer] = number
    # Colours stay with Pillow: to turn them into arrays and back takes longer than to draw them.
    mask = Image.fromarray(nearer)
    back.colour.paste(part.colour, (left, top), mask)
    if back.glow is not None and part.glow is not None:
        back.glow.paste(part.glow, (left, top), mask)


def _shadows(
    parts: Sequence[_Part], scene: Scene, camera: Camera, size: tuple[int, int]
) -> Image.Image:
    """Where light is kept away from the ground, 255 where it is not."""
    layer = Image.new("L", size, 255)
    pen = ImageDraw.Draw(layer)
    sunny = scene.weather == "clear" and scene.time != "night"
    tall = {"car": 1.4, "truck": 3.4, "bus": 3.0, "bicycle": 1.5, "pedestrian": 1.6}
    for part in parts:
        thing = part.thing
        pose, high = Pose.of(thing.x, thing.z, thing.yaw), tall[thing.name]
        w, n = thing.width * 0.52, thing.length * 0.51
        steps = range(5) if sunny else range(1)
        for step in reversed(steps):
            dx, dz = (-s * high * 0.8 * step / 4 for s in scene.sun)
            corners = [pose.world(x, 0.0, z) for x, z in ((-w, -n), (w, -n), (w, n), (-w, n))]
            points = [camera.project(x + dx, 0.0, max(0.8, z + dz)) for x, _, z in corners]
            pen.polygon(points, 120 if sunny and step else 96)
    return layer


def _on_ground(shade: Image.Image, semantics: np.ndarray) -> np.ndarray:
    found = np.asarray(shade, np.float32) * np.float32(1 / 255.0)
    return np.where(_GROUND[semantics], found, np.float32(1.0))


def _averaged(colour: Image.Image, through: Image.Image, samples: int) -> np.ndarray:
    """Colours times the light that comes through, at pixels."""
    seen = ImageChops.multiply(colour, Image.merge("RGB", [through] * 3))
    return np.asarray(seen.reduce(samples), np.float32)


def _described(part: _Part, number: int, instances: np.ndarray, samples: int) -> Drawn:
    (rows, columns), covered, _ = _middles(part, samples)
    mask, corner = instances[rows, columns] == number, (columns.start, rows.start)
    points = [point for patch in part.patches for point in patch.points]
    us, vs = [(u + 0.5) / samples for u, _ in points], [(v + 0.5) / samples for _, v in points]
    reach = (min(us), min(vs), max(us), max(vs))
    counts = int(np.count_nonzero(mask)), int(np.count_nonzero(covered))
    return Drawn(part.thing, *counts, _tight(mask, corner), _tight(covered, corner), reach)


def _tight(mask: np.ndarray, corner: tuple[int, int]) -> Box:
    """The smallest box around a mask that is not empty, whose upper left pixel is `corner`."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    left, top = corner
    return (
        left + int(columns[0]),
        top + int(rows[0]),
        left + int(columns[-1]) + 1,
        top + int(rows[-1]) + 1,
    )
