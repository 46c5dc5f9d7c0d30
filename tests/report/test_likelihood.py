import numpy as np
import pytest

from genmodels.report.likelihood import likelihood_gap, with_section
from genmodels.report.page.summary import verdict
from genmodels.report.rows import Report, Row, Section


def draw(mean, n, seed):
    return np.random.default_rng(seed).normal(mean, 1, n)


def test_equal_likelihoods_are_level():
    section = likelihood_gap(draw(0, 3000, 1), draw(0, 3000, 2), exact=False, seed=0)
    assert {verdict(row) for row in section.rows} == {"level with held-out real data"}


def test_a_shift_of_one_deviation_has_its_closed_form():
    area, gap = likelihood_gap(draw(1, 20_000, 1), draw(0, 20_000, 2), exact=False, seed=0).rows
    # P(X > Y) = Phi(1 / sqrt 2), mean gap 1 with variance 2 / n
    assert area.value == pytest.approx(0.76025, abs=0.005)
    assert gap.value == pytest.approx(1.0, abs=0.03)
    half = (gap.interval[1] - gap.interval[0]) / 2
    assert half == pytest.approx(1.96 * (2 / 20_000) ** 0.5, rel=0.03)
    assert "level" not in verdict(area)


def test_a_model_that_fits_held_out_rows_better_is_no_copier():
    section = likelihood_gap(draw(-1, 500, 1), draw(0, 500, 2), exact=False, seed=0)
    assert verdict(section.rows[0]) == "level with held-out real data"


def test_values_that_are_not_finite_or_too_few_give_no_section():
    assert likelihood_gap(np.array([1.0, np.nan]), draw(0, 5, 1), exact=False, seed=0) is None
    assert likelihood_gap(np.array([1.0]), draw(0, 5, 1), exact=False, seed=0) is None


def test_the_section_comes_behind_the_last_of_its_axis():
    def section(axis):
        return Section(axis, "", (Row(axis, "x", 0, 0, 0, 0, "lower", 1, 0),))

    report = Report("r", {}, tuple(map(section, ("fidelity", "memorisation", "coverage"))))
    found = likelihood_gap(draw(0, 50, 1), draw(0, 50, 2), exact=False, seed=0)
    titles = [s.title for s in with_section(report, found).sections]
    assert titles == ["fidelity", "memorisation", found.title, "coverage"]
    assert with_section(Report("r", {}, ()), found).sections == (found,)


def test_the_text_says_whether_likelihoods_are_exact():
    sides = draw(0, 50, 1), draw(0, 50, 2)
    texts = {exact: likelihood_gap(*sides, exact=exact, seed=0).text for exact in (True, False)}
    assert "exact" in texts[True]
    assert "bound" not in texts[True]
    assert "lower bound" in texts[False]
    assert "exact" not in texts[False]


def test_bits_stand_in_a_table_with_their_interval():
    bounds = draw(0, 400, 1), draw(0, 400, 2)
    section = likelihood_gap(*bounds, exact=False, seed=0, bits=(draw(3, 400, 3), draw(4, 400, 4)))
    (detail,) = section.details
    trained, held_out = detail.lines
    assert trained[:2] == ("training rows", 400)
    assert trained[2] == pytest.approx(3, abs=0.2)
    assert held_out[2] == pytest.approx(4, abs=0.2)
    assert held_out[4] - held_out[3] == pytest.approx(2 * 1.96 / 20, rel=0.15)


def test_why_there_are_no_bits_is_said():
    section = likelihood_gap(
        draw(0, 9, 1), draw(0, 9, 2), exact=False, seed=0, bits="a density is no mass"
    )
    assert section.text.endswith("It gives no bits per dimension: a density is no mass.")
    assert section.details == ()
    assert "bits" not in likelihood_gap(draw(0, 9, 1), draw(0, 9, 2), exact=False, seed=0).text
