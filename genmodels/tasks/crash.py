"""`genmodels selftest crash`: jobs that are killed at random instants come to the same end.

Each job, a training or a sampling, runs once undisturbed. Then it is started, killed by SIGKILL,
SIGTERM or SIGINT in turn, and started again by the same command, as often as kills are left. What
it ends with is compared: weights, the whole last state, measured numbers, every byte of a dataset.
After each kill what lies under a final name must be whole.
"""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from genmodels.callbacks.checkpoint import read_checkpoint
from genmodels.files import read_json, sha256, write_json
from genmodels.run import Run
from genmodels.tasks.compose import require, resolved
from genmodels.tasks.options import whole_number
from genmodels.writers.base import MANIFEST
from genmodels.writers.verify import differences

__all__ = ["Job", "Outcome", "crash", "run"]

log = logging.getLogger(__name__)
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
ENDED = {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}
_TIMED = ("time", "train/samples_per_second")
"""What two undisturbed trainings do not share."""
_COMMON = (
    "trainer.accelerator=cpu", "logger=none", "callbacks.preview=null",
    "callbacks.checkpoint.every_seconds=1", "callbacks.telemetry.every_seconds=1000000",
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """A command whose end does not depend on interruptions.

    Args:
        name: for people.
        words: of the command; `{out}` is the folder that it makes.
        facts: what that folder holds, in a form that can be compared.
        flaws: what is half-written in it at this instant, one line each.
        done: whether the command came to its end there.
    """

    name: str
    words: Sequence[str]
    facts: Callable[[Path], Mapping[str, Any]]
    flaws: Callable[[Path], Iterator[str]]
    done: Callable[[Path], bool]


@dataclass
class Outcome:
    """What became of a job.

    Args:
        job: its name.
        seconds: of the undisturbed command.
        kills: by signal, how often it was killed while it worked.
        ends: how often it came to its end and was compared.
        problems: what was wrong, one line each.
    """

    job: str
    seconds: float = 0.0
    kills: dict[str, int] = field(default_factory=dict)
    ends: int = 0
    problems: list[str] = field(default_factory=list)

    def state(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**self.__dict__, "passed": not self.problems}


def run(cfg: DictConfig) -> int:
    """Say what became of each job; 0 when every end was the same, else 3."""
    outcomes = crash(cfg)
    for outcome in outcomes:
        kills = ", ".join(f"{number} {name}" for name, number in outcome.kills.items())
        log.info(
            "%s: %s; %d ends compared, %s",
            outcome.job,
            kills or "never killed",
            outcome.ends,
            "all the same" if not outcome.problems else "NOT all the same",
        )
        for problem in outcome.problems:
            log.warning("%s: %s", outcome.job, problem)
    return 3 if any(outcome.problems for outcome in outcomes) else 0


def crash(cfg: DictConfig) -> list[Outcome]:
    """Kill trainings and samplings, and compare their ends.

    Args:
        cfg: as `compose("selftest", ["subject=crash", ...])` gives it.

    Raises:
        ValueError: for settings out of range.
    """
    require(cfg)
    kills = whole_number("kills", cfg.kills, least=1)
    models, words = list(cfg.models), resolved(cfg)["jobs"]
    if not models or set(models) - set(words):
        raise ValueError(f"models must be some of {', '.join(words)}, got {models}")
    rng, outcomes = random.Random(whole_number("seed", cfg.seed, least=0)), []
    with tempfile.TemporaryDirectory(prefix="genmodels-crash-") as scratch:
        of = 2 * len(models)
        for number, job in enumerate(_jobs({m: words[m] for m in models}, Path(scratch))):
            share = kills * (number + 1) // of - kills * number // of
            folder = Path(scratch) / f"job-{number}"
            folder.mkdir()
            log.info("%s: %d kills", job.name, share)
            outcomes.append(_disturbed(job, folder, share, rng))
    if cfg.out is not None:
        write_json(Path(str(cfg.out)) / "crash.json", [outcome.state() for outcome in outcomes])
    return outcomes


def _jobs(chosen: Mapping[str, Mapping[str, Sequence[str]]], scratch: Path) -> Iterator[Job]:
    """A training of each model, and a sampling of what it made."""
    for model, asked in chosen.items():
        words = [f"model={model}", *asked["train"], *_COMMON]
        yield Job(
            f"train {model}",
            ["train", *words, "run={out}", "resume=auto"],
            _training_facts,
            _training_flaws,
            lambda out: bool(Run(out).read_manifest().get("finished")),
        )
        trained = scratch / f"trained-{model}"
        _complete(["train", *words, f"run={trained}"])
        yield Job(
            f"sample {model}",
            ["sample", f"run={trained}", *asked["sample"], "out={out}"],
            _dataset_facts,
            _dataset_flaws,
            lambda out: (out / MANIFEST).is_file(),
        )


def _disturbed(job: Job, folder: Path, kills: int, rng: random.Random) -> Outcome:
    outcome, start = Outcome(job.name), time.monotonic()
    _complete(_words(job, folder / "whole"))
    outcome.seconds = round(time.monotonic() - start, 2)
    whole, left, number = job.facts(folder / "whole"), kills, 0
    while left or not outcome.ends:
        out = folder / f"out-{number}"
        number += 1
        while left and _killed(job, out, SIGNALS[left % len(SIGNALS)], outcome, rng):
            left -= 1
        if not job.done(out):  # the last kill may have come when all was done
            _complete(_words(job, out))
        outcome.ends += 1
        found = job.facts(out)
        outcome.problems += [
            f"{name} is not as in the undisturbed job"
            for name in sorted({*whole, *found})
            if whole.get(name) != found.get(name)
        ]
        stray = [p.name for p in folder.iterdir() if p.name.startswith(f".{out.name}.")]
        outcome.problems += [f"{name} is left behind" for name in stray]
        shutil.rmtree(out, ignore_errors=True)
    return outcome


def _killed(
    job: Job, out: Path, number: signal.Signals, outcome: Outcome, rng: random.Random
) -> bool:
    """Start a job and kill it at a random instant; False when it came to its end before."""
    with tempfile.TemporaryFile() as said:
        process = _start(_words(job, out), said)
        try:
            process.wait(rng.uniform(0.1, outcome.seconds))
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        except BaseException:
            process.kill()
            raise
        else:
            return False
        code = process.wait()
        if code == 0 or job.done(out):
            return False  # it was ending
        outcome.kills[number.name] = outcome.kills.get(number.name, 0) + 1
        # A signal that comes before Python listens ends the process as the system does.
        if code not in (ENDED[number], -number):
            said.seek(0)
            text = said.read().decode(errors="replace").splitlines()
            outcome.problems.append(f"{number.name} ended it with {code}: {' | '.join(text[-3:])}")
    outcome.problems += [f"after {number.name}: {flaw}" for flaw in job.flaws(out)]
    return True


def _words(job: Job, out: Path) -> list[str]:
    return [word.replace("{out}", str(out)) for word in job.words]


def _start(words: Sequence[str], said: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "genmodels", *words]
    return subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=dict(os.environ))


def _complete(words: Sequence[str]) -> None:
    with tempfile.TemporaryFile() as said:
        code = _start(words, said).wait()
        if code:
            said.seek(0)
            text = said.read().decode(errors="replace")
            raise ValueError(f"genmodels {' '.join(words)} ended with {code}: {text[-2000:]}")


def _training_facts(out: Path) -> dict[str, Any]:
    run, state = Run(out), read_checkpoint(Run(out))
    assert state is not None
    lines = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    manifest = run.read_manifest()
    return {
        "model.safetensors": sha256(run.weights),
        "the last state of the model": _plain(state["state_dict"]),
        "the last state of the optimizers": _plain(state["optimizers"]),
        "metrics.jsonl": [
            {key: value for key, value in line.items() if key not in _TIMED} for line in lines
        ],
        "the results": {key: manifest[key] for key in ("results", "samples_seen", "finished")},
    }


def _training_flaws(out: Path) -> Iterator[str]:
    """Files of a run that cannot be read; lines of numbers may be cut short by the last instant."""
    run = Run(out)
    for path in (run.schema, run.codec, run.margins, run.manifest):
        if path.exists():
            yield from _unreadable(path, read_json)
    if run.weights.exists():
        yield from _unreadable(run.weights, lambda _: run.read_weights())
    for path in run.checkpoints.glob("*.ckpt"):
        yield from _unreadable(path, lambda p: torch.load(p, weights_only=True))


def _unreadable(path: Path, read: Callable[[Path], Any]) -> Iterator[str]:
    try:
        read(path)
    except (OSError, ValueError, RuntimeError) as error:
        yield f"{path.name} is not whole: {error}"


def _plain(node: Any) -> Any:
    """The same with tensors as bytes, which compare by value."""
    if isinstance(node, torch.Tensor):
        return node.dtype, tuple(node.shape), node.contiguous().numpy().tobytes()
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_plain(value) for value in node]
    return node


def _dataset_facts(out: Path) -> dict[str, Any]:
    files = read_json(out / MANIFEST)["files"]
    return {file["path"]: file["sha256"] for file in files} | {"verify": list(differences(out))}


def _dataset_flaws(out: Path) -> Iterator[str]:
    """A dataset is there as a whole or not at all."""
    if out.exists():
        yield from differences(out)
