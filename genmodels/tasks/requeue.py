"""A Slurm job whose time runs out asks for another turn, and goes on there."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from omegaconf import DictConfig

from genmodels.tasks.ranks import this_rank

__all__ = ["requeue", "warned"]

log = logging.getLogger(__name__)
_SECONDS = 60.0


def requeue(cfg: DictConfig, code: int) -> None:
    """Put the job of this process back into the queue, if it was warned of its end by SIGUSR1.

    `sbatch --signal=USR1@120` warns steps that srun started, two minutes before the time is over.
    A job that is preempted gets SIGTERM, and Slurm puts it back by itself.

    Args:
        cfg: as the command said it: the next turn gives the same command.
        code: exit status of the interruption.
    """
    job = _job()
    if code != 128 + getattr(signal, "SIGUSR1", 0) or job is None:
        return
    if cfg.run is None or cfg.resume != "auto":
        log.warning(
            "the job is not put back into the queue, as its command would not go on with this run: "
            "add run=<folder> and resume=auto to it"
        )
        return
    try:
        done = subprocess.run(
            ["scontrol", "requeue", job], check=True, timeout=_SECONDS, capture_output=True,
            text=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", None) or error).strip()
        log.warning("scontrol requeue %s failed: %s", job, " ".join(said.split()))
        return
    log.info("scontrol requeue %s: the job goes on when its turn comes. %s", job, done.stdout)


@contextmanager
def warned(cfg: DictConfig) -> Iterator[None]:
    """While nothing is there to save, a job that is warned of its end is put back at once."""
    number = getattr(signal, "SIGUSR1", None)
    main = threading.current_thread() is threading.main_thread()
    if number is None or _job() is None or not main:
        yield
        return

    def again(*_: object) -> None:
        if not this_rank().number:
            requeue(cfg, 128 + number)
        raise SystemExit(128 + number)

    before = signal.signal(number, again)
    try:
        yield
    finally:
        signal.signal(number, before)


def _job() -> str | None:
    array, task = (os.environ.get(f"SLURM_ARRAY_{name}_ID") for name in ("JOB", "TASK"))
    return f"{array}_{task}" if array and task else os.environ.get("SLURM_JOB_ID")
