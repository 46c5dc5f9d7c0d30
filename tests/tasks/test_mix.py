"""Mixed datasets: shares without replacement, provenance of each row, sources that agree."""

import json

import numpy as np
import pandas as pd
import pytest

from genmodels.cli import main
from genmodels.data.open import open_source
from genmodels.tasks.augment import augment
from genmodels.tasks.benchmark import benchmark
from genmodels.tasks.compose import compose
from genmodels.tasks.mix import mix
from genmodels.tasks.simulate import simulate
from genmodels.tasks.verify import verify
from tests.augmentation.rows import people, write


def made(out, *words):
    return mix(compose("mix", [f"out={out}", *words]))


def two(tmp_path):
    """A file, and an augmented dataset of another file."""
    one = write(tmp_path / "one.csv", rows=300, seed=1)
    other = write(tmp_path / "other.csv", rows=200, seed=2)
    words = [f"data.path={other}", "data.target=ill", "recipe=jitter", f"out={tmp_path / 'aug'}"]
    return one, augment(compose("augment", words))


def manifest_of(out):
    return json.loads((out / "manifest.json").read_text())


def test_rows_come_by_shares_without_replacement_and_say_where_from(tmp_path):
    one, aug = two(tmp_path)
    out = made(tmp_path / "out", f"sources=[{one},{aug}]", "shares=[0.4,0.6]", "n=500")
    assert verify(compose("verify", [f"dataset={out}"])) == []
    frame, told = pd.read_parquet(out / "data"), manifest_of(out)
    sources = told["mix"]["sources"]
    assert [s["rows"] for s in sources] == [200, 300]
    assert [s["of"] for s in sources] == [300, 400]
    assert sources[1]["digest"] == manifest_of(aug)["digest"]
    counts = frame["provenance"].value_counts().to_dict()
    assert told["provenance"]["counts"] == {k: v for k, v in counts.items() if v}
    kept = pd.read_parquet(aug / "data")
    known = set(kept.loc[kept["provenance"] == "augmented", "income"].dropna())
    found = frame.loc[frame["provenance"] == "augmented", "income"].dropna()
    assert set(found) <= known
    before = pd.concat([people(300, 1)["income"], kept["income"]]).dropna().value_counts()
    after = frame["income"].dropna().value_counts()
    assert (after <= before.reindex(after.index)).all()
    assert told["synthetic"] == "in part"
    assert "It holds real records" in told["statement"]
    assert "# Mixed data" in (out / "README.md").read_text()
    assert open_source(out).load().column_names == list(people())


def test_without_shares_all_rows_of_all_come_in_another_order(tmp_path):
    one, aug = two(tmp_path)
    out = made(tmp_path / "out", f"sources.a={one}", f"sources.b={aug}", "format=csv")
    frame = open_source(out).load().to_pandas()
    every = [*people(300, 1)["id"], *pd.read_parquet(aug / "data")["id"]]
    assert sorted(frame["id"].astype(int)) == sorted(every)
    assert frame["id"].astype(int).tolist() != every
    again = made(tmp_path / "again", f"sources.a={one}", f"sources.b={aug}", "format=csv")
    assert manifest_of(again)["files"] == manifest_of(out)["files"]
    other = made(tmp_path / "other", f"sources.a={one}", f"sources.b={aug}", "format=csv", "seed=1")
    assert manifest_of(other)["files"] != manifest_of(out)["files"]


def test_simulated_rows_alone_are_no_real_ones(tmp_path):
    paths = []
    for seed in (1, 2):
        words = ["simulator.steps=3", "n=50", f"seed={seed}", f"out={tmp_path / f'sim{seed}'}"]
        paths.append(simulate(compose("simulate", words)))
    out = made(tmp_path / "out", f"sources=[{paths[0]},{paths[1]}]")
    told = manifest_of(out)
    assert told["synthetic"] is True
    assert told["provenance"]["counts"] == {"simulated": 100}
    assert "None of them was observed" in told["statement"]


def test_levels_and_kinds_of_all_sources_are_joined(tmp_path):
    one, other = people(150, 1), people(150, 2)
    one = one[one["city"] == "oslo"]
    other = other[other["city"] != "oslo"].assign(age=lambda f: f["age"] + 0.5)
    one.to_csv(tmp_path / "a.csv", index=False)
    other.to_csv(tmp_path / "b.csv", index=False)
    out = made(
        tmp_path / "out", f"sources=[{tmp_path / 'a.csv'},{tmp_path / 'b.csv'}]",
        "origins.b=generated",
    )  # fmt: skip
    columns = {c["name"]: c for c in manifest_of(out)["schema"]["columns"]}
    assert sorted(columns["city"]["levels"]) == ["bonn", "oslo", "rome"]
    assert columns["age"]["kind"] == "continuous"
    frame = pd.read_parquet(out / "data")
    assert (frame["provenance"] == "real").sum() == len(one)
    assert set(frame.loc[frame["provenance"] == "real", "city"].dropna()) == {"oslo"}


def test_pictures_are_mixed_by_the_names_of_their_classes(tmp_path):
    words = ["data=digits", "recipe=noise", "ratio=0.05", f"out={tmp_path / 'aug'}", "format=npz"]
    aug = augment(compose("augment", words))
    every = open_source(aug).load()
    rows = np.flatnonzero(every.labels >= 5)[:40]
    np.savez(
        tmp_path / "high.npz",
        images=every.pixels[rows, 0],
        labels=every.labels[rows] - 5,
        class_names=np.array(["5", "6", "7", "8", "9"]),
    )
    out = made(tmp_path / "out", f"sources=[{tmp_path / 'high.npz'},{aug}]", "shares=[0.5,0.5]")
    assert verify(compose("verify", [f"dataset={out}"])) == []
    found = open_source(out, origins=True).load()
    assert len(found) == 80
    names = np.array(found.class_names)[found.labels]
    known = {p.tobytes(): str(label) for p, label in zip(every.pixels, every.labels, strict=True)}
    assert all(known[p.tobytes()] == n for p, n in zip(found.pixels, names, strict=True))
    assert set(found.attributes["provenance"]) <= {"real", "augmented"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "mix needs two sources at least"),
        (["sources=[a.csv]"], "mix needs two sources at least"),
        (["sources=[a.csv,nowhere.csv]"], "nowhere.csv does not exist"),
        (["sources=[a.csv,b.csv]", "shares=[0.5]"], "shares has 1 numbers for 2 sources"),
        (["sources=[a.csv,b.csv]", "shares=[0.5,0.6]"], "must sum to 1, not 1.1"),
        (["sources=[a.csv,b.csv]", "shares.a=0.5"], "none is given for b"),
        (["sources=[a.csv,b.csv]", "shares.c=1"], "shares.c: there is no such source"),
        (["sources=[a.csv,b.csv]", "shares=[0.9,0.1]", "n=300"], "at most n=166 is possible"),
        (["sources=[a.csv,b.csv]", "n=0"], "n must be at least 1"),
        (["sources=[a.csv,b.csv]", "origins.a=reel"], "did you mean real?"),
        (["sources=[a.csv,b.csv]", "provenance=city"], "the data have 'city' already"),
        (["sources=[a.csv,c.csv]"], "lacks 'city' and has also 'town'"),
        (["sources=[a.csv,b.csv]", "out=a.csv"], "exists and is not a folder"),
    ],
)  # fmt: skip
def test_mistakes_end_in_one_line(tmp_path, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        write(tmp_path / f"{name}.csv", rows=150)
    people(150).rename(columns={"city": "town"}).to_csv("c.csv", index=False)
    assert main(["mix", *words]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "b.csv", "c.csv"]


QUICK = ("repeats=3", "learners=[logistic]", "ratios=[1.0]")


def answers(tmp_path, *words):
    path = tmp_path / "real.csv"
    if not path.exists():
        write(path, rows=300, seed=5)
    report, _ = benchmark(compose("benchmark", [
        f"data.path={path}", "target=ill", f"out={tmp_path / 'bench'}", *QUICK, *words,
    ]))  # fmt: skip
    return report


def test_a_recipe_is_tried_inside_the_splits_of_a_benchmark(tmp_path):
    report = answers(tmp_path, "generator=augmented", "recipe=mixup")
    assert report.facts["generator"] == "augmented: mixup"
    told = (tmp_path / "bench" / "results.jsonl").read_text()
    for arm in ("real rows", "SMOTE", "real + 1 synthetic", "real + synthetic rare"):
        assert f'"{arm}"' in told


def test_a_mixed_dataset_is_ready_for_a_benchmark(tmp_path, caplog):
    one, aug = two(tmp_path)
    out = made(tmp_path / "out", f"sources=[{one},{aug}]", "origins.one=generated")
    with caplog.at_level("INFO", logger="genmodels"):
        report = answers(tmp_path, "generator=given", f"synthetic={out}")
    assert report.facts["generator"] == "given: out"
    assert "the real ones are left out" in caplog.text
    assert "saw test rows" in caplog.text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["generator=augmented"], "needs a recipe"),
        (["generator=augmented", "recipe=weather"], "recipe=weather is for images"),
        (["generator=given"], "synthetic=<folder or file>"),
    ],
)
def test_a_benchmark_says_what_is_lacking(tmp_path, words, message):
    with pytest.raises(ValueError, match=message):
        answers(tmp_path, *words)


def test_bounds_reach_to_a_value_that_never_changes_in_one_source(tmp_path):
    pd.DataFrame({"k": ["q", "r"] * 50, "v": [x % 37 + 5 for x in range(100)]}).to_csv(
        tmp_path / "a.csv", index=False
    )
    pd.DataFrame({"k": ["q", "r"] * 25, "v": [0] * 50}).to_csv(tmp_path / "b.csv", index=False)
    out = made(tmp_path / "out", f"sources=[{tmp_path / 'a.csv'},{tmp_path / 'b.csv'}]")
    (column,) = (c for c in manifest_of(out)["schema"]["columns"] if c["name"] == "v")
    assert (column["minimum"], column["maximum"]) == (0, 41)


def test_a_column_of_a_file_beside_a_mix_stays(tmp_path):
    one, aug = two(tmp_path)
    out = made(tmp_path / "out", f"sources=[{one},{aug}]", "provenance=region")
    (out / "more").mkdir()
    pd.DataFrame({"region": ["n", "s"] * 20, "v": range(40)}).to_csv(
        out / "more" / "wine.csv", index=False
    )
    assert open_source(out / "more" / "wine.csv").load().column_names == ["region", "v"]
    assert "region" not in open_source(next((out / "data").iterdir())).load().column_names
