"""Epidemics keep their people, and end, die out and run as theory says."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binomtest

from genmodels.simulators.health.course import course_of
from genmodels.simulators.health.disease import DELAYS
from genmodels.simulators.health.draws import generator
from genmodels.simulators.health.engines import days, steps
from genmodels.simulators.health.mean_field import expected_onsets
from genmodels.simulators.health.policy import Vaccination, contact_factors
from genmodels.simulators.health.reporting import Reporting
from tests.simulators.epidemics import disease, epidemic, ode, population, three_groups

METHODS = ("tau_leaping", "gillespie")
SHOTS = {"from_day": 5, "per_day": 40, "efficacy": 0.7, "efficacy_severe": 0.5, "uptake": 0.6}
ALL_REPORTED = Reporting(rate=1.0, delay=[0.0, 0.0])


def rng(seed=0):
    return generator("epidemic", seed=seed, block=0)


def courses(model, runs, seed=0, reporting=ALL_REPORTED):
    return course_of(model, reporting, seed=seed, block=0, runs=runs)


def everybody(state):
    return sum(x.sum(1) for x in (state.s, state.e, state.i, state.r, state.d))


@pytest.mark.parametrize("order", ["oldest", "youngest", "even"])
@pytest.mark.parametrize("method", METHODS)
def test_nobody_is_lost_or_negative_at_any_step(method, order):
    shots = Vaccination(**SHOTS, order=order)
    model = epidemic(three_groups(2000, immune=0.1), method=method, vaccination=shots, days=60)
    course = days(model, 20, rng()) if method == "gillespie" else steps(model, 20, rng())
    seen = 0
    for state, flows in course:
        seen += 1
        assert (everybody(state) == 2000).all()
        assert all((x >= 0).all() for x in vars(state).values())
        assert (flows.died <= flows.removed).all()
        group = state.s + state.e + state.i + state.r + state.d
        assert (group[:, :3] + group[:, 3:] == model.sizes).all()
    assert seen == (60 if method == "gillespie" else 240)


def test_the_compartments_by_day_add_up_to_the_age_group():
    model = epidemic(three_groups(2000), vaccination=Vaccination(**SHOTS))
    course = courses(model, 30)
    names = ("susceptible", "vaccinated", "exposed", "infectious", "recovered", "dead")
    assert (sum(getattr(course, name) for name in names) == model.sizes).all()
    assert (course.deaths.sum(0) == course.dead[-1]).all()
    assert (course.vaccinated[-1] <= course.doses.sum(0)).all()
    assert (course.doses.sum((0,)) <= np.floor(0.6 * model.sizes)).all()
    assert (course.doses.sum(2).max(0) == 40).all()
    assert (course.doses[:5] == 0).all()


def final_share(r0):
    return brentq(lambda z: z - 1 + math.exp(-r0 * z), 1e-9, 1.0) if r0 > 1 else 0.0


@pytest.mark.parametrize("r0", [1.5, 2.5])
@pytest.mark.parametrize(("method", "size"), [("gillespie", 2000), ("tau_leaping", 200_000)])
def test_the_final_size_solves_its_equation(method, size, r0):
    model = epidemic(
        population(size), disease(r0, latent=1.0, infectious=2.0), method=method, days=150,
        initial=20, steps_per_day=2,
    )  # fmt: skip
    course = courses(model, 64)
    share = (course.infections.sum((0, 2)) + 20) / size
    took_off = share > 0.1
    error = share[took_off].std() / math.sqrt(took_off.sum())
    # Who brought it adds to the force of infection: z = 1 - s0 e^(-R0 z).
    start = 20 / size
    expected = brentq(lambda z: z - 1 + (1 - start) * math.exp(-r0 * z), 1e-3, 1.0)
    assert expected == pytest.approx(final_share(r0), abs=0.02)
    bias = 2.0 / size / (1 - r0 * (1 - expected)) ** 2  # of order 1 / N
    assert abs(share[took_off].mean() - expected) < 4 * error + bias
    assert (course.exposed[-1] + course.infectious[-1] == 0).all()


@pytest.mark.parametrize("first", [1, 3])
@pytest.mark.parametrize("method", METHODS)
def test_an_outbreak_dies_out_at_once_with_the_probability_of_a_branching_process(method, first):
    """(1 / R0)^I0 of exponential infectious periods; of geometric ones the root of q = G(q)."""
    r0, step = 2.0, 0.5
    sickness = disease(r0, latent=1.0, infectious=2.0)
    model = epidemic(
        population(1500), sickness, method=method, initial=first, days=60, steps_per_day=2
    )
    infected = courses(model, 400).infections.sum((0, 2)) + first
    died_out = int((infected < 200).sum())
    q = 1 / r0
    if method == "tau_leaping":
        p = step / 2.0

        def offspring(q):
            poisson = math.exp(r0 * p * (q - 1))
            return p * poisson / (1 - (1 - p) * poisson) - q

        q = brentq(offspring, 0.01, 0.99)
        assert q < 1 / r0
    assert binomtest(died_out, 400, q**first).pvalue > 0.01


@pytest.mark.parametrize("interventions", [(), ({"from_day": 15, "to_day": 40, "contacts": 0.3},)])
@pytest.mark.parametrize("method", METHODS)
def test_the_mean_of_many_runs_is_the_solution_of_the_equations(method, interventions):
    size = 10_000 if method == "gillespie" else 200_000
    model = epidemic(
        three_groups(size), disease(2.5, 2.0, 3.0), method=method, initial=size // 50, days=60,
        steps_per_day=32, interventions=interventions,
    )  # fmt: skip
    course = courses(model, 8 if method == "gillespie" else 16)
    s, e, i, _ = ode(model, 60)
    tolerance = (0.015 if method == "gillespie" else 0.008) * size
    assert np.abs(course.susceptible.mean(1) - s.T).max() < tolerance
    assert np.abs(course.exposed.mean(1) - e.T).max() < tolerance
    assert np.abs(course.infectious.mean(1) - i.T).max() < tolerance


def test_the_fluid_limit_is_the_mean_of_many_runs_of_its_steps():
    shots = Vaccination(**{**SHOTS, "per_day": 8000, "order": "even"})
    model = epidemic(
        three_groups(2_000_000), disease(2.5), initial=2000, vaccination=shots, days=80
    )
    found = courses(model, 8).onsets.sum(2).mean(1)
    values = expected_onsets(model, r0=np.array([2.5]), initial=np.array([2000.0]), days=80)
    assert np.abs(found - values[:, 0]).max() < 0.02 * values.max()


def test_r0_is_the_dominant_eigenvalue_of_the_next_generation_matrix():
    model = epidemic(three_groups(), disease(3.3), vaccination=Vaccination(**SHOTS))
    flow = model.sizes[:, None] * model.population.contacts
    assert np.allclose(flow, flow.T)
    first = model.force[:3, :3].T * model.sizes[:, None] * 5.0
    assert max(abs(np.linalg.eigvals(first))) == pytest.approx(3.3)
    assert np.allclose(model.force[:, 3:], 0.3 * model.force[:, :3])
    assert np.allclose(model.fatality[3:], 0.5 * model.fatality[:3])


def test_the_size_of_a_step_changes_neither_periods_nor_growth_to_first_order():
    found = []
    for rate in (1, 4, 16):
        model = epidemic(
            population(1_000_000), disease(1.5, 4.0, 6.0), initial=100, steps_per_day=rate
        )
        values = expected_onsets(model, r0=np.array([1.5]), initial=np.array([1e2]), days=60)
        found.append(math.log(values[59, 0] / values[39, 0]) / 20)
    # r of the equations: (1 + 4 r) (1 + 6 r) = R0
    r = (-10 + math.sqrt(100 + 96 * 0.5)) / 48
    assert found[2] == pytest.approx(r, rel=0.02)
    assert abs(found[1] - found[2]) < abs(found[0] - found[2]) < 0.1 * r


def test_reports_are_some_of_the_cases_later_and_fewer_at_weekends():
    cases = np.zeros((60, 1, 1), dtype=np.int64)
    cases[3] = 200_000
    plain = Reporting(rate=0.25, delay=[4.0, 2.0])
    start = epidemic().start  # a Saturday
    counts = plain.drawn(cases, start, rng())
    assert counts.sum() == pytest.approx(50_000, rel=0.02)
    assert counts[:3].sum() == 0
    days_later = np.arange(60) - 3
    assert (counts[:, 0, 0] * days_later).sum() / counts.sum() == pytest.approx(4.0, abs=0.05)
    rate = np.array([0.25])
    mean = plain.expected(cases[:, :, 0].astype(float), rate, start)
    assert np.abs(counts[:, 0, 0] - mean[:, 0]).max() < 5 * math.sqrt(mean.max())
    steady = np.full((56, 1, 1), 10_000, dtype=np.int64)
    slow = Reporting(rate=0.25, delay=[0.0, 0.0], weekend=0.5)
    found = slow.drawn(steady, start, rng())[:, 0, 0].reshape(8, 7).mean(0)
    expected = np.array([1250, 1875, 4375, 2500, 2500, 2500, 2500])
    assert np.allclose(found[[0, 3, 4, 5, 6]], expected[[0, 3, 4, 5, 6]], rtol=0.05)
    assert found.sum() == pytest.approx(7 * 2500, rel=0.02)
    means = slow.expected(steady[:, :, 0].astype(float), rate, start)[7:14, 0]
    assert means == pytest.approx(expected)


def test_interventions_of_one_time_multiply_and_end_when_they_are_said_to():
    told = [{"from_day": 2, "to_day": 4, "contacts": 0.5}, {"from_day": 3, "contacts": 0.4}]
    assert contact_factors(told, 6).tolist() == pytest.approx([1, 1, 0.5, 0.2, 0.4, 0.4])


def test_less_contact_and_vaccination_infect_fewer():
    plain, runs = epidemic(three_groups(20_000), disease(2.0), days=200), 20
    apart = epidemic(
        three_groups(20_000), disease(2.0), days=200,
        interventions=[{"from_day": 20, "contacts": 0.4}],
    )  # fmt: skip
    shots = epidemic(
        three_groups(20_000), disease(2.0), days=200,
        vaccination=Vaccination(from_day=0, per_day=600, efficacy=0.9),
    )  # fmt: skip
    every, few, some = (courses(m, runs).infections.sum() for m in (plain, apart, shots))
    assert few < 0.3 * every
    assert some < 0.5 * every


def test_an_immune_share_above_the_threshold_stops_an_outbreak():
    course = courses(epidemic(population(50_000, immune=0.6), disease(2.0)), 50)
    assert course.infections.sum((0, 2)).mean() < 100


def delays(*more, days=(1, 1)):
    return {name: list(days) for name in (*DELAYS, *more)}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: disease(-1.0), "r0 must be at least 0, got -1"),
        (lambda: disease(math.nan), "r0 must be finite"),
        (lambda: disease("high"), "r0 must be a number, got 'high'"),
        (lambda: disease(latent=0.0), "latent_days must be above 0"),
        (lambda: disease(ages=[50, 10, 80]), "ages must rise"),
        (lambda: disease(symptomatic=[0.5, 1.2, 0.1]), r"share in \[0, 1\], got 1.2"),
        (lambda: disease(delays={"onset": [1, 1]}), "delays lacks test"),
        (lambda: disease(delays=delays("rash")), "has no rash"),
        (lambda: disease(delays=delays(days=(0, 1))), "a mean of 0 days has no"),
        (lambda: three_groups(immune=-0.1), r"immune must be a share in \[0, 1\], got -0.1"),
        (lambda: population(contacts=[[1, 2]]), "contacts must be a square matrix"),
        (lambda: population(contacts=[[1, 2], [3, 4]]), "must have 1 rows of 1"),
        (lambda: population(contacts=[[-1.0]]), "contacts must be at least 0, got -1"),
        (lambda: population(contacts=[[0.0]]), "no contact at all"),
        (lambda: population(groups=[5]), "rise from 0"),
        (lambda: three_groups(shares=[0.5, 0.2, 0.2]), "must sum to 1, they sum to 0.9"),
        (lambda: population(size=0), "size must be at least 1, got 0"),
        (lambda: three_groups(size=2), "too few for 3 groups"),
        (lambda: epidemic(start="soon"), "must be a date such as 2020-03-01, got 'soon'"),
        (lambda: epidemic(method="exact"), "must be tau_leaping or gillespie"),
        (lambda: epidemic(population(10**6), method="gillespie"), "1,000,000 has too many"),
        (lambda: epidemic(initial=20_000), "more than the 10,000 people who can be infected"),
        (lambda: epidemic(sickness=disease(latent=0.1)), "too few for a period of 0.1 days"),
        (lambda: epidemic(interventions=[{"contacts": 1}]), "lacks from_day"),
        (lambda: epidemic(interventions=3), "must be a list of"),
        (lambda: contact_factors([{"from_day": 9, "contacts": 1}], 9), "not before the end"),
        (lambda: Vaccination(from_day=0, per_day=5, efficacy=2.0), r"efficacy must be a share"),
        (lambda: Reporting(rate=-0.1, delay=[1, 1]), r"rate must be a share in \[0, 1\]"),
    ],
)
def test_impossible_epidemics_are_refused_in_one_line(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)
