"""Words in, exit code out: 0 done, 2 the user's mistake in one line, 1 ours with a traceback."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError

import pytest

from genmodels.algorithms.vae import VAE
from genmodels.cli import main
from tests.tasks.small import left, words, write_csv


def call(capsys, *argv):
    code = main(list(argv))
    out, err = capsys.readouterr()
    return code, out, err


def test_help_and_version(capsys):
    code, out, _ = call(capsys, "--help")
    assert code == 0
    for verb in ("train", "sample", "evaluate", "schema"):
        assert verb in out
        code, text, _ = call(capsys, verb, "--help")
        assert code == 0
        assert f"genmodels {verb} " in text
    assert call(capsys, "--version")[1].startswith("genmodels 0.")


def test_help_of_train_shows_choices_defaults_and_examples(capsys):
    out = call(capsys, "train", "--help")[1]
    for part in (
        "data.path=???", "data.target=null", "data.holdout_path=null", "trainer.max_epochs=300",
        "batching.batch_size=500", "validation.every=10", "validation.patience=10",
    ):  # fmt: skip
        assert part in out
    for part in ("ctgan", "imagefolder", "resume=false", "data.path=adult.csv", "--config-dir"):
        assert part in out


def test_help_shows_what_other_words_of_the_line_come_to(capsys):
    out = call(capsys, "train", "model=tabvae", "batching.batch_size=99", "--help")[1]
    for part in (
        "trainer.max_epochs=20", "data.validation=0.05", "batching.batch_size=99",
        "validation.patience=null", "data.path=???", "resume=false",
        "\nmodel=...  (here: tabvae)\n",
    ):  # fmt: skip
        assert part in out
    assert "what your words come to" in out
    assert call(capsys, "train", "model=tabvea", "--help")[0] == 2


def test_help_marks_the_default_of_each_group(capsys):
    out = call(capsys, "train", "--help")[1]
    assert "\nmodel=...  (default: tabvae)\n" in out
    assert "\ndata=...  (default: csv)\n" in out
    assert "\nexperiment=...\n" in out


def test_help_of_sample_shows_formats(capsys):
    out = call(capsys, "sample", "--help")[1]
    formats = out.partition("\nformat=...\n")[2]
    known = ("csv", "imagefolder", "npz", "parquet", "webdataset")
    assert all(f"\n  {name}" in f"\n{formats}" for name in known)
    assert "  filter.keep=null " in out
    assert "  per_class=null " in out


def test_no_words_explain_themselves(capsys):
    code, out, _ = call(capsys)
    assert code == 2
    assert "genmodels <verb>" in out


def test_the_whole_configuration_can_be_printed(capsys):
    code, out, _ = call(capsys, "train", "model=ctgan", "--cfg")
    assert code == 0
    assert "genmodels.algorithms.gan.GAN" in out


def test_a_training_ends_with_what_comes_next(tmp_path, capsys):
    code, out, err = call(capsys, "train", *words(tmp_path, "trainer.max_epochs=1"))
    assert code == 0
    assert f"genmodels sample run={tmp_path / 'run'}" in out
    assert "age" in out
    assert err == ""


GOOD = "data.path=good.csv"
EMPTY = {"empty.csv": "", "header.csv": "a,b\n", "one.csv": "a,b\n1,2\n"}


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["trian"], "did you mean train"),
        (["train", "modle=tvae"], "did you mean model"),
        (["train", "model=tvea"], "did you mean tvae"),
        (["train", "--fast"], "no option --fast"),
        (["train", "data=csv"], "data.path=..."),
        (["train", "data.path=missing.csv"], "missing.csv does not exist"),
        (["train", "data.path=empty.csv"], "empty.csv is empty"),
        (["train", "data.path=header.csv"], "no rows"),
        (["train", "data.path=one.csv"], "one row"),
        (["train", "model=dcgan", "data=imagefolder", "data.path=empty"], "no images"),
        (["train", "model=dcgan", "data.path=good.csv"], "model for tables: ctgan"),
        (["train", "model=tvae", "data=digits"], "model for images"),
        (["train", "run=x", "resume=auto", "data.path=missing.csv"], "does not exist"),
        (["sample", "run=nowhere", "n=10", "out=x"], "no run at nowhere"),
        (["evaluate", "run=nowhere", "synthetic=good.csv"], "no run at nowhere"),
        (["schema", "data.path=missing.csv"], "missing.csv does not exist"),
        (["train", "--config-dir"], "needs a folder"),
        (["train", "--seed=1"], "leave out the dashes: seed=1"),
        (["train", GOOD, "seed=abc"], "seed must be a whole number, got 'abc'"),
        (["train", GOOD, "seed=-1"], "seed must be at least 0, got -1"),
        (["train", GOOD, "seed=4294967296"], "seed must be at most"),
        (["train", GOOD, "trainer.max_epochs=ten"], "trainer.max_epochs must be a whole number"),
        (["train", GOOD, "trainer.max_epochs=10.5"], "trainer.max_epochs must be a whole number"),
        (["train", GOOD, "trainer.max_epochs=-2"], "trainer.max_epochs must be at least -1"),
        (["train", GOOD, "validation.every=often"], "validation.every must be a whole number"),
        (["train", GOOD, "validation.batch_size=0"], "validation.batch_size must be at least 1"),
        (["train", GOOD, "batching.batch_size=many"], "batching.batch_size must be a whole number"),
        (["train", GOOD, "model.optimizer.lr=-1"], "model.optimizer"),
        (["train", GOOD, "model.optimizer.lr=fast"], "model.optimizer"),
        (["train", GOOD, "callbacks.checkpoint.every_seconds=often"], "checkpoint.every_seconds"),
        (
            ["train", GOOD, "model=tvae", "model.latent_dim=big"],
            "model.latent_dim must be a whole number",
        ),
        (["train", GOOD, "codec.max_modes=few"], "codec.max_modes must be a whole number"),
        (["train", GOOD, "data.holdout=most"], "data.holdout must be a number"),
        (["train", GOOD, "data.target=incom"], "no column 'incom'; did you mean 'income'"),
        (["train", "data=digits", "model=dcgan", "data.holdout_split=test"], "no official parts"),
        (["train", "data=mnist", "model=dcgan", "data.path=.", "data.split=test"], "MNIST"),
        (["sample", "run=nowhere", "n=10", "out=x", "seed=abc"], "seed must be"),
        (["evaluate", "run=nowhere", "synthetic=good.csv", "seed=x"], "seed must be"),
    ],
)
def test_a_mistake_is_one_clear_line_and_leaves_nothing(
    tmp_path, monkeypatch, capsys, argv, message
):
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "good.csv")
    (tmp_path / "empty").mkdir()
    for name, text in EMPTY.items():
        (tmp_path / name).write_text(text)
    before = left(tmp_path)
    code, out, err = call(capsys, *argv)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert "Traceback" not in out + err
    assert left(tmp_path) == before


def test_a_folder_that_cannot_be_written_is_refused_at_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(os, "access", lambda *args, **kwargs: False)
    code, _, err = call(capsys, "train", *words(tmp_path))
    assert code == 2
    assert "not writable" in err
    assert left(tmp_path) == []


def test_a_full_disk_is_one_line(tmp_path, monkeypatch, capsys):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device", str(tmp_path / "run"))

    monkeypatch.setattr("genmodels.run.write_text", full)
    code, _, err = call(capsys, "train", *words(tmp_path))
    assert code == 2
    assert "No space left on device" in err
    assert "Traceback" not in err
    assert left(tmp_path) == []


def test_our_own_mistake_shows_its_traceback(tmp_path, monkeypatch, capsys):
    def wrong(*args, **kwargs):
        return {}["nothing"]

    monkeypatch.setattr(VAE, "update", wrong)
    code, _, err = call(capsys, "train", *words(tmp_path))
    assert code == 1
    assert "KeyError: 'nothing'" in err
    assert "report" in err
    assert left(tmp_path) == []


def calls_c():
    return list(zip([1], [], strict=True))


def reads_a_number():
    return int("nine")


def unpacks():
    first, second = [1]
    return first, second


@pytest.mark.parametrize("wrong", [calls_c, reads_a_number, unpacks])
def test_a_value_error_that_no_raise_of_ours_made_is_our_mistake(monkeypatch, capsys, wrong):
    monkeypatch.setattr("genmodels.cli.PACKAGE", Path(__file__).parent)  # as if it were ours
    monkeypatch.setattr("genmodels.cli._dispatch", lambda words: wrong())
    code, _, err = call(capsys, "train")
    assert code == 1
    assert "Traceback" in err


def test_a_value_error_that_we_raise_is_one_line(monkeypatch, capsys):
    def refuses(words):
        raise ValueError(
            "not like this"  # on a line of its own
        )

    monkeypatch.setattr("genmodels.cli.PACKAGE", Path(__file__).parent)
    monkeypatch.setattr("genmodels.cli._dispatch", refuses)
    assert call(capsys, "train")[::2] == (2, "genmodels: not like this\n")


def test_the_code_of_somebody_elses_error_is_no_exit_code(monkeypatch, capsys):
    def absent(words):
        raise HTTPError("http://x", 404, "Not Found", {}, None)

    monkeypatch.setattr("genmodels.cli._dispatch", absent)
    code, _, err = call(capsys, "train")
    assert code == 2
    assert "Not Found" in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_gives_its_code_and_the_command_that_goes_on(
    tmp_path, monkeypatch, capsys, number, code
):
    training_step = VAE.training_step

    def interrupted(self, batches, batch_idx):
        os.kill(os.getpid(), number)
        return training_step(self, batches, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(VAE, "training_step", interrupted)
        got, out, err = call(capsys, "train", *words(tmp_path))
    assert got == code
    assert "Traceback" not in err
    command = next(line for line in out.splitlines() if "resume=auto" in line)
    again = command.partition("genmodels ")[2].split()
    assert call(capsys, *again)[0] == 0


def imported_by(code):
    """Which modules a program has imported at its end, in a process of its own."""
    tell = "; import sys; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code + tell], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_help_does_not_wait_for_torch():
    found = imported_by("from genmodels.cli import main; main(['train', '--help'])")
    assert not {"torch", "lightning", "hydra", "pyarrow", "numpy"} & found
    assert "genmodels.cli" in found


@pytest.mark.parametrize(
    "verb", ["simulate", "augment", "mix", "coverage", "evaluate", "schema", "verify"]
)
def test_verbs_that_need_no_model_do_not_wait_for_lightning(verb):
    found = imported_by(f"import genmodels.tasks.{verb}")
    assert f"genmodels.tasks.{verb}" in found
    assert "lightning" not in found


def test_processes_that_draw_scenes_do_not_wait_for_torch():
    found = imported_by("import genmodels.simulators.scenes.road, genmodels.sampling.ahead")
    assert "genmodels.simulators.scenes.road" in found
    assert "torch" not in found


@pytest.mark.parametrize("verb", ["train", "sample", "evaluate", "schema"])
def test_each_script_is_its_verb(verb):
    script = Path(__file__).parents[1] / "scripts" / f"{verb}.py"
    done = subprocess.run(
        [sys.executable, str(script), "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert f"genmodels {verb}" in done.stdout


def test_a_reader_that_has_seen_enough_is_no_mistake():
    command = [sys.executable, "-m", "genmodels", "schema", "--help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()  # as `head` does
        said = process.stderr.read()
    assert process.returncode == 0
    assert said == b""


def test_a_broken_connection_is_no_success(monkeypatch, capsys):
    def broken(words):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("genmodels.cli._dispatch", broken)
    assert main(["train"]) != 0
    assert "Broken pipe" in capsys.readouterr().err
