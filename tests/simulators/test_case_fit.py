"""Fits of case counts find what the counts were simulated with, and say how surely."""

import math

import numpy as np
import pytest
from scipy.stats import nbinom

from genmodels.simulators.health.course import course_of
from genmodels.simulators.health.fit.cases import fit_cases
from genmodels.simulators.health.fit.counts import WORDS, dispersion, log_likelihood
from genmodels.simulators.health.reporting import Reporting
from tests.simulators.epidemics import disease, epidemic, population, three_groups

TRUTH = {"r0": 2.2, "reporting_rate": 0.3, "initial": 20.0}
REPORTING = Reporting(rate=0.3, delay=[4.0, 3.0], weekend=0.4)
ALL = tuple(WORDS)


def model_of(people=None, **changes):
    sickness = disease(2.2, 3.0, 5.0)
    told = {"initial": 20, "days": 120, "steps_per_day": 2}
    return epidemic(people or population(50_000), sickness, **{**told, **changes})


def counts(model, runs, seed=5, reporting=REPORTING):
    course = course_of(model, reporting, seed=seed, block=0, runs=runs)
    return course.reported.sum(2)


def fitted(y, model, finds=ALL, reporting=REPORTING, bootstrap=40):
    return fit_cases(y, model=model, reporting=reporting, finds=finds, bootstrap=bootstrap)


def test_most_intervals_of_a_few_fits_hold_the_truth():
    model, inside = model_of(), []
    blind = model.with_values(r0=1.0, initial=1)
    for y in counts(model, 6).T:
        fit = fitted(y, blind, reporting=REPORTING.with_rate(0.9))
        for e in fit.estimates[:3]:
            inside.append(abs(e.value - TRUTH[e.name]) < 1.96 * e.standard_error)
    assert np.mean(inside) > 0.8
    assert fit.model.disease.r0 == fit.estimates[0].value == pytest.approx(2.2, rel=0.05)
    assert fit.reporting.rate == fit.estimates[1].value == pytest.approx(0.3, rel=0.05)


def test_age_groups_and_policy_are_taken_as_told():
    policy = [{"from_day": 30, "to_day": 70, "contacts": 0.5}]
    model = model_of(three_groups(50_000), interventions=policy, initial=50)
    fit = fitted(counts(model, 1)[:, 0], model.with_values(r0=1.5, initial=5))
    assert fit.estimates[0].value == pytest.approx(2.2, abs=4 * fit.estimates[0].standard_error)
    assert fit.estimates[1].value == pytest.approx(0.3, abs=4 * fit.estimates[1].standard_error)
    assert fit.model.interventions == policy


def test_what_is_not_looked_for_stays_as_told_and_tells_the_rest_better():
    model = model_of()
    y = counts(model, 1)[:45, 0]
    both = fitted(y, model, finds=("model.disease.r0", "model.initial"))
    assert [e.name for e in both.estimates] == ["r0", "initial", "dispersion"]
    assert both.reporting.rate == 0.3
    every = fitted(y, model)
    assert both.estimates[0].standard_error < every.estimates[0].standard_error
    assert both.aic == pytest.approx(6 - 2 * both.log_likelihood)
    assert both.bic == pytest.approx(3 * math.log(45) - 2 * both.log_likelihood)


def test_a_population_told_twice_as_large_halves_the_rate():
    y = counts(model_of(), 1)[:, 0]
    fit, double = (fitted(y, model_of(population(size))) for size in (50_000, 100_000))
    assert double.estimates[1].value == pytest.approx(fit.estimates[1].value / 2, rel=0.02)
    assert double.estimates[0].value == pytest.approx(fit.estimates[0].value, rel=0.02)
    assert "twice as large" in " ".join(fit.lines())


def test_counts_of_early_growth_alone_are_said_to_tell_little():
    model = model_of(population(1_000_000), days=45, initial=40)
    fit = fitted(counts(model, 1)[:, 0], model)
    assert "growth is exponential" in " ".join(fit.notes)


def test_the_likelihood_is_that_of_negative_binomial_counts():
    rng = np.random.default_rng(0)
    mu, k = rng.uniform(1, 50, 400), 7.0
    y = rng.negative_binomial(k, k / (k + mu)).astype(float)
    expected = nbinom.logpmf(y, k, k / (k + mu)).sum()
    assert log_likelihood(y[:, None], mu[:, None], k)[0] == pytest.approx(expected)
    assert dispersion(y, mu) == pytest.approx(k, rel=0.25)


def test_noise_of_counting_is_found_and_widens_the_errors():
    model = model_of()
    y = counts(model, 1)[:, 0]
    noise = np.random.default_rng(1).gamma(5.0, 0.2, len(y))
    plain, noisy = fitted(y, model), fitted(np.round(y * noise), model)
    assert 2.5 < noisy.estimates[-1].value < 12
    assert noisy.estimates[1].standard_error > 2 * plain.estimates[1].standard_error
    facts = noisy.facts()
    assert set(facts["estimates"]) == {"r0", "reporting_rate", "initial", "dispersion"}


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.ones(10), "at least 14 days, got 10"),
        (np.ones(20), "at least 50 cases, got 20"),
        (np.append(np.ones(60), -1.0), "row 61 holds -1"),
        (np.append(np.ones(60), 0.5), "row 61 holds 0.5"),
        (np.append(np.ones(60), np.nan), "row 61 holds nan"),
    ],
)
def test_counts_that_cannot_be_fitted_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        fitted(y, model_of())


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"finds": ["r0"]}, "must be some of model.disease.r0"), ({"bootstrap": 2}, "at least 20")],
)
def test_a_fit_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        fitted(np.ones(100), model_of(), **changes)
