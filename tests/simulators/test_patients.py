"""The patients of a line list are the epidemic, person by person, with dates in order."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import binomtest, multivariate_normal, norm

from genmodels.data.parse import apply_schema
from genmodels.simulators.health.comorbidities import Comorbidities
from genmodels.simulators.health.draws import generator
from genmodels.simulators.health.engines import steps
from genmodels.simulators.health.outbreak import outbreak
from genmodels.simulators.health.profiles import severities
from tests.simulators.epidemics import shipped

CPU = torch.device("cpu")
SMALL = ("simulator.model.population.size=12000", "simulator.model.days=150")
SHOTS = (
    "vaccination=doses",
    "simulator.model.vaccination.from_day=10",
    "simulator.model.vaccination.per_day=150",
)
ILLNESSES = ("obesity", "hypertension", "diabetes", "heart_disease", "lung_disease")
ILLNESSES += ("kidney_disease",)
DATES = ("infected_date", "infectious_date", "onset_date", "test_date", "admission_date")
DATES += ("outcome_date",)


def rows(simulator, n, seed=0):
    size = simulator.block_rows
    blocks = [simulator.block(b, seed=seed, device=CPU) for b in range(-(-n // size))]
    return pd.concat([block.to_pandas() for block in blocks], ignore_index=True).head(n)


@pytest.fixture(scope="module")
def vaccinated():
    simulator = shipped("patients", *SMALL, *SHOTS, "simulator.complete=true")
    return simulator, rows(simulator, simulator.seeded(3).facts()["first_outbreak"], seed=3)


@pytest.fixture(scope="module")
def plain():
    simulator = shipped("patients")
    return simulator, rows(simulator, 60_000, seed=1)


@pytest.fixture(scope="module")
def complete():
    simulator = shipped("patients", "simulator.complete=true")
    return simulator, rows(simulator, 60_000, seed=1)


def test_the_patients_of_an_outbreak_are_its_epidemic(vaccinated):
    simulator, table = vaccinated
    model, rate = simulator.model, simulator.model.steps_per_day
    course = list(steps(model, 1, generator("epidemic", seed=3, block=0)))
    flows = {
        name: np.concatenate([getattr(f, name) for _, f in course]).reshape(-1, rate, 6).sum(1)
        for name in ("infected", "infectious", "removed", "died")
    }
    assert (course[-1][0].e + course[-1][0].i).sum() == 0
    assert (table["outbreak"] == 0).all()
    assert len(table) == flows["infected"].sum() + model.initial
    group = np.digitize(table["age"], model.population.groups) - 1
    stratum = group + 3 * table["vaccinated"].to_numpy(dtype=int)
    for name in ("infected", "infectious"):
        day = (table[f"{name}_date"] - pd.Timestamp(model.start)).dt.days.to_numpy()
        assert (day < 0).sum() == model.initial
        for k in range(6):
            found = np.bincount(day[(stratum == k) & (day >= 0)], minlength=model.days)
            assert (found == flows[name][:, k]).all()
    died = (table["outcome"] == "died").to_numpy()
    assert (np.bincount(stratum[died], minlength=6) == flows["died"].sum(0)).all()
    assert table["vaccinated"].sum() > 200


def test_every_step_of_an_outbreak_is_that_of_the_chain():
    model = shipped("patients", *SMALL).model
    found = outbreak(model, seed=5, number=2)
    chain = steps(model, 1, generator("epidemic", seed=5, block=2))
    for step, (_, flows) in enumerate(chain, 1):
        for name in ("infected", "infectious", "removed"):
            mine = np.bincount(found.stratum[getattr(found, name) == step], minlength=3)
            assert (mine == getattr(flows, name)[0]).all()
        dead = found.died & (found.removed == step)
        assert (np.bincount(found.stratum[dead], minlength=3) == flows.died[0]).all()
    assert (found.infected < found.infectious).all()
    assert (found.infectious < found.removed).all()


def test_an_outbreak_that_is_cut_off_is_followed_to_its_end():
    model = shipped("patients", *SMALL, "simulator.model.days=40").model
    found = outbreak(model, seed=5, number=0)
    assert (found.removed > 160).mean() > 0.2
    assert (found.infectious < found.removed).all()
    latency = (found.infectious - found.infected)[found.infected > 140] / 4
    assert latency.mean() == pytest.approx(3.0, abs=4 * 3.0 / math.sqrt(len(latency)))


def test_periods_have_their_means():
    model = shipped("patients", "simulator.model.initial=200").model
    found = outbreak(model, seed=1, number=0)
    n = len(found)
    for start, end, mean in (("infected", "infectious", 3.0), ("infectious", "removed", 5.0)):
        times = (getattr(found, end) - getattr(found, start)) / 4
        assert times.mean() == pytest.approx(mean, abs=5 * mean / math.sqrt(n))
        assert times.std() == pytest.approx(math.sqrt(mean**2 - mean / 4), rel=0.03)


@pytest.mark.parametrize("name", ["covid", "influenza", "measles"])
def test_dates_are_in_order_for_every_patient(name):
    table = rows(shipped("patients", f"disease={name}", "simulator.complete=true", *SMALL), 20_000)
    for before, after in (
        ("infected_date", "infectious_date"),
        ("infectious_date", "onset_date"),
        ("onset_date", "test_date"),
        ("onset_date", "admission_date"),
        ("test_date", "outcome_date"),
        ("admission_date", "outcome_date"),
        ("infectious_date", "outcome_date"),
    ):
        both = table[before].notna() & table[after].notna()
        assert both.sum() > 5, (before, after)
        assert (table.loc[both, before] <= table.loc[both, after]).all(), (before, after)


def test_what_is_missing_must_be_or_is_as_often_as_told(plain, complete):
    simulator, table = plain
    _, whole = complete
    ill = whole["severity"] != "asymptomatic"
    inside = whole["severity"].isin(["severe", "critical"])
    assert (whole["onset_date"].notna() == ill).all()
    assert (whole["admission_date"].notna() == inside).all()
    assert (whole["stay_days"].notna() == inside).all()
    assert (whole["intensive_care_days"].notna() == (whole["severity"] == "critical")).all()
    assert (whole["test_type"].notna() == whole["test_result"].notna()).all()
    assert whole[["outcome", "outcome_date", "cost", *ILLNESSES]].notna().all().all()
    assert (table[list(ILLNESSES)].isna().sum(axis=1).isin([0, 6])).all()
    shares = simulator.missing.state()
    for name, at in (("comorbidities", "obesity"), ("onset_date", None), ("outcome", None)):
        for level, share in zip(whole["severity"].cat.categories, shares[name], strict=True):
            there = (table["severity"] == level) & whole[at or name].notna()
            gone, count = int(table.loc[there, at or name].isna().sum()), int(there.sum())
            if count:
                assert binomtest(gone, count, share).pvalue > 1e-4, (name, level)
    same = [name for name in table if name in DATES[:2] or name in ("age", "sex", "severity")]
    pd.testing.assert_frame_equal(table[same], whole[same])


def test_prevalences_are_those_of_the_tables(complete):
    simulator, table = complete
    given, joint = simulator.comorbidities, simulator.comorbidities.joint()
    assert np.allclose(joint.sum(2), 1.0)
    assert np.abs(joint @ given.sets - given.prevalence).max() < 1e-6
    assert given.prevalence[1, 60, given.names.index("diabetes")] == 0.16
    for name in ILLNESSES:
        for number, sex in enumerate(("female", "male")):
            for low, high in ((30, 40), (55, 65), (70, 80)):
                some = table[(table["sex"] == sex) & table["age"].between(low, high)]
                expected = given.prevalence[number, some["age"], given.names.index(name)]
                error = math.sqrt((expected * (1 - expected)).sum())
                assert abs(some[name].sum() - expected.sum()) < 4.5 * error


def test_conditions_are_joined_by_a_gaussian_copula():
    told = {"female": [0.3], "male": [0.3], "admitted": 1.0, "critical": 1.0, "dies": 1.0}
    other = {**told, "female": [0.1], "male": [0.1]}
    ratios = {"admitted": 1.0, "critical": 1.0, "dies": 1.0}
    pair = Comorbidities(frailty=0.7, ages=[0], conditions={"a": told, "b": other}, male=ratios)
    limits = norm.ppf([0.3, 0.1])
    both = multivariate_normal([0, 0], [[1, 0.49], [0.49, 1]]).cdf(limits)
    assert pair.joint()[0, 40] == pytest.approx([1 - 0.4 + both, 0.3 - both, 0.1 - both, both])


def test_severity_is_as_the_disease_says_at_each_age_whoever_has_what():
    simulator = shipped("patients")
    stages = simulator.model.disease.stages
    table = severities(simulator.model, simulator.comorbidities)
    assert np.allclose(table.sum((1, 2, 3, 4)), 1.0)
    level = table.sum((1, 2, 4))
    ill, inside = level[:, 1:].sum(1), level[:, 2:].sum(1)
    assert np.allclose(ill, stages["symptomatic"])
    assert np.allclose(inside / ill, stages["admitted"])
    assert np.allclose(level[:, 3] / inside, stages["critical"])
    assert np.allclose(table[..., 1].sum((1, 2, 3)), simulator.model.disease.fatality)
    assert np.allclose(table[:, 0].sum((1, 2, 3)), 1 - simulator.model.population.male)
    # The odds ratio of one condition among people alike in all else.
    diabetes = 1 << simulator.comorbidities.names.index("diabetes")
    admitted = table[60, 0, :, 2:].sum((1, 2)) / table[60, 0, :, 1:].sum((1, 2))
    odds = admitted / (1 - admitted)
    assert odds[diabetes] / odds[0] == pytest.approx(1.7)


def test_the_sick_have_what_raises_their_risk(complete):
    _, table = complete
    middle = table[table["age"].between(50, 70)]
    share = middle.groupby("severity", observed=True)["diabetes"].apply(lambda x: x.mean())
    assert share["critical"] > 1.5 * share["asymptomatic"]
    assert share["severe"] > 1.3 * share["asymptomatic"]
    cost = table.groupby("severity", observed=True)["cost"].mean()
    assert cost["critical"] > cost["severe"] > cost["mild"] > cost["asymptomatic"]


def test_tests_find_as_many_as_they_are_sensitive(complete):
    _, table = complete
    for kind, sensitivity in (("pcr", 0.92), ("antigen", 0.72)):
        results = table.loc[table["test_type"] == kind, "test_result"]
        positive = int((results == "positive").sum())
        assert binomtest(positive, len(results), sensitivity).pvalue > 1e-4
    mild = table[table["severity"] == "mild"]
    assert binomtest(int(mild["test_type"].notna().sum()), len(mild), 0.45).pvalue > 1e-4


def test_vaccinated_patients_are_less_often_admitted(vaccinated):
    simulator, _ = vaccinated
    stratum = np.repeat([2, 5], 40_000)
    who = simulator.profiles.draw(stratum, np.zeros(80_000, dtype=bool), np.random.default_rng(0))
    inside = (who.severity >= 2).reshape(2, -1).mean(1)
    assert inside[1] == pytest.approx(0.4 * inside[0], rel=0.1)


def test_any_first_patients_are_a_sample_of_the_outbreak(plain):
    _, table = plain
    day = (table["infected_date"] - table["infected_date"].min()).dt.days
    first, error = day[:3000], day.std() / math.sqrt(3000)
    assert abs(first.mean() - day.mean()) < 4 * error
    assert abs(day[:30_000].autocorr()) < 0.03


def test_a_patient_is_the_same_to_the_byte_whoever_asks_and_when():
    words = ("simulator.model.population.size=9000", "simulator.model.days=100")
    one, other = shipped("patients", *words), shipped("patients", *words)
    forward = [one.block(b, seed=7, device=CPU) for b in range(3)]
    backward = [other.block(b, seed=7, device=CPU) for b in reversed(range(3))]
    assert all(a.equals(b) for a, b in zip(forward, reversed(backward), strict=True))
    assert not one.block(0, seed=8, device=CPU).equals(forward[0])
    numbers = np.concatenate([block["patient"].to_numpy() for block in forward])
    assert (numbers == np.arange(len(numbers))).all()
    which = np.concatenate([block["outbreak"].to_numpy() for block in forward])
    sizes = np.bincount(which)
    assert (np.diff(which) >= 0).all()
    assert sizes[0] == one.seeded(7).facts()["first_outbreak"]
    assert sizes[1] == len(outbreak(one.model, seed=7, number=1))


@pytest.mark.parametrize("words", [(), ("simulator.complete=true", *SHOTS)])
def test_rows_are_as_their_schema_says(words):
    simulator = shipped("patients", *SMALL, *words)
    block = simulator.block(0, seed=0, device=CPU)
    assert tuple(block.column_names) == simulator.schema.names
    parsed = apply_schema(block, simulator.schema)
    assert parsed.num_rows == block.num_rows
    for column in simulator.schema.columns:
        assert column.nullable or not block[column.name].null_count, column.name
        assert parsed[column.name].null_count == block[column.name].null_count, column.name


def test_without_truth_nobody_knows_when_patients_were_infected():
    names = shipped("patients", "simulator.truth=false").schema.names
    assert "infected_date" not in names
    assert "onset_date" in names


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["simulator.comorbidities.frailty=1"], "must be below 1"),
        (["simulator.comorbidities.conditions.obesity.male=[0.1]"], "must have 5 numbers, got 1"),
        (["simulator.comorbidities.conditions.obesity.dies=0"], "obesity.dies must be above 0"),
        (["+simulator.comorbidities.conditions.asthma={female: [0]}"], "asthma lacks male"),
        (["simulator.care.tested=[0.1,0.2]"], "care.tested must have 4 numbers"),
        (["simulator.care.cost_visit=-1"], "cost_visit must be at least 0"),
        (["simulator.care.sensitivity.pcr=2"], r"sensitivity must be a share in \[0, 1\]"),
        (["simulator.missing.cost=[0,0,0,-1]"], r"missing.cost must be a share in \[0, 1\]"),
        (["simulator.model.method=gillespie", SMALL[0]], "tau_leaping alone"),
    ],
)
def test_impossible_patients_are_refused_in_one_line(words, message):
    with pytest.raises(ValueError, match=message) as error:
        shipped("patients", *words)
    assert "\n" not in str(error.value)
