"""An augmented dataset: real rows first, then new ones; what it says of itself; who reads it."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from genmodels.cli import main
from genmodels.data.open import open_source
from genmodels.tasks.augment import augment
from genmodels.tasks.augmented import Augmented
from genmodels.tasks.compose import compose
from genmodels.tasks.origin import given_origin
from genmodels.tasks.simulate import simulate
from genmodels.tasks.train import train
from genmodels.tasks.verify import verify
from tests.augmentation.rows import people, write
from tests.tasks.small import TINY

TABLES = ("parquet", "csv", "arrow", "npz")
PICTURES = ("imagefolder", "npz", "webdataset", "parquet")


def made(out, *words):
    return augment(compose("augment", [f"out={out}", *words]))


def of_people(tmp_path, out, *words, **told):
    path = tmp_path / "people.csv"
    if not path.exists():
        write(path, **told)
    return made(tmp_path / out, f"data.path={path}", "data.target=ill", *words)


def manifest_of(out):
    return json.loads((out / "manifest.json").read_text())


def hashes(out):
    return [file["sha256"] for file in manifest_of(out)["files"]]


@pytest.mark.parametrize("form", TABLES)
@pytest.mark.parametrize("recipe", ["smote", "jitter"])
def test_real_rows_come_first_and_unchanged_and_the_dataset_says_so(tmp_path, form, recipe):
    out = of_people(tmp_path, "out", f"recipe={recipe}", "balance=ill", f"format={form}")
    assert verify(compose("verify", [f"dataset={out}"])) == []
    before, told = people(), manifest_of(out)
    counts = before["ill"].value_counts()
    extra = int(counts["no"] - counts["yes"])
    assert told["synthetic"] == "in part"
    assert "the first 400 of" in told["statement"]
    assert told["provenance"] == {
        "name": "provenance",
        "counts": {"real": 400, "augmented": extra},
    }
    assert told["classes"]["counts"] == {
        "no": {"real": int(counts["no"]), "augmented": 0},
        "yes": {"real": int(counts["yes"]), "augmented": extra},
    }
    assert told["augmentation"]["recipe"] == recipe
    assert len(told["data"]["fingerprint"]) == 64
    card = (out / "README.md").read_text()
    assert f"# Augmented data: `{recipe}`" in card
    assert "As private" not in card
    assert "It is as private as the real data that is in it" in card
    assert "- augmented" in card
    collected = json.loads((out / "croissant.json").read_text())["rai:dataCollection"]
    assert collected.startswith("Records, and others made from them")
    if form in ("parquet", "csv"):
        read = pd.read_csv if form == "csv" else pd.read_parquet
        (file,) = (out / "data").iterdir()
        frame = read(file)
        assert frame["provenance"].tolist() == ["real"] * 400 + ["augmented"] * extra
        for name in before:
            a, b = frame[name].head(400), before[name]
            b = b.astype("datetime64[us]") if name == "joined" and form == "parquet" else b
            assert (a.isna() == b.isna()).all()
            same = a.astype(str) == (
                b.dt.strftime("%Y-%m-%d") if name == "joined" else b.astype(str)
            )
            assert (same | a.isna()).all(), name


@pytest.mark.parametrize("form", TABLES)
def test_who_learns_from_it_does_not_see_where_rows_come_from(tmp_path, form, caplog):
    out = of_people(tmp_path, "out", f"format={form}", "ratio=0.5")
    with caplog.at_level("INFO", logger="genmodels"):
        table = open_source(out).load()
    assert table.column_names == list(people())
    assert "'provenance' tells where rows come from and is left out" in caplog.text
    kept = open_source(out, origins=True).load()
    assert kept.column_names == [*people(), "provenance"]


def test_it_trains(tmp_path):
    out = of_people(tmp_path, "out", "recipe=mixup", "format=csv")
    words = [f"data.path={out}", "data.target=ill", f"run={tmp_path / 'run'}", *TINY, "debug=fast"]
    run = train(compose("train", words))
    names = [c["name"] for c in json.loads((run.path / "schema.json").read_text())["columns"]]
    assert names == list(people())


def test_streamed_rows_do_not_tell_where_they_come_from(tmp_path):
    for form in ("parquet", "csv"):
        out = of_people(tmp_path, form, f"format={form}")
        pieces = list(open_source(out).pieces())
        assert sum(p.num_rows for p in pieces) == 800
        assert all(p.column_names == list(people()) for p in pieces)


@pytest.mark.parametrize("recipe", ["smote", "jitter", "mixup", "dropout"])
def test_chunks_and_shards_change_no_row(tmp_path, recipe):
    words = (f"recipe={recipe}", "ratio=2.5")
    whole = of_people(tmp_path, "whole", *words, rows=900)
    chunked = of_people(tmp_path, "chunked", *words, "chunk_rows=37")
    assert hashes(whole) == hashes(chunked)
    parts = of_people(tmp_path, "parts", *words, "writer.parquet.rows_per_file=700")
    assert len(hashes(parts)) > 3
    pd.testing.assert_frame_equal(pd.read_parquet(parts / "data"), pd.read_parquet(whole / "data"))


def test_an_interrupted_augmentation_goes_on(tmp_path, monkeypatch):
    words = ("ratio=2", "writer.parquet.rows_per_file=300")
    whole = of_people(tmp_path, "whole", *words)
    pieces, seen = Augmented.pieces, []

    def interrupted(self, start, stop, **told):
        for piece in pieces(self, start, stop, **told):
            if piece.start >= 600:
                raise KeyboardInterrupt
            yield piece

    monkeypatch.setattr(Augmented, "pieces", interrupted)
    with pytest.raises(KeyboardInterrupt):
        of_people(tmp_path, "out", *words)
    assert not (tmp_path / "out").exists()

    def watched(self, start, stop, **told):
        seen.append(start)
        return pieces(self, start, stop, **told)

    monkeypatch.setattr(Augmented, "pieces", watched)
    out = of_people(tmp_path, "out", *words)
    assert seen == [600]
    assert hashes(out) == hashes(whole)


def test_test_rows_are_kept_apart_and_nothing_is_made_of_them(tmp_path):
    out = of_people(tmp_path, "out", "test_share=0.25", "recipe=jitter", "format=parquet")
    apart = pd.read_parquet(tmp_path / "out-test" / "data")
    frame = pd.read_parquet(out / "data")
    real = frame[frame["provenance"] == "real"]
    assert len(apart) == 100
    assert sorted([*apart["id"], *real["id"]]) == people()["id"].tolist()
    told = manifest_of(tmp_path / "out-test")
    assert told["synthetic"] == "no"
    assert "all of its 100 records were observed" in told["statement"]
    assert verify(compose("verify", [f"dataset={tmp_path / 'out-test'}"])) == []
    assert manifest_of(out)["data"]["kept_apart"] == 100
    again = of_people(tmp_path, "out", "test_share=0.25", "format=parquet", "overwrite=true")
    assert hashes(again) == hashes(out)


def test_provenance_can_have_another_name_or_none(tmp_path):
    out = of_people(tmp_path, "named", "provenance=source")
    assert pd.read_parquet(out / "data").columns[-1] == "source"
    assert open_source(out).load().column_names == list(people())
    out = of_people(tmp_path, "none", "provenance=null")
    assert list(pd.read_parquet(out / "data")) == list(people())
    assert "no record tells which it is" in (out / "README.md").read_text()


@pytest.mark.parametrize("form", PICTURES)
def test_pictures_read_back_with_labels_in_every_format(tmp_path, form):
    out = made(tmp_path / "out", "data=digits", "recipe=light", "per_class=3", f"format={form}")
    assert verify(compose("verify", [f"dataset={out}"])) == []
    images = open_source(out).load()
    assert len(images) == 1797 + 30
    assert "provenance" not in images.attributes
    counts = manifest_of(out)["classes"]["counts"]
    assert {c["augmented"] for c in counts.values()} == {3}
    assert np.bincount(images.labels).tolist() == [sum(c.values()) for c in counts.values()]
    told = open_source(out, origins=True).load().attributes["provenance"]
    assert (told == "augmented").sum() == 30


def test_a_folder_of_pictures_stays_what_it_was(tmp_path):
    rng = np.random.default_rng(0)
    for k in range(6):
        place = tmp_path / "pets" / ("cat" if k % 2 else "dog")
        place.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (12, 10, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"{k}.png")
    out = made(
        tmp_path / "out", "data=imagefolder", f"data.path={tmp_path / 'pets'}", "recipe=weather",
        "ratio=2",
    )  # fmt: skip
    before = open_source(tmp_path / "pets").load()
    told = (out / "train/metadata.jsonl").read_text().splitlines()
    lines = [json.loads(line) for line in told]
    lines.sort(key=lambda line: line["index"])
    for line, pixels in zip(lines[:6], before.pixels, strict=False):
        assert line["provenance"] == "real"
        picture = Image.open(out / "train" / line["file_name"])
        np.testing.assert_array_equal(np.asarray(picture).transpose(2, 0, 1), pixels)
        assert "real pictures" in picture.info["Comment"]
    assert [line["provenance"] for line in lines[6:]] == ["augmented"] * 12


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["recipe=jiter"], "there is no recipe=jiter; did you mean jitter?"),
        (["recipe=geometry"], "recipe=geometry is for images"),
        (["ratio=0"], "ratio must be a number above 0, got 0"),
        (["ratio=1", "balance=ill"], "balance and ratio cannot be combined"),
        (["balance=il"], "there is no column 'il'; did you mean 'ill'?"),
        (["balance=income"], "'income' is continuous and has no levels to count"),
        (["shares.ill={yes: 0.5, no: 0.2}"], "must sum to 1, not 0.7"),
        (["shares.ill={maybe: 0.5}"], "there is no level 'maybe'"),
        (["provenance=city"], "the data have 'city' already"),
        (["format=xml"], "there is no format=xml"),
        (["format=imagefolder"], "tables"),
        (["recipe.scale=7"], "recipe.scale must be in [0, 1], got 7"),
        (["recipe.scal=0.1"], "did you mean recipe.scale"),
        (["test_share=1.5"], "test_share must be at least 0 and below 1"),
        (["data.streaming=true"], "leave out data.streaming"),
        (["per_class=0"], "per_class must be at least 1"),
        (["seed=-1"], "seed must be at least 0"),
    ],
)  # fmt: skip
def test_mistakes_end_in_one_line(tmp_path, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "people.csv")
    code = main(["augment", "data.path=people.csv", "data.target=ill", *words])
    err = capsys.readouterr().err
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["people.csv"]


def test_smote_without_classes_says_what_to_name(tmp_path, capsys):
    path = write(tmp_path / "people.csv")
    assert main(["augment", f"data.path={path}", "recipe=smote", f"out={tmp_path / 'x'}"]) == 2
    assert "data.target=<name> or balance=<name>" in capsys.readouterr().err


def test_help_shows_the_settings_of_the_recipe_that_is_named(capsys):
    assert main(["augment", "recipe=smote", "--help"]) == 0
    text = capsys.readouterr().out
    assert "recipe.neighbours=5" in text
    assert "recipe.scale" not in text
    assert main(["augment", "recipe=geometry", "--help"]) == 0
    assert "recipe.geometry.rotate=15.0" in capsys.readouterr().out


def test_rows_of_a_simulator_are_not_called_real(tmp_path, capsys):
    given, out = tmp_path / "prices", tmp_path / "more"
    assert main(["simulate", "simulator=gbm", "simulator.steps=3", "n=40", f"out={given}"]) == 0
    assert (
        main(["augment", "data=parquet", f"data.path={given}", "recipe=jitter", f"out={out}"]) == 0
    )
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["provenance"]["counts"] == {"simulated": 40, "augmented": 40}
    assert manifest["synthetic"] is True
    assert manifest["statement"].startswith("This data holds no real records")
    assert "It holds real rows" not in capsys.readouterr().out
    again = tmp_path / "again"
    assert (
        main(["augment", "data=parquet", f"data.path={out}", "recipe=jitter", f"out={again}"]) == 0
    )
    assert "here all are called augmented" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["sim/real.csv", "sim/more/real.csv", "sim/data"])
def test_real_rows_beside_a_simulated_dataset_stay_real(tmp_path, place):
    simulate(compose("simulate", ["simulator=gbm", "n=2", f"out={tmp_path / 'sim'}"]))
    assert given_origin(tmp_path / "sim") == given_origin(tmp_path / "sim" / "data") == "simulated"
    (first,) = (tmp_path / "sim" / "data").iterdir()
    assert given_origin(first) == given_origin(f"{first.parent}/*.parquet") == "simulated"
    real = tmp_path / place / "x.csv" if place == "sim/data" else tmp_path / place
    real.parent.mkdir(exist_ok=True)
    write(real)
    assert given_origin(tmp_path / place) == "real"


def test_what_is_kept_apart_of_simulated_rows_is_not_called_real(tmp_path):
    path = tmp_path / "crops"
    words = ["simulator=road", "simulator.rows=crop", "simulator.crop=16", "n=24"]
    simulate(compose("simulate", [*words, f"out={path}"]))
    made(tmp_path / "out", "data=imagefolder", f"data.path={path}",
         "recipe=colour", "test_share=0.5")  # fmt: skip
    told, kept = manifest_of(tmp_path / "out"), manifest_of(tmp_path / "out-test")
    assert kept["synthetic"] is True
    assert "no real records" in kept["statement"]
    assert "Real" not in (tmp_path / "out-test" / "README.md").read_text()
    assert given_origin(tmp_path / "out-test") == "simulated"
    assert {tuple(c) for c in told["classes"]["counts"].values()} == {("simulated", "augmented")}
    assert verify(compose("verify", [f"dataset={tmp_path / 'out-test'}"])) == []


def test_files_say_of_simulated_rows_that_they_are_synthetic(tmp_path):
    path = tmp_path / "crops"
    words = ["simulator=road", "simulator.rows=crop", "simulator.crop=16", "n=8"]
    simulate(compose("simulate", [*words, f"out={path}"]))
    common = ("data=imagefolder", f"data.path={path}", "recipe=colour")
    out = made(tmp_path / "out", *common)
    picture = next((out / "train").rglob("*.png"))
    assert Image.open(picture).text["Comment"].startswith("Synthetic: made by genmodels")
    out = made(tmp_path / "parquet", *common, "format=parquet")
    told = pq.read_schema(next((out / "data").iterdir())).metadata
    assert told[b"genmodels.synthetic"] == b"true"


def test_rows_of_several_origins_of_which_none_is_real_are_not_called_real(tmp_path):
    words = ["simulator=road", "simulator.rows=crop", "simulator.crop=16", "n=6"]
    simulate(compose("simulate", [*words, f"out={tmp_path / 'crops'}"]))
    common = ("data=imagefolder", "recipe=colour")
    first = made(tmp_path / "first", f"data.path={tmp_path / 'crops'}", *common)
    told = manifest_of(made(tmp_path / "second", f"data.path={first}", *common))
    assert told["synthetic"] is True
    assert "no real records" in told["statement"]
    assert told["provenance"]["counts"] == {"augmented": 24}
    assert sum(c["augmented"] for c in told["classes"]["counts"].values()) == 24
