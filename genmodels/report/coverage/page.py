"""The page of a coverage study: figures, heat maps, what is missing, what a reference shows."""

from __future__ import annotations

import numpy as np

from genmodels.metrics.coverage.counts import Coverage
from genmodels.report.coverage.found import WAYS, Beside, Found, Gap
from genmodels.report.page.squares import count_map, share_map
from genmodels.report.rows import Cell, Detail, Picture, Report, Section

__all__ = ["answer", "page"]

LISTED = 150
PICTURES = 8
MEANING = (
    "A combination is one level of each of several factors; it is covered when a row has it. Not "
    "every hole is a fault: rows expected says how many there would be if factors were "
    "independent of each other. Where that is little, chance may have left the hole. One that is "
    "not by chance is either a gap of the data or cannot be, as a husband is no woman: say what "
    "cannot be with exclude=[...], and it is not counted."
)


def page(found: Found) -> Report:
    """Everything for people, without a row of the data."""
    sections = [_coverage(found), _missing(found), _factors(found)]
    if found.beside is not None:
        sections.insert(2, _reference(found, found.beside))
    remarks = [f"{name} is no factor: it {why}" for name, why in found.left_out.items()]
    if any(of.conspicuous(found.level).any() for of in found.coverages.values()):
        remarks.append(
            "A hole that is not by chance is a gap of the data, or cannot be at all: say what "
            "cannot be with exclude=[...], or take a reference's word with possible=reference"
        )
    facts: dict[str, Cell] = {
        "data": found.name,
        "rows": found.rows,
        "factors": len(found.factors),
        "combined at most": found.top.ways,
        "rows that each combination should have": found.least,
    }
    if found.exclude:
        facts["cannot be"] = "; ".join(found.exclude)
    if found.beside is not None:
        facts["reference"] = f"{found.beside.name}, {found.beside.rows:,} rows"
    return Report(
        title=f"Coverage of {found.name}",
        facts=facts,
        sections=tuple(sections),
        remarks=tuple(remarks),
        answer=" ".join(answer(found, of) for of in found.coverages.values()),
    )


def answer(found: Found, of: Coverage) -> str:
    """One sentence about the combinations of so many factors."""
    covered = int((of.seen.counts > 0).sum())
    missing, thin = of.total - covered, len(of.below(found.least)) - (of.total - covered)
    seen = int(of.conspicuous(found.level).sum())
    name = WAYS.get(of.ways, f"{of.ways}-way combinations").capitalize()
    if not of.total:
        return f"{name}: none is possible."
    text = f"{name}: {covered:,} of {of.total:,} are there ({percent(of.share)})"
    parts = []
    if missing:
        parts.append(f"{missing:,} missing, {seen:,} of them not by chance")
    if thin:
        parts.append(f"{thin:,} with fewer than {found.least} rows")
    return f"{text}; {'; '.join(parts)}." if parts else f"{text}."


def percent(share: float) -> str:
    """100 % only where nothing is missing."""
    if share == 1.0:
        return "100 %"
    return f"{min(99.9, max(0.1 if share else 0.0, 100 * share)):.1f} %"


def _coverage(found: Found) -> Section:
    pictures, details = [], []
    for ways, of in found.coverages.items():
        if ways == 2:
            pictures += _maps(found, of)
        details.append(_sets(found, of))
    return Section("Coverage", MEANING, (), tuple(details), tuple(pictures))


def _maps(found: Found, of: Coverage) -> list[Picture]:
    """All pairs of factors, and the levels of those that lack most."""
    names = [factor.name for factor in found.factors]
    shares = np.full((len(names), len(names)), np.nan)
    for (i, j), share in zip(of.seen.sets.tolist(), of.shares(), strict=True):
        shares[i, j] = shares[j, i] = share
    caption = "Share of the possible pairs of levels that are there, in percent"
    out = [Picture(caption, share_map(shares, names), wide=True)]
    missing = of.by_set(of.possible & (of.seen.counts < found.least))
    for s in np.argsort(-missing, kind="stable")[:PICTURES].tolist():
        if missing[s]:
            pair = [found.factors[f] for f in of.seen.sets[s].tolist()]
            both = (pair[0].name, pair[1].name)
            drawn = count_map(of.grid(s), both, tuple(factor.levels for factor in pair))
            text = f"Rows with each pair of {both[0]} and {both[1]}; orange: none, grey: cannot be"
            out.append(Picture(text, drawn, wide=True))
    return out


def _sets(found: Found, of: Coverage) -> Detail:
    """One line per set of factors, the least covered first."""
    possible, covered = of.by_set(of.possible), of.by_set(of.seen.counts > 0)
    short = of.by_set(of.possible & (of.seen.counts < found.least))
    seen = of.by_set(of.conspicuous(found.level))
    order = np.lexsort((np.arange(len(possible)), of.shares(), -seen))
    lines = tuple(
        (
            ", ".join(found.factors[f].name for f in of.seen.sets[s].tolist()),
            int(possible[s]),
            int(covered[s]),
            percent(float(of.shares()[s])),
            int(short[s] - (possible[s] - covered[s])),
            int(possible[s] - covered[s]),
            int(seen[s]),
        )
        for s in order[:LISTED].tolist()
    )
    thin = f"thin (< {found.least})"
    heads = ("factors", "possible", "covered", "coverage", thin, "missing", "not by chance")
    name = WAYS.get(of.ways, f"sets of {of.ways}")
    word = "factors" if of.ways == 1 else f"{name} of factors"
    return Detail(f"{len(lines)} of {len(possible):,} {word}, the worst first", heads, lines)


def _missing(found: Found) -> Section:
    details = []
    for ways, of in found.coverages.items():
        total = len(of.below(found.least))
        gaps = found.gaps(ways, LISTED)
        lines = tuple(map(_line, gaps))
        name = WAYS.get(ways, f"combinations of {ways}").capitalize()
        if lines:
            title = f"{name} that are missing or thin, {len(lines)} of {total:,}"
            details.append(Detail(title, HEADS, lines))
    text = (
        "Combinations with fewer rows than they should have; those that most rows are expected of "
        "come first. All of them are in missing.csv, and scenario.yaml asks for the rows they lack."
        if details
        else "Nothing: each combination has as many rows as it should have."
    )
    return Section("Missing and thin", text, (), tuple(details))


HEADS = ("combination", "rows", "rows expected", "needs", "why")


def _line(gap: Gap) -> tuple[Cell, ...]:
    return (str(gap), gap.rows, float(f"{gap.expected:.3g}"), gap.needs, gap.why)


def _factors(found: Found) -> Section:
    lines = []
    for factor, counts in zip(found.factors, found.levels, strict=True):
        for level, rows in zip(factor.levels, counts, strict=False):
            lines.append((factor.name, level, int(rows), percent(int(rows) / max(1, found.rows))))
        if counts[-1]:
            lines.append((factor.name, "not counted", int(counts[-1]), ""))
    text = "Numbers without edges of their own are cut at quantiles; bins.<name>=[...] sets edges."
    heads = ("factor", "level", "rows", "share")
    return Section("Factors", text, (), (Detail("Levels of each factor", heads, tuple(lines)),))


def _reference(found: Found, beside: Beside) -> Section:
    """Differences both ways, rare values and tails."""
    lines: list[tuple[Cell, ...]] = []
    details: list[Detail] = []
    for ways, mine in found.coverages.items():
        name = WAYS.get(ways, f"{ways}-way").capitalize()
        both = {
            f"{name} of {beside.name} that {found.name} lacks": beside.lacking[ways],
            f"{name} of {found.name} that {beside.name} lacks": beside.beyond[ways],
        }
        for title, one in both.items():
            share, chance = percent(one.share), percent(one.by_chance)
            lines.append((title, one.target, len(one.lacking), share, chance))
            words = tuple((found.words(mine, int(c)),) for c in one.lacking[:LISTED].tolist())
            if words:
                cut = f"{title}, {len(words)} of {len(one.lacking):,}"
                details.append(Detail(cut, ("combination",), words))
    heads = ("combinations", "there", "lacking", "difference", "by chance alone")
    first = Detail("Combination coverage difference", heads, tuple(lines))
    rest = [*_rare(beside), *_tails(beside)]
    text = (
        "The share of the distinct combinations of one data set that the other lacks (set "
        "difference combinatorial coverage, Lanus, Freeman, Kuhn and Kacker 2021). By chance "
        "alone: the share that as many rows as the other has would lack on average if they were "
        "drawn from the first."
    )
    return Section(f"Against {beside.name}", text, (), (first, *rest, *details))


def _rare(beside: Beside) -> list[Detail]:
    if not beside.rare:
        return []
    kept = sum(one.rows > 0 for one in beside.rare)
    lines = tuple((one.name, one.level, one.reference, one.rows) for one in beside.rare)
    title = f"Rare levels of {beside.name}: {kept} of {len(lines)} are there"
    return [Detail(title, ("factor", "level", "rows of the reference", "rows"), lines)]


def _tails(beside: Beside) -> list[Detail]:
    lines: list[tuple[Cell, ...]] = [
        (tail.name, f"{'above' if tail.upper else 'below'} quantile {tail.level:g}",
         tail.threshold, tail.rows, float(f"{tail.expected:.3g}"))
        for tail in beside.tails
    ]  # fmt: skip
    if not lines:
        return []
    here, there = (percent(share) for share in beside.joint)
    title = f"Rows beyond quantiles of {beside.name}; in two numbers at once: {here}, there {there}"
    heads = ("number", "tail", "threshold", "rows", "rows expected")
    return [Detail(title, heads, tuple(lines))]
