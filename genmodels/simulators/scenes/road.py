"""`simulator=road`: traffic scenes drawn by rule, with labels that are exact.

`rows=scene`: pictures with all that is known of them. `rows=crop`: one object each, seen by a
camera that turned to it, so that small objects are as sharp as large ones; its class is the label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from genmodels.covering import covering_array
from genmodels.schema import Attribute, ImageSchema
from genmodels.simulators.scenes.camera import Camera
from genmodels.simulators.scenes.plan import Conditions, Plan, generator, with_focus
from genmodels.simulators.scenes.record import CENTIMETRE, depth_codes, objects_of, parameters_of
from genmodels.simulators.scenes.render import Picture, render, shape_of
from genmodels.simulators.scenes.scene import Scene
from genmodels.simulators.scenes.words import (
    CLASSES,
    SCENERIES,
    STUFF,
    TIMES,
    WEATHERS,
    number,
    one_of,
    shares,
    span,
)
from genmodels.types import Images, Truth

if TYPE_CHECKING:
    import torch

__all__ = ["Road"]

Rows = Literal["scene", "crop"]
Told = str | Sequence[str] | Mapping[str, float]
FACTORS = ("weather", "time", "class", "density", "label")
EVERY = {"weather": WEATHERS, "time": TIMES, "class": CLASSES}
LABELS = {"crop": tuple(sorted(CLASSES)), "scene": tuple(sorted(WEATHERS))}
"""Class names by what a row is, in the order in which torchvision's `ImageFolder` numbers them."""
_BLOCK = 8
_ATTEMPTS = 40
_WITH_FOCUS = 0.5
"""What must be seen of the object of a crop, at least."""


class Road:
    """Traffic scenes.

    Args:
        rows: what a row is, see the module.
        height, width: of a scene, pixels.
        crop: side of a crop, pixels.
        samples: along each side of a pixel, odd: a pixel's middle is then a sample.
        weather, time, classes, scenery: a name, or names, of which one given twice comes twice as
            often, or relative frequencies by name.
        density: objects tried for in a scene, on average; some find no room or are hidden.
        focus: a class of which each scene surely shows one; None: none.
        camera_height: metres, a number or [from, to].
        view: degrees from left to right, a number or [from, to].
        fog_sight: metres, a number or [from, to].
        most_hidden: share of an object that others may hide; above it, it is left out.
        least_pixels: that must be seen of an object; below it, it is left out.
        pairwise: densities; rows then take combinations of weather, time, class (which is surely
            seen) and density in turn, in which all pairs occur. None: chance decides.
    """

    name = "road"
    notes: tuple[str, ...] = ()

    def __init__(
        self,
        *,
        rows: Rows,
        height: int,
        width: int,
        crop: int,
        samples: int,
        weather: Told,
        time: Told,
        classes: Told,
        scenery: Told,
        density: float,
        focus: str | None,
        camera_height: float | Sequence[float],
        view: float | Sequence[float],
        fog_sight: float | Sequence[float],
        most_hidden: float,
        least_pixels: int,
        pairwise: Sequence[float] | None,
    ) -> None:
        self._state = {key: value for key, value in locals().items() if key != "self"}
        one_of("rows", rows, get_args(Rows))
        for key, pixels in (("height", height), ("width", width), ("crop", crop)):
            number(key, pixels, least=16, most=2048, whole=True)
        number("samples", samples, least=1, most=7, whole=True)
        if samples % 2 == 0:
            raise ValueError(f"simulator.samples must be odd: 1, 3, 5 or 7; got {samples}")
        self.rows, self.samples = rows, samples
        self.size = (height, width)
        self.side = crop
        self.least_pixels = int(number("least_pixels", least_pixels, least=1, whole=True))
        self.least_visible = 1.0 - number("most_hidden", most_hidden, most=0.99)
        self.kinds = {
            "weather": shares("weather", weather, WEATHERS),
            "time": shares("time", time, TIMES),
            "class": shares("classes", classes, CLASSES),
        }
        usual = Conditions(
            weather=self.kinds["weather"],
            time=self.kinds["time"],
            classes=self.kinds["class"],
            density=float(number("density", density, most=200)),
            focus=None if focus is None else one_of("focus", focus, CLASSES),
        )
        self.plan = Plan(
            usual=usual,
            scenery=shares("scenery", scenery, SCENERIES),
            camera_height=span("camera_height", camera_height, least=0.6, most=12.0),
            fog_sight=span("fog_sight", fog_sight, least=5.0, most=1000.0),
            view=span("view", view, least=20.0, most=100.0),
            combinations=() if pairwise is None else self._combinations(pairwise),
        )
        self.block_rows = _BLOCK
        self.schema = self._schema()

    @property
    def default_format(self) -> str:
        """The format that keeps all that is known of a row."""
        return "scenes" if self.rows == "scene" else "imagefolder"

    def rows_of(self, n: int) -> int:
        return n

    def facts(self) -> dict[str, Any]:
        told = {
            "name": self.name,
            "parameters": self._state,
            "classes": list(CLASSES),
            "semantics": [*STUFF, *CLASSES],
            "depth_unit_m": CENTIMETRE,
            "cannot_make": [
                "photographs: things are plain solids under simple light, without texture",
                "motorcycles, animals, traffic signs and signals, accidents",
                "slopes, tunnels, and lenses that bend lines",
            ],
        }
        if self.plan.combinations:
            told["combinations"] = [dict(one) for one in self.plan.combinations]
        return told

    def fitted(self, observed: Any) -> tuple[Road, dict[str, Any], list[str]]:
        """Nothing that is observed tells its parameters.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"simulator={self.name} cannot be fitted: leave out fit=...")

    def covering(self, combinations: Sequence[Mapping[str, Any]]) -> Road:
        """The same scenes, of which row i is as combination i says, see `Covering`.

        Factors are weather, time, class (surely seen) and density; `label` is what rows have as
        their label: the class of a crop, the weather of a scene.

        Raises:
            ValueError: for another factor, or a value that it does not have.
        """
        told = tuple(self._factors(combination) for combination in combinations)
        made = copy(self)
        made.plan = replace(self.plan, combinations=told)
        made.schema = made._schema()
        return made

    def _factors(self, combination: Mapping[str, Any]) -> dict[str, Any]:
        label = "class" if self.rows == "crop" else "weather"
        found: dict[str, Any] = {}
        for name, value in combination.items():
            factor = label if name == "label" else one_of("factor", name, FACTORS)
            if factor == "density":
                found[factor] = float(number("density", value, most=200))
            else:
                found[factor] = one_of(factor, value, EVERY[factor])
        return found

    def block(self, number: int, *, seed: int, device: torch.device) -> Images:
        return self.host_block(number, seed=seed)

    def host_block(self, number: int, *, seed: int) -> Images:
        """A block of scenes, which no device makes sooner."""
        rows = range(number * _BLOCK, (number + 1) * _BLOCK)
        made = [self.drawn(row, seed=seed) for row in rows]
        pictures = [picture for _, picture in made]
        pixels = np.stack([picture.pixels.transpose(2, 0, 1) for picture in pictures])
        scenes = tuple(parameters_of(scene, picture) for scene, picture in made)
        attributes = {
            name: np.array([scene[name] for scene in scenes]) for name in ("weather", "time")
        }
        if self.rows == "crop":
            labels = _numbers([_focus(p).thing.name for p in pictures], LABELS["crop"])
            seen = [_focus(p).visible / _focus(p).whole for p in pictures]
            attributes["visibility"] = np.round(np.array(seen), 4)
            return Images(pixels, labels, LABELS["crop"], attributes)
        labels = _numbers([scene["weather"] for scene in scenes], LABELS["scene"])
        attributes["density"] = np.array([scene["density"] for scene in scenes], np.float64)
        truth = Truth(
            instances=np.stack([picture.instances for picture in pictures]),
            semantics=np.stack([picture.semantics for picture in pictures]),
            depth=np.stack([depth_codes(picture.depth) for picture in pictures]),
            objects=tuple(objects_of(scene, picture) for scene, picture in made),
            scenes=scenes,
            class_names=CLASSES,
            semantic_names=(*STUFF, *CLASSES),
            depth_unit=CENTIMETRE,
        )
        return Images(pixels, labels, LABELS["scene"], attributes, truth)

    def drawn(self, row: int, *, seed: int) -> tuple[Scene, Picture]:
        """A row's scene and picture: of a few attempts the first that shows what it must."""
        asked = self.plan.conditions(row)
        if self.rows == "crop":
            asked = with_focus(asked, generator(seed, row, 0, 4))
        for attempt in range(_ATTEMPTS):
            scene = self.plan.scene(generator(seed, row, attempt, 0), asked, self.size)
            if asked.focus and not (scene.things and scene.things[0].name == asked.focus):
                continue
            camera, size = self._view(scene, generator(seed, row, attempt, 3))
            picture = render(
                scene,
                camera=camera,
                size=size,
                samples=self.samples,
                least_pixels=self.least_pixels,
                least_visible=self.least_visible,
                rngs=[generator(seed, row, attempt, k) for k in (1, 2)],
            )
            if not asked.focus or self._shows(scene, picture):
                return scene, picture
        raise ValueError(
            f"no scene was found that shows a {asked.focus}: raise simulator.most_hidden or "
            "simulator.fog_sight, or lower simulator.least_pixels"
        )

    def _shows(self, scene: Scene, picture: Picture) -> bool:
        """Whether the thing of focus is seen, and well enough for a crop."""
        found = [one for one in picture.objects if one.thing is scene.things[0]]
        least = _WITH_FOCUS if self.rows == "crop" else 0.0
        return bool(found) and found[0].visible >= least * found[0].whole

    def _view(self, scene: Scene, rng: np.random.Generator) -> tuple[Camera, tuple[int, int]]:
        """The camera of the scene, or one that looks at its first thing alone."""
        if self.rows == "scene":
            return scene.camera, self.size
        patches = shape_of(scene.things[0], scene, scene.camera).patches
        points = [point for patch in patches for point in patch.points]
        left, right = min(u for u, _ in points), max(u for u, _ in points)
        top, bottom = min(v for _, v in points), max(v for _, v in points)
        side = max(right - left, bottom - top) * float(rng.uniform(1.12, 1.5))
        room = side - max(right - left, bottom - top)
        x = (left + right - side) / 2 + room * float(rng.uniform(-0.4, 0.4))
        y = (top + bottom - side) / 2 + room * float(rng.uniform(-0.4, 0.4))
        return scene.camera.window(x, y, self.side / side), (self.side, self.side)

    def _combinations(self, densities: Sequence[float]) -> list[dict[str, Any]]:
        if not isinstance(densities, list | tuple) or not densities:
            raise ValueError(
                f"simulator.pairwise must be a list of densities, such as [2,6,12]; got {densities}"
            )
        levels = [float(number("pairwise", one, most=200)) for one in densities]
        return covering_array({**{k: list(v) for k, v in self.kinds.items()}, "density": levels})

    def _schema(self) -> ImageSchema:
        attributes = [
            Attribute(name, "categorical", levels=self.plan.levels(name, EVERY[name]))
            for name in ("weather", "time")
        ]
        if self.rows == "crop":
            seen = Attribute("visibility", "continuous", minimum=_WITH_FOCUS, maximum=1.0)
            return ImageSchema(3, self.side, self.side, LABELS["crop"], (*attributes, seen))
        told = self.plan.densities
        dense = Attribute("density", "continuous", minimum=min(told), maximum=max(told))
        return ImageSchema(3, *self.size, LABELS["scene"], (*attributes, dense))


def _numbers(names: Sequence[str], classes: tuple[str, ...]) -> np.ndarray:
    return np.array([classes.index(name) for name in names], np.int64)


def _focus(picture: Picture) -> Any:
    """The object of a crop: the first thing that was placed is the first that is described."""
    return picture.objects[0]
