"""Simulated datasets on disk, and what they say of themselves."""

import json

from genmodels.tasks.compose import compose
from genmodels.tasks.simulate import simulate


def made(out, *words):
    return simulate(compose("simulate", [f"out={out}", *words]))


def manifest_of(out):
    return json.loads((out / "manifest.json").read_text())


def hashes(out):
    return [file["sha256"] for file in manifest_of(out)["files"]]
