"""`python scripts/mix.py key=value ...` is `genmodels mix key=value ...`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from genmodels.cli import main

if __name__ == "__main__":
    raise SystemExit(main(["mix", *sys.argv[1:]]))
