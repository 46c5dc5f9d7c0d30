"""Run every benchmark, one after the other, and renew RESULTS.md. About ten hours on two cores.

What a part takes is in its docstring or its JSON; each can be run alone.
"""

import sys

from common import HERE, call

UNTOUCHED = ("--tables", "untouched", "--models", "fresh", "halves", "independent", "tabvae")
PARTS = (
    ("codec",),
    ("step",),
    ("sampling",),
    ("cost",),
    ("delivery",),
    ("finance",),
    ("health",),
    ("scenes",),
    ("augment",),
    ("coverage",),
    ("streaming",),
    ("tabular",),
    ("leaderboard",),
    ("leaderboard", *UNTOUCHED),
    ("conditional",),
    ("missingness",),
    ("rebalance",),
    ("images",),
    ("imbalance",),
    ("stacked",),
    ("bits",),
    ("picture",),
    ("evaluation",),
    ("screenshot",),
    ("null_case",),
    ("report",),
)

if __name__ == "__main__":
    for name, *words in PARTS:
        call(sys.executable, HERE / f"{name}.py", *words)
