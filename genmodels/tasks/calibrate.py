"""`calibrate=...`: what it needs of a run, and what it cannot be combined with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

from genmodels.algorithms.base import Calibratable
from genmodels.calibration import Calibration
from genmodels.layout import TableLayout
from genmodels.sampling.pilot import PILOT_ROWS, Calibrate, calibration_of
from genmodels.sampling.sampler import Precision, default_block_rows
from genmodels.tasks.build import Loaded
from genmodels.tasks.choices import nearest
from genmodels.tasks.control import Asked, model_of, named, tells_something
from genmodels.variables import variables

__all__ = ["Calibrate", "build_calibration", "calibration_facts", "read_calibrate"]

_MADE = {
    "pin": "the smallest and largest numbers occur, in expectation, as often as in training, but "
    "for numbers with few distinct values",
    "marginal": "every level and number occurs, in expectation, as often as in training",
}


def read_calibrate(value: Any) -> Calibrate:
    """The setting; YAML reads a bare `off` as false.

    Raises:
        ValueError: when it is another word.
    """
    word = "off" if value is False or value is None else value
    if word not in get_args(Calibrate):
        known = get_args(Calibrate)
        hint = nearest(str(word), known)
        raise ValueError(f"calibrate must be {', '.join(known[:-1])} or {known[-1]}, got "
                         f"{word!r}{hint}")  # fmt: skip
    return cast(Calibrate, word)


def calibration_facts(how: Calibrate) -> dict[str, Any]:
    """What a manifest says of it: nothing when it is off."""
    if how == "off":
        return {}
    return {"calibrated": {"calibrate": how, "pilot_rows": PILOT_ROWS, "meaning": _MADE[how]}}


def build_calibration(
    loaded: Loaded,
    how: Calibrate,
    *,
    asked: Asked | None,
    condition: str | Mapping[str, Any],
    precision: Precision,
) -> Calibration | None:
    """What makes the rows of a run agree with the margins of training; None when it is off.

    It is found once for a run that was loaded, and kept with it.

    Raises:
        ValueError: when the run cannot do it, or rows are asked for that shall not agree.
    """
    how = read_calibrate(how)
    if how == "off":
        return None
    model, layout = loaded.model, loaded.codec.layout
    if not isinstance(layout, TableLayout):
        raise ValueError(
            f"calibrate={how}: only data with named attributes have margins to agree with, and "
            f"model={model_of(loaded)} makes pictures; leave calibrate out"
        )
    _refuse_wishes(how, asked, condition)
    if not isinstance(model, Calibratable):
        raise ValueError(
            f"model={model_of(loaded)} cannot do calibrate={how}: it makes whole rows at once, so "
            "no variable can be adjusted before others follow from it. Leave calibrate out, or "
            "train one that can: genmodels train model=tabvae ..."
        )
    if any(v.value is not None and not v.places for v in variables(layout)):
        raise ValueError(
            f"calibrate={how} needs numbers with one score each, and the codec of this run gives "
            "them a mode and a place in it; train with codec=tabvae or codec=quantile"
        )
    if loaded.margins is None:
        raise ValueError(
            f"calibrate={how} needs what training wrote into margins.json, and this run has none: "
            "it was made by an earlier version. Train again"
        )
    key, kept = (how, precision, str(loaded.model.device)), loaded.calibrations
    if key not in kept:
        kept[key] = calibration_of(
            model,
            loaded.margins,
            how,
            device=loaded.model.device,
            precision=precision,
            piece_rows=default_block_rows(layout),
        )
    return kept[key]


def _refuse_wishes(how: Calibrate, asked: Asked | None, condition: str | Mapping[str, Any]) -> None:
    wish = "condition" if tells_something(condition) else None
    if wish is None and asked is not None and asked.anything:
        wish = named(asked)
    if wish is not None:
        raise ValueError(
            f"calibrate={how} and {wish} cannot be combined: rows that are asked for something "
            f"shall not have the margins of training. Leave one out (calibrate=off, or no {wish})"
        )
