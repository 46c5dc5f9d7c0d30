"""New rows of a table: SMOTE's own, noise within bounds, means of two, gaps; labels stay."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from imblearn.over_sampling import SMOTE as TheirSMOTE
from imblearn.over_sampling import SMOTENC as TheirSMOTENC

from genmodels.augmentation.amounts import Amount, plan_of
from genmodels.augmentation.dropout import Dropout
from genmodels.augmentation.groups import fixed_names, groups_of
from genmodels.augmentation.jitter import Jitter
from genmodels.augmentation.mixup import Mixup
from genmodels.augmentation.smote import SMOTE
from genmodels.data.infer import infer_schema
from genmodels.data.parse import apply_schema
from genmodels.data.sources.frame import frame_table
from tests.augmentation.rows import people

JITTER = {"scale": 0.05, "redraw": 0.0, "frequent": 1.0}
PLAIN = {"neighbours": 5, "standardise": False, "rounded": False}


def typed(frame, target="ill", **told):
    table = frame_table(frame)
    schema = infer_schema(table, target=target, **told)
    return apply_schema(table, schema), schema


def made(recipe, frame, amount, target="ill", seed=0, counted=None, **told):
    table, schema = typed(frame, target, **told)
    groups = groups_of(table, schema, counted, key="balance")
    plan = plan_of(groups, amount, seed=seed)
    fixed = fixed_names(schema, groups.name)
    fitted = recipe.fit(table, schema, plan, fixed)
    blocks = -(-plan.rows // fitted.block_rows)
    rows = pa.concat_tables([fitted.block(k) for k in range(blocks)])
    assert rows.schema == table.schema
    return rows.to_pandas(), table.take(pa.array(plan.parents())).to_pandas()


def test_smote_of_numbers_is_that_of_imbalanced_learn():
    frame = people(gaps=False)[["income", "ill"]].assign(
        x=np.random.default_rng(1).normal(size=400)
    )
    found, _ = made(SMOTE(**PLAIN), frame, Amount(balance=True), seed=7)
    x, y = TheirSMOTE(random_state=7).fit_resample(frame[["income", "x"]], frame["ill"])
    wanted = x.iloc[400:].reset_index(drop=True)
    pd.testing.assert_frame_equal(found[["income", "x"]], wanted, check_exact=True)
    assert (found["ill"].astype(str) == y.iloc[400:].to_numpy()).all()


def test_smotenc_of_categories_is_that_of_imbalanced_learn():
    frame = people(gaps=False)[["income", "city", "ill"]]
    found, _ = made(SMOTE(**PLAIN), frame, Amount(balance=True), seed=2)
    theirs = TheirSMOTENC(categorical_features=["city"], random_state=2)
    x, _ = theirs.fit_resample(frame[["income", "city"]], frame["ill"])
    assert (found["income"].to_numpy() == x["income"].iloc[400:].to_numpy()).all()
    assert (found["city"].astype(str).to_numpy() == x["city"].iloc[400:].to_numpy()).all()


def test_smote_of_standardised_numbers_finds_their_neighbours():
    frame = people(gaps=False)[["age", "income", "ill"]].astype({"age": float})
    kinds = {"age": {"kind": "continuous", "decimals": None}}
    recipe = SMOTE(neighbours=3, standardise=True, rounded=False)
    found, _ = made(recipe, frame, Amount(balance=True), seed=5, overrides=kinds)
    x = frame[["age", "income"]]
    z = (x - x.mean()) / x.std(ddof=0)
    theirs = TheirSMOTE(random_state=5, k_neighbors=3).fit_resample(z, frame["ill"])[0].iloc[400:]
    wanted = theirs * x.std(ddof=0) + x.mean()
    np.testing.assert_allclose(found[["age", "income"]], wanted, rtol=1e-10)


def test_smote_keeps_whole_numbers_dates_and_ranges_and_fills_gaps():
    frame = people()
    found, parents = made(SMOTE(**PLAIN), frame, Amount(balance=True))
    assert found["age"].between(frame["age"].min(), frame["age"].max()).all()
    assert (found["joined"] == found["joined"].dt.normalize()).all()
    assert frame["income"].isna().any()
    assert found["income"].notna().all()
    assert (found["ill"] == parents["ill"]).all()
    assert found["id"].tolist() == list(range(500, 500 + len(found)))


def test_smote_of_another_column_keeps_the_label_of_its_class():
    frame = people()
    found, parents = made(SMOTE(**PLAIN), frame, Amount(balance=True), counted="city")
    for name in ("city", "ill"):
        assert (found[name].astype(str) == parents[name].astype(str)).all()
    counts = pd.concat([frame["city"], found["city"].astype(str)]).value_counts()
    assert counts.nunique() == 1


def test_jitter_stays_in_range_keeps_whole_numbers_decimals_gaps_and_labels():
    frame = people()
    found, parents = made(Jitter(**JITTER), frame, Amount(ratio=3.0))
    assert len(found) == 1200
    for name in ("age", "income", "joined"):
        low, high = frame[name].min(), frame[name].max()
        assert found[name].dropna().between(low, high).all()
        assert (found[name].isna() == parents[name].isna()).all()
    assert found["age"].dtype.kind == "i"
    np.testing.assert_allclose(found["income"], found["income"].round(2), atol=1e-9)
    assert (found["joined"] == found["joined"].dt.normalize()).all()
    for name in ("city", "ill"):
        assert (found[name].astype(str) == parents[name].astype(str)).all()
    moved = (found["income"] - parents["income"]).dropna()
    assert moved.std() == pytest.approx(0.05 * frame["income"].std(), rel=0.1)


def test_jitter_leaves_frequent_numbers_where_they_are():
    gain = np.where(np.arange(400) % 2, 0.0, np.random.default_rng(0).normal(50, 5, 400))
    frame = people()[["ill"]].assign(gain=gain)
    found, parents = made(Jitter(**JITTER | {"frequent": 0.3}), frame, Amount(ratio=1.0))
    assert (found["gain"] == 0).sum() == 200
    rest = parents["gain"] != 0
    assert (found["gain"] != parents["gain"])[rest].all()


def test_jitter_redraws_categories_from_all_rows():
    frame = people(2000)
    found, parents = made(Jitter(**JITTER | {"redraw": 0.5}), frame, Amount(ratio=1.0))
    changed = (found["city"].astype(str) != parents["city"].astype(str)).mean()
    shares = frame["city"].value_counts(normalize=True)
    assert changed == pytest.approx(0.5 * (1 - (shares**2).sum()), abs=0.03)
    assert (found["ill"] == parents["ill"]).all()


def test_mixup_lies_between_two_rows_of_a_class():
    frame = people()
    frame.loc[frame["ill"] == "yes", "age"] += 1000
    found, parents = made(Mixup(alpha=1.0), frame, Amount(ratio=2.0))
    for ill, part in found.groupby("ill", observed=True):
        real = frame[frame["ill"] == ill]
        assert part["age"].between(real["age"].min(), real["age"].max()).all()
        assert set(part["city"].astype(str)) <= set(real["city"])
    assert (found["ill"] == parents["ill"]).all()
    assert (found["age"] != parents["age"]).mean() > 0.5


def test_mixup_interpolates_a_target_that_is_a_number():
    frame = pd.DataFrame({"x": np.random.default_rng(0).uniform(0, 500, 500)})
    frame["y"] = 2 * frame["x"] + 1
    found, parents = made(Mixup(alpha=1.0), frame, Amount(ratio=1.0), target="y")
    np.testing.assert_allclose(found["y"], 2 * found["x"] + 1, rtol=1e-12)
    assert (found["x"] - parents["x"]).abs().mean() > 10


def test_dropout_takes_cells_away_and_never_labels():
    frame = people(2000, gaps=False)
    found, parents = made(Dropout(share=0.2, columns=[]), frame, Amount(ratio=1.0))
    for name in ("age", "city", "income", "joined"):
        assert found[name].isna().mean() == pytest.approx(0.2, abs=0.03)
        there = found[name].notna()
        assert (found[name][there] == parents[name][there]).all()
    assert found["ill"].notna().all()
    found, _ = made(Dropout(share=0.2, columns=["city"]), frame, Amount(ratio=1.0))
    assert found["age"].notna().all()
    assert found["city"].isna().any()


def test_dropout_says_that_cells_may_be_missing():
    _, schema = typed(people(gaps=False))
    told = Dropout(share=0.1, columns=["city"]).schema(schema, ("ill",))
    assert told["city"].nullable
    assert not told["age"].nullable
    with pytest.raises(ValueError, match="did you mean 'city'"):
        Dropout(share=0.1, columns=["cite"]).schema(schema, ("ill",))
    with pytest.raises(ValueError, match="'ill' is a label, which stays"):
        Dropout(share=0.1, columns=["ill"]).schema(schema, ("ill",))


@pytest.mark.parametrize(
    "recipe", [Jitter(**JITTER), Mixup(alpha=0.4), Dropout(share=0.3, columns=[])]
)
def test_a_row_depends_on_the_seed_and_its_number_alone(recipe):
    frame = people(3000)[["age", "income", "city"]]
    few, _ = made(recipe, frame, Amount(ratio=0.5), target=None, seed=4)
    many, _ = made(recipe, frame, Amount(ratio=2.0), target=None, seed=4)
    other, _ = made(recipe, frame, Amount(ratio=0.5), target=None, seed=5)
    pd.testing.assert_frame_equal(few, many.head(len(few)))
    assert not few.equals(other)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SMOTE(**PLAIN | {"neighbours": 0}), "recipe.neighbours must be at least 1"),
        (lambda: Jitter(**JITTER | {"scale": 2}), r"recipe.scale must be in \[0, 1\], got 2"),
        (lambda: Mixup(alpha=0), "recipe.alpha must be a number above 0"),
        (lambda: Dropout(share=-0.1, columns=[]), "recipe.share must be in"),
    ],
)
def test_impossible_settings_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
