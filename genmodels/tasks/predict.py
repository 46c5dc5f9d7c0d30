"""How likely a model holds rows to be, and what it tells of one attribute from the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from genmodels.algorithms.base import ExactLikelihood
from genmodels.algorithms.conditional import Predictable
from genmodels.codecs.aims import Aim
from genmodels.codecs.restrict import Restrictor
from genmodels.sampling.control.partial import PartialRows, given_variables, whole_rows
from genmodels.sampling.control.wishes import near
from genmodels.sampling.prediction import How, Prediction, check_how
from genmodels.sampling.sampler import default_block_rows
from genmodels.schema import TableSchema
from genmodels.tasks.build import Loaded
from genmodels.tasks.control import model_of
from genmodels.types import Raw

__all__ = ["build_prediction", "log_probs", "target_of"]

_ROWS = 1024  # at a time


def log_probs(loaded: Loaded, raw: Raw, *, given: Sequence[str] = (), seed: int = 0) -> np.ndarray:
    """Nats per encoded row, float64 (N,); of the rest of it given some attributes.

    Args:
        loaded: a run whose model has an exact likelihood.
        raw: all attributes of the run.
        given: names of those that are given.
        seed: of the place of a rounded number within its step.

    Raises:
        ValueError: when the model has none, a name is none of the run's, or a value does not fit.
    """
    schema, model = _schema(loaded, "log_prob"), loaded.model
    if not isinstance(model, ExactLikelihood):
        raise _refusal(loaded, "log_prob")
    known = given_variables(given, Restrictor(loaded.codec))
    rows = whole_rows(raw, schema, what="log_prob")
    encoded = loaded.codec.encode(rows, seed=seed)
    beside = loaded.model.reads(loaded.codec.layout)
    mask = torch.from_numpy(known).to(loaded.model.device) if known.any() else None
    size, found = _block_rows(loaded), [np.zeros(0)]
    for start in range(0, len(rows), size):
        part = {name: value[start : start + size] for name, value in encoded.items()}
        nats = model.log_prob(beside(part).to(loaded.model.device), mask)
        found.append(nats.double().cpu().numpy())
    return np.concatenate(found)


def target_of(loaded: Loaded, target: str | None) -> str:
    """The attribute to predict: the one that is named, or the target of the run.

    Raises:
        ValueError: when there is no such attribute, or none is named and the run has no target.
    """
    schema, _ = _schema(loaded, "predict"), _predictable(loaded)
    if target is not None:
        if target not in schema.names:
            raise ValueError(f"predict: there is no {target!r}{near(target, schema.names)}")
        return target
    if schema.target is None:
        raise ValueError(
            "predict: the run has no target; say which attribute: target=<name>, here or in fit"
        )
    return schema.target.name


def build_prediction(
    loaded: Loaded, raw: Raw, target: str, *, how: How = "mean", draws: int = 64, seed: int = 0
) -> tuple[Prediction, Aim]:
    """What tells one attribute of partial rows, and the attribute as the codec knows it.

    An empty cell is a missing value that is known where training had missing values, else it is
    not known; what the rows say about the target itself is not read.

    Raises:
        ValueError: when the model cannot tell it, a value of the rows does not fit, or there is
            no such `how` to tell numbers by.
    """
    check_how(how)
    _schema(loaded, "predict")
    model, restrictor = _predictable(loaded), Restrictor(loaded.codec)
    aim = Aim(restrictor, target)
    rows = PartialRows(
        raw=raw,
        restricts=restrictor,
        unknown=lambda one: not one.nullable,
        slack=float("inf"),
        what="predict",
        without=target,
        strict=False,
    )
    prediction = Prediction(
        model=model,
        restricts=restrictor,
        aim=aim,
        rows=rows,
        draws=draws,
        seed=seed,
        block_rows=_block_rows(loaded),
    )
    return prediction, aim


def _schema(loaded: Loaded, verb: str) -> TableSchema:
    """The schema of a run whose rows have named attributes.

    Raises:
        ValueError: when they have none.
    """
    if not isinstance(loaded.schema, TableSchema):
        raise ValueError(
            f"{verb} needs rows with named attributes, and model={model_of(loaded)} makes pictures"
        )
    return loaded.schema


def _predictable(loaded: Loaded) -> Predictable:
    """The model of a run.

    Raises:
        ValueError: when it cannot tell a part of a row from others.
    """
    if not isinstance(loaded.model, Predictable):
        raise _refusal(loaded, "predict")
    return loaded.model


def _refusal(loaded: Loaded, verb: str) -> ValueError:
    return ValueError(
        f"model={model_of(loaded)} cannot do {verb}: it has no exact likelihood of a row. Train "
        'one that has: Synthesizer("tabvae"), or genmodels train model=tabvae ...'
    )


def _block_rows(loaded: Loaded) -> int:
    return min(_ROWS, default_block_rows(loaded.codec.layout))
