"""What a verdict means to a reader who knows no statistics: sentences, kept as data.

The first entry whose axis and start of the metric's name fit a row speaks for it. Sentences may
name {value}, {ceiling}, {floor} and {what}, the name of the figure up to its first comma or
" for ".
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from genmodels.report.page.texts import number
from genmodels.report.page.verdicts import Kind, judge
from genmodels.report.rows import Axis, Row

__all__ = ["UNTESTED", "Meaning", "meaning"]


@dataclass(frozen=True)
class Meaning:
    """Sentences for one kind of figure.

    Args:
        axis: of the rows that it speaks for.
        starts: how the metric's name starts; an empty text fits all of the axis.
        says: the sentence of each verdict; a verdict that is not there falls to the next entry.
            The worst figure speaks for its axis, so "level" is said of the axis as a whole.
    """

    axis: Axis
    starts: tuple[str, ...]
    says: MappingProxyType[Kind, str]


def _entry(axis: Axis, *starts: str, **says: str) -> Meaning:
    return Meaning(axis, starts or ("",), MappingProxyType(says))  # type: ignore[arg-type]


UNSURE = "Too few rows stand behind the figure to tell good from bad; bring more."
ALONE = (
    "Each column may look right on its own, but columns do not go together: do not trust any "
    "relation between two of them."
)
TOLD = (
    "A program that is shown one synthetic and one real row tells which is which {value} of the "
    "time (0.5 is guessing)."
)
LEARNS = (
    "A model trained on these data would score {value} {what} on real data instead of {ceiling}."
)
THIN = "Part of what occurs in real data is missing or thin here"
NEARER = "Synthetic rows lie nearer to training rows than other real rows do: the generator repeats"

CALM = (
    "Volatility has another memory than in real prices, too little or too much of it: do not test "
    "risk or timing on it."
)
TAILS = "Extreme returns are far rarer or commoner than in real prices: do not read risk off them."
FALLS = "A fall does not change the volatility after it as it does in real prices."
FORETOLD = (
    "A return foretells the next one, which it does not in markets: any back-test will be wrong."
)

OTHERWISE = "Groups come out quite otherwise than in real data: decide nothing about people by it."

REPEATED = (
    "Rows repeat each other far more than real rows do: there are fewer different cases here than "
    "the number of rows says."
)
SHARES = "A group is not there as often as in real data: what holds for it is learnt badly."
LABELS = (
    "The outcome does not go with the group as it does in real data: what is learnt about that "
    "group is wrong."
)
TREATED = (
    "A model trained on these data treats groups of real people less alike than one trained on "
    "real data."
)
GROUP_COPIED = "Training rows of a group are repeated: the records of its members may be handed on."

MEANINGS: tuple[Meaning, ...] = (
    _entry(
        "fidelity", "C2ST",
        close=TOLD + " Few details give them away.", worse=TOLD, bad=TOLD,
        floor=TOLD + " That is about as plain as if each column had been shuffled on its own.",
        beyond=TOLD + " Even real rows with each column shuffled on its own are harder to tell.",
    ),
    _entry(
        "fidelity", "pair",
        close="Columns go together much as in real data, if a little more loosely.",
        worse="Columns go together less than in real data: relations come out weak or wrong.",
        bad=ALONE, floor=ALONE, beyond=ALONE,
    ),
    _entry(
        "fidelity", "column shape",
        close="Each column on its own is distributed nearly as in real data.",
        worse="Single columns are distributed otherwise than in real data: averages and shares "
        "will be off.",
        bad="Single columns are distributed quite otherwise than in real data: do not read "
        "averages or shares off these rows.",
    ),
    _entry(
        "fidelity", "volatility clustering",
        worse="Calm and stormy times last shorter or longer than in real prices.",
        bad=CALM, floor=CALM, beyond=CALM,
    ),
    _entry(
        "fidelity", "heavy tails",
        worse="Extreme returns are rarer or commoner than in real prices.", bad=TAILS, beyond=TAILS,
    ),
    _entry(
        "fidelity", "leverage effect",
        worse=FALLS, bad=FALLS, floor=FALLS, beyond=FALLS,
    ),
    _entry(
        "fidelity", "linear autocorrelation",
        worse=FORETOLD, bad=FORETOLD, floor=FORETOLD, beyond=FORETOLD,
    ),
    _entry(
        "fidelity", "missing",
        worse="Values are missing more or less often than in real data.",
        bad="Gaps are not those of real data: do not study what is missing here.",
        floor="Gaps are not those of real data: do not study what is missing here.",
    ),
    _entry(
        "fidelity", "rows with a value",
        worse="Some values could not occur in real data.",
        bad="Many values could not occur in real data.",
        floor="Many values could not occur in real data.",
        beyond="Many values could not occur in real data.",
    ),
    _entry(
        "fidelity",
        level="By every figure that counts these data look like real data.",
        close="They look much like real data; small differences can be measured.",
        worse="They differ plainly from real data: do not rely on details.",
        bad="They do not look like real data.",
        floor="They look no more like real data than real data shuffled to bits.",
        beyond="They look less like real data than real data shuffled to bits.",
        unsure=UNSURE,
    ),
    _entry(
        "coverage", "tail",
        level="Extreme values occur as often as in real data.",
        close="Extreme values occur nearly as often as in real data.",
        worse="Extreme values are rarer or commoner here than in real data.",
        bad="Extreme values are far rarer or commoner here than in real data.",
    ),
    _entry(
        "coverage", "rows that repeat",
        close="A few rows are there more than once, more often than among real rows.",
        worse=REPEATED, bad=REPEATED, floor=REPEATED, beyond=REPEATED,
    ),
    _entry(
        "coverage", "least represented",
        worse="A kind of case that real data have is rare here.",
        bad="A kind of case that real data have hardly occurs here, or not at all.",
        floor="A kind of case that real data have is rare here.",
        beyond="A kind of case that real data have hardly occurs here, or not at all.",
    ),
    _entry(
        "coverage", "categories", "rare",
        worse="Some rare categories of real data never occur here.",
        bad="Many categories of real data never occur here: rare cases are lost.",
        floor="Many categories of real data never occur here: rare cases are lost.",
    ),
    _entry(
        "coverage",
        level="What occurs in real data occurs here too, as far as these rows can tell.",
        close="Nearly all that occurs in real data occurs here too.",
        worse=THIN + ", rare cases first.",
        bad="Much of what occurs in real data does not occur here.",
        floor=THIN + ", as much of it as in shuffled data.",
        beyond=THIN + ", more of it than in shuffled data.",
        unsure=UNSURE,
    ),
    _entry(
        "utility", "agreement on ",
        level="Images show what they were told, as far as real ones let it be seen.",
        close="Images nearly show what they were told.",
        worse="Images show what they were told less clearly than real ones do.",
        bad="Images often do not show what they were told: do not learn from it.",
        floor="What images were told cannot be seen in them.",
        beyond="Images show the contrary of what they were told.",
    ),
    _entry(
        "utility",
        level="A model trained on these data does as well on real data as one trained on real data "
        "({what} {value}, real {ceiling}).",
        close=LEARNS + " Beside what shuffled data would cost, that is a small loss.", worse=LEARNS,
        bad=LEARNS + " Do not train on them.",
        floor=LEARNS + " Shuffled data would teach it as much: do not train on them.",
        beyond=LEARNS + " Shuffled data would teach it more: do not train on them.",
        unsure="It cannot be told whether a model can learn from these data: too few rows, or real "
        "data teach next to nothing either.",
    ),
    _entry(
        "memorisation", "exact",
        close="A few synthetic rows equal training rows, more than chance explains: look at them.",
        worse="Many synthetic rows are training rows: real records would be handed on.",
        bad="Many synthetic rows are training rows: real records would be handed on.",
        floor="These are the training rows themselves: whoever gets them gets the real records.",
        beyond="These are the training rows themselves: whoever gets them gets the real records.",
    ),
    _entry(
        "memorisation", "nearer", "distance",
        close=NEARER + " a little of what it saw.", worse=NEARER + " some of what it saw.",
        floor=NEARER + " what it saw.", beyond=NEARER + " what it saw.",
    ),
    _entry(
        "memorisation", "training rows told",
        close="The model knows what it was trained on a little better than other real data: it has "
        "begun to learn by heart. Whether the synthetic data repeat it, other figures say.",
        worse="The model knows what it was trained on from other real data: it learns by heart. "
        "Train it less, or on more data.",
        bad="The model knows what it was trained on from other real data: it learns by heart. "
        "Train it less, or on more data.",
    ),
    _entry(
        "memorisation",
        level="No sign that the generator repeats what it saw.",
        close="A slight sign that the generator repeats what it saw.",
        worse="The generator repeats part of what it saw: real records may be handed on.",
        bad="The generator repeats what it saw: real records would be handed on.",
        floor="The generator repeats what it saw, as a copy of its training data would.",
        beyond="The generator repeats what it saw, even more than a copy of its training data.",
        unsure="Too few rows to tell whether the generator repeats what it saw.",
    ),
    _entry(
        "privacy",
        level="The attack found no more than it finds out about people who were not in the data.",
        close="The attack found little more than about people who were not in the data.",
        worse="The attack found out something about people in the training data.",
        bad="The attack found out much about people in the training data.",
        floor="The attack found out as much as from the training data themselves.",
        beyond="The attack found out as much as from the training data themselves.",
        unsure="Too few rows to tell whether the attack finds anything out.",
    ),
    _entry(
        "bias", "share of a group",
        close=SHARES, worse=SHARES, bad=SHARES, floor=SHARES, beyond=SHARES,
    ),
    _entry(
        "bias", "label in a group", "amplification of a label gap",
        close=LABELS, worse=LABELS, bad=LABELS, floor=LABELS, beyond=LABELS,
    ),
    _entry(
        "bias", "equalised odds difference", "difference of group mean errors",
        close=TREATED, worse=TREATED, bad=TREATED, floor=TREATED, beyond=TREATED,
    ),
    _entry(
        "bias", "copies in a group", "near copies in a group",
        close=GROUP_COPIED, worse=GROUP_COPIED, bad=GROUP_COPIED, floor=GROUP_COPIED,
        beyond=GROUP_COPIED,
    ),
    _entry(
        "bias",
        level="Groups come out as they do in real data.",
        close="Groups come out nearly as they do in real data.",
        worse="Groups come out otherwise than in real data: check them before use.",
        bad=OTHERWISE,
        floor="Groups come out as if group and outcome had nothing to do with each other.",
        beyond=OTHERWISE,
        unsure="Too few rows of some group to tell how it fares.",
    ),
)  # fmt: skip

UNTESTED: dict[Axis, str] = {
    "fidelity": "Fidelity was not tested: there was nothing to compare.",
    "coverage": "Coverage was not tested: whether rare cases occur is not known.",
    "utility": "Utility was not tested: whether a model can learn from these data is not known.",
    "memorisation": "Memorisation was not tested: whether these are copies is not known.",
    "privacy": "Privacy was not tested: distance from the training rows is no evidence of it.",
    "bias": "Bias between groups was not tested. For rows with attributes that tell groups apart, "
    "name these with sensitive=[...].",
}
"""What is said of an axis that no figure speaks of."""


def meaning(row: Row) -> str:
    """The sentence for this figure, empty when there is none for its verdict."""
    kind = judge(row)
    for entry in MEANINGS:
        if entry.axis == row.axis and kind in entry.says and row.metric.startswith(entry.starts):
            what = row.metric.split(",")[0].split(" for ")[0]
            points = {"value": row.value, "ceiling": row.ceiling, "floor": row.floor}
            texts = {name: _spoken(value) for name, value in points.items()}
            return entry.says[kind].format(what=what, **texts)
    return ""


def _spoken(value: float | None) -> str:
    """Three digits: what a sentence can bear; the figure beside it has them all."""
    return number(None if value is None else float(f"{value:.3g}"))
