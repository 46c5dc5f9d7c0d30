"""The run directory: made, refused, read back."""

import pytest
import torch

from genmodels.run import Run


def made(path):
    run = Run(path)
    run.create()
    run.write(config="seed: 0\n", schema={"kind": "table", "columns": []}, codec={"codec": "table"})
    return run


def test_it_exists_once_its_three_files_do(tmp_path):
    run = Run(tmp_path / "a" / "b")
    assert not run.exists()
    run.create()
    assert not run.exists()
    run.write(config="seed: 0\n", schema={"kind": "table"}, codec={"codec": "table"})
    assert run.exists()
    assert Run.open(tmp_path / "a" / "b").config.read_text() == "seed: 0\n"


def test_opening_nothing_names_what_is_there(tmp_path):
    made(tmp_path / "good")
    with pytest.raises(ValueError, match=r"no run at .*bad; there are: .*good"):
        Run.open(tmp_path / "bad")


def test_the_working_folder_can_be_the_run(tmp_path, monkeypatch):
    monkeypatch.chdir(made(tmp_path / "run").path)
    run = Run.open(".")
    run.write_weights({"a": torch.zeros(1)})
    assert run.replaced == tmp_path / ".run.replaced"


def test_what_was_set_aside_is_not_among_the_runs(tmp_path):
    made(tmp_path / "run").create(overwrite=True)
    with pytest.raises(ValueError, match=r"no run at") as caught:
        Run.open(tmp_path / "other")
    assert "there are" not in str(caught.value)


def test_weights_come_back(tmp_path):
    run = made(tmp_path / "run")
    with pytest.raises(ValueError, match="resume=auto"):
        run.read_weights()
    shared = torch.arange(6.0).view(2, 3)
    state = {"a": shared, "b": shared.T, "n": torch.tensor(3)}
    run.write_weights(state)
    again = run.read_weights()
    assert all(torch.equal(state[name], again[name]) for name in state)
    run.weights.write_bytes(run.weights.read_bytes()[:-4])
    with pytest.raises(ValueError, match="damaged"):
        run.read_weights()


def test_it_replaces_runs_only(tmp_path):
    run = made(tmp_path / "run")
    with pytest.raises(ValueError, match="exists already"):
        run.create()
    run.create(overwrite=True)
    assert not run.exists()
    assert not run.manifest.exists()
    (tmp_path / "note").write_text("x")
    with pytest.raises(ValueError, match="is a file"):
        Run(tmp_path / "note").create(overwrite=True)


def test_what_is_replaced_comes_back_unless_weights_were_written(tmp_path):
    old = made(tmp_path / "run")
    old.write_manifest(who="old")
    new = Run(old.path)
    new.create(overwrite=True)
    new.remove()
    assert old.read_manifest() == {"who": "old"}
    new.create(overwrite=True)
    new.write(config="", schema={}, codec={})
    again = Run(old.path)
    again.create(overwrite=True)  # the one between came to nothing
    again.remove()
    assert old.read_manifest() == {"who": "old"}
    again.create(overwrite=True)
    again.write_weights({"a": torch.zeros(1)})
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
    again.remove()
    assert list(tmp_path.iterdir()) == []


def test_of_two_that_make_the_same_run_one_is_refused(tmp_path, monkeypatch):
    first, second = Run(tmp_path / "run"), Run(tmp_path / "run")
    monkeypatch.setattr(second, "refuse_to_replace", lambda overwrite: None)
    first.create()
    with pytest.raises(ValueError, match="another process"):
        second.create()
    assert first.checkpoints.is_dir()


def test_the_manifest_grows(tmp_path):
    run = made(tmp_path / "run")
    assert run.read_manifest() == {}
    run.write_manifest(a=1)
    run.write_manifest(b=2)
    assert run.read_manifest() == {"a": 1, "b": 2}
