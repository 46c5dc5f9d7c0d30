"""`python scripts/selftest.py metrics ...` is `genmodels selftest metrics ...`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from genmodels.cli import main

if __name__ == "__main__":
    raise SystemExit(main(["selftest", *sys.argv[1:]]))
