"""The self-test of kills: what it does with jobs that survive them, and with those that do not."""

import random
import subprocess
import sys

import pytest

from genmodels.tasks import crash
from genmodels.tasks.compose import compose
from genmodels.tasks.crash import Job, Outcome

GOOD = """
import pathlib, sys, time
out = pathlib.Path(sys.argv[1])
for number in range(20):
    step = out / str(number)
    if not step.exists():
        time.sleep(0.02)
        out.mkdir(exist_ok=True)
        part = out / f".{number}"
        part.write_text(str(number))
        part.rename(step)
(out / "end").touch()
"""
FORGETFUL = GOOD.replace("part.write_text(str(number))", "part.write_text(str(time.time()))")
SLOPPY = GOOD.replace("time.sleep(0.02)", "pass").replace(
    "part.rename(step)", 'step.write_text("ha"); time.sleep(0.15); part.rename(step)'
)


def outcome_of(monkeypatch, folder, script):
    def start(words, said):
        command = [sys.executable, "-c", script, *words]
        return subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)

    def numbers(out):
        return {p.name: p.read_text() for p in out.glob("[0-9]*")}

    def flaws(out):
        return (f"{name}: {text}" for name, text in numbers(out).items() if name != text)

    monkeypatch.setattr(crash, "_start", start)
    folder.mkdir()
    job = Job("count", ["{out}"], numbers, flaws, lambda out: (out / "end").exists())
    return crash._disturbed(job, folder, 6, random.Random(0))


def test_a_job_that_goes_on_after_every_kill_passes(monkeypatch, tmp_path):
    outcome = outcome_of(monkeypatch, tmp_path / "job", GOOD)
    assert sum(outcome.kills.values()) == 6
    assert set(outcome.kills) == {"SIGKILL", "SIGTERM", "SIGINT"}
    assert outcome.ends >= 1
    assert [text for text in outcome.problems if "ended it with" not in text] == []


def test_a_job_that_comes_to_another_end_is_found_out(monkeypatch, tmp_path):
    outcome = outcome_of(monkeypatch, tmp_path / "job", FORGETFUL)
    assert any("is not as in the undisturbed job" in text for text in outcome.problems)
    assert outcome.state()["passed"] is False


def test_a_job_that_leaves_half_a_file_is_found_out(monkeypatch, tmp_path):
    outcome = outcome_of(monkeypatch, tmp_path / "job", SLOPPY)
    assert any(": ha" in text for text in outcome.problems)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("kills=0", "kills must be at least 1"),
        ("kills=x", "kills must be a whole number"),
        ("models=[]", "models must be some of tvae, dcgan"),
        ("models=[gpt]", "models must be some of tvae, dcgan"),
    ],
)
def test_impossible_settings_are_refused(word, said):
    with pytest.raises(ValueError, match=said):
        crash.crash(compose("selftest", ["subject=crash", word]))


@pytest.mark.parametrize("problems", [[], ["weights differ"]])
def test_the_exit_code_tells(monkeypatch, problems):
    outcome = Outcome("train", kills={"SIGKILL": 2}, ends=1, problems=problems)
    monkeypatch.setattr(crash, "crash", lambda cfg: [outcome])
    assert crash.run(compose("selftest", ["subject=crash"])) == (3 if problems else 0)


@pytest.mark.slow
def test_trainings_and_samplings_survive_thirty_kills(tmp_path):
    outcomes = crash.crash(compose("selftest", ["subject=crash", f"out={tmp_path}"]))
    assert [outcome.problems for outcome in outcomes] == [[]] * 4
    assert sum(sum(outcome.kills.values()) for outcome in outcomes) == 30
