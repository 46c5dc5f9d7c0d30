"""The run: the directory of one training, the only hand-over between train, sample and evaluate.

    config.yaml  schema.json  codec.json  manifest.json   what was trained, on what, how
    margins.json                                          how often levels and scores occurred
    model.safetensors                                     weights for sampling, the best so far
    classifier.safetensors  classifier.json               that chose among samples, once one did
    checkpoints/last.ckpt, previous.ckpt                  full states, to resume from
    metrics.jsonl  tensorboard/  pictures/                what was measured on the way

Only names, reading and writing; what the files mean is known to their writers.
"""

from __future__ import annotations

import logging
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from genmodels.files import MANIFEST, atomic_path, read_json, write_json, write_text

__all__ = ["Run"]

logger = logging.getLogger(__name__)


class Run:
    """File names inside one run directory.

    Args:
        path: the directory; it need not exist yet.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.config = self.path / "config.yaml"
        self.schema = self.path / "schema.json"
        self.codec = self.path / "codec.json"
        self.margins = self.path / "margins.json"
        self.weights = self.path / "model.safetensors"
        self.classifier = self.path / "classifier.safetensors"
        self.classifier_facts = self.path / "classifier.json"
        self.manifest = self.path / MANIFEST
        self.checkpoints = self.path / "checkpoints"
        self.metrics = self.path / "metrics.jsonl"
        self.tensorboard = self.path / "tensorboard"
        self.pictures = self.path / "pictures"

    def __str__(self) -> str:
        return str(self.path)

    @property
    def replaced(self) -> Path:
        """Where the run in whose place this one is made is kept until this one has weights."""
        place = self.path.absolute()
        return place.parent / f".{place.name}.replaced"

    @classmethod
    def open(cls, path: Path | str) -> Run:
        """A run that exists.

        Raises:
            ValueError: when there is no run at `path`; names the runs beside it.
        """
        run = cls(path)
        if run.exists():
            return run
        parent = run.path.parent
        runs = parent.glob("[!.]*/config.yaml") if parent.is_dir() else []
        beside = sorted(path.parent for path in runs)
        known = f"; there are: {', '.join(map(str, beside[:8]))}" if beside else ""
        raise ValueError(
            f"there is no run at {run.path}{known}. Give run=<folder> as `genmodels train` named it"
        )

    def exists(self) -> bool:
        return self.config.is_file() and self.schema.is_file() and self.codec.is_file()

    def is_stub(self) -> bool:
        """Whether this is what a process leaves that is killed while it makes the directory.

        The configuration is written last: without one there is no run, and nothing to lose.
        """
        if self.exists() or not self.path.is_dir():
            return False
        known = {self.schema, self.codec, self.margins, self.manifest, self.checkpoints}
        known |= {self.pictures, self.tensorboard, self.metrics}
        found = set(self.path.iterdir())
        return bool(found) and all(p in known or p.name.endswith(".part") for p in found)

    def create(self, *, overwrite: bool = False) -> None:
        """Make the directory; a run that is replaced is kept aside until this one has weights.

        Raises:
            ValueError: when it exists and is not empty, and either is not a run or `overwrite`
                is false; also when another process makes it at the same time.
        """
        self.refuse_to_replace(overwrite=overwrite)
        if self.exists():
            self._set_aside()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            # Of several processes exactly one can make this folder; the run is that one's.
            self.checkpoints.mkdir()
            self.pictures.mkdir()
        except FileExistsError:
            raise ValueError(
                f"run={self.path} was made by another process just now; choose another name"
            ) from None
        except OSError:
            self.remove()
            raise

    @contextmanager
    def locked(self) -> Iterator[None]:
        """While this process trains the run, no other may.

        Raises:
            ValueError: when another one does.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.checkpoints / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise ValueError(
                f"another process is training {self}; wait for it or stop it"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def refuse_to_replace(self, *, overwrite: bool) -> None:
        """Raise `ValueError` when this path may not become a new run."""
        if self.path.is_file():
            raise ValueError(f"run={self.path} is a file; give the name of a new folder")
        if not self.path.is_dir() or not any(self.path.iterdir()):
            return
        if not self.exists():
            raise ValueError(f"run={self.path} is a folder of something else; choose another name")
        if not overwrite:
            raise ValueError(
                f"run={self.path} exists already. Choose another name, or go on with it "
                "(resume=auto), or replace it (overwrite=true)"
            )

    def remove(self) -> None:
        """Undo `create`: what it replaced comes back."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self.replaced.is_dir() and not self.path.exists():
            self.replaced.rename(self.path)

    def forget_replaced(self) -> None:
        """This run is worth more now than the one in whose place it was made."""
        shutil.rmtree(self.replaced, ignore_errors=True)

    def _set_aside(self) -> None:
        if self.replaced.is_dir():
            # What is here replaced a run itself and came to no weights: that run is worth more.
            shutil.rmtree(self.path)
        else:
            self.path.rename(self.replaced)

    def write(
        self,
        *,
        config: str,
        schema: Mapping[str, Any],
        codec: Mapping[str, Any],
        margins: Mapping[str, Any] | None = None,
    ) -> None:
        """Write what later verbs need besides the weights; the config last, as it makes a run."""
        write_json(self.schema, schema)
        write_json(self.codec, codec)
        if margins is not None:
            write_json(self.margins, margins)
        write_text(self.config, config)

    def write_weights(self, state: Mapping[str, Tensor]) -> None:
        from safetensors.torch import save

        plain = {name: value.detach().cpu().contiguous() for name, value in state.items()}
        blob = save(plain, metadata={"format": "pt"})
        with atomic_path(self.weights) as temporary:
            temporary.write_bytes(blob)
        self.forget_replaced()

    def read_weights(self) -> dict[str, Tensor]:
        """Weights for sampling, on the CPU.

        Raises:
            ValueError: when there are none yet, or the file is damaged.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        if not self.weights.is_file():
            raise ValueError(
                f"{self.path} has no {self.weights.name} yet: training ended before its first "
                f"validation. Go on with `genmodels train run={self.path} resume=auto`"
            )
        try:
            return load_file(self.weights)
        except SafetensorError as error:
            raise ValueError(f"{self.weights} is damaged: {error}") from error

    def read_manifest(self) -> dict[str, Any]:
        """What was recorded of the training; empty before the first record."""
        return read_json(self.manifest) if self.manifest.is_file() else {}

    def warn_unfinished(self) -> None:
        """Say so when training was interrupted: draws are then of its best weights so far."""
        if self.read_manifest().get("finished") is not False:
            return
        there = self.checkpoints.is_dir() and any(self.checkpoints.iterdir())
        onward = f"; go on with: genmodels train run={self} resume=auto" if there else ""
        logger.warning(
            "the training of %s did not finish, so what is drawn is of the best weights so far%s",
            self,
            onward,
        )

    def write_manifest(self, **entries: Any) -> None:
        """Add entries to the manifest."""
        write_json(self.manifest, self.read_manifest() | entries)

    def copy_to(self, folder: Path) -> None:
        """Copy what sampling needs, whole or not at all.

        Raises:
            FileExistsError: when `folder` exists and is not empty.
        """
        target = folder.absolute()
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise FileExistsError(f"{folder} exists and is not empty; choose another folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        hidden = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
        left = (place.name for place in (self.checkpoints, self.tensorboard, self.pictures))
        try:
            shutil.copytree(self.path, hidden, ignore=shutil.ignore_patterns(*left))
            hidden.replace(target)
        finally:
            shutil.rmtree(hidden, ignore_errors=True)
