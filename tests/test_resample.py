"""The over-sampler keeps imbalanced-learn's contract, and draws rows of the class that is asked."""

import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import make_pipeline
from imblearn.utils.estimator_checks import estimator_checks_generator
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from genmodels import Synthesizer, SyntheticSampler

COMMON = ("callbacks.preview=null", "trainer.accelerator=cpu", "batching.updates_per_epoch=2")
TINY = (*COMMON, "model.network.hidden=4", "model.likelihood.components=2")
SHORT = (
    "callbacks.preview=null", "trainer.accelerator=cpu", "model.network.hidden=24",
    "batching.batch_size=128", "batching.updates_per_epoch=60", "callbacks.anneal.warm_up=1000",
    "model.optimizer.lr=0.005",
)  # fmt: skip


def tiny(**options):
    return SyntheticSampler(**{"random_state": 0, "epochs": 1, "overrides": TINY, **options})


# a list: pytest warns of what `parametrize_with_checks` hands it, a generator
CHECKS = list(estimator_checks_generator(tiny()))


@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=[c.func.__name__ for _, c in CHECKS])
def test_the_checks_of_imbalanced_learn_pass(estimator, check, monkeypatch):
    # they fit many times: what is asked of the configuration each time is told here
    monkeypatch.setattr(Synthesizer, "takes_any_part", lambda _: True)
    check(estimator)


def rows(count=600, seed=0):
    """Class "rare" lies at x near 3 and is always green."""
    rng = np.random.default_rng(seed)
    rare = rng.random(count) < 0.1
    rare[:2] = True, False
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=count) * 0.5 + 3.0 * rare,
            "n": pd.array(rng.integers(0, 50, count), dtype="Int64"),
            "hue": pd.Categorical(
                np.where(rare, "green", rng.choice(["red", "blue"], count)),
                dtype=pd.CategoricalDtype(["red", "green", "blue", "never"], ordered=True),
            ),
            "flag": rng.random(count) < 0.5,
            "at": pd.date_range("2021-01-01", periods=count, freq="5h"),
        },
        index=np.arange(count)[::-1],
    )
    frame.loc[frame.index[::9], "n"] = pd.NA
    return frame, pd.Series(np.where(rare, "rare", "common"), index=frame.index, name="kind")


@pytest.fixture(scope="module")
def resampled():
    x, y = rows()
    sampler = SyntheticSampler(random_state=3, epochs=7, overrides=SHORT)
    return x, y, *sampler.fit_resample(x, y)


def test_real_rows_come_first_and_unchanged(resampled):
    x, y, more_x, more_y = resampled
    pd.testing.assert_frame_equal(more_x.iloc[: len(x)], x.reset_index(drop=True))
    assert more_y.iloc[: len(y)].tolist() == y.tolist()
    assert set(more_y.iloc[len(y) :]) == {"rare"}
    assert more_y.value_counts().nunique() == 1
    assert more_x.dtypes.to_dict() == x.dtypes.to_dict()
    assert more_y.name == "kind"


def test_new_rows_look_like_their_class(resampled):
    x, _, more_x, _ = resampled
    new = more_x.iloc[len(x) :]
    assert (new["hue"] == "green").mean() > 0.85
    assert new["x"].median() == pytest.approx(3.0, abs=0.4)
    assert new["n"].isna().any()


def test_the_same_random_state_gives_the_same_rows():
    x, y = rows(200)
    one, two = (tiny().fit_resample(x, y)[0] for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(tiny(random_state=1).fit_resample(x, y)[0])


@pytest.mark.parametrize("model", ["tvae", "ctgan"])
def test_models_that_take_a_condition_are_told_the_class(model):
    x, y = rows(200)
    sampler = tiny(model=model, overrides=(*COMMON[:2], "batching.updates_per_epoch=3"))
    _, more_y = sampler.fit_resample(x[["x", "flag"]], y)
    assert more_y.value_counts().nunique() == 1
    assert [g.name for g in sampler.synthesizer_._loaded.model.condition.groups] == ["class"]


@pytest.mark.parametrize("model", ["tvae2", "ctgan2"])
def test_too_few_rows_of_a_class_name_what_this_class_can_do(model):
    x, y = rows(200)
    sampler = tiny(model=model, overrides=(*COMMON[:2], "batching.updates_per_epoch=1"))
    with pytest.raises(ValueError, match=f"model='{model}' was told .* 'rare'.*epochs=") as error:
        sampler.fit_resample(x[["x", "flag"]], y)
    assert "redraws" not in str(error.value)


@pytest.mark.parametrize(
    ("model", "words", "told"),
    [("tabvae", (), True), ("ctgan", (), False), ("tvae2", (), False),
     ("ctgan", ("model._target_=genmodels.algorithms.prior.Prior",), True)],
)  # fmt: skip
def test_what_a_model_can_be_given_is_told_by_its_configuration(model, words, told):
    assert Synthesizer(model, overrides=words).takes_any_part() == told


def test_a_name_that_is_taken_and_numbers_in_order_are_no_obstacle():
    x, y = rows(150)
    more, _ = tiny().fit_resample(x[["x"]].rename(columns={"x": "class"}), y)
    assert list(more.columns) == ["class"]
    ordered = np.arange(150)[:, None] * 10  # as keys are
    more, _ = tiny().fit_resample(ordered, y.to_numpy())
    assert more[150:].max() <= 1490


def test_sparse_rows_keep_their_format():
    x, y = rows(150)
    dense = np.where(x[["x"]] > 0.3, x[["x"]], 0.0).repeat(2, 1)
    for kind in (sparse.csr_matrix, sparse.csc_matrix):
        more, _ = tiny().fit_resample(kind(dense), y)
        assert type(more) is kind
        assert abs(more[:150] - kind(dense)).max() == 0.0


def test_balanced_classes_need_no_model():
    x, _ = rows(100)
    even = np.arange(100) % 2
    sampler = tiny()
    more, labels = sampler.fit_resample(x, even)
    assert len(more) == len(labels) == 100
    assert not hasattr(sampler, "synthesizer_")


def test_it_works_in_a_pipeline_under_cross_validation():
    x, y = rows(300)
    pipeline = make_pipeline(tiny(), LogisticRegression())
    scores = cross_val_score(clone(pipeline), x[["x", "flag"]], y == "rare", cv=2)
    assert scores.min() > 0.5
