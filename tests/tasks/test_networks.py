"""The network of a learned prior is a choice, and comes back with the run."""

import numpy as np
import pandas as pd
import pytest

from genmodels import Synthesizer
from genmodels.layout import Condition
from genmodels.tasks.build import build_model
from genmodels.tasks.compose import compose
from tests.algorithms.mixed import LAYOUT

QUICK = (
    "callbacks.preview=null", "trainer.accelerator=cpu", "batching.updates_per_epoch=4",
    "network=transformer", "model.network.hidden=16", "model.network.layers=2",
)  # fmt: skip


def people():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, 240),
            "wage": np.round(rng.lognormal(3, 1, 240), 2),
            "city": rng.choice(["oslo", "rome", "bonn"], 240),
            "rich": rng.choice(["yes", "no"], 240),
        }
    )


@pytest.mark.parametrize("name", ["columnwise", "transformer"])
def test_the_heads_are_as_wide_as_the_network(name):
    words = ["data.path=x.csv", "model=tabvae", f"network={name}", "model.network.hidden=48"]
    cfg = compose("train", words)
    assert cfg.model.network._target_.endswith(name.capitalize())
    model = build_model(cfg, LAYOUT, Condition(), None)
    assert model.network.hidden == model.likelihood.mixture.shape[1] == 48


def test_heads_of_a_width_of_their_own_as_in_runs_of_an_earlier_version_are_taken_as_they_are():
    words = ["data.path=x.csv", "model=tabvae", "model.network.hidden=8"]
    cfg = compose("train", [*words, "+model.likelihood.hidden=8"])
    assert build_model(cfg, LAYOUT, Condition(), None).likelihood.mixture.shape[1] == 8


def test_a_network_that_does_not_exist_names_those_that_do():
    with pytest.raises(ValueError, match=r"no network=transformers; did you mean transformer\?"):
        compose("train", ["model=tabvae", "network=transformers"])


def test_a_run_of_a_transformer_comes_back_and_draws_the_same_rows(tmp_path):
    made = Synthesizer("tabvae", epochs=1, overrides=QUICK).fit(people(), target="rich")
    rows = made.sample(60)
    assert rows.dtypes.to_dict() == people().dtypes.to_dict()
    made.save(tmp_path / "kept")
    back = Synthesizer.load(tmp_path / "kept")
    pd.testing.assert_frame_equal(back.sample(60), rows)
    assert not back.sample(60, seed=1).equals(rows)
