"""What is asked of rows: settings, words, files, and mistakes that are named."""

import json

import numpy as np
import pandas as pd
import pytest

from genmodels import Synthesizer
from genmodels.tasks.compose import compose, resolved
from genmodels.tasks.control import read_asked
from genmodels.tasks.sample import sample
from genmodels.types import Images

QUICK = ("callbacks.preview=null", "trainer.accelerator=cpu", "model.latent_dim=8")


def people(rows=300):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": [f"P{i:04d}" for i in range(rows)],
            "age": rng.integers(18, 80, rows),
            "low": np.round(rng.random(rows) * 10, 1),
            "job": rng.choice(["clerk", "smith", "judge"], rows, p=[0.6, 0.3, 0.1]),
            "rich": rng.choice(["yes", "no"], rows, p=[0.3, 0.7]),
        }
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    overrides = (*QUICK, "condition=all")
    synthesizer = Synthesizer("tvae", epochs=1, overrides=overrides, run=folder / "run")
    return synthesizer.fit(people(), target="rich")


def write(made, out, *words, n=60):
    words = (f"run={made.run_}", f"out={out}", f"n={n}", *words)
    return sample(compose("sample", words))


def asked(*words):
    options = resolved(compose("sample", ["run=x", *words]))
    return {key: options[key] for key in ("given", "shares", "constraints", "balance")}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("given.income=>50K", {"income": ">50K"}),
        ('given.income=">50K"', {"income": ">50K"}),
        ("given.age=30", {"age": "30"}),
        ("given.age=> 80", {"age": "> 80"}),
        ("given.age=>= 80", {"age": ">= 80"}),
        ("given.age=20..30", {"age": "20..30"}),
        ("given.age=null", {"age": None}),
        ("given.age=missing", {"age": "missing"}),
        ("given.country=[A,B]", {"country": ["A", "B"]}),
        ('given.country=["a, b", > 3, missing]', {"country": ["a, b", "> 3", "missing"]}),
        ("given.hours per week=[1]", {"hours per week": ["1"]}),
        ("given.job, title=it's", {"job, title": "it's"}),
        ("given={age: 30, job: clerk}", {"age": 30, "job": "clerk"}),
    ],
)
def test_words_ask_for_any_name_and_any_text(word, expected):
    assert asked(word)["given"] == expected


def test_several_words_ask_for_several_things():
    found = asked(
        "given.a=1", "given.b=[x]", "balance=a b", "constraints=[start <= end, 'c, d in e.csv']"
    )
    assert found["given"] == {"a": "1", "b": ["x"]}
    assert found["balance"] == "a b"
    assert found["constraints"] == ["start <= end", "c, d in e.csv"]
    assert asked("constraints=a = b + c")["constraints"] == "a = b + c"
    assert asked()["given"] == {}


@pytest.mark.parametrize(
    "words",
    [
        ("given.job=clerk", "given.job=judge"),
        ("given.age=> 30", "given.job=judge", "given.age=< 20"),
        ("condition.job=clerk", "condition.job=judge"),
        ("shares.job={clerk: 0.5}", "shares.job={clerk: 0.6}"),
    ],
)
def test_two_wishes_for_one_name_are_refused(words):
    with pytest.raises(ValueError, match=f"{words[0].partition('=')[0]} is asked for twice"):
        compose("sample", words)
    assert asked("given.job=clerk", "given.job=clerk")["given"] == {"job": "clerk"}


def test_shares_have_any_level():
    word = 'shares.in come={>50K: 0.5, "a, b": 0.2, c:d: 0.1}'
    options = resolved(compose("sample", ["run=x", word]))
    chosen, facts = read_asked(options)
    wanted = {"in come": {">50K": 0.5, "a, b": 0.2, "c:d": 0.1}}
    assert chosen.shares == wanted
    assert facts == {"shares": wanted}


def test_nothing_is_asked_by_default_and_the_manifest_says_nothing_of_it(made, tmp_path):
    chosen, facts = read_asked(resolved(compose("sample", ["run=x"])))
    assert not chosen.anything
    assert facts == {}
    manifest = json.loads((write(made, tmp_path / "out") / "manifest.json").read_text())
    assert "control" not in manifest
    assert "shortfall" not in manifest


def test_a_level_that_the_model_can_be_told_costs_few_redraws(made, tmp_path):
    out = write(made, tmp_path / "out", "given.job=judge", "redraws=60")
    assert set(pd.read_parquet(out / "data")["job"]) == {"judge"}


def test_rows_that_are_asked_for_come_in_small_blocks_by_default(made, tmp_path):
    def block(*words):
        write(made, tmp_path / "out", "overwrite=true", *words, n=1)
        return json.loads((tmp_path / "out" / "manifest.json").read_text())["block_rows"]

    assert block("given.job=judge") == 512
    assert block() > 512


def test_the_rate_of_slow_rows_is_not_nought(made, tmp_path, monkeypatch, caplog):
    clock = iter(range(0, 1000, 4))
    with monkeypatch.context() as patched:
        patched.setattr("genmodels.tasks.sample.time.monotonic", lambda: float(next(clock)))
        with caplog.at_level("INFO", logger="genmodels"):
            write(made, tmp_path / "out", n=1)
    assert "(0 rows/s)" not in caplog.text


def test_when_no_row_is_as_asked_nothing_is_written(made, tmp_path):
    words = ("constraints=[low < 0.0001, low > 9.9]", "shortfall=drop", "redraws=0")
    with pytest.raises(ValueError, match="none of 60 rows is as asked"):
        write(made, tmp_path / "out", *words)
    assert list(tmp_path.iterdir()) == []


def test_the_python_interface_asks_for_the_same(made, tmp_path):
    wanted = {"age": ">= 30", "rich": ["yes", "no"]}
    frame = made.sample(60, given=wanted, constraints=["low <= 9"], seed=3)
    assert (frame["age"] >= 30).all()
    assert (frame["low"] <= 9).all()
    out = write(made, tmp_path / "out", "given.age=>= 30", "given.rich=[yes, no]", "seed=3",
                "constraints=low <= 9", "precision=auto")  # fmt: skip
    pd.testing.assert_frame_equal(
        pd.read_parquet(out / "data").astype(str), frame.astype(str), check_dtype=False
    )
    even = made.sample(300, balance="rich")["rich"].value_counts(normalize=True)
    assert even.between(0.4, 0.6).all()
    assert (made.sample(300, shares={"rich": {"yes": 1.0}})["rich"] == "yes").all()


def test_another_number_than_the_rows_to_complete_is_refused(made, tmp_path):
    path = tmp_path / "two.csv"
    pd.DataFrame({"age": [30, 40]}).to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"n=3 and complete=.*two.csv cannot be combined: .* 2 "):
        write(made, tmp_path / "out", f"complete={path}", n=3)
    with pytest.raises(ValueError, match="model=tvae cannot do complete"):
        write(made, tmp_path / "out", f"complete={path}", n=2)


def test_python_asks_for_redraws_and_for_fewer_rows(made, caplog):
    wanted = {"constraints": "low <= 5", "redraws": 0}
    with pytest.raises(ValueError, match="low <= 5"):
        made.sample(60, **wanted)
    some = made.sample(60, **wanted, shortfall="drop")
    assert 0 < len(some) < 60
    assert (some["low"] <= 5).all()
    assert f"{len(some)} of 60 rows are as asked" in caplog.text
    with pytest.raises(ValueError, match="candidates must be a whole number"):
        made.sample(2, candidates=0)


def test_what_is_asked_wrongly_is_told_before_a_dataset_that_is_there(made, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").touch()
    for word in ("given.job=nobody", "shares.job={clerk: 2}", "constraints=age <"):
        with pytest.raises(ValueError, match=r"no level|shares\.job|too early"):
            write(made, tmp_path / "out", word)
    with pytest.raises((ValueError, OSError), match=r"exists|overwrite"):
        write(made, tmp_path / "out")


def test_pictures_cannot_be_asked_for_attributes():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
    overrides = (*QUICK, "batching.updates_per_epoch=1")
    pictures = Synthesizer("conv_vae", epochs=1, overrides=overrides)
    pictures.fit(Images(pixels, np.arange(40) % 2, ("cat", "dog")))
    with pytest.raises(ValueError, match=r"given: .* model=conv_vae makes pictures"):
        pictures.sample(2, given={"label": "cat"})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["given.agee=3"], "did you mean 'age'"),
        (["given.job=clark"], "did you mean 'clerk'"),
        (["given.id=5"], "made anew"),
        (["given.job=[clerk"], "bracket of the list is not closed"),
        (["given.age=> 500"], "no such value|no value"),
        (["balance=age"], "scenario"),
        (["balance=job", "shares.job={clerk: 0.5}"], "cannot be combined"),
        (["given.job=clerk", "balance=job"], "asked for twice"),
        (["shares.job={clerk: 0.5, judge: 0.9}"], "sum to 1.4"),
        (["shares.job={clerk}"], "write {level: share"),
        (["condition.rich=yes", "given.age=30"], "cannot be combined|can be told"),
        (["constraints=age <"], "ends too early"),
        (["scenario=nowhere.yaml"], "cannot be read"),
        (["temper=0"], "above 0"),
        (["redraws=-1", "given.age=30"], "redraws must be"),
        (["candidates=0", "given.age=30"], "candidates must be"),
        (["shortfall=ignore", "given.age=30"], "error or drop"),
        (["given=5"], "given.<name>"),
    ],
)
def test_a_mistake_is_one_clear_error_and_leaves_nothing(made, tmp_path, words, message):
    with pytest.raises(ValueError, match=message) as caught:
        write(made, tmp_path / "out", *words)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_manifest_knows_what_a_file_of_combinations_held(made, tmp_path):
    path = tmp_path / "combos.csv"
    path.write_text("job\njudge\nclerk\nsmith\n")
    asked = f"constraints=job in {path}"

    def told(name):
        out = write(made, tmp_path / name, asked, "redraws=60", "shortfall=drop", n=20)
        manifest = json.loads((out / "manifest.json").read_text())
        return manifest["control"]["listed_in"][str(path)], manifest["request"]

    first = told("one")
    assert told("two") == first
    path.write_text("job\njudge\nclerk\n")
    assert all(new != old for new, old in zip(told("three"), first, strict=True))
