"""A classifier of the run's real data, trained once, that chooses among samples.

It is kept in the run's folder with what it depends on, so that only the first sample waits for
it; a run that cannot be written to trains it each time.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save

from genmodels.data.open import open_source
from genmodels.files import atomic_path, read_json, sha256, write_json
from genmodels.metrics.label_judge import LabelJudge
from genmodels.run import Run
from genmodels.sampling.picking import Picker, Standard
from genmodels.sampling.sampler import Sampler
from genmodels.schema import TableSchema
from genmodels.tasks.build import Loaded
from genmodels.tasks.compose import compose, quoted
from genmodels.tasks.control import model_of
from genmodels.tasks.judged import Named, real_data

__all__ = ["Filter", "build_picker", "filter_facts", "read_filter"]

log = logging.getLogger(__name__)


class Filter:
    """What `filter` of `configs/sample.yaml` asks.

    Args:
        standard: what is kept.
        seed, steps, side: of the classifier's training.
        real, holdout: paths that take the place of those of the run, or None.
    """

    def __init__(
        self,
        *,
        standard: Standard,
        seed: int,
        steps: int,
        side: int,
        real: str | None,
        holdout: str | None,
    ) -> None:
        for key, value, least in (("seed", seed, 0), ("steps", steps, 1), ("side", side, 4)):
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ValueError(
                    f"filter.{key} must be a whole number of at least {least}, got {value!r}"
                )
        self.standard, self.seed, self.steps, self.side = standard, seed, steps, side
        self.real, self.holdout = real, holdout


def read_filter(options: Mapping[str, Any]) -> Filter | None:
    """What the settings ask for; None when nothing is filtered.

    Raises:
        ValueError: when a value is of the wrong kind or out of range.
    """
    told = dict(options["filter"])
    shared = {"redraws": options["redraws"], "shortfall": options["shortfall"]}
    wanted = {key: told.pop(key) for key in ("keep", "agree", "confidence")}
    standard = Standard(**wanted, **shared)
    return Filter(standard=standard, **told) if standard.anything else None


def build_picker(loaded: Loaded, run: Run, asked: Filter | None) -> Picker | None:
    """What chooses among the samples of a run; None when nothing is filtered.

    Args:
        loaded: the run.
        run: its folder.
        asked: of its samples.

    Raises:
        ValueError: when the run has no classes, or its real data are not to be had.
    """
    if asked is None:
        return None
    groups = loaded.model.condition.groups
    if isinstance(loaded.schema, TableSchema) or len(groups) != 1:
        raise ValueError(
            f"filter chooses among pictures of classes, and model={model_of(loaded)} of this run "
            "was not told any"
        )
    if groups[0].combinations is not None:
        raise ValueError(
            "filter chooses among pictures by their class alone, and this run was told attributes; "
            "leave filter out"
        )
    names = groups[0].levels
    judge = _judge(run, asked, len(names))
    return Picker(judge=judge, standard=asked.standard, classes=names)


def filter_facts(sampler: Sampler) -> dict[str, Any]:
    """What the manifest says of the filter, and how many rows there are, once all are drawn."""
    picker = sampler.picker
    if picker is None:
        return {}
    assert isinstance(picker.judge, LabelJudge)
    found = picker.facts()
    if not found["kept"]:
        raise ValueError("filter kept nothing: lower filter.confidence, or set filter.agree=false")
    if found["dropped"]:
        log.warning("%s rows found no candidate as filter asks and were left out", found["dropped"])
    log.info(
        "filter: %s of %s candidates kept; a classifier that names %.1f%% of real held-out data "
        "rightly agrees with %.1f%% of their labels, with %.1f%% before",
        f"{found['kept']:,}",
        f"{found['candidates']:,}",
        100 * picker.judge.facts["accuracy"],
        100 * found["agreement_after"],
        100 * found["agreement_before"],
    )
    return {"rows": found["kept"], "filter": found | {"classifier": dict(picker.judge.facts)}}


def _judge(run: Run, asked: Filter, classes: int) -> LabelJudge:
    """The classifier that the run's folder holds, or one trained now."""
    key = _key(run, asked, classes)
    known = _read(run, key)
    if known is not None:
        return known
    log.info("filter: training a classifier on the real data of %s, once", run)
    train, holdout = _real(run, asked)
    judge = LabelJudge.fit(
        train, holdout, classes, seed=asked.seed, steps=asked.steps, side=asked.side
    )
    log.info("filter: it names %.1f%% of held-out data rightly", 100 * judge.facts["accuracy"])
    _write(run, key, judge)
    return judge


def _key(run: Run, asked: Filter, classes: int) -> dict[str, Any]:
    """All that a classifier depends on."""
    split = run.read_manifest().get("split") or {}
    apart = {
        name: open_source(path).fingerprint()
        for name, path in (("real", asked.real), ("holdout", asked.holdout))
        if path is not None
    }
    return {
        "fingerprint": split.get("fingerprint"),
        "split": split.get("digest"),
        "apart": apart,
        "classes": classes,
        "seed": asked.seed,
        "steps": asked.steps,
        "side": asked.side,
    }


def _real(run: Run, asked: Filter) -> tuple[Any, Any]:
    """Training and held-out data of the run, found as an evaluation finds them.

    Raises:
        ValueError: when they are not to be had, or changed.
    """
    words = [f"run={quoted(str(run))}", "synthetic=none"]
    told = (("real", asked.real), ("holdout", asked.holdout))
    words += [f"{name}={quoted(path)}" for name, path in told if path is not None]
    cfg = compose("evaluate", words)
    try:
        real = real_data(cfg, Named(cfg, {}))
    except (ValueError, FileNotFoundError) as error:
        raise ValueError(
            f"filter needs the real data of {run} for its classifier: {error} (here the keys are "
            "filter.real and filter.holdout)"
        ) from error
    return real.train, real.holdout


def _read(run: Run, key: Mapping[str, Any]) -> LabelJudge | None:
    """What an earlier sample left, if it is whole and depends on the same."""
    try:
        state = read_json(run.classifier_facts)
        if state["key"] != key or state["sha256"] != sha256(run.classifier):
            return None
        return LabelJudge.from_state(state, load_file(run.classifier))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        log.warning("%s cannot be read (%s): trained again", run.classifier_facts, error)
        return None


def _write(run: Run, key: Mapping[str, Any], judge: LabelJudge) -> None:
    """Keep it for the next sample, where the folder may be written to."""
    if not os.access(run.path, os.W_OK):
        log.warning("%s cannot be written to, so its classifier is trained anew each time", run)
        return
    with atomic_path(run.classifier) as temporary:
        temporary.write_bytes(save(judge.tensors()))
    write_json(
        run.classifier_facts, {"key": dict(key), "sha256": sha256(run.classifier), **judge.state()}
    )
