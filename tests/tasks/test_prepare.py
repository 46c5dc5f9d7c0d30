"""What is fitted, the schema too, comes from the training rows; other rows need not fit."""

import logging

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from genmodels.data.open import open_source
from genmodels.data.splits import Split
from genmodels.tasks.compose import compose
from genmodels.tasks.prepare import prepare
from tests.tasks.small import write_csv


def people(path, rows=400):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, rows).astype(str),
            "city": rng.choice(["oslo", "rome"], rows),
            "sold": rng.choice(["yes", "no"], rows),
            "land": "eu",
            "income": rng.normal(1000, 200, rows).round(2).astype(str),
        }
    )
    split = Split(rows=rows, seed=0)
    return frame, split, path


def prepared(frame, path, *words):
    frame.to_csv(path, index=False)
    return prepare(compose("train", ["model=tvae", f"data.path={path}", *words]), None, None)


def test_the_schema_knows_nothing_of_other_rows(tmp_path):
    frame, split, path = people(tmp_path / "a.csv")
    frame.loc[split.val[0], "city"] = "paris"
    frame.loc[split.test[0], "city"] = "lima"
    frame.loc[split.test[1], "age"] = "300"
    made = prepared(frame, path)
    columns = {column.name: column for column in made.schema.columns}
    assert set(columns["city"].levels) == {"oslo", "rome"}
    assert columns["age"].maximum < 300
    assert made.split.state()["digest"] == Split(
        rows=400, seed=0, fingerprint=made.split.fingerprint
    ).state()["digest"]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [("city", "paris"), ("age", "old"), ("age", "1.5"), ("age", ""), ("sold", "maybe"),
     ("land", "us"), ("income", "much")],
)  # fmt: skip
@pytest.mark.parametrize("codec", ["mode_specific", "quantile"])
def test_a_validation_row_that_does_not_fit_is_left_out_with_one_line(
    tmp_path, caplog, name, value, codec
):
    frame, split, path = people(tmp_path / "a.csv")
    frame.loc[split.val[3], name] = value
    with caplog.at_level(logging.WARNING):
        made = prepared(frame, path, f"codec={codec}", "condition=all")
    assert len(made.validation) == len(made.reference) == len(split.val) - 1
    lines = [r.getMessage() for r in caplog.records if "left out" in r.getMessage()]
    assert len(lines) == 1
    assert repr(name) in lines[0]


def test_a_holdout_row_that_does_not_fit_is_of_no_concern(tmp_path, caplog):
    frame, split, path = people(tmp_path / "a.csv")
    frame.loc[split.test[0], ["city", "age", "land"]] = ["paris", "old", "us"]
    made = prepared(frame, path)
    assert len(made.train) == len(split.train)
    assert "left out" not in caplog.text


def test_gaps_that_training_has_too_are_kept(tmp_path):
    frame, split, path = people(tmp_path / "a.csv")
    frame.loc[[split.val[0], *split.train[:5]], ["city", "age", "income"]] = ""
    made = prepared(frame, path)
    assert len(made.validation) == len(split.val)


def test_a_separate_holdout_may_hold_a_level_that_training_lacks(tmp_path):
    frame, _, path = people(tmp_path / "a.csv")
    other = frame.head(50).copy()
    other.loc[3, ["city", "sold", "land"]] = ["paris", "maybe", "us"]
    other.to_csv(tmp_path / "b.csv", index=False)
    made = prepared(frame, path, f"data.holdout_path={tmp_path / 'b.csv'}")
    assert made.split.state()["counts"]["holdout"] == 0


def test_the_users_schema_speaks_of_all_rows_and_names_the_row(tmp_path):
    from genmodels.data.infer import infer_schema
    from genmodels.data.schema_file import draft

    frame, split, path = people(tmp_path / "a.csv")
    frame.to_csv(path, index=False)
    file = tmp_path / "schema.yaml"
    file.write_text(draft(infer_schema(open_source(path).load())))
    made = prepared(frame, path, f"schema={file}", "data.target=city", "condition=target")
    assert made.schema.target.name == "city"
    assert [group.name for group in made.condition.groups] == ["city"]
    with pytest.raises(ValueError, match="did you mean 'city'"):
        prepared(frame, path, f"schema={file}", "data.target=citi")
    frame.loc[split.train[7], "city"] = "paris"
    with pytest.raises(ValueError, match=f"row {split.train[7] + 1}: 'paris'"):
        prepared(frame, path, f"schema={file}")


def test_other_sources_know_a_target_too(tmp_path):
    frame, _, _ = people(tmp_path / "a.csv")
    frame.to_parquet(tmp_path / "a.parquet")
    words = ["data=parquet", f"data.path={tmp_path / 'a.parquet'}", "condition=target"]
    made = prepare(compose("train", ["model=tvae", *words, "data.target=sold"]), None, None)
    assert [group.name for group in made.condition.groups] == ["sold"]
    assert compose("train", ["data=openml", "data.target=x"]).data.infer.target == "x"
    assert compose("train", ["data=flights"]).data.infer.target == "arr_delay"


def digits_file(path, rows=40, side=8):
    rng = np.random.default_rng(0)
    labels = np.arange(rows) % 10
    names = np.array(list("0123456789"))
    images = rng.integers(0, 256, (rows, side, side), dtype=np.uint8)
    np.savez(path, images=images, labels=labels, class_names=names)
    return path


def test_a_source_without_a_path_takes_a_holdout_file(tmp_path):
    file = digits_file(tmp_path / "other.npz")
    words = ["data=digits", "model=conv_vae", f"data.holdout_path={file}"]
    made = prepare(compose("train", words), None, None)
    assert made.split.state()["counts"]["holdout"] == 0
    wrong = write_csv(tmp_path / "a.csv")
    with pytest.raises(ValueError, match="another kind"):
        prepare(compose("train", [*words[:2], f"data.holdout_path={wrong}"]), None, None)


@pytest.fixture
def mnist(tmp_path, monkeypatch):
    import torchvision.datasets

    class Fake:
        classes = tuple(f"{i} - x" for i in range(10))

        def __init__(self, root, download, train):
            rng = np.random.default_rng(int(train))
            self.data = rng.integers(0, 256, (60 if train else 20, 28, 28), dtype=np.uint8)
            self.targets = np.arange(len(self.data)) % 10

    monkeypatch.setattr(torchvision.datasets, "MNIST", Fake)
    return ["data=mnist", "model=conv_vae", f"data.path={tmp_path}"]


def test_the_official_test_part_is_the_holdout(mnist):
    from genmodels.tasks.holdout import holdout_of

    cfg = compose("train", mnist)
    made = prepare(cfg, None, None)
    assert made.split.state()["counts"] == {"train": 54, "validation": 6, "holdout": 0}
    assert len(holdout_of(cfg, made.schema, made.split.fingerprint)) == 20
    share = prepare(compose("train", [*mnist, "data.holdout_split=null"]), None, None)
    assert share.split.state()["counts"]["holdout"] == 12
    with pytest.raises(ValueError, match=r"same data; .*holdout_split=null"):
        prepare(compose("train", [*mnist, "data.split=test"]), None, None)


def test_a_folder_of_ones_own_goes_before_the_official_part(mnist, tmp_path):
    from genmodels.tasks.holdout import holdout_of

    file = digits_file(tmp_path / "other.npz", rows=30, side=40)
    cfg = compose("train", [*mnist, "data.size=16", f"data.holdout_path={file}"])
    made = prepare(cfg, None, None)
    held = holdout_of(cfg, made.schema, made.split.fingerprint)
    assert held.pixels.shape == (30, 1, 16, 16)


def test_rows_with_new_gaps_alone_are_left_out(caplog):
    from genmodels.data.gaps import without_new_gaps
    from genmodels.schema import Column, TableSchema

    schema = TableSchema(
        (
            Column("a", "continuous"),
            Column("b", "continuous"),
            Column("c", "integer", nullable=True),
        )
    )
    train = pa.table({"a": [1.0, 2.0], "b": [1.0, None], "c": [1, 2]})
    rows = pa.table({"a": [1.0, None, 3.0], "b": [None, 1.0, 1.0], "c": [1, 2, None]})
    kept = without_new_gaps(rows, train, schema)
    assert kept.to_pylist() == [rows.to_pylist()[0], rows.to_pylist()[2]]
    assert "1 of 3 validation rows are left out" in caplog.text
