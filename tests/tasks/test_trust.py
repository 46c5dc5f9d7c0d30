"""A configuration that comes with a run cannot name anything but known parts."""

import pytest
import yaml

from genmodels.tasks.build import load_run
from genmodels.tasks.stored import load_config
from genmodels.tasks.trust import check_trust
from tests.tasks.small import train_tiny


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.open",
        "pathlib.Path.write_text",
        "shutil.rmtree",
        "subprocess.Popen",
        "torch.load",
        "genmodels.files.write_text",
        "genmodels.tasks.train.train",
        "genmodels.cli.main",
        "genmodels.data.sources.csv.Path",
        "genmodels.data.splits.hashlib.sha256",
        "genmodels.codecs.table.np.save",
        "genmodels.data.batching.Shuffled.__init__",
        "genmodels.data.batching",
        "genmodels.networks.mlp.Generator.forward.__globals__",
        "torch.optim.Adam.__class__",
        "genmodels.writers.base.fsync",
        "",
        None,
        3,
    ],
)
def test_a_stranger_is_refused(target):
    with pytest.raises(ValueError, match="refused"):
        check_trust({"a": [{"b": {"_target_": target}}]}, where="config.yaml")


@pytest.mark.parametrize(
    "target",
    [
        "genmodels.codecs.table.TableCodec.fit",
        "genmodels.algorithms.gan.GAN",
        "genmodels.data.parse.apply_schema",
        "torch.optim.AdamW",
        "lightning.pytorch.Trainer",
    ],
)
def test_a_part_is_accepted(target):
    check_trust({"a": {"_target_": target, "_partial_": True}}, where="config.yaml")


def test_a_resolver_is_refused():
    with pytest.raises(ValueError, match=r"a\.b holds an interpolation"):
        check_trust({"a": {"b": "x${oc.env:HOME}"}}, where="config.yaml")


def test_ones_own_package_can_be_named(monkeypatch):
    monkeypatch.setenv("GENMODELS_TRUST", "mine, other")
    check_trust({"_target_": "mine.nets.Net"}, where="config.yaml")
    with pytest.raises(ValueError, match="GENMODELS_TRUST"):
        check_trust({"_target_": "minefield.nets.Net"}, where="config.yaml")


def test_a_run_with_a_planted_target_never_calls_it(tmp_path):
    run = train_tiny(tmp_path, "trainer.max_epochs=1")
    config = yaml.safe_load(run.config.read_text())
    trap = tmp_path / "trap"
    config["model"]["encoder"] = {"_target_": "os.mkdir", "path": str(trap)}
    run.config.write_text(yaml.safe_dump(config))
    for load in (load_config, load_run):
        with pytest.raises(ValueError, match=r"model\.encoder\._target_ names 'os\.mkdir'"):
            load(run)
    assert not trap.exists()


def test_a_damaged_config_is_one_line(tmp_path):
    run = train_tiny(tmp_path, "trainer.max_epochs=1")
    run.config.write_text("a: [")
    with pytest.raises(ValueError, match="cannot be read"):
        load_config(run)
