"""The part of an evaluation that is about prices: whether there are any, and how they lie."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from genmodels.data.returns import Arrangement, Returns, returns_of, told_by
from genmodels.report.prices.section import price_section
from genmodels.report.rows import Report
from genmodels.run import Run
from genmodels.tasks.choices import nearest
from genmodels.tasks.judged import Named, Real, manifest_at, names_of
from genmodels.tasks.options import whole_number
from genmodels.tasks.stored import load_config
from genmodels.types import Raw

__all__ = ["check_prices", "prices_alone", "with_prices"]

ROWS = ("auto", "path", "step", "none")
SKIPPED = "The stylised facts of prices were left out"


def check_prices(cfg: DictConfig) -> None:
    """Refuse settings on prices that cannot be, before anything is read.

    Raises:
        ValueError: naming the setting.
    """
    _asked(cfg)
    _options(cfg)


def with_prices(report: Report, real: Real, synthetic: Raw, named: Named) -> Report:
    """The report with a section on stylised facts, where the data are known to be prices.

    Raises:
        ValueError: when the user says how prices lie, and they do not.
    """
    cfg = named.cfg
    if _rows(cfg) == "none":
        return report
    lies = _told(named, "real") or _told(named, "synthetic") or _asked(cfg)
    if lies is None:
        return report
    try:
        train, holdout, made = (
            returns_of(raw, lies, what)
            for raw, what in (
                (real.train, "training"),
                (real.holdout, "held-out"),
                (synthetic, "synthetic"),
            )
        )
        section = price_section(train, holdout, made, **_options(cfg))
    except ValueError as error:
        if _rows(cfg) != "auto":
            raise
        return replace(report, remarks=(*report.remarks, f"{SKIPPED}: {error}."))
    return replace(report, sections=(section, *report.sections))


def prices_alone(named: Named) -> Report:
    """A report on stylised facts and nothing else, of data that need have nothing else in common.

    Without `holdout` the latest real prices are held out, or the last of many paths.

    Raises:
        ValueError: when it is not known how the prices lie, or they do not lie so.
    """
    cfg = named.cfg
    if not named.has("real"):
        raise ValueError("finance.only=true needs real=<file of real prices>")
    sides = [_returns(named, "real", "training"), _returns(named, "synthetic", "synthetic")]
    if named.has("holdout"):
        train, holdout = sides[0], _returns(named, "holdout", "held-out")
    else:
        train, holdout = _parted(sides[0], float(cfg.finance.held_out))
    section = price_section(train, holdout, sides[1], **_options(cfg))
    facts = {
        "training returns": train.n,
        "held-out returns": holdout.n,
        "synthetic returns": sides[1].n,
        "seed": int(cfg.seed),
    }
    return Report("Synthetic prices", dict(facts), (section,))


def _returns(named: Named, key: str, what: str) -> Returns:
    lies = _told(named, key) or _asked(named.cfg)
    if lies is None:
        raise ValueError(
            f"how do the prices of {named.label(key)} lie in its rows? Say finance.rows=path (a "
            "path each) or finance.rows=step (in the order of time)"
        )
    return returns_of(named.source(key).load(), lies, what)


def _parted(real: Returns, share: float) -> tuple[Returns, Returns]:
    """The first and the last part: of the paths, or of the time of a single one.

    Raises:
        ValueError: when the share is none.
    """
    if not 0.0 < share < 1.0:
        raise ValueError(f"finance.held_out must be in (0, 1), got {share:g}")
    paths, steps, _ = real.values.shape
    if paths > 1:
        cut = min(max(1, round(paths * (1 - share))), paths - 1)
        return replace(real, values=real.values[:cut]), replace(real, values=real.values[cut:])
    cut = round(steps * (1 - share))
    return replace(real, values=real.values[:, :cut]), replace(real, values=real.values[:, cut:])


def _rows(cfg: DictConfig) -> str:
    """What the user says of the rows.

    Raises:
        ValueError: when it is none of the words for it.
    """
    rows = str(cfg.finance.rows)
    if rows not in ROWS:
        raise ValueError(f"finance.rows must be one of {', '.join(ROWS)}{nearest(rows, ROWS)}")
    return rows


def _asked(cfg: DictConfig) -> Arrangement | None:
    """How prices lie as the user says; None where nothing is said."""
    rows, holds = _rows(cfg), str(cfg.finance.holds)
    if holds not in ("close", "return"):
        raise ValueError(f"finance.holds must be close or return, got {holds}")
    if rows not in ("path", "step"):
        return None
    return Arrangement(
        "path" if rows == "path" else "step",
        "return" if holds == "return" else "close",
        tuple(names_of(cfg.finance.price)),
    )


def _told(named: Named, key: str) -> Arrangement | None:
    """How they lie as the dataset says that they are, or that a run learned from."""
    if key in named.given:
        return None
    if named.cfg[key] is not None:
        place: Any = named.cfg[key]
    elif named.cfg.run is not None and key == "real":
        data = load_config(Run.open(str(named.cfg.run))).data
        place = data.get("source", {}).get("path")
    else:
        return None
    return None if place is None else told_by(manifest_at(Path(str(place))).get("simulator"))


def _options(cfg: DictConfig) -> dict[str, int]:
    return {
        "paths": whole_number("finance.paths", cfg.finance.paths, least=2),
        "repeats": whole_number("finance.repeats", cfg.finance.repeats, least=20),
        "seed": int(cfg.seed),
    }
