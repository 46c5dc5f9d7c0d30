"""Scenes at the defaults of the configuration, but for what a test says."""

import functools

from genmodels.tasks.compose import compose
from genmodels.tasks.parts import instantiate


def road(name="road", **words):
    told = [f"simulator.{key}={value}" for key, value in words.items()]
    return instantiate(compose("simulate", [f"simulator={name}", *told]).simulator)


@functools.cache
def drawn(count, seed=0):
    """(scene, picture) of the first rows."""
    simulator = road()
    return [simulator.drawn(row, seed=seed) for row in range(count)]
