"""Runs, archives and tables of a stranger: refused in one line, and nothing of theirs happens."""

import io
import json
import os
import pickle
import shutil
import tarfile
import zipfile

import numpy as np
import pytest
import torch
import yaml

from genmodels.cli import main
from tests.archives import picture, tar_of
from tests.tasks.pictures import train_digits
from tests.tasks.small import train_tiny

READ = ("config.yaml", "schema.json", "codec.json", "model.safetensors")
"""What sampling reads of a run."""


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return train_tiny(tmp_path_factory.mktemp("good"), "model=tvae", "trainer.max_epochs=1").path


@pytest.fixture
def run(good, tmp_path):
    return shutil.copytree(good, tmp_path / "run")


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, trap):
        self.trap = str(trap)

    def __reduce__(self):
        return os.mkdir, (self.trap,)


def refused(words, capsys, *, code=2):
    """The one line that the command ends with."""
    capsys.readouterr()
    assert main([str(word) for word in words]) == code
    told = capsys.readouterr()
    assert "Traceback" not in told.out + told.err
    lines = [line for line in told.err.splitlines() if line.startswith("genmodels: ")]
    assert len(lines) == 1, told.err
    return lines[0]


def sampled(run, tmp_path):
    return ["sample", f"run={run}", "n=5", f"out={tmp_path / 'out'}"]


def pickled(trap):
    return pickle.dumps(Bomb(trap))


def zipped(trap):
    buffer = io.BytesIO()
    torch.save({"state_dict": Bomb(trap)}, buffer)
    return buffer.getvalue()


def objects(trap):
    buffer = io.BytesIO()
    np.save(buffer, np.array([Bomb(trap)], dtype=object), allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize("bomb", [pickled, zipped, objects])
@pytest.mark.parametrize("name", READ)
def test_a_pickle_under_any_name_is_not_opened(run, tmp_path, capsys, name, bomb):
    trap = tmp_path / "trap"
    (run / name).write_bytes(bomb(trap))
    refused(sampled(run, tmp_path), capsys)
    assert not trap.exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("bomb", [pickled, zipped, objects])
def test_a_pickle_in_the_place_of_checkpoints_is_not_opened(run, tmp_path, capsys, bomb):
    trap = tmp_path / "trap"
    for name in ("last.ckpt", "previous.ckpt"):
        (run / "checkpoints" / name).write_bytes(bomb(trap))
    said = refused(["train", f"run={run}", "resume=auto", "trainer.max_epochs=9"], capsys)
    assert "checkpoint" in said
    assert not trap.exists()


TARGETS = {
    "file": {"_target_": "pathlib.Path.write_text", "_args_": ["TRAP", "x"]},
    "alias": {"_target_": "genmodels.writers.base.os.mkdir", "path": "TRAP"},
    "partial": {"_target_": "functools.partial", "_args_": ["os.mkdir", "TRAP"]},
    "hydra": {"_target_": "hydra.utils.call", "config": {"_target_": "os.mkdir", "path": "TRAP"}},
    "import": {"_target_": "hydra.utils.get_method", "path": "os.system"},
    "builtin": {"_target_": "builtins.eval", "_args_": ["open('TRAP', 'w')"]},
    "list": [{"_target_": "os.mkdir", "path": "TRAP"}],
    "environment": "${oc.env:HOME}",
    "decoded": "${oc.decode:'${oc.env:HOME}'}",
    "resolver": "${oc.create:{_target_: os.mkdir}}",
}


@pytest.mark.parametrize("where", ["model", "codec", "data", "deep"])
@pytest.mark.parametrize("name", TARGETS)
def test_a_configuration_that_calls_or_asks_is_refused(run, tmp_path, capsys, where, name):
    trap = tmp_path / "trap"
    planted = json.loads(json.dumps(TARGETS[name]).replace("TRAP", str(trap)))
    config = yaml.safe_load((run / "config.yaml").read_text())
    place = config["model"]["encoder"] if where == "deep" else config
    place["hidden" if where == "deep" else where] = planted
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    assert "refused" in refused(sampled(run, tmp_path), capsys)
    assert not trap.exists()


@pytest.mark.parametrize(
    "text", ["!!python/object/apply:os.mkdir [TRAP]", "a: !!python/name:os.system", "a: &a [*a]",
             "[" * 2000, "\x00", "a: 1\na: 2\n- b", ""],
)  # fmt: skip
def test_yaml_that_is_more_than_data_is_refused(run, tmp_path, capsys, text):
    trap = tmp_path / "trap"
    (run / "config.yaml").write_text(text.replace("TRAP", str(trap)))
    refused(sampled(run, tmp_path), capsys)
    assert not trap.exists()


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_file_cut_short_is_refused(run, tmp_path, capsys, name, share):
    blob = (run / name).read_bytes()
    (run / name).write_bytes(blob[: int(share * len(blob)) - (share > 0.9)])
    words = sampled(run, tmp_path)
    if name == "config.yaml" and share > 0:
        capsys.readouterr()
        assert main([str(word) for word in words]) in (0, 2)  # YAML may end anywhere
        assert "Traceback" not in capsys.readouterr().err
    else:
        refused(words, capsys)
        assert not (tmp_path / "out").exists()


def test_weights_of_another_shape_kind_or_name_are_refused(run, tmp_path, capsys):
    from safetensors.torch import load_file, save_file

    good = load_file(run / "model.safetensors")
    name = next(name for name, value in good.items() if value.ndim == 2)
    for bad in (
        {**good, name: good[name][:1]},
        {**good, name: torch.full_like(good[name], float("nan"))},
        {**good, "another": torch.zeros(3)},
        {key: value for key, value in good.items() if key != name},
    ):
        save_file(bad, run / "model.safetensors")
        refused(sampled(run, tmp_path), capsys)


def test_a_header_that_promises_more_than_there_is_is_refused(run, tmp_path, capsys):
    for size in (2**60, 10**8, 2**63 - 1):
        (run / "model.safetensors").write_bytes(size.to_bytes(8, "little") + b"{}")
        refused(sampled(run, tmp_path), capsys)


@pytest.mark.parametrize(
    "member",
    [
        ("../outside.png", picture(), tarfile.REGTYPE),
        ("/tmp/outside.png", picture(), tarfile.REGTYPE),
        ("a/../../outside.png", picture(), tarfile.REGTYPE),
        ("link.png", b"", tarfile.SYMTYPE),
        ("hard.png", b"", tarfile.LNKTYPE),
        ("pipe.png", b"", tarfile.FIFOTYPE),
        ("cut.png", picture()[:40], tarfile.REGTYPE),
        ("pickle.png", pickle.dumps(1), tarfile.REGTYPE),
    ],
)
def test_an_archive_with_a_hostile_member_is_refused_and_not_unpacked(tmp_path, capsys, member):
    name, blob, kind = member
    good = {f"{i:06d}.png": picture() for i in range(60)}
    path = tar_of(tmp_path / "train.tar", {**good, name: blob}, {name: kind})
    before = sorted(p.name for p in tmp_path.rglob("*"))
    refused(
        ["train", "model=conv_vae", "data=webdataset", f"data.path={path}",
         f"run={tmp_path / 'run'}", "trainer.max_epochs=1"],
        capsys,
    )  # fmt: skip
    assert sorted(p.name for p in tmp_path.rglob("*")) == before


def test_a_zip_that_grows_without_measure_is_refused(tmp_path, capsys):
    path = tmp_path / "images.npz"
    header = io.BytesIO()
    claims = {"descr": "|u1", "fortran_order": False, "shape": (1 << 40, 28, 28)}
    np.lib.format.write_array_header_1_0(header, claims)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", header.getvalue() + bytes(10_000_000))
        archive.writestr("labels.npy", header.getvalue())
    refused(
        ["train", "model=conv_vae", "data=npz", f"data.path={path}", f"run={tmp_path / 'run'}"],
        capsys,
    )
    assert not (tmp_path / "run").exists()


def test_a_picture_of_too_many_pixels_is_refused(tmp_path, capsys):
    folder = tmp_path / "pictures" / "a"
    folder.mkdir(parents=True)
    for i in range(40):
        (folder / f"{i}.png").write_bytes(picture())
    blob = bytearray(picture())
    blob[16:24] = (60_000).to_bytes(4, "big") * 2  # width and height of the header
    (folder / "bomb.png").write_bytes(bytes(blob))
    said = refused(
        ["train", "model=conv_vae", "data=imagefolder", f"data.path={folder.parent}",
         f"run={tmp_path / 'run'}"],
        capsys,
    )  # fmt: skip
    assert "bomb.png" in said


def test_columns_and_cells_with_scripts_are_texts_in_every_page(tmp_path, capsys):
    script = "<script>alert(1)</script>"
    for name, seed in (("train", 0), ("test", 1), ("made", 2)):
        rng = np.random.default_rng(seed)
        lines = [f"{script},=cmd|x,kind"]
        for _ in range(120):
            kind = rng.choice(
                [script, '"><img src=x onerror=alert(1)>', "plain"], p=[0.3, 0.3, 0.4]
            )
            kind = kind.replace('"', '""')
            lines.append(f'{rng.integers(90)},{rng.normal():.3f},"{kind}"')
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n")
    real, held, made = (tmp_path / f"{name}.csv" for name in ("train", "test", "made"))
    words = ["evaluate", f"real={real}", f"holdout={held}", f"synthetic={made}", "target=kind",
             f"out={tmp_path / 'report'}"]  # fmt: skip
    assert main(words) == 0
    page = (tmp_path / "report" / "report.html").read_text()
    assert script not in page
    assert "<img src=x" not in page
    assert "alert(1)" in page


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return train_digits(tmp_path_factory.mktemp("digits") / "run", updates=10)


def test_a_classifier_planted_in_a_run_is_not_opened(pictures, tmp_path, capsys):
    run, trap = shutil.copytree(pictures, tmp_path / "run"), tmp_path / "trap"
    for name in ("classifier.json", "classifier.safetensors"):
        (run / name).write_bytes(pickled(trap))
    words = [*sampled(run, tmp_path), "filter.keep=0.9", "filter.steps=10"]
    assert main(words) == 0  # it is trained again
    assert "Traceback" not in capsys.readouterr().err
    assert not trap.exists()
