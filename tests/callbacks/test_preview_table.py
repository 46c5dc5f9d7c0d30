"""Figures of real beside synthetic columns, whatever the columns are."""

import numpy as np
import pyarrow as pa
import pytest

from genmodels.callbacks.ledger import Ledger
from genmodels.callbacks.preview_table import TablePreview, association_figure, marginal_figure


def mixed(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    words = np.array(["a", "$b_{", None, "d" * 50], dtype=object)[rng.integers(0, 4, n)]
    return pa.table(
        {
            "x": pa.array(np.where(rng.random(n) < 0.1, np.nan, x), from_pandas=True),
            "$y_{": pa.array((10 * x).astype(np.int64)),
            "word": pa.array(list(words)).dictionary_encode(),
            "yes": pa.array(x > 0),
            "when": pa.array((x * 1e15).astype(np.int64)).cast(pa.timestamp("us")),
            "same": pa.array(["k"] * n),
            "key": pa.array([f"k{i}" for i in range(n)]),
            "code": pa.array(rng.integers(0, 3, n)).cast(pa.int64()).dictionary_encode(),
        }
    )


def preview(tmp_path, reference, columns=30):
    return TablePreview(
        ledger=Ledger(path=tmp_path / "m.jsonl", writer=None),
        sample=lambda n: mixed(n, 1),
        reference=reference,
        folder=tmp_path,
        every=1,
        rows=200,
        columns=columns,
        levels=3,
    )


class Trainer:
    is_global_zero, current_epoch = True, 0


class Model:
    num_samples = 7


def test_files_appear_once_per_state_of_the_model(tmp_path):
    callback = preview(tmp_path, mixed(300, 0))
    callback.on_train_epoch_end(Trainer, Model)
    names = ["associations-0000000007.png", "marginals-0000000007.png"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    stamp = (tmp_path / names[0]).stat().st_mtime_ns
    callback.on_train_end(Trainer, Model)
    assert (tmp_path / names[0]).stat().st_mtime_ns == stamp


def test_keys_and_constants_are_not_drawn_and_the_number_is_capped(tmp_path):
    assert preview(tmp_path, mixed(300, 0)).reference.column_names == [
        "x", "$y_{", "word", "yes", "when", "code",
    ]  # fmt: skip
    assert preview(tmp_path, mixed(300, 0), columns=2).reference.num_columns == 2


def test_rows_are_taken_from_all_over_the_reference(tmp_path):
    table = pa.table({"x": pa.array(range(1000))})
    shown = preview(tmp_path, table).reference["x"].to_numpy()
    assert (len(shown), shown[0], shown[-1]) == (200, 0, 999)
    assert len(preview(tmp_path, table.slice(0, 5)).reference) == 5


def test_a_table_without_anything_to_draw_is_left_alone(tmp_path):
    callback = preview(tmp_path, mixed(300, 0).select(["same", "key"]))
    callback.on_train_epoch_end(Trainer, Model)
    assert list(tmp_path.iterdir()) == []


def test_the_difference_of_equal_tables_is_nothing():
    table = mixed(200, 0).select(["x", "$y_{", "yes"])
    figure = association_figure(table, table)
    real, synthetic, difference = (axes.images[0].get_array() for axes in figure.axes[:3])
    assert np.abs(difference).max() == 0
    assert np.array_equal(real, synthetic)
    assert real[0, 1] > 0.7
    assert np.asarray(real).diagonal() == pytest.approx(np.ones(3))


def test_bars_hold_shares():
    table = mixed(200, 0).select(["yes"])
    heights = [bar.get_height() for bar in marginal_figure(table, table, levels=5).axes[0].patches]
    assert heights == pytest.approx([heights[0], 1 - heights[0]] * 2)
