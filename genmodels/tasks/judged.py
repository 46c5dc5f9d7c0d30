"""What an evaluation or an audit compares: real data of a run, or data that the user names."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from genmodels.data.open import open_source
from genmodels.data.splits import Split
from genmodels.data.streaming.split import StreamSplit
from genmodels.files import read_json, sha256
from genmodels.report.reading import kind_of, read_alike
from genmodels.run import Run
from genmodels.schema import Schema, schema_from_state
from genmodels.tasks.holdout import has_holdout, holdout_source, refuse_seen
from genmodels.tasks.parts import instantiate, schema_of, source_of
from genmodels.tasks.stored import load_config
from genmodels.tasks.stream import recorded_sketch, sampled
from genmodels.types import Raw, Source

__all__ = [
    "Named",
    "Real",
    "calibrated_by",
    "dataset_manifest",
    "manifest_at",
    "names_of",
    "real_data",
    "split_as_recorded",
]

log = logging.getLogger(__name__)
OTHERS = "name others with holdout=<path>"


@dataclass(frozen=True, eq=False)
class Real:
    """Real data of an evaluation.

    Args:
        train: what the generator saw.
        holdout: what it did not see.
        schema: what the data mean.
    """

    train: Raw
    holdout: Raw
    schema: Schema


@dataclass(frozen=True, eq=False)
class Named:
    """The data that an evaluation names, by path or as sources."""

    cfg: DictConfig
    given: Mapping[str, Source]

    def has(self, key: str) -> bool:
        return key in self.given or self.cfg[key] is not None

    def label(self, key: str) -> str:
        """What to call these data: the last part of their path."""
        return "data in memory" if key in self.given else Path(str(self.cfg[key])).name

    def source(self, key: str) -> Source:
        return self.given[key] if key in self.given else open_source(str(self.cfg[key]))


def names_of(value: Any) -> list[str]:
    """A setting that is a list of names, or a single one, or null."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(name) for name in value]


def real_data(cfg: DictConfig, named: Named) -> Real:
    """The real data of a run, or those that the user names."""
    return _of_run(cfg, named) if cfg.run is not None else _of_files(cfg, named)


def calibrated_by(named: Named) -> str | None:
    """How the synthetic data were calibrated, as they say themselves; None where they do not.

    A dataset says so in its manifest, also when a file or folder in it is named; a frame of
    `Synthesizer.sample` in its `attrs`. A manifest that is not one of ours says nothing.
    """
    source = named.given.get("synthetic")
    if source is not None:
        told = getattr(getattr(source, "frame", None), "attrs", {}).get("calibrate")
        return None if told is None else str(told)
    told = dataset_manifest(named).get("calibrated")
    return str(told.get("calibrate")) if isinstance(told, dict) else None


def dataset_manifest(named: Named) -> Mapping[str, Any]:
    """What the dataset of ours that is judged, or a part of it, says of itself; empty if none."""
    if "synthetic" in named.given:
        return {}
    return manifest_at(Path(str(named.cfg.synthetic)))


def manifest_at(place: Path) -> Mapping[str, Any]:
    """What the dataset of ours at a path, or around it, says of itself; empty if it is none."""
    place = place.absolute()
    for folder in (place, *list(place.parents)[:2]):
        known = _manifest(folder)
        if known and _holds(known, place.relative_to(folder).as_posix()):
            return known
    return {}


def _manifest(folder: Path) -> Mapping[str, Any]:
    """What the manifest in a folder says; nothing where there is none that can be read.

    The user named the data, not this file: it may be anything.
    """
    try:
        known = read_json(folder / "manifest.json")
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _holds(manifest: Mapping[str, Any], inside: str) -> bool:
    """Whether a dataset has files at a path inside its folder, which may be a pattern."""
    listed = manifest.get("files")
    told = listed if isinstance(listed, list) else []
    files = [str(file.get("path")) for file in told if isinstance(file, dict)]
    return inside == "." or any(
        fnmatch(file, inside) or file.startswith(f"{inside}/") for file in files
    )


def split_as_recorded(
    origin: Run, source: Source, *, most: int = 200_000
) -> tuple[Raw, Raw, Split | StreamSplit]:
    """What a run trained on and what it held out, as it recorded it, and the record.

    Args:
        origin: the run.
        source: of its data.
        most: rows of either, if the run read them as a stream; a uniform sample then.

    Raises:
        ValueError: when there is no record, or the data are others now.
    """
    recorded = origin.read_manifest().get("split")
    if recorded is None:
        raise ValueError(f"{origin} has no record of its split: it is not a complete run")
    streamed = recorded.get("streamed") is True
    split = StreamSplit.from_state(recorded) if streamed else Split.from_state(recorded)
    if source.fingerprint() != split.fingerprint:
        raise ValueError(
            f"the data changed since {origin} was trained (their fingerprint is another), so it is "
            "not known which rows it saw. Bring the data back, or name them with real=<path>"
        )
    if isinstance(split, StreamSplit):
        return (*recorded_sketch(source, split, most=most), split)
    train, _, holdout = split.take(source.load())
    return train, holdout, split


def _of_run(cfg: DictConfig, named: Named) -> Real:
    """The data that a run was trained on, split as recorded."""
    origin = Run.open(str(cfg.run))
    if cfg.schema is not None:
        raise ValueError("schema= is for evaluations without run=: a run has its own schema")
    saved, schema = load_config(origin), schema_from_state(read_json(origin.schema))
    if "source" not in saved.data:
        return _of_memory(cfg, origin, schema, named)
    source = named.given.get("real") or source_of(
        saved, **({} if cfg.real is None else {"path": str(cfg.real)})
    )
    streamed = {"most": saved.data.sample_rows} if saved.data.get("streaming") else {}
    train, holdout, split = split_as_recorded(origin, source, **streamed)
    if named.has("holdout") or has_holdout(saved):
        apart = named.given.get("holdout") or holdout_source(
            saved, None if cfg.holdout is None else str(cfg.holdout)
        )
        refuse_seen(apart, split.fingerprint, OTHERS)
        holdout = sampled(apart, **streamed) if streamed else apart.load()
    elif not len(holdout):
        raise ValueError(
            f"{origin} held no rows out (data.holdout=0), so every row was seen in training. Name "
            "other real data with holdout=<path>"
        )
    _warn_of_other_model(origin, named)
    parse = instantiate(cfg.kinds[kind_of(train)].parse)
    train = instantiate(saved.data.parse)(train, schema)
    return Real(train, read_alike(holdout, schema, parse, what="held-out"), schema)


def _of_memory(cfg: DictConfig, origin: Run, schema: Schema, named: Named) -> Real:
    """Data that the user names, as the run saw data that lay in no file."""
    if not (named.has("real") and named.has("holdout")):
        raise ValueError(
            f"{origin} was trained on data in memory; give real=<what it saw> and "
            "holdout=<real data that it did not see>"
        )
    _warn_of_other_model(origin, named)
    parse = instantiate(cfg.kinds[str(schema.state()["kind"])].parse)
    source, apart = named.source("real"), named.source("holdout")
    refuse_seen(apart, source.fingerprint(), OTHERS)
    train = read_alike(source.load(), schema, parse, what="training")
    return Real(train, read_alike(apart.load(), schema, parse, what="held-out"), schema)


def _of_files(cfg: DictConfig, named: Named) -> Real:
    """Training and held-out data that the user names."""
    if not (named.has("real") and named.has("holdout")):
        raise ValueError(
            "name the run that made the data (run=<folder>), or both real=<what the generator saw> "
            "and holdout=<real data that it did not see>"
        )
    source, apart = named.source("real"), named.source("holdout")
    refuse_seen(apart, source.fingerprint(), OTHERS)
    loaded = source.load()
    choice = cfg.kinds[kind_of(loaded)]
    schema = schema_of(
        OmegaConf.create(
            {
                "schema": cfg.schema,
                "data": {"infer": choice.infer, "read_schema": choice.read_schema},
            }
        ),
        loaded,
    )
    parse = instantiate(choice.parse)
    train = read_alike(loaded, schema, parse, what="training")
    return Real(train, read_alike(apart.load(), schema, parse, what="held-out"), schema)


def _warn_of_other_model(origin: Run, named: Named) -> None:
    """Say so when the dataset records another model than the run holds now."""
    place = Path(str(named.cfg.synthetic))
    if "synthetic" in named.given or not origin.weights.is_file():
        return
    maker = _manifest(place).get("run")
    recorded = maker.get("model_sha256") if isinstance(maker, dict) else None
    if recorded is not None and recorded != sha256(origin.weights):
        log.warning("%s was made by another state of the model than %s holds now", place, origin)
