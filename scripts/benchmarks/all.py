"""Run every benchmark, one after the other, and renew RESULTS.md. About two hours on two cores."""

import sys

from common import HERE, call

if __name__ == "__main__":
    for name in (
        "codec",
        "step",
        "sampling",
        "tabular",
        "images",
        "picture",
        "evaluation",
        "screenshot",
        "null_case",
        "report",
    ):
        call(sys.executable, HERE / f"{name}.py")
