"""What is asked of sampled rows, from settings to the object that draws them so."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from genmodels.codecs.restrict import Restrictor
from genmodels.data.open import open_source
from genmodels.report.coverage.files import SCENARIO, read_wanted
from genmodels.sampling.control.attempts import takes_evidence
from genmodels.sampling.control.combinations import listed_in
from genmodels.sampling.control.completion import Completion, Fill
from genmodels.sampling.control.constraints import Constraints, parse_constraints
from genmodels.sampling.control.control import Control
from genmodels.sampling.control.controlled import Controlled, Shortfall
from genmodels.sampling.control.given import understand
from genmodels.sampling.control.shares import Shares, balanced, target_shares
from genmodels.sampling.control.strata import (
    Stratum,
    check_temper,
    parse_scenario,
    read_scenario,
    rows_of,
)
from genmodels.sampling.control.wishes import parse_wishes
from genmodels.schema import TableSchema
from genmodels.tasks.build import Loaded
from genmodels.tasks.shares import read_shares
from genmodels.types import Raw

__all__ = [
    "KEYS",
    "Asked",
    "Shortfall",
    "asked_for",
    "build_controlled",
    "check_temper",
    "model_of",
    "named",
    "read_asked",
    "tells_something",
]

log = logging.getLogger(__name__)
KEYS = (
    *("given", "complete", "fill", "per_class", "balance", "shares", "temper", "scenario"),
    *("constraints", "redraws", "shortfall", "candidates"),
)
"""The settings of `genmodels sample` that this file is about."""

_SUCH = {
    "given": '{"age": "> 80", "job": ["clerk", "judge"]}',
    "shares": '{"job": {"clerk": 0.5}}',
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of the rows; by default nothing. See `configs/sample.yaml`."""

    given: Mapping[str, Any] = field(default_factory=dict)
    complete: Raw | None = None
    fill: Fill = "missing"
    per_class: int | None = None
    balance: str | None = None
    shares: Mapping[str, Any] = field(default_factory=dict)
    temper: float = 1.0
    scenario: Mapping[str, Any] = field(default_factory=dict)
    constraints: Sequence[str] = ()
    redraws: int = 20
    shortfall: Shortfall = "error"
    candidates: int = 8

    @property
    def anything(self) -> bool:
        asked = (self.given, self.balance, self.shares, self.scenario, self.constraints)
        counted = self.complete is not None or self.per_class is not None
        return any(asked) or counted or self.temper != 1.0


def read_asked(options: Mapping[str, Any]) -> tuple[Asked, dict[str, Any]]:
    """What the settings ask for, files read; and the same for the manifest, as it was asked.

    Raises:
        ValueError: when a value is of the wrong kind or a file cannot be read.
        OSError: when a file is not there.
    """
    chosen = {key: options[key] for key in KEYS}
    for key in ("given", "shares"):
        if not isinstance(chosen[key], Mapping):
            raise ValueError(f"{key}: write {key}.<name>=..., got {key}={chosen[key]!r}")
    chosen["shares"] = {name: read_shares(name, text) for name, text in chosen["shares"].items()}
    if isinstance(chosen["constraints"], str):
        chosen["constraints"] = [chosen["constraints"]]
    facts = {key: value for key, value in chosen.items() if value and value != _default(key)}
    if listed := listed_in(chosen["constraints"] or ()):
        facts["listed_in"] = listed
    if chosen["scenario"] is not None:
        chosen["scenario"] = facts["scenario"] = _scenario(chosen["scenario"], options["coverage"])
    elif options["coverage"] is not None:
        raise ValueError(f"coverage={options['coverage']} says what to fill: add scenario=fill")
    if chosen["complete"] is not None:
        path = chosen["complete"]
        partial = open_source(path, least=1)
        chosen["complete"] = partial.load()
        facts["complete"] = {"path": str(path), "fingerprint": partial.fingerprint()}
    chosen = {key: _default(key) if value is None else value for key, value in chosen.items()}
    chosen["temper"] = check_temper(chosen["temper"], key="temper")
    _check_counts(redraws=chosen["redraws"], candidates=chosen["candidates"])
    if chosen["per_class"] is not None:
        _check_counts(per_class=chosen["per_class"])
    return Asked(**chosen), facts


def _scenario(told: Any, coverage: Any) -> dict[str, Any]:
    """The strata of a file, or of what a coverage lacks.

    Raises:
        ValueError: when a file cannot be read, or nothing is missing.
    """
    if told != "fill":
        if coverage is not None:
            raise ValueError(f"coverage=... is for scenario=fill, got scenario={told}")
        return read_scenario(told)
    if coverage is None:
        raise ValueError("scenario=fill needs coverage=<folder that `genmodels coverage` wrote>")
    place = Path(str(coverage)).expanduser()
    wanted, _ = read_wanted(place)
    if not wanted:
        raise ValueError(f"scenario=fill: by coverage={coverage} nothing is missing")
    return read_scenario((place if place.is_dir() else place.parent) / SCENARIO)


def asked_for(
    *,
    given: Mapping[str, Any] | None = None,
    shares: Mapping[str, Mapping[Any, float]] | None = None,
    scenario: Mapping[str, Any] | str | Path | None = None,
    constraints: Sequence[str] | str = (),
    temper: float = 1.0,
    redraws: int = 20,
    candidates: int = 8,
    **others: Any,
) -> Asked:
    """What a Python caller asks for; see `Asked`.

    Raises:
        TypeError: when `given` or `shares` is no dict.
        ValueError: when a number or a scenario cannot be used.
    """
    for name, told in (("given", given), ("shares", shares)):
        if told is not None and not isinstance(told, Mapping):
            raise TypeError(f"{name} must be a dict of names, such as {_SUCH[name]}, got {told!r}")
    _check_counts(redraws=redraws, candidates=candidates)
    if isinstance(scenario, str | Path):
        scenario = read_scenario(str(scenario))
    return Asked(
        given=given or {},
        shares=shares or {},
        scenario=scenario or {},
        constraints=[constraints] if isinstance(constraints, str) else constraints,
        temper=check_temper(temper, key="temper"),
        redraws=redraws,
        candidates=candidates,
        **others,
    )


def _check_counts(**counts: Any) -> None:
    """Refuse numbers of draws that are none."""
    for key, number in counts.items():
        least = 0 if key == "redraws" else 1
        if not isinstance(number, int) or isinstance(number, bool) or number < least:
            raise ValueError(f"{key} must be a whole number of at least {least}, got {number!r}")


def build_controlled(
    loaded: Loaded, asked: Asked, *, condition: str | Mapping[str, Any] = "empirical"
) -> Controlled | None:
    """What draws the rows of a run as they are asked for; None when nothing is asked.

    Args:
        loaded: the run.
        asked: of its rows.
        condition: what the model is told besides, which must then be nothing in particular.

    Raises:
        ValueError: when the run cannot do what is asked, or two things contradict each other.
    """
    if not asked.anything:
        return None
    if not isinstance(loaded.schema, TableSchema):
        raise ValueError(
            f"{named(asked)}: only data with named attributes can be asked for, and model="
            f"{model_of(loaded)} makes pictures; use per_class, balance=label, "
            "shares.label={<class>: <share>} or condition.label=<class>"
        )
    if tells_something(condition):
        raise ValueError(
            f"condition and {named(asked)} cannot be combined; ask for all with given.<name>=..."
        )
    if asked.balance is not None and asked.shares:
        raise ValueError("balance and shares cannot be combined; give the shares alone")
    if asked.complete is not None and (asked.scenario or asked.balance or asked.shares):
        raise ValueError(
            "complete cannot be combined with scenario, balance or shares: each row is asked for "
            "by what it holds"
        )
    restricts = Restrictor(loaded.codec)
    scenario, impossible = _possible(loaded.schema, restricts, asked)
    control = _control(loaded.schema, restricts, replace(asked, scenario=scenario))
    _refuse_what_needs_evidence(loaded, asked, control)
    return Controlled(
        control=control,
        redraws=asked.redraws,
        shortfall=asked.shortfall,
        candidates=asked.candidates,
        impossible=impossible,
    )


def _possible(
    schema: TableSchema, restricts: Restrictor, asked: Asked
) -> tuple[Mapping[str, Any], dict[str, str]]:
    """Of strata that say how many rows they have, those that the model can make; why not others.

    Raises:
        ValueError: when there are others and `shortfall` is "error", or no stratum is left.
    """
    if rows_of(asked.scenario) is None:
        return asked.scenario, {}
    impossible: dict[str, str] = {}
    for name, body in asked.scenario.items():
        try:
            strata = parse_scenario({name: body}, schema, temper=asked.temper)
            understand(strata[0].wishes, restricts)
        except ValueError as error:
            impossible[name] = str(error)
    if not impossible:
        return asked.scenario, {}
    name, reason = next(iter(impossible.items()))
    count = f"{len(impossible):,} of {len(asked.scenario):,} strata cannot be"
    if asked.shortfall == "error" or len(impossible) == len(asked.scenario):
        advice = "; shortfall=drop draws the others" * (len(impossible) < len(asked.scenario))
        raise ValueError(f"scenario: {count}; {name!r}: {reason}{advice}")
    log.warning("%s and are left out: %s", count, "; ".join(map(repr, islice(impossible, 5))))
    return {n: body for n, body in asked.scenario.items() if n not in impossible}, impossible


def _control(schema: TableSchema, restricts: Restrictor, asked: Asked) -> Control:
    common = parse_wishes(asked.given, schema, key="given")
    strata = [Stratum("all rows", 1.0, (), asked.temper)]
    if asked.scenario:
        strata = list(parse_scenario(asked.scenario, schema, temper=asked.temper))
    shares: Shares | None = None
    if asked.balance is not None:
        shares = balanced(asked.balance, restricts)
    elif asked.shares:
        shares = target_shares(asked.shares, restricts)
    completion = None
    if asked.complete is not None:
        completion = Completion(raw=asked.complete, restricts=restricts, fill=asked.fill)
    constraints: Constraints = parse_constraints(asked.constraints, schema)
    return Control(
        restricts=restricts,
        strata=[replace(s, wishes=(*common, *s.wishes)) for s in strata],
        shares=shares,
        completion=completion,
        constraints=constraints,
    )


def _refuse_what_needs_evidence(loaded: Loaded, asked: Asked, control: Control) -> None:
    if takes_evidence(loaded.model):
        return
    wanted = ["complete"] if asked.complete is not None else []
    wanted += ["temper"] if control.tempered else []
    if wanted:
        raise ValueError(
            f"model={model_of(loaded)} cannot do {wanted[0]}=...: it makes whole rows at once, by "
            "fixed probabilities. Train one that can: genmodels train model=tabvae ..."
        )


def named(asked: Asked) -> str:
    """The first of the settings that ask for something."""
    return next(key for key in KEYS if getattr(asked, key) not in (None, {}, (), [], _default(key)))


def tells_something(condition: str | Mapping[str, Any]) -> bool:
    """Whether a condition is another than that of training."""
    return condition not in ("empirical", {})


def model_of(loaded: Loaded) -> str:
    """What the model of a run is called in its configuration."""
    return str(loaded.cfg.get("choices", {}).get("model", type(loaded.model).__name__))


def _default(key: str) -> Any:
    return getattr(Asked(), key)
