"""People on foot and on bicycles, of limbs and balls; sizes in metres."""

from __future__ import annotations

import math

from genmodels.simulators.scenes.solids import RGB, Shape, mixed
from genmodels.simulators.scenes.vehicles import Look

__all__ = ["draw_bicycle", "draw_pedestrian"]

_SHIRTS: tuple[RGB, ...] = (
    (192, 44, 48),
    (40, 96, 176),
    (232, 196, 60),
    (236, 236, 232),
    (58, 62, 70),
    (58, 140, 86),
    (150, 76, 150),
    (222, 122, 50),
)
_TROUSERS: tuple[RGB, ...] = ((36, 44, 74), (34, 34, 38), (96, 82, 64), (74, 80, 90))
_SKINS: tuple[RGB, ...] = ((226, 184, 152), (196, 146, 110), (140, 96, 68), (92, 62, 46))
_HAIRS: tuple[RGB, ...] = ((44, 32, 26), (24, 22, 22), (128, 92, 52), (150, 148, 146))
_TYRE: RGB = (24, 24, 26)
_RED_LIGHT: RGB = (235, 26, 18)
_WHITE_LIGHT: RGB = (255, 246, 214)


def draw_pedestrian(shape: Shape, look: Look) -> None:
    """Somebody walking, with an umbrella in one of two rains."""
    tall = (1.56 + 0.3 * look.u[1]) * (0.72 if look.u[6] > 0.9 else 1.0)
    step = math.sin(2 * math.pi * look.u[2]) * 0.2 * tall
    shirt, legs = look.pick(0, _SHIRTS), look.pick(3, _TROUSERS)
    skin, hair = look.pick(4, _SKINS), look.pick(5, _HAIRS)
    hip, neck = 0.5 * tall, 0.83 * tall
    thick = 0.055 * tall
    for side, stride in ((-1, step), (1, -step)):
        x = side * 0.055 * tall
        knee = (x, 0.27 * tall, stride * 0.6 + 0.03)
        shape.limb((x, hip, 0.0), knee, (thick, thick * 0.8), legs)
        shape.limb(knee, (x, 0.03, stride), (thick * 0.8, thick * 0.62), mixed(legs, _TYRE, 0.15))
        shape.limb((x, 0.03, stride), (x, 0.03, stride + 0.12), (0.045, 0.045), _TYRE)
    sleeve = mixed(shirt, (0, 0, 0), 0.18)
    holds = look.wet and look.u[7] < 0.6
    for side, swing in ((-1, -step), (1, step)):
        shoulder = (side * 0.115 * tall, 0.8 * tall, 0.0)
        if holds and side > 0:
            hand = (0.1 * tall, 0.7 * tall, 0.14 * tall)
        else:
            hand = (side * 0.15 * tall, 0.47 * tall, swing * 0.8)
        shape.limb(shoulder, hand, (0.036 * tall, 0.028 * tall), sleeve)
        shape.ball(hand, 0.03 * tall, skin)
    for side in (-1, 1):
        x = side * 0.045 * tall
        shape.limb((x, hip, 0.0), (x, 0.78 * tall, 0.0), (0.066 * tall, 0.072 * tall), shirt)
    shape.limb((0.0, neck - 0.03, 0.0), (0.0, neck + 0.02, 0.0), (0.035, 0.035), skin)
    shape.ball((0.0, 0.92 * tall, 0.0), 0.066 * tall, skin, flat=1.2)
    facing = shape.pose.cos < 0.0
    crown = 0.955 if facing else 0.935
    shape.ball((0.0, crown * tall, 0.0), 0.064 * tall, hair, flat=0.75 if facing else 1.1)
    if holds:
        _umbrella(shape, tall, look.pick(6, _SHIRTS))


def _umbrella(shape: Shape, tall: float, colour: RGB) -> None:
    top = tall + 0.28
    shape.limb((0.1 * tall, 0.68 * tall, 0.1), (0.06, top, 0.05), (0.015, 0.015), _TYRE)
    low = (-0.44, 0.56, -0.5, 0.5, top - 0.16)
    shape.solid(low, (-0.12, 0.24, -0.18, 0.18, top + 0.06), colour)


def draw_bicycle(shape: Shape, look: Look) -> None:
    """A bicycle and who rides it."""
    shirt, legs = look.pick(0, _SHIRTS), look.pick(3, _TROUSERS)
    frame = look.pick(4, _SHIRTS)
    back, ahead, radius = -0.52, 0.52, 0.34
    for z in (back, ahead):
        shape.ring(0.0, radius, z, (radius + 0.04, radius - 0.04), _TYRE)
    crank, seat, head = (0.0, 0.3, -0.04), (0.0, 0.9, -0.2), (0.0, 0.86, 0.38)
    pairs = ((crank, seat), (crank, head), (seat, head), ((0.0, radius, back), crank))
    for a, b in (*pairs, ((0.0, radius, back), seat), ((0.0, radius, ahead), head)):
        shape.limb(a, b, (0.034, 0.034), frame)
    shape.limb((-0.27, 1.0, 0.4), (0.27, 1.0, 0.4), (0.028, 0.028), _TYRE)
    turn = 2 * math.pi * look.u[2]
    hip, shoulder = (0.0, 0.98, -0.2), (0.0, 1.46, 0.12)
    for side, phase in ((-1, turn), (1, turn + math.pi)):
        x = side * 0.11
        foot = (x, 0.3 + 0.16 * math.sin(phase), -0.04 + 0.16 * math.cos(phase))
        knee = (x * 1.2, (foot[1] + 0.98) / 2 + 0.06, (foot[2] - 0.2) / 2 + 0.24)
        shape.limb((x, 0.96, -0.18), knee, (0.09, 0.07), legs)
        shape.limb(knee, foot, (0.07, 0.05), legs)
        shape.limb(foot, (x, foot[1], foot[2] + 0.14), (0.04, 0.04), _TYRE)
        hand = (side * 0.24, 1.03, 0.42)
        shape.limb((side * 0.19, 1.42, 0.12), hand, (0.055, 0.04), mixed(shirt, (0, 0, 0), 0.15))
    for side in (-1, 1):
        start = (side * 0.08 + hip[0], hip[1], hip[2])
        shape.limb(start, (side * 0.1, shoulder[1] - 0.04, shoulder[2]), (0.11, 0.12), shirt)
    skin = look.pick(5, _SKINS)
    shape.ball((0.0, 1.66, 0.18), 0.105, skin, flat=1.2)
    helmet = look.pick(6, _SHIRTS) if look.u[7] < 0.6 else look.pick(6, _HAIRS)
    shape.ball((0.0, 1.72, 0.17), 0.115, helmet, flat=0.75)
    glow = look.glow(_RED_LIGHT if shape.pose.cos > 0.0 else _WHITE_LIGHT)
    lamp: RGB = (190, 30, 26) if shape.pose.cos > 0.0 else (240, 240, 220)
    place = (0.0, 0.72, -0.5) if shape.pose.cos > 0.0 else (0.0, 0.92, 0.56)
    shape.ball(place, 0.05, lamp, glow)
