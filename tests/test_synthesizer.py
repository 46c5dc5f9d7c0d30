import gc
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import genmodels
from genmodels import Synthesizer
from genmodels.types import Images

ROWS = 200
QUICK = ("callbacks.preview=null", "trainer.accelerator=cpu", "model.latent_dim=8")


def frame():
    rng = np.random.default_rng(0)
    sizes = pd.CategoricalDtype(["s", "m", "l", "never"], ordered=True)
    data = pd.DataFrame(
        {
            "x": rng.normal(size=ROWS),
            "n": pd.array(rng.integers(0, 500, ROWS), dtype="Int64"),
            "size": pd.Categorical(rng.choice(["s", "m", "l"], ROWS), dtype=sizes),
            "yes": rng.random(ROWS) < 0.3,
            "at": pd.date_range("2020-01-01", periods=ROWS, freq="7h", tz="Europe/Paris"),
            "target": rng.choice(["a", "b"], ROWS),
        }
    )
    data.loc[::9, "n"] = pd.NA
    return data


@pytest.fixture(scope="module")
def fitted():
    return Synthesizer(model="tvae", epochs=1, overrides=QUICK).fit(frame(), target="target")


def test_a_sample_has_the_columns_and_dtypes_of_the_frame(fitted):
    out = fitted.sample(300)
    assert len(out) == 300
    assert out.dtypes.to_dict() == frame().dtypes.to_dict()
    assert set(out["target"]) <= {"a", "b"}
    assert out["x"].notna().all()


def test_row_i_depends_on_the_seed_and_i_alone(fitted):
    many = fitted.sample(300)
    pd.testing.assert_frame_equal(fitted.sample(7), many.head(7))
    assert not fitted.sample(300, seed=1).equals(many)


def test_the_target_is_in_the_schema(fitted):
    assert fitted.schema_.target.name == "target"


def test_save_and_load_give_the_same_rows(fitted, tmp_path):
    fitted.save(tmp_path / "kept")
    loaded = Synthesizer.load(tmp_path / "kept")
    assert loaded.get_params()["overrides"] == QUICK
    assert loaded.get_params() == {**fitted.get_params(), "run": None}
    pd.testing.assert_frame_equal(loaded.sample(50), fitted.sample(50))
    with pytest.raises(FileExistsError, match="not empty"):
        fitted.save(tmp_path / "kept")
    names = {path.name for path in tmp_path.rglob("*")}
    assert not any("pickle" in name or name.endswith(".ckpt") for name in names)


def test_a_temporary_run_goes_with_its_synthesizer():
    made = Synthesizer("tvae", epochs=1, overrides=QUICK).fit(frame())
    run = made.run_
    assert (run / "model.safetensors").is_file()
    del made
    gc.collect()
    assert not run.exists()


def test_a_named_run_stays(tmp_path):
    table = pa.Table.from_pandas(frame()[["x", "target"]])
    made = Synthesizer("tvae", epochs=1, overrides=QUICK, run=tmp_path / "run").fit(table)
    assert isinstance(made.sample(5), pd.DataFrame)
    del made
    gc.collect()
    assert len(Synthesizer.load(tmp_path / "run").sample(5)) == 5


def test_a_file_is_data_too(tmp_path):
    frame()[["x", "target"]].to_csv(tmp_path / "a file.csv", index=False)
    made = Synthesizer("tvae", epochs=1, overrides=QUICK).fit(tmp_path / "a file.csv")
    assert list(made.sample(3).columns) == ["x", "target"]


def test_a_schema_decides_what_columns_mean():
    data = pd.DataFrame({"x": np.arange(200) % 7, "y": np.arange(200) % 11})
    columns = [{"name": name, "kind": "continuous"} for name in ("x", "y")]
    made = Synthesizer("tvae", epochs=1, overrides=QUICK)
    made.fit(data.astype(float), schema={"kind": "table", "columns": columns})
    assert [column.kind for column in made.schema_.columns] == ["continuous", "continuous"]


def test_images_come_back_as_images():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (60, 1, 8, 8), dtype=np.uint8)
    images = Images(pixels, np.arange(60) % 2, ("cat", "dog"))
    overrides = (*QUICK, "batching.updates_per_epoch=2")
    made = Synthesizer("conv_vae", epochs=1, overrides=overrides).fit(images)
    out = made.sample(20, condition={"label": "dog"})
    assert isinstance(out, Images)
    assert out.pixels.shape == (20, 1, 8, 8)
    assert set(out.labels) == {1}


def test_parameters_are_those_of_scikit_learn():
    made = Synthesizer("ctgan", seed=3, epochs=5, overrides=("model.latent_dim=4",))
    copy = clone(made)
    assert copy.get_params() == made.get_params()
    assert copy.set_params(epochs=7).epochs == 7
    assert "ctgan" in repr(made)


@pytest.mark.parametrize("call", [lambda s: s.sample(3), lambda s: s.save("nowhere")])
def test_before_fit_there_is_a_clear_error(call):
    with pytest.raises(NotFittedError, match=r"call fit\(data\) first"):
        call(Synthesizer())


def test_mistakes_are_named():
    with pytest.raises(TypeError, match="pandas DataFrame"):
        Synthesizer().fit([[1, 2], [3, 4]])
    with pytest.raises(ValueError, match="tvae"):
        Synthesizer("tvea").fit(frame())
    with pytest.raises(ValueError, match=r"no trainer\.max_epoch; .* trainer\.max_epochs\?"):
        Synthesizer(overrides=["trainer.max_epoch=2"]).fit(frame())
    with pytest.raises(ValueError, match="there is no run at"):
        Synthesizer.load("no/such/run")


def test_wishes_of_another_type_are_refused_with_an_example(fitted):
    with pytest.raises(TypeError, match=r"given must be a dict.*got 'size=m'"):
        fitted.sample(2, given="size=m")
    with pytest.raises(TypeError, match="shares must be a dict"):
        fitted.sample(2, shares=["size"])


def test_the_package_lists_what_it_offers():
    assert set(genmodels.__all__) <= set(dir(genmodels))
    code = "import genmodels; assert set(genmodels.__all__) <= set(dir(genmodels))"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_the_package_imports_nothing_heavy():
    code = "import genmodels, sys; assert not {'torch', 'pandas', 'hydra'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_fit_leaves_the_process_as_it_was():
    import logging
    import os
    import random
    import warnings

    import torch

    def state():
        levels = [logging.getLogger(n).level for n in ("lightning", "lightning.pytorch")]
        notes = {k: v for k, v in os.environ.items() if k.startswith("PL_")}
        draws = (random.getstate(), np.random.get_state()[1].tolist())
        return levels, notes, draws, torch.get_rng_state().tolist(), list(warnings.filters)

    before = state()
    Synthesizer("tvae", epochs=1, overrides=QUICK).fit(frame())
    assert state() == before


def test_a_target_may_have_any_name():
    name = "it's, (the) target=\\"
    data = frame()[["x", "target"]].rename(columns={"target": name})
    made = Synthesizer("tvae", epochs=1, overrides=QUICK).fit(data, target=name)
    assert made.schema_.target.name == name


def test_what_was_trained_on_data_in_memory_is_evaluated_with_files(fitted, tmp_path):
    from genmodels.tasks.compose import compose
    from genmodels.tasks.evaluate import evaluate

    fitted.save(tmp_path / "run")
    frame().to_csv(tmp_path / "real.csv", index=False)
    frame()[::-1].to_csv(tmp_path / "held.csv", index=False)
    fitted.sample(100).to_csv(tmp_path / "made.csv", index=False)
    words = [f"run={tmp_path / 'run'}", f"synthetic={tmp_path / 'made.csv'}"]
    with pytest.raises(ValueError, match=r"trained on data in memory; give real=.* holdout="):
        evaluate(compose("evaluate", words))
    words += [f"real={tmp_path / 'real.csv'}", f"holdout={tmp_path / 'held.csv'}"]
    words += [f"kinds.table.suite.{key}=50" for key in ("detection_rows", "nearest_rows")]
    report, _ = evaluate(compose("evaluate", [*words, "kinds.table.suite.pictures=1"]))
    assert report.facts["held-out rows"] == ROWS
