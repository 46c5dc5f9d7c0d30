"""What a coverage lacks, made by a simulator that can be told what its things are."""

import json
from pathlib import Path

import pandas as pd
import pytest

from genmodels.report.coverage.files import read_wanted
from genmodels.simulators.base import Covering, Simulator
from genmodels.tasks import simulate as task
from genmodels.tasks.compose import compose
from genmodels.tasks.coverage import coverage
from genmodels.tasks.verify import verify
from tests.simulators.scenes import Scenes
from tests.tasks.simulated import made

FACTORS = ["factors=[weather,time,class,density]", "bins.density=[0,0.5,1]"]


@pytest.fixture
def scenes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    instantiate = task.instantiate

    def double(node):
        return Scenes() if node == compose("simulate", []).simulator else instantiate(node)

    monkeypatch.setattr(task, "instantiate", double)
    made("first", "n=300")
    return tmp_path


def told(out, *words):
    coverage(compose("coverage", [*FACTORS, *words]), Path(out))
    return json.loads((Path(out) / "coverage.json").read_text())


def test_the_double_is_a_simulator_that_can_be_told():
    assert isinstance(Scenes(), Simulator)
    assert isinstance(Scenes(), Covering)


def test_a_simulator_makes_exactly_what_is_missing(scenes):
    found = told("cover", "dataset=first", "least=3")
    missing = [one["given"] for one in found["combinations"]]
    assert missing == [{"weather": "snow", "class": "bicycle"}]
    out = made("filled", "scenario=fill", "coverage=cover")
    frame = pd.read_parquet(out / "data")
    assert len(frame) == 3
    assert set(frame.weather) == {"snow"}
    assert set(frame["class"]) == {"bicycle"}
    assert verify(compose("verify", [f"dataset={out}"])) == []
    manifest = json.loads((out / "manifest.json").read_text())
    wish = {"weather": "snow", "class": "bicycle"}
    assert manifest["control"]["scenario"] == {str(k): wish for k in (1, 2, 3)}
    card = (out / "README.md").read_text()
    assert "scenario={1: {weather: snow, class: bicycle}" in card
    assert "than the model makes it of itself" in card
    both = pd.concat([pd.read_parquet("first/data"), frame])
    both.to_csv("both.csv", index=False)
    after = told("after", "dataset=both.csv", "least=3")
    assert after["coverage"]["2"]["coverage"] == 1.0
    assert after["combinations"] == []


def test_one_scene_serves_several_combinations_and_nothing_impossible_is_made(scenes):
    pd.read_parquet("first/data").query("weather == 'sun'").head(3).to_csv("few.csv", index=False)
    words = ["dataset=few.csv", "reference=first", "exclude=[weather = snow and class = bicycle]"]
    found = told("cover", *words)
    assert found["coverage"]["2"]["missing"] > 20
    out = made("filled", "scenario=fill", "coverage=cover")
    frame = pd.read_parquet(out / "data")
    assert len(frame) <= 15  # far fewer than there are combinations
    assert not ((frame.weather == "snow") & (frame["class"] == "bicycle")).any()
    pd.concat([pd.read_csv("few.csv"), frame]).to_csv("both.csv", index=False)
    after = told("after", "dataset=both.csv", *words[1:])
    assert after["coverage"]["2"]["coverage"] == 1.0


def test_more_are_made_in_turn(scenes):
    told("cover", "dataset=first", "least=2")
    frame = pd.read_parquet(made("filled", "scenario=fill", "coverage=cover", "n=40") / "data")
    assert len(frame) == 40
    assert set(frame["class"]) == {"bicycle"}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["scenario=fill"], "needs coverage="),
        (["coverage=cover"], "add scenario=fill"),
        (["scenario=tail.yaml", "coverage=cover"], "fill or null"),
        (["scenario=fill", "coverage=nowhere"], "nowhere"),
        (["scenario=fill", "coverage=whole"], "nothing is missing"),
        (["scenario=fill", "coverage=other"], "no factor 'wether'"),
    ],
)
def test_mistakes_are_named_and_leave_nothing(scenes, words, complaint):
    told("cover", "dataset=first")
    told("whole", "dataset=first", "exclude=[weather = snow and class = bicycle]")
    text = (scenes / "cover" / "coverage.json").read_text().replace('"weather"', '"wether"')
    (scenes / "other").mkdir()
    (scenes / "other" / "coverage.json").write_text(text)
    with pytest.raises((ValueError, OSError), match=complaint):
        made("filled", *words)
    assert not (scenes / "filled").exists()


def test_a_simulator_without_factors_says_so(tmp_path):
    with pytest.raises(ValueError, match="simulator=gbm cannot do scenario=fill"):
        made(tmp_path / "x", "simulator=gbm", "scenario=fill", f"coverage={tmp_path}")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"needs": -5}, "writes"), ({"needs": 1e999}, "writes"), ({"needs": "abc"}, "writes"),
        ({"needs": 10**12}, "1,000,000,000,000 rows"), ({"values": {"weather": ["sun"]}}, "writes"),
        ({"values": {}}, "writes"), ({"values": [1]}, "writes"),
    ],
)  # fmt: skip
def test_a_coverage_of_a_stranger_is_one_clear_line(tmp_path, told, words):
    one = {"values": {"weather": "sun"}, "needs": 1, **told}
    whole = {"format": 1, "combinations": [one], "impossible": []}
    (tmp_path / "coverage.json").write_text(json.dumps(whole))
    with pytest.raises(ValueError, match=words):
        read_wanted(tmp_path)
