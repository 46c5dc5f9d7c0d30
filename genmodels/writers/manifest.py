"""What a synthetic dataset says about itself: `manifest.json` and the card `README.md`."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from genmodels.files import write_json, write_text
from genmodels.writers.base import MANIFEST, STATEMENT, file_entry
from genmodels.writers.combined import combined
from genmodels.writers.verify import digest

__all__ = ["STATEMENT", "manifest_of", "wishes_of", "write_card", "write_manifest"]


WISHES = (
    "given",
    "complete",
    "per_class",
    "balance",
    "shares",
    "temper",
    "scenario",
    "constraints",
)
"""What `control` of a manifest can hold that makes rows others than those of the model."""
STRATA = 2
"""Of a scenario, that are written out."""
FILTERS = ("keep", "agree", "confidence")
"""The same of `filter`."""


def wishes_of(manifest: Mapping[str, Any]) -> str:
    """What was asked of the rows, as it is written on the command line; empty for nothing.

    Args:
        manifest: of a dataset, or of anything else, which says nothing.
    """
    if manifest.get("synthetic") is not True:
        return ""
    found = []
    conditions, control = manifest.get("conditions"), manifest.get("control")
    chosen = manifest.get("filter")
    if isinstance(conditions, Mapping):
        found += [f"condition.{name}={_value(level)}" for name, level in conditions.items()]
    elif isinstance(conditions, str) and conditions != "empirical":
        found.append(f"condition={conditions}")
    if isinstance(chosen, Mapping):
        asked = ((key, chosen.get(key)) for key in FILTERS)
        found += [f"filter.{key}={_value(value)}" for key, value in asked if value]
    drawing = manifest.get("drawing")
    if isinstance(drawing, Mapping):
        found += [f"{key}={_value(value)}" for key, value in drawing.items()]
    if not isinstance(control, Mapping):
        return ", ".join(found)
    for key in WISHES:
        wish = control.get(key)
        if key == "complete" and isinstance(wish, Mapping):
            wish = wish.get("path")
        if key in ("given", "shares") and isinstance(wish, Mapping):
            found += [f"{key}.{name}={_value(value)}" for name, value in wish.items()]
        elif isinstance(wish, Mapping) and len(wish) > STRATA:
            first = _value(dict(islice(wish.items(), STRATA)))
            found.append(f"{key}={first[:-1]}, and {len(wish) - STRATA:,} more}}")
        elif wish:
            found.append(f"{key}={_value(wish)}")
    return ", ".join(found)


def _value(value: Any) -> str:
    """A value as a word of the command line has it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_value(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return "missing" if value is None else str(value)


def manifest_of(entries: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a manifest says, but for documents that speak of it.

    Args:
        entries: of the data's files, in reading order, as `file_entry` makes them.
        facts: plain JSON: rows, format, seed, conditions, run, versions, schema, ...
    """
    return {
        "synthetic": True,
        "statement": STATEMENT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        **facts,
        "files": list(entries),
    }


def write_manifest(
    folder: Path, manifest: Mapping[str, Any], documents: Sequence[Path] = ()
) -> dict[str, Any]:
    """Write `manifest.json` into a dataset folder, last of all.

    Args:
        folder: of the dataset.
        manifest: as `manifest_of` makes it.
        documents: other files in the folder that are not data.

    Returns:
        What was written.
    """
    whole = {**manifest, "documents": [file_entry(folder, file) for file in documents]}
    whole["digest"] = digest(whole)
    write_json(folder / MANIFEST, whole)
    return whole


def write_card(folder: Path, manifest: Mapping[str, Any]) -> Path:
    """Write `README.md`: what the data is and one line per library to load it."""
    simulator, several = manifest.get("simulator"), combined(manifest)
    if several is not None:
        title, drawn, model = several.title, several.drawn, several.model
    else:
        title, drawn, model = _drawn(manifest) if simulator is None else _simulated(simulator)
    lines = [
        f"---\ntags:\n- {'synthetic' if several is None else several.tag}\n---",
        f"# {title}",
        manifest.get("statement", STATEMENT),
        f"{manifest['rows']:,} records ({manifest['format']}), seed {manifest['seed']}, {drawn}. "
        f"Made by genmodels {manifest['versions'].get('genmodels', '?')} on "
        f"{manifest['created']}. `{MANIFEST}` lists every file with its SHA-256, {model} "
        "and the meaning of the data; `genmodels verify <folder>` checks them.",
        *([] if simulator is None else _model(simulator, manifest.get("fit"))),
        *(() if several is None else several.lines),
        *_asked("" if several else _told_wishes(manifest), simulated=simulator is not None),
        *_calibrated(manifest.get("calibrated")),
        *_filtered(manifest.get("filter")),
        *_guarded(manifest.get("formula_guard")),
        *_evaluated(manifest.get("evaluation")),
        "## Load it",
        "```python\n" + "\n".join(_recipes(manifest)) + "\n```",
    ]
    card = folder / "README.md"
    write_text(card, "\n\n".join(lines) + "\n")
    return card


def _drawn(manifest: Mapping[str, Any]) -> tuple[str, str, str]:
    """Title, how records came to be, and what the manifest says of the model, of a run."""
    wishes = wishes_of({**manifest, "conditions": None, "filter": None})
    drawn = "as asked for" if wishes else f"conditions: {_conditions(manifest['conditions'])}"
    return (
        f"Synthetic data from the run `{manifest['run']['name']}`",
        drawn,
        "the hash of the model",
    )


def _told_wishes(manifest: Mapping[str, Any]) -> str:
    wishes = wishes_of({**manifest, "conditions": None, "filter": None})
    return wishes and wishes_of({**manifest, "filter": None})


def _simulated(simulator: Mapping[str, Any]) -> tuple[str, str, str]:
    """The same of a simulator."""
    name = simulator["name"]
    return f"Simulated data: `{name}`", "simulated", "the parameters of the model"


def _model(simulator: Mapping[str, Any], fit: Mapping[str, Any] | None) -> list[str]:
    """The model with its parameters, where they come from, and what it cannot make."""
    known = {key: value for key, value in simulator["parameters"].items() if value is not None}
    lines = [f"**Model**: `{simulator['name']}`, `{json.dumps(known)}`."]
    if bars := simulator.get("bars"):
        lines.append(f"**Bars** of a day: `{json.dumps(bars)}`.")
    if fit is not None:
        lines.append(
            f"**Fitted** to {fit['observations']:,} observations ({fit['method']}): the "
            "parameters are estimates, whose standard errors the manifest tells."
        )
    if lacking := simulator.get("cannot_make"):
        lines.append("This model cannot make:\n\n" + "\n".join(f"- {x}" for x in lacking))
    return lines


def _asked(wishes: str, *, simulated: bool) -> list[str]:
    if not wishes:
        return []
    told = " ".join(wishes.replace("`", "'").split())
    usual = "than the model makes it of itself" if simulated else "than in the training data"
    return [
        f"**Asked for**: `{told}`. What was asked for is more or less frequent "
        f"here {usual}: these records are not a sample of the same population."
    ]


def _calibrated(found: Mapping[str, Any] | None) -> list[str]:
    if found is None:
        return []
    return [
        f"**Calibrated** (`calibrate={found['calibrate']}`): {found['meaning']}, by a map that a "
        f"pilot of {found['pilot_rows']:,} rows told. Compare it with calibrated data only: what "
        "was matched says nothing about the model."
    ]


def _filtered(found: Mapping[str, Any] | None) -> list[str]:
    if found is None:
        return []
    asked = ", ".join(f"{key}={_value(found[key])}" for key in FILTERS if found[key])
    judge, dropped = found["classifier"], found["dropped"]
    lost = f" {dropped:,} records found none that did and were left out." if dropped else ""
    return [
        f"**Filtered** ({asked}): {found['kept']:,} of {found['candidates']:,} candidates were "
        "kept, by a classifier trained on the real training data that names "
        f"{judge['accuracy']:.1%} of {judge['held_out']:,} held-out real records rightly. It "
        f"agrees with {found['agreement_before']:.1%} of the labels of what the model draws and "
        f"with {found['agreement_after']:.1%} of those kept.{lost} Filtering trades variety for "
        "agreement: rare and hard examples are the first to go."
    ]


def _guarded(guard: bool | None) -> list[str]:
    if not guard:
        return []
    return [
        "Texts that a spreadsheet would run, such as `=1+1`, have an apostrophe before them; "
        "genmodels takes it away when it reads them."
    ]


def _evaluated(found: Mapping[str, Any] | None) -> list[str]:
    if not found:
        return []
    rows = []
    for axis in found["axes"]:
        figure = f" ({_plain(axis['figure'])})" if axis["figure"] else ""
        rows.append(f"- **{_plain(axis['axis'])}**: {_plain(axis['sentence'])}{figure}")
    return [
        "## How far it can be trusted",
        f"As measured on {found['when']}; of each axis its worst figure.",
        "\n".join(rows),
    ]


def _plain(text: str) -> str:
    """A text with names of a stranger, shown by Markdown as it is."""
    line = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"([\\`*_{}\[\]#!|~])", r"\\\1", line)


def _conditions(conditions: str | Mapping[str, Any]) -> str:
    if isinstance(conditions, str):
        return conditions
    return ", ".join(f"{name} = {level}" for name, level in conditions.items())


def _recipes(manifest: Mapping[str, Any]) -> list[str]:
    first = manifest["files"][0]["path"]
    folder = "import datasets, os; data = datasets.load_dataset(os.getcwd())"
    schema = manifest.get("schema", {})
    pictures = schema.get("kind") == "images"
    unlabelled = pictures and not schema.get("class_names")
    match manifest["format"]:
        case "parquet" if pictures:
            return [
                "import pandas; data = pandas.read_parquet('data')  # image: bytes of a PNG file",
                folder,
            ]
        case "webdataset":
            shards = "sorted(glob.glob('data/*.tar'))"
            parts = "'png'" if unlabelled else "'png', 'cls'"
            return [
                "import glob, webdataset",
                f"data = webdataset.WebDataset({shards}).decode('pil').to_tuple({parts})",
                folder,
            ]
        case "parquet":
            return ["import pandas; data = pandas.read_parquet('data')", folder]
        case "arrow":
            files = "sorted(map(str, pathlib.Path('data').glob('*.arrow')))"
            return [
                "import pathlib, pyarrow.dataset",
                f"data = pyarrow.dataset.dataset({files}, format='arrow').to_table()",
                folder,
            ]
        case "csv":
            return [
                "import pandas, pathlib",
                f"data = pandas.concat(map(pandas.read_csv, sorted(pathlib.Path('data')"
                f".glob('*{''.join(Path(first).suffixes)}'))))",
                folder,
            ]
        case "coco" | "scenes" as form:
            load = "datasets.load_dataset('imagefolder', data_dir='images')"
            return [
                "from torchvision.datasets import CocoDetection  # needs pycocotools",
                "data = CocoDetection('images', 'annotations/instances.json')",
                *([f"import datasets; data = {load}"] if form == "scenes" else []),
            ]
        case "imagefolder" if unlabelled:
            return [
                "import pathlib, PIL.Image",
                "data = [PIL.Image.open(x) for x in sorted(pathlib.Path('train').glob('*.png'))]",
                folder,
            ]
        case "imagefolder":
            return [
                "from torchvision.datasets import ImageFolder; data = ImageFolder('train')",
                folder,
            ]
        case _ if len(manifest["files"]) > 1:
            files = "sorted(pathlib.Path('data').glob('*.npz'))"
            return ["import numpy, pathlib", f"data = [numpy.load(file) for file in {files}]"]
        case _:
            return [f"import numpy; data = numpy.load('{first}')"]
