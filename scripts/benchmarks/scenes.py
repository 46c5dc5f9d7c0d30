"""Traffic scenes: are labels exact, how fast are they made, and do fog and night help to train?

    python scripts/benchmarks/scenes.py [--parts labels rate use] [--scenes 10000] [--timed 1000]

Labels: every box against the tight box of its mask, every area and visible share, over all scenes.
Rate: the verb with all its files, by two processes, three times; drawing alone on one core, and
writing alone. The sheet of all
weathers by day, dusk and night is results/road.png. Use: a small network learns the class of
crops, from clear days alone or from as many of which half are fog and night, with the same
number of updates; each training has data and weights of its own, the test data are the same.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import RESULTS, genmodels, keep, load, placed
from PIL import Image
from scipy.stats import t as student
from torch import nn

from genmodels.tasks.compose import compose
from genmodels.tasks.parts import instantiate
from genmodels.types import Images, join_images
from genmodels.writers.base import Shard

GOAL, PROCESSES, SIDE, RUNS = 50, 2, 32, 3
TIMES, WEATHERS = ("day", "dusk", "night"), ("clear", "rain", "fog", "snow")
UPDATES, BATCH = 800, 64
CLEAR, FOG, NIGHT = ("clear", "day"), ("fog", "day"), ("clear", "night")
TESTS = {"clear day": CLEAR, "fog": FOG, "night": NIGHT}


def simulator(**words: Any) -> Any:
    told = [f"simulator.{key}={value}" for key, value in words.items()]
    return instantiate(compose("simulate", ["simulator=road", *told]).simulator)


def block(number: int, *, seed: int, words: dict[str, Any]) -> Images:
    torch.set_num_threads(1)
    found: Images = simulator(**words).block(number, seed=seed, device=torch.device("cpu"))
    return found


@cache
def processes() -> ProcessPoolExecutor:
    """One pool for all; spawned, since a copy of a process that trains can wait for ever."""
    return ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn"))


def blocks(count: int, *, seed: int, **words: Any) -> Iterator[Images]:
    """At least `count` rows, made by two processes."""
    size = simulator(**words).block_rows
    make = partial(block, seed=seed, words=words)
    yield from processes().map(make, range(-(-count // size)))


def wrong_labels(images: Images, row: int) -> tuple[int, int, list[str]]:
    """Objects of a scene, pixels of them, and what is wrong with their labels."""
    truth, wrong = images.truth, []
    assert truth is not None
    instances, covered = truth.instances[row], 0
    for k, one in enumerate(truth.objects[row], 1):
        rows, columns = np.nonzero(instances == k)
        covered += len(rows)
        left, top = columns.min(), rows.min()
        box = [left, top, columns.max() + 1 - left, rows.max() + 1 - top]
        wrong += [] if box == one["bbox"] else ["box"]
        wrong += [] if len(rows) == one["area"] else ["area"]
        wrong += [] if 0.0 < one["visibility"] <= 1.0 else ["visibility"]
        named = len(truth.semantic_names) - len(truth.class_names) + one["label"]
        wrong += [] if (truth.semantics[row][rows, columns] == named).all() else ["semantic"]
    wrong += [] if covered == np.count_nonzero(instances) else ["masks do not part the picture"]
    return len(truth.objects[row]), covered, wrong


def labels(scenes: int) -> dict[str, Any]:
    """Every label of many scenes, counted again from its mask."""
    objects, wrong, done = 0, [], 0
    for images in blocks(scenes, seed=0):
        for row in range(min(len(images), scenes - done)):
            count, _, found = wrong_labels(images, row)
            objects += count
            wrong += found
        done += min(len(images), scenes - done)
    return {"scenes": done, "objects": objects, "wrong": len(wrong)}


def rates(scenes: int) -> dict[str, Any]:
    """Scenes per second: of the verb, of drawing on a core, and of writing what is drawn."""
    found: dict[str, Any] = {"scenes": scenes, "goal": GOAL, "verb": []}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        for k in range(RUNS):
            text, _ = genmodels("simulate", "simulator=road", f"n={scenes}", f"out={out / str(k)}")
            told = re.search(r"\(([\d,.]+) rows/s\)", text)
            assert told is not None, text
            found["verb"].append(float(told[1].replace(",", "")))
        road = simulator()
        start = time.perf_counter()
        drawn = [road.host_block(k, seed=0) for k in range(-(-scenes // road.block_rows))]
        count = len(drawn) * road.block_rows
        found["drawing_on_a_core"] = round(count / (time.perf_counter() - start), 1)
        writer = instantiate(compose("simulate", []).writer.scenes)
        start = time.perf_counter()
        writer.write(iter(drawn), out, Shard(number=0, of=1, start=0))
        writer.finish(out, 1)
        found["writing"] = round(count / (time.perf_counter() - start), 1)
    return found


def sheet(path: Path) -> None:
    """Weathers downwards; day, dusk and night to the right, two scenes of each."""
    rows = []
    for weather in WEATHERS:
        cells = []
        for k, name in enumerate(TIMES):
            road = simulator(weather=weather, time=name, density=9)
            cells += [road.drawn(row, seed=4)[1].pixels for row in (2 * k, 2 * k + 1)]
        rows.append(np.concatenate(cells, 1))
    picture = Image.fromarray(np.concatenate(rows))
    picture.quantize(200, dither=Image.Dither.NONE).save(path, optimize=True)


def crops(kind: tuple[str, str], count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels (N, 3, S, S) from -1 to 1, and classes (N,)."""
    weather, name = kind
    found = blocks(count, seed=seed, rows="crop", crop=SIDE, weather=weather, time=name)
    images = join_images(list(found)).take(np.arange(count))
    assert images.labels is not None
    pixels = torch.from_numpy(np.ascontiguousarray(images.pixels)).float() / 127.5 - 1.0
    return pixels, torch.from_numpy(images.labels)


def network() -> nn.Module:
    layers: list[nn.Module] = []
    for a, b in ((3, 24), (24, 48), (48, 64)):
        layers += [nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * (SIDE // 8) ** 2, 5))


def trained(pixels: torch.Tensor, classes: torch.Tensor, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    net, rng = network(), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, UPDATES)
    for _ in range(UPDATES):
        rows = torch.randint(len(pixels), (BATCH,), generator=rng)
        x = pixels[rows]
        x = torch.where(torch.rand(BATCH, 1, 1, 1, generator=rng) < 0.5, x, x.flip(3))
        loss = nn.functional.cross_entropy(net(x), classes[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net.eval()


@torch.no_grad()
def accuracy(net: nn.Module, pixels: torch.Tensor, classes: torch.Tensor) -> float:
    return float((net(pixels).argmax(1) == classes).float().mean())


def interval(values: list[float]) -> dict[str, float]:
    """Mean and its 95 % interval over trainings, by Student's t."""
    array = np.array(values)
    half = student.ppf(0.975, len(array) - 1) * array.std(ddof=1) / np.sqrt(len(array))
    mean = float(array.mean())
    return {"mean": round(mean, 4), "low": round(mean - half, 4), "high": round(mean + half, 4)}


def use(count: int, repeats: int) -> dict[str, Any]:
    """Accuracy on clear days, fog and night, of two ways to train."""
    tests = {name: crops(kind, count, 1000) for name, kind in TESTS.items()}
    scores: dict[str, dict[str, list[float]]] = {}
    for repeat in range(repeats):
        clear = crops(CLEAR, count, repeat)
        half, rest = count // 2, count - count // 2
        parts = [(clear[0][:half], clear[1][:half])]
        parts += [crops(FOG, rest // 2, 100 + repeat), crops(NIGHT, rest - rest // 2, 200 + repeat)]
        mixed = torch.cat([p for p, _ in parts]), torch.cat([c for _, c in parts])
        for arm, data in (("clear days alone", clear), ("with fog and night", mixed)):
            net = trained(*data, seed=repeat)
            for name, test in tests.items():
                scores.setdefault(arm, {}).setdefault(name, []).append(accuracy(net, *test))
    alone, helped = scores["clear days alone"], scores["with fog and night"]
    gains = {k: [b - a for a, b in zip(alone[k], helped[k], strict=True)] for k in tests}
    return {
        "crops": count,
        "trainings": repeats,
        "updates": UPDATES,
        **{arm: {k: interval(v) for k, v in found.items()} for arm, found in scores.items()},
        "gain": {k: interval(v) for k, v in gains.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=10_000)
    parser.add_argument("--timed", type=int, default=1_000)
    parser.add_argument("--crops", type=int, default=1_200)
    parser.add_argument("--repeats", type=int, default=5)
    parts = ("labels", "rate", "use")
    parser.add_argument("--parts", nargs="+", default=list(parts), choices=parts)
    given = parser.parse_args()
    torch.set_num_threads(PROCESSES)
    result: dict[str, Any] = load("scenes") or {}
    work: dict[str, Callable[[], dict[str, Any]]] = {
        "labels": lambda: labels(given.scenes),
        "rate": lambda: rates(given.timed),
        "use": lambda: use(given.crops, given.repeats),
    }
    for part in given.parts:
        result[part] = work[part]()
    sheet(RESULTS / "road.png")
    processes().shutdown()
    placed(result, result)
    usual = vars(parser.parse_args(["--parts", *given.parts]))
    keep("scenes", result, result, [k for k, v in vars(given).items() if v != usual[k]])


if __name__ == "__main__":
    main()
