"""Every configuration file composes, and every node in it fits what it names."""

import functools
import importlib
import inspect
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from genmodels.tasks.choices import CONFIGS, VERBS, summary
from genmodels.tasks.compose import compose
from genmodels.tasks.trust import check_trust

FILES = sorted(CONFIGS.rglob("*.yaml"))
IN_TRAIN = ("callbacks", "codec", "data", "debug", "experiment", "logger", "model", "trainer")
OF_A_MODEL = {
    "augment": "dcgan", "ema": "dcgan", "head": "dcgan", "loss": "dcgan", "penalties": "dcgan",
    "warm_up": "dcgan", "alarm": "dcgan",
    "ex_post": "conv_vae", "likelihood": "conv_vae", "network": "tabvae", "prior": "tvae2",
    "quantizer": "vqvae", "decoding": "vqvae",
}  # fmt: skip
# Supplied at run time by tasks/, or by whoever calls the partial: never written in YAML.
RUNTIME = {
    "layout", "condition", "latent_dim", "run", "folder", "ledger", "signals", "resume", "codec",
    "schema", "reference", "validation", "sample", "seed", "raw", "params", "save_dir", "target",
    "categories", "provenance",  # of a dataset with boxes
    "length", "codes",  # of a row of tokens: a model knows its own
}  # fmt: skip


def name_of(path):
    return path.relative_to(CONFIGS).with_suffix("").as_posix()


def words_for(path):
    """Words that bring one file into a composed `train`."""
    group, _, choice = name_of(path).rpartition("/")
    if group in OF_A_MODEL:
        return [f"model={OF_A_MODEL[group]}", "data=digits", f"{group}={choice}"]
    return [f"{group}={choice}"]


def nodes(node, path=""):
    if isinstance(node, dict):
        if "_target_" in node:
            yield path, node
        for key, value in node.items():
            yield from nodes(value, f"{path}.{key}" if path else key)
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from nodes(value, f"{path}[{i}]")


def target_of(name):
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError as error:
            if not ".".join(parts[:cut]).startswith(str(error.name)):
                raise
            continue
        return functools.reduce(getattr, parts[cut:], module)
    raise AssertionError(f"{name} does not exist")


def unfit(node):
    """What is wrong with one node: unknown keys, and required ones that nobody supplies."""
    parameters = inspect.signature(target_of(node["_target_"])).parameters.values()
    known = {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}
    given = {key for key in node if not key.startswith("_")}
    open_end = any(p.kind is p.VAR_KEYWORD for p in parameters)
    wrong = [f"unknown {key}" for key in sorted(given - known) if not open_end]
    required = {
        p.name for p in parameters
        if p.default is p.empty and p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)
    }  # fmt: skip
    missing = required - given
    if not node.get("_partial_"):
        wrong += [f"missing {key}" for key in sorted(missing)]
    elif node["_target_"].startswith("genmodels.") and inspect.isclass(target_of(node["_target_"])):
        later = RUNTIME | ({"hidden"} if ".likelihoods.mixed." in node["_target_"] else set())
        wrong += [f"missing {key}" for key in sorted(missing - later)]  # heads: as the network is
    return wrong


def test_there_are_files():
    assert len(FILES) > 25
    assert {p.parent.name for p in FILES} >= {"model", "data", "codec", "trainer", "callbacks"}
    assert all((CONFIGS / f"{verb}.yaml").is_file() for verb in VERBS)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_file_starts_with_one_comment_saying_what_it_is(path):
    assert len(summary(path)) > 10
    package = [i for i, line in enumerate(path.read_text().splitlines()) if "@package" in line]
    assert package in ([], [0])  # Hydra does not see it anywhere else


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_file_is_yaml_without_twins(path):
    class Strict(yaml.SafeLoader):
        def construct_mapping(self, node, deep=False):
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            assert len(keys) == len(set(map(str, keys))), f"{path}: a key occurs twice"
            return super().construct_mapping(node, deep)

    yaml.load(path.read_text(encoding="utf-8"), Loader=Strict)


TRAINED = [p for p in FILES if p.parent.name in (*IN_TRAIN, *OF_A_MODEL) and p.name[0] != "_"]


@pytest.mark.parametrize("path", TRAINED, ids=name_of)
def test_file_composes_into_train_and_every_node_fits_its_target(path):
    tree = OmegaConf.to_container(compose("train", words_for(path)), resolve=False)
    assert tree["choices"][path.parent.name] == path.stem
    found = list(nodes(tree))
    assert found
    wrong = [f"{where}: {w}" for where, node in found for w in unfit(node)]
    assert wrong == []


@pytest.mark.parametrize("path", TRAINED, ids=name_of)
def test_what_is_shipped_is_trusted_when_it_comes_back_with_a_run(path):
    tree = OmegaConf.to_container(compose("train", words_for(path)), resolve=False)
    for where, node in nodes(tree):
        check_trust({"_target_": node["_target_"]}, where=where)


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_composes(verb):
    tree = OmegaConf.to_container(compose(verb, []), resolve=False)
    wrong = [f"{where}: {w}" for where, node in nodes(tree) for w in unfit(node)]
    assert wrong == []


def test_the_check_sees_a_key_that_does_not_fit():
    node = {"_target_": "genmodels.data.batching.Shuffled", "batch_size": 1, "size": 2}
    assert unfit(node) == ["unknown size", "missing updates_per_step"]


def test_the_wheel_carries_the_configs(tmp_path):
    root = Path(__file__).parents[1]
    for part in ("pyproject.toml", "README.md", "LICENSE", "genmodels", "configs"):
        whole = root / part
        (shutil.copytree if whole.is_dir() else shutil.copy)(whole, tmp_path / part)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "made"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = (tmp_path / "made").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        carried = {n.partition("/configs/")[2] for n in archive.namelist() if "/configs/" in n}
    assert carried == {p.relative_to(CONFIGS).as_posix() for p in CONFIGS.rglob("*.yaml")}
