"""The README's picture of three reports, from what `evaluation.py` left in the scratch folder.

Needs a Chromium browser on the path; nothing is drawn without one.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from common import RESULTS, SCRATCH
from PIL import Image

CASES = ("ctgan", "independent", "copies")
WIDTH, HEIGHT, GAP, SCALE = 1000, 1250, 20, 0.6


def shot(browser: str, page: Path, folder: Path) -> Image.Image:
    """What a person sees first."""
    picture = folder / f"{page.parent.name}.png"
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    command += ["--disable-background-networking", f"--user-data-dir={folder / page.parent.name}"]
    command += [f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={picture}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return Image.open(picture).convert("RGB")


def main() -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    pages = [SCRATCH / f"report-{case}" / "report.html" for case in CASES]
    if browser is None or not all(page.exists() for page in pages):
        sys.exit("needs chromium on the path, and reports made by evaluation.py")
    with tempfile.TemporaryDirectory() as folder:
        shots = [shot(browser, page, Path(folder)) for page in pages]
    whole = Image.new("RGB", (len(shots) * (WIDTH + GAP) - GAP, HEIGHT), "white")
    for k, picture in enumerate(shots):
        whole.paste(picture, (k * (WIDTH + GAP), 0))
    size = (round(whole.width * SCALE), round(whole.height * SCALE))
    small = whole.resize(size, Image.Resampling.LANCZOS)
    small.quantize(256).save(RESULTS / "reports.png", optimize=True)


if __name__ == "__main__":
    main()
