"""The walls of the house: who may import whom, how long things may be, which words stay outside.

The rules are data below; `violations` is a pure function of source text, so that the last tests
can show that each rule catches what it forbids.
"""

import ast
import re
import tokenize
from io import StringIO
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "genmodels"
ROOT = PACKAGE.parent

FOUNDATION = {
    "types",
    "schema",
    "layout",
    "precision",
    "scores",
    "inversion",
    "variables",
    "evidence",
    "arrangement",
    "calibration",
    "margins",
    "wishes",
    "files",
    "spreadsheets",
    "pixels",
    "combinations",
    "condition",
    "covering",
    "oversampling",
    "provenance",
    "masks",
}
LEAVES = {
    "codecs",
    "networks",
    "likelihoods",
    "losses",
    "penalties",
    "terms",
    "augment",
    "adaptive",
    "augmentation",
    "schedules",
    "ema",
    "simulators",
    "metrics",
    "writers",
}
MIDDLE = FOUNDATION | {"schedules", "ema"}
# room -> the rooms that it may import (its own always)
MAY_IMPORT: dict[str, set[str]] = {
    "types": {"pixels"},
    "pixels": set(),
    "schema": set(),
    "wishes": set(),
    "files": set(),
    "precision": set(),
    "allocator": set(),
    "spreadsheets": set(),
    "scores": set(),
    "inversion": set(),
    "combinations": {"types"},
    "covering": set(),
    "condition": {"combinations"},
    "layout": {"types", "inversion", "condition"},
    "variables": {"layout"},
    "evidence": {"types", "layout", "variables"},
    "arrangement": {"types", "layout", "variables"},
    "calibration": set(),
    "oversampling": set(),
    "masks": set(),
    "provenance": {"types", "schema"},
    "margins": {"types", "layout", "variables"},
    **dict.fromkeys(LEAVES, FOUNDATION | {"schedules"}),  # a schedule is a number that moves
    "algorithms": MIDDLE,
    "data": MIDDLE,
    "sampling": FOUNDATION | {"algorithms", "data"},
    "run": FOUNDATION | {"algorithms", "data"},
    "callbacks": FOUNDATION | {"algorithms", "data", "run", "sampling", "report"},
    "report": FOUNDATION | {"algorithms", "data", "run", "metrics"},
    "tasks": FOUNDATION | LEAVES | {"algorithms", "data", "sampling", "callbacks", "report", "run"},
    "synthesizer": FOUNDATION | {"data", "tasks", "run", "codecs"},
    "resample": FOUNDATION | {"data", "synthesizer"},
    "synthetic_images": FOUNDATION | {"tasks"},
    "evaluation": FOUNDATION | {"data", "report", "tasks"},
    "cli": {"tasks", "files", "allocator"},
    "__init__": {"evaluation", "resample", "synthesizer", "synthetic_images"},
    "__main__": {"cli"},
}
HYDRA_ROOMS = {"tasks"}
MODALITY_FREE = ("algorithms/", "tasks/", "sampling/draws.py")
MODALITY = re.compile(r"(?<![a-z])(table|image|column|pixel)s?(?![a-z])", re.IGNORECASE)
FORBIDDEN = re.compile(
    r"\b(?:import|from) (?:cloud)?pickle\b|\bpickle\.\w|allow_pickle=True|\bjoblib\.load\b"
    r"|weights_only=False|(?<![.\w])(?:eval|exec)\("
    r"|NotImplementedError|\bTODO\b|\bFIXME\b"
    r"|np\.random\.(?!Generator|default_rng|SeedSequence|Philox|PCG64|SFC64|BitGenerator)\w+"
)
LINES, FUNCTION_LINES = 400, 60


def room_of(path: str) -> str:
    """`algorithms/gan.py` -> `algorithms`; `run.py` -> `run`."""
    return path.split("/")[0].removesuffix(".py")


def imports_of(tree: ast.AST) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            found += [(node.lineno, base)] if node.module != "genmodels" else []
            if node.module == "genmodels":
                found += [(node.lineno, f"genmodels.{alias.name}") for alias in node.names]
    return found


def arrows(path: str, tree: ast.AST) -> list[str]:
    room, wrong = room_of(path), []
    if room not in MAY_IMPORT:
        return [f"{path}: room {room!r} is not in the plan; add it to MAY_IMPORT"]
    for line, name in imports_of(tree):
        if name.startswith("."):
            wrong.append(f"{path}:{line}: relative import; write genmodels.<room>")
        if name.split(".")[0] in ("hydra", "omegaconf") and room not in HYDRA_ROOMS:
            wrong.append(f"{path}:{line}: {name} belongs to tasks/ alone")
        if name.startswith("genmodels."):
            other = name.split(".")[1]
            if other != room and other not in MAY_IMPORT[room] and not other.startswith("__"):
                wrong.append(f"{path}:{line}: {room} may not import {other}")
    return wrong


def sizes(path: str, text: str, tree: ast.AST) -> list[str]:
    wrong = []
    if text.count("\n") > LINES:
        wrong.append(f"{path}: {text.count(chr(10))} lines, the ceiling is {LINES}")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            doc = ast.get_docstring(node, clean=False)
            body = node.end_lineno - node.lineno - (doc.count("\n") + 1 if doc else 0)
            if body > FUNCTION_LINES:
                wrong.append(f"{path}:{node.lineno}: {node.name} has {body} lines")
    return wrong


def words(path: str, text: str) -> list[str]:
    wrong = []
    for number, line in enumerate(text.splitlines(), 1):
        if path.startswith(MODALITY_FREE) and MODALITY.search(line):
            wrong.append(f"{path}:{number}: speaks of {MODALITY.search(line).group()!r}")
    for token in tokenize.generate_tokens(StringIO(text).readline):
        if token.type == tokenize.COMMENT and re.search(r"TODO|FIXME", token.string):
            wrong.append(f"{path}:{token.start[0]}: {token.string}")
    for number, line in enumerate(text.splitlines(), 1):
        if FORBIDDEN.search(line):
            wrong.append(f"{path}:{number}: {FORBIDDEN.search(line).group()!r} is forbidden")
    return wrong


def violations(path: str, text: str) -> list[str]:
    """Everything that is wrong with one file; `path` is relative to the package."""
    tree = ast.parse(text)
    return arrows(path, tree) + sizes(path, text, tree) + words(path, text)


FILES = sorted(p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*.py"))


def test_the_package_is_found():
    assert len(FILES) > 15


@pytest.mark.parametrize("path", FILES)
def test_file_keeps_the_rules_of_the_house(path):
    assert violations(path, (PACKAGE / path).read_text(encoding="utf-8")) == []


def test_tests_and_scripts_keep_the_ceilings():
    files = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("scripts/**/*.py")]
    assert files
    wrong = []
    for file in files:
        text = file.read_text(encoding="utf-8")
        wrong += sizes(file.relative_to(ROOT).as_posix(), text, ast.parse(text))
    assert wrong == []


def test_only_the_agreed_folders_stand_at_the_top():
    tracked = {"genmodels", "configs", "scripts", "tests", "notebooks"}
    skip = {"build", "dist", "runs", "quickstart", "synthetic", "datasets"}
    folders = {p.name for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith(".")}
    assert folders - skip - {f for f in folders if f.endswith(".egg-info")} == tracked


@pytest.mark.parametrize(
    ("path", "text", "complaint"),
    [
        ("losses.py", "from genmodels.penalties import R1\n", "losses may not import penalties"),
        ("losses.py", "from genmodels import penalties\n", "losses may not import penalties"),
        ("algorithms/gan.py", "import genmodels.networks.mlp\n", "may not import networks"),
        ("data/module.py", "from omegaconf import DictConfig\n", "belongs to tasks/ alone"),
        ("sampling/a.py", "def f():\n    import hydra\n", "belongs to tasks/ alone"),
        ("networks/mlp.py", "from . import layers\n", "relative import"),
        ("attic/old.py", "x = 1\n", "not in the plan"),
        ("losses.py", "x = 1\n" * 401, "401 lines"),
        ("losses.py", "def f():\n" + "    x = 1\n" * 61, "f has 61 lines"),
        ("algorithms/gan.py", "columns = 3\n", "speaks of 'columns'"),
        ("tasks/train.py", "'''An Image.'''\n", "speaks of 'Image'"),
        ("sampling/draws.py", "# per pixel\n", "speaks of 'pixel'"),
        ("files.py", "import pickle\n", "'import pickle' is forbidden"),
        ("files.py", "x = eval('1')\n", "'eval(' is forbidden"),
        ("files.py", "torch.load(p, weights_only=False)\n", "forbidden"),
        ("files.py", "x = 1  # TODO later\n", "TODO"),
        ("files.py", "np.random.rand(3)\n", "np.random.rand"),
    ],
)
def test_a_broken_rule_is_reported(path, text, complaint):
    assert any(complaint in found for found in violations(path, text))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("algorithms/gan.py", "from genmodels.ema import EMA\nmutable = suitable = 1\n"),
        ("tasks/train.py", "import hydra\nfrom genmodels.data.module import DataModule\n"),
        ("networks/mlp.py", "model.eval()\nfrom genmodels.networks.layers import X\n"),
        ("data/a.py", "rng = np.random.default_rng(0)\n"),
    ],
)
def test_what_is_allowed_passes(path, text):
    assert violations(path, text) == []
