"""`genmodels coverage`: holes are found, told from what cannot be, and filled."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from genmodels import Synthesizer
from genmodels.data.open import open_source
from genmodels.tasks.compose import compose
from genmodels.tasks.coverage import coverage, run
from genmodels.tasks.sample import sample
from genmodels.writers.imagefolder import ImageFolderWriter
from tests.attributes import barred
from tests.tasks.small import left
from tests.writers.whole import write_whole

FACTORS = ["factors=[sex,smoker,age]", "bins.age=[18,45,65,80,120]", "strength=3"]
HOLE = {"sex": "f", "smoker": "yes", "age": "80..120"}


def people(rows=1200, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 100, rows),
            "sex": rng.choice(["f", "m"], rows),
            "smoker": rng.choice(["yes", "no"], rows, p=[0.3, 0.7]),
            "weight": np.round(rng.normal(70, 10, rows), 1),
        }
    )


def holed(frame):
    """Without women of 80 and more who smoke."""
    gone = (frame.sex == "f") & (frame.smoker == "yes") & (frame.age >= 80)
    assert gone.sum() > 10
    return frame[~gone]


def counted(out, *words):
    found, report, paths = coverage(compose("coverage", list(words)), out)
    assert {p.name for p in paths} == set(left(out)) | {"missing.csv"}
    return found, report, json.loads((out / "coverage.json").read_text())


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = people()
    frame.to_csv("all.csv", index=False)
    holed(frame).to_csv("people.csv", index=False)
    return tmp_path


def test_a_hole_is_found_and_named_in_every_file(files):
    found, report, told = counted(files / "out", "dataset=people.csv", *FACTORS, "least=3")
    assert [gap.given for gap in found.gaps(3)] == [HOLE]
    assert told["coverage"]["2"]["coverage"] == 1.0
    assert told["coverage"]["3"] == {
        "sets": 1, "possible": 16, "covered": 15, "coverage": pytest.approx(15 / 16),
        "complete_sets": 0.0, "thin": 0, "missing": 1, "not_by_chance": 1,
    }  # fmt: skip
    (one,) = told["combinations"]
    assert (one["given"], one["needs"], one["why"]) == (HOLE, 3, "not by chance")
    frame = holed(people())
    shares = [(frame.sex == "f"), (frame.smoker == "yes"), (frame.age >= 80)]
    assert one["expected"] == pytest.approx(len(frame) * np.prod([s.mean() for s in shares]), 1e-4)
    assert one["values"] == {"sex": "f", "smoker": "yes", "age": 100}
    lines = pd.read_csv("out/missing.csv")
    assert lines.loc[0, ["ways", "factor_1", "level_3", "needs"]].tolist() == [
        3,
        "sex",
        "80..120",
        3,
    ]
    strata = yaml.safe_load((files / "out" / "scenario.yaml").read_text())
    assert strata == {"sex = f, smoker = yes, age = 80..120": {"rows": 3, "given": HOLE}}
    assert "1 missing, 1 of them not by chance" in report.answer
    page = (files / "out" / "report.html").read_text()
    assert "sex = f, smoker = yes, age = 80..120" in page
    assert page.count("data:image/png") == 1


def test_what_cannot_be_is_not_missing(files):
    words = ["dataset=people.csv", *FACTORS, "exclude=[sex = f and smoker = yes and age >= 80]"]
    _, report, told = counted(files / "out", *words)
    assert told["coverage"]["3"]["possible"] == 15
    assert told["coverage"]["3"]["coverage"] == 1.0
    assert told["combinations"] == []
    assert told["impossible"] == [{"sex": "f", "smoker": "yes", "age": 100}]
    assert "Triples: 15 of 15 are there (100 %)." in report.answer


def test_the_order_of_rows_changes_no_byte(files):
    people().sample(frac=1.0, random_state=1).to_csv("mixed.csv", index=False)
    (files / "other").mkdir()
    people().to_csv("other/mixed.csv", index=False)
    for out, data in (("a", "mixed.csv"), ("b", "other/mixed.csv")):
        words = [
            "least=20",
            "strength=3",
            "bins.weight=[-inf,60,70,80,inf]",
            "factors=[sex,weight,age]",
        ]
        counted(files / out, f"dataset={data}", *words)
    for name in ("coverage.json", "missing.csv", "scenario.yaml", "report.md"):
        assert (files / "a" / name).read_bytes() == (files / "b" / name).read_bytes()


def test_a_reference_shows_what_each_lacks_of_the_other(files):
    _, _, told = counted(files / "out", "dataset=people.csv", "reference=all.csv", *FACTORS)
    beside = told["reference"]
    assert beside["lacking"]["3"]["lacking"] == 1
    assert beside["lacking"]["3"]["difference"] == pytest.approx(1 / 16)
    assert beside["lacking"]["3"]["first"] == ["sex = f, smoker = yes, age = 80..120"]
    assert beside["beyond"]["3"]["lacking"] == 0
    assert beside["lacking"]["2"]["difference"] == 0.0
    assert beside["lacking"]["3"]["by_chance"] < 0.001


def test_a_reference_may_say_what_is_possible(files):
    frame = people()
    frame["pregnant"] = np.where((frame.sex == "f") & (frame.age < 45), "yes", "no")
    frame.to_csv("all.csv", index=False)
    holed(frame).to_csv("people.csv", index=False)
    words = ["dataset=people.csv", "reference=all.csv", "factors=[sex,smoker,age,pregnant]"]
    _, _, told = counted(files / "a", *words, *FACTORS[1:])
    why = [one["why"] for one in told["combinations"]]
    assert why.count("the reference has it") == len(told["reference"]["lacking"]["3"]["first"]) > 0
    assert len(why) > why.count("the reference has it")  # such as men who are pregnant
    _, _, told = counted(files / "b", *words, *FACTORS[1:], "possible=reference")
    assert {one["why"] for one in told["combinations"]} == {"the reference has it"}
    assert {one["given"]["smoker"] for one in told["combinations"]} == {"yes"}
    lacking = told["reference"]["lacking"]["3"]["lacking"]
    assert told["coverage"]["3"]["missing"] == lacking
    with pytest.raises(ValueError, match="possible=reference needs reference="):
        counted(files / "c", "dataset=people.csv", "possible=reference")


def test_a_level_that_only_the_reference_has_is_missing(files):
    frame = people()
    frame["smoker"] = np.where(np.arange(len(frame)) < 5, "pipe", frame.smoker)
    frame.to_csv("pipe.csv", index=False)
    words = ["dataset=all.csv", "factors=[sex,smoker]"]
    _, _, told = counted(files / "out", *words, "reference=pipe.csv")
    assert {tuple(c["given"].items()) for c in told["combinations"]} == {
        (("sex", sex), ("smoker", "pipe")) for sex in "fm"
    }
    assert {c["why"] for c in told["combinations"]} == {"the reference has it"}
    assert told["reference"]["rare_levels"] == [
        {"name": "smoker", "level": "pipe", "reference": 5, "rows": 0}
    ]
    assert told["reference"]["rare_recall"] == 0.0


def test_factors_that_nobody_names_are_categories_and_binned_numbers(files):
    _, report, told = counted(files / "out", "dataset=all.csv", "quantiles=3")
    assert [f["name"] for f in told["factors"]] == ["age", "sex", "smoker", "weight"]
    assert [len(f["levels"]) for f in told["factors"]] == [3, 2, 2, 3]
    assert len(report.sections[0].pictures) == 1


def test_missing_values_are_a_level_or_are_not_counted(files):
    frame = people(400)
    frame.loc[frame.index % 10 == 0, "smoker"] = None
    frame.to_csv("gaps.csv", index=False)
    _, _, told = counted(files / "a", "dataset=gaps.csv", "factors=[sex,smoker]")
    assert [one["level"] for one in told["factors"][1]["levels"]] == ["no", "yes", "missing"]
    assert told["coverage"]["2"]["possible"] == 6
    _, _, told = counted(files / "b", "dataset=gaps.csv", "factors=[sex,smoker]", "missing=ignore")
    assert told["coverage"]["2"]["possible"] == 4
    assert told["factors"][1]["not_counted"] == 40


def test_images_are_covered_by_class_and_attributes_without_being_opened(files):
    images = barred(120)
    kept = ~((images.labels == 1) & images.attributes["dark"])
    (files / "bars").mkdir()
    write_whole(ImageFolderWriter(), iter([images.take(np.flatnonzero(kept))]), files / "bars")
    for file in (files / "bars").rglob("*.png"):
        file.write_bytes(b"no picture")
    words = ["data=imagefolder", "data.path=bars", "factors=[label,dark,position]"]
    _, _, told = counted(files / "out", *words)
    missing = [c["given"] for c in told["combinations"]]
    assert missing == [{"label": "lying", "dark": "true"}]
    assert [f["kind"] for f in told["factors"]] == ["categorical", "boolean", "continuous"]


def test_few_whole_numbers_are_binned_where_edges_are_given(files):
    frame = people()
    frame["density"] = np.arange(len(frame)) % 9
    frame[frame.density < 6].to_csv("people.csv", index=False)
    words = ["dataset=people.csv", "factors=[sex,density]"]
    _, _, told = counted(files / "a", *words)
    assert told["factors"][1]["kind"] == "categorical"
    _, _, told = counted(files / "b", *words, "bins.density=[0,3,6,9]")
    assert [one["level"] for one in told["factors"][1]["levels"]] == ["0..2", "3..5", "6..9"]
    assert {one["given"]["density"] for one in told["combinations"]} == {"6..9"}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["factors=[sxe,age]"], "the data have no 'sxe'; did you mean 'sex'"),
        (["factors=[sex,code]"], "'code' has 150 levels, at most most_levels=20"),
        (["factors=[sex]"], "strength=2 combines 2 factors, but there is 1: sex"),
        (["factors=[sex,smoker]", "bins.agee=[1,2]"], "'agee'; did you mean 'age'"),
        (["bins.age=much"], "bins.age must be edges"),
        (["factors=[sex,age]", "bins.sex=3"], "'sex' has levels and no bins"),
        (["factors=[sex,age]", "exclude=[weight > 3]"], "'weight' is neither a factor"),
        (["factors=[sex,age]", "exclude=[sex = q]"], "no level 'q'"),
        (["strength=0"], "strength must be at least 1"),
        (["strength=3", "most_cells=10"], "at most most_cells=10"),
        (["missing=never"], "missing must be level or ignore"),
        (["reference=nowhere.csv"], "nowhere.csv"),
        (["tails=[0.5]"], "tails must be a low and a high"),
    ],
)
def test_mistakes_are_named_and_leave_nothing(files, words, complaint):
    frame = people()
    frame["code"] = [f"c{i % 150}" for i in range(len(frame))]
    frame.to_csv("people.csv", index=False)
    with pytest.raises((ValueError, OSError), match=complaint):
        coverage(compose("coverage", ["dataset=people.csv", *words]), files / "out")
    assert not (files / "out").exists()


def test_without_data_or_a_model_that_fills_it_says_what_to_name(files):
    with pytest.raises(ValueError, match="name the data: genmodels coverage <file or folder>"):
        run(compose("coverage", []))
    with pytest.raises(ValueError, match="scenario=fill needs the model"):
        run(compose("coverage", ["dataset=people.csv", "scenario=fill"]))
    with pytest.raises(ValueError, match="add scenario=fill"):
        run(compose("coverage", ["dataset=people.csv", "run=x"]))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Of a table that has the combination."""
    folder = tmp_path_factory.mktemp("model") / "run"
    words = ("trainer.accelerator=cpu", "callbacks.preview=null")
    return Synthesizer("tabvae", epochs=1, overrides=words, run=folder).fit(people(600, 3)).run_


def test_what_is_missing_is_drawn_and_then_is_there(files, model):
    words = ["dataset=people.csv", *FACTORS, "least=4", "scenario=fill", f"run={model}", "out=out"]
    run(compose("coverage", words))
    made = open_source("out/filled").load().to_pandas()
    assert len(made) == 4
    assert set(made.sex) == {"f"}
    assert set(made.smoker) == {"yes"}
    assert (made.age >= 80).all()
    before, after = (
        json.loads((files / "out" / name).read_text())["coverage"]["3"]
        for name in ("coverage.json", "after/coverage.json")
    )
    assert (before["covered"], before["missing"]) == (15, 1)
    assert (after["covered"], after["missing"], after["thin"]) == (16, 0, 0)


def test_the_loop_by_hand_comes_to_the_same(files, model):
    counted(files / "out", "dataset=people.csv", *FACTORS, "least=4")
    words = [f"run={model}", "scenario=fill", "coverage=out"]
    made = sample(compose("sample", [*words, "out=made", "format=csv"]))
    frame = pd.concat([pd.read_csv("people.csv"), *map(pd.read_csv, made.glob("data/*.csv"))])
    frame.to_csv("both.csv", index=False)
    _, report, told = counted(files / "again", "dataset=both.csv", *FACTORS, "least=4")
    assert told["coverage"]["3"]["coverage"] == 1.0
    assert told["combinations"] == []
    assert "Triples: 16 of 16 are there (100 %)." in report.answer
    with pytest.raises(ValueError, match="nothing is missing"):
        sample(compose("sample", [f"run={model}", "scenario=fill", "coverage=again"]))


def test_what_the_model_cannot_make_is_refused_or_left_out(files, model):
    frame = people()
    frame["smoker"] = np.where(
        (frame.sex == "f") & (np.arange(len(frame)) < 30), "pipe", frame.smoker
    )
    holed(frame).to_csv("pipe.csv", index=False)
    words = ["dataset=pipe.csv", "factors=[smoker,sex,age]", *FACTORS[1:]]
    _, _, told = counted(files / "out", *words)
    pipes = [c for c in told["combinations"] if c["given"]["smoker"] == "pipe"]
    others = len(told["combinations"]) - len(pipes)
    assert others == 1
    asked = [f"run={model}", "scenario=fill", "coverage=out", "out=made"]
    with pytest.raises(ValueError, match=r"cannot be; .*no level 'pipe'.*shortfall=drop draws"):
        sample(compose("sample", asked))
    made = sample(compose("sample", [*asked, "shortfall=drop"]))
    manifest = json.loads((made / "manifest.json").read_text())
    assert manifest["rows"] == others
    assert len(manifest["impossible"]) == len(pipes)
    assert all("no level 'pipe'" in reason for reason in manifest["impossible"].values())


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["scenario=fill"], "scenario=fill needs coverage="),
        (["coverage=out"], "add scenario=fill"),
        (["scenario=fill", "coverage=nowhere"], "nowhere"),
        (["scenario=fill", "coverage=people.csv"], "not JSON|cannot be read|people.csv"),
        (["scenario=fill", "coverage=out", "n=7"], "its strata have 1 rows; leave out n"),
    ],
)
def test_a_fill_that_cannot_be_is_refused(files, model, words, complaint):
    counted(files / "out", "dataset=people.csv", *FACTORS)
    with pytest.raises((ValueError, OSError), match=complaint):
        sample(compose("sample", [f"run={model}", *words]))
