"""What is told of a drawn scene: its parameters, and each object with its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from genmodels.simulators.scenes.air import clearness
from genmodels.simulators.scenes.render import Drawn, Picture
from genmodels.simulators.scenes.scene import Scene
from genmodels.simulators.scenes.words import CLASSES

__all__ = ["CENTIMETRE", "depth_codes", "objects_of", "parameters_of"]

CENTIMETRE = 0.01
_DIGITS = 4


def depth_codes(depth: np.ndarray) -> np.ndarray:
    """Depth in centimetres as uint16; 0 of the sky and of what is farther than 655 m."""
    whole = np.rint(depth / np.float32(CENTIMETRE))
    return np.where(whole < 65536.0, whole, 0.0).astype(np.uint16)


def parameters_of(scene: Scene, picture: Picture) -> dict[str, Any]:
    """All parameters of a scene, plain JSON; angles in degrees, lengths in metres."""
    street, camera = scene.street, scene.camera
    numbers = {
        "camera_height": camera.height,
        "camera_x": camera.x,
        "focal": camera.focal,
        "centre": camera.cx,
        "horizon": camera.horizon,
        "sight": scene.sight,
        "sun_x": scene.sun[0],
        "sun_z": scene.sun[1],
        "lane_width": street.lane,
        "parking_width": street.parking,
        "pavement_width": street.pavement,
        "bend": street.bend,
    }
    return {
        "weather": scene.weather,
        "time": scene.time,
        "scenery": street.scenery,
        "density": scene.density,
        "count": len(picture.objects),
        "lamps": scene.lit,
        "lanes": street.lanes,
        "crossing": None if street.crossing is None else round(street.crossing, _DIGITS),
        "junction": street.other is not None,
        **{name: round(float(value), _DIGITS) for name, value in numbers.items()},
    }


def objects_of(scene: Scene, picture: Picture) -> Sequence[Mapping[str, Any]]:
    """Each object: class, boxes [left, top, width, height], and where it stands."""
    size = picture.instances.shape
    return tuple(_object(one, scene.sight, size) for one in picture.objects)


def _object(one: Drawn, sight: float, size: tuple[int, ...]) -> dict[str, Any]:
    thing = one.thing
    return {
        "class": thing.name,
        "label": CLASSES.index(thing.name),
        "bbox": _sides(one.box),
        "whole_bbox": _sides(one.whole_box),
        "area": one.visible,
        "visibility": round(one.visible / one.whole, _DIGITS),
        "truncation": round(_truncation(one.reach, size), _DIGITS),
        "clearness": round(clearness(thing.z, sight), _DIGITS),
        "x": round(thing.x, _DIGITS),
        "z": round(thing.z, _DIGITS),
        "yaw": round(float(np.degrees(thing.yaw)), 2),
        "width": round(thing.width, _DIGITS),
        "length": round(thing.length, _DIGITS),
    }


def _sides(box: tuple[int, int, int, int]) -> list[int]:
    left, top, right, bottom = box
    return [left, top, right - left, bottom - top]


def _truncation(reach: tuple[float, float, float, float], size: tuple[int, ...]) -> float:
    """The share of the box of a whole object that lies outside the picture."""
    left, top, right, bottom = reach
    whole = max((right - left) * (bottom - top), 1e-6)
    wide = max(min(right, float(size[1])) - max(left, 0.0), 0.0)
    tall = max(min(bottom, float(size[0])) - max(top, 0.0), 0.0)
    return max(0.0, 1.0 - wide * tall / whole)
