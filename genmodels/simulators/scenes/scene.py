"""What a scene is before it is drawn: its weather, its street and what is on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genmodels.simulators.scenes.camera import Camera

__all__ = ["Scene", "Street", "Thing"]


@dataclass(frozen=True, slots=True)
class Street:
    """A street along Z, with traffic on the right, symmetric about its middle line X = 0.

    Args:
        lanes: in each direction.
        lane: width of one, metres.
        parking: width of a strip for parked cars at each kerb, 0: none.
        pavement: width of a pavement.
        bend: the middle line is at X = bend Z^2.
        crossing: Z where a crossing for people begins, None: there is none.
        junction: whether another street crosses behind it.
        scenery: what stands beside it.
    """

    lanes: int
    lane: float
    parking: float
    pavement: float
    bend: float
    crossing: float | None
    junction: bool
    scenery: str

    @property
    def half(self) -> float:
        """From the middle line to the kerb."""
        return self.lanes * self.lane + self.parking + 0.25

    def shift(self, z: float) -> float:
        return self.bend * z * z

    @property
    def other(self) -> tuple[float, float] | None:
        """Z from and to of the street that crosses."""
        if self.crossing is None or not self.junction:
            return None
        return self.crossing + 4.0, self.crossing + 11.0


@dataclass(frozen=True, slots=True)
class Thing:
    """An object on the street.

    Args:
        name: its class.
        x, z, yaw: where it stands, and where it looks: 0 is away from the camera.
        width, length: of what it stands on.
        u: numbers in [0, 1) that decide how it looks.
    """

    name: str
    x: float
    z: float
    yaw: float
    width: float
    length: float
    u: Sequence[float]


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a picture is drawn from.

    Args:
        weather, time: of `words.py`.
        density: objects that were tried for, on average.
        camera: of the picture, in pixels.
        street: what is there.
        things: objects on it.
        sun: where light comes from, (X, Z) of length up to 1.
        sight: metres at which a dark thing is just seen, as in meteorology.
    """

    weather: str
    time: str
    density: float
    camera: Camera
    street: Street
    things: tuple[Thing, ...]
    sun: tuple[float, float]
    sight: float

    @property
    def lit(self) -> bool:
        """Whether lamps are on."""
        return self.time != "day" or self.weather == "fog"
