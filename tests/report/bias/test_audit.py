import numpy as np
import pyarrow as pa
import pytest

from genmodels.report.bias.audit import BiasAudit, gate_values
from genmodels.report.page.render import to_json, to_markdown
from genmodels.report.page.verdicts import judge
from genmodels.schema import Column, TableSchema
from tests.metrics.people import PEOPLE, people, replaced
from tests.metrics.simulated import shuffled

N = 3000
AUDIT = {
    "minimum": 30,
    "cases": 10,
    "bins": 4,
    "crossed": 2,
    "learner": "logistic",
    "repeats": 4,
    "model_rows": N,
    "proxy_rows": 500,
    "group_rows": 500,
    "nearest_rows": 300,
    "proxies": 3,
}


def audit(synthetic, train=None, holdout=None, schema=PEOPLE, settings=(), **words):
    said = {"sensitive": [], "edges": {}, "target": None, "positive": "yes", "blind": False}
    return BiasAudit(**{**AUDIT, **dict(settings)})(
        people(N, 1) if train is None else train,
        people(N, 2) if holdout is None else holdout,
        synthetic,
        schema,
        seed=0,
        progress=lambda _: None,
        **{**said, **words},
    )


def rows(report, start):
    return [r for r in report.rows if r.metric.startswith(start)]


def text(report):
    return to_markdown(report)


@pytest.fixture(scope="module")
def fresh():
    return audit(people(N, 3))


def test_fresh_real_rows_are_level_in_every_headline(fresh):
    told = {r.metric: judge(r) for r in fresh.rows if r.headline}
    assert len(told) > 10
    assert {m: v for m, v in told.items() if v not in ("level", "unsure")} == {}
    assert all(r.axis == "bias" for r in fresh.rows)
    assert all(r.interval is not None for r in fresh.rows)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_fresh_real_rows_pass_whatever_the_seed(seed):
    report = audit(people(N, 10 + seed), train=people(N, 20 + seed), holdout=people(N, 30 + seed))
    assert [
        r.metric for r in report.rows if r.headline and judge(r) not in ("level", "unsure")
    ] == []


def test_a_dropped_group_is_the_worst_of_its_figures():
    table = people(N, 3)
    report = audit(table.filter(pa.array(np.asarray(table["race"]) != "c")))
    (row,) = rows(report, "share of a group, race")
    assert row.value == 0.0
    assert "race=c" in row.metric
    assert judge(row) == "bad"
    assert gate_values(report)["representation"][0] == 1.0
    assert "groups that no synthetic row is in" in text(report)


def test_a_dropped_crossing_is_found_though_each_attribute_is_whole():
    table = people(N, 3)
    both = (np.asarray(table["race"]) == "b") & (np.asarray(table["sex"]) == "female")
    moved = replaced(table, "sex", np.where(both, "male", np.asarray(table["sex"])))
    report = audit(moved)
    (row,) = rows(report, "share of a group, sex x race")
    assert judge(row) in ("worse", "bad")
    (gone,) = [d for s in report.sections for d in s.details if "no synthetic row" in d.title]
    assert [line[0] for line in gone.lines] == ["sex=female, race=b"]
    assert gone.lines[0][3] < 1e-9


def test_labels_flipped_within_a_group_turn_the_gap_round():
    table = people(N, 3)
    women = np.asarray(table["sex"]) == "female"
    hired = np.where(women, "yes", np.asarray(table["hired"]))
    report = audit(replaced(table, "hired", hired))
    (label,) = rows(report, "label in a group, sex:")
    assert "sex=female" in label.metric
    assert judge(label) == "bad"
    (gap,) = rows(report, "amplification of a label gap, sex:")
    assert gap.value < 0
    assert judge(gap) in ("floor", "beyond")
    (odds,) = rows(report, "equalised odds difference, sex:")
    assert odds.value > odds.ceiling + 0.3
    assert judge(odds) in ("worse", "bad", "floor", "beyond")


def test_labels_apart_from_the_group_lose_the_gap():
    report = audit(shuffled(people(N, 3), 0))
    (gap,) = rows(report, "amplification of a label gap, sex:")
    assert abs(gap.value) < 0.3
    assert judge(gap) == "floor"
    (proxy,) = rows(report, "guessing the group, sex")
    assert proxy.value < 0.57 < 0.8 < proxy.ceiling


def test_a_group_copied_from_training_is_named():
    train, made = people(N, 1), people(N, 3)
    mine, other = (np.asarray(t["race"]) == "b" for t in (train, made))
    mixed = pa.concat_tables([train.filter(pa.array(mine)), made.filter(pa.array(~other))])
    report = audit(mixed, train=train)
    (row,) = rows(report, "copies in a group, race")
    assert "race=b" in row.metric
    assert row.value == 1.0
    assert judge(row) == "floor"
    assert gate_values(report)["copies"][0] > 0.9


def test_a_limit_looks_at_the_group_that_is_off_the_furthest_not_the_surest():
    # "big" has 0.75 of its share beyond any doubt; "few" has half of its own, hardly surely.
    def with_race(seed, shares):
        names = np.array(["big", "few", "c", "d", "e"])
        drawn = np.repeat(names, [round(N * share) for share in shares])
        return replaced(people(N, seed), "race", drawn)

    train, holdout = (with_race(k, (0.5, 0.02, 0.16, 0.16, 0.16)) for k in (1, 2))
    made = with_race(3, (0.375, 0.01, 0.205, 0.205, 0.205))
    report = audit(made, train, holdout, sensitive=["race"])
    (surest,) = rows(report, "share of a group, race")
    (furthest,) = rows(report, "share of a group (furthest off), race")
    assert "race=big" in surest.metric
    assert surest.value == pytest.approx(0.75)
    assert "race=few" in furthest.metric
    assert not furthest.headline
    worst, row = gate_values(report)["representation"]
    assert worst == pytest.approx(0.5)
    assert row is furthest


def test_a_limit_looks_at_the_group_with_the_most_copies_beyond_held_out_rows():
    # Half of the many rows of "a" are copies for sure; so are all of the few of "tiny".
    race = np.repeat(["a", "tiny"], [N - 40, 40])
    train, holdout = (replaced(people(N, k), "race", race) for k in (1, 2))
    fresh = replaced(people(N, 3), "race", race)
    copied = np.arange(N) < (N - 40) // 2
    kept = [train.filter(pa.array(copied)), fresh.filter(pa.array(~copied & (race == "a")))]
    few = train.slice(N - 40, 36)
    mixed = pa.concat_tables([*kept, few, fresh.slice(N - 4, 4)])
    report = audit(mixed, train, holdout, sensitive=["race"])
    found = rows(report, "copies in a group, race") + rows(report, "copies in a group (most), race")
    worst = gate_values(report)["copies"][0]
    assert worst == max(row.value - row.ceiling for row in found)
    assert worst == pytest.approx(0.9)


def test_amplification_is_judged_against_all_of_the_gap(fresh):
    made = rows(fresh, "amplification of a label gap")
    assert made
    assert [row.ceiling for row in made] == [1.0] * len(made)
    assert all("Training rows show" in row.note for row in made)
    for row in made:
        low, high = row.interval
        assert not low <= 1.0 <= high or judge(row) in ("level", "unsure")


def test_groups_beyond_the_largest_sixty_are_not_called_small():
    names = np.array([f"g{k:02d}" for k in range(70)])
    race = np.append(np.repeat(names, 42), ["tiny"] * 20 + ["g00"] * 40)
    tables = [replaced(people(N, k), "race", race) for k in (1, 2, 3)]
    report = audit(tables[2], *tables[:2], sensitive=["race"])
    details = [d for s in report.sections for d in s.details]
    (surplus,) = [d for d in details if "60 largest" in d.title]
    assert surplus.title.startswith("10 groups large enough")
    assert [line[0] for line in surplus.lines] == [f"race=g{k}" for k in range(60, 70)]
    (small,) = [d for d in details if "too small" in d.title]
    assert small.lines == (("race=tiny", 20, 20, 20),)
    last = report.sections[-1].text
    assert "10 more groups are large enough but not compared" in last
    assert report.facts["groups compared"] == 60


def test_rates_in_the_report_are_those_of_the_rows(fresh):
    holdout = people(N, 2).to_pandas()
    (detail,) = [
        d for s in fresh.sections for d in s.details if d.title.startswith("sex: share with")
    ]
    rate = holdout[holdout.sex == "female"].hired.eq("yes").mean()
    place = {line[0]: line[4] for line in detail.lines}
    assert place["sex=female"] == pytest.approx(rate, rel=1e-4)


def test_small_groups_are_listed_with_their_size_and_left_out():
    race = np.array(["a"] * (N - 7) + ["tiny"] * 7)
    train, holdout, made = (replaced(people(N, k), "race", race) for k in (1, 2, 3))
    report = audit(made, train=train, holdout=holdout, sensitive=["sex", "race"])
    (detail,) = [d for s in report.sections for d in s.details if "too small" in d.title]
    assert ("race=tiny", 7, 7, 7) in detail.lines
    assert not any("tiny" in r.metric for r in report.rows)
    assert "fewer than 30" in text(report)


def test_what_was_not_tested_and_the_number_of_intervals_are_said(fresh):
    last = fresh.sections[-1]
    assert last.title == "What was not tested"
    for words in ("intervals are shown", "'sex', 'race'", "causes", "hired = yes"):
        assert words in last.text


def test_a_number_as_target_compares_mean_errors():
    made = people(N, 3)
    report = audit(made, target="score", positive=None, schema=with_target("score"))
    (row,) = rows(report, "difference of group mean errors, sex:")
    assert judge(row) == "level"
    shifted = np.asarray(made["score"]) + 1.0 * (np.asarray(made["sex"]) == "male")
    worse = audit(
        replaced(made, "score", shifted), target="score", positive=None, schema=with_target("score")
    )
    (row,) = rows(worse, "difference of group mean errors, sex:")
    assert row.value > row.ceiling + 0.5


def with_target(name):
    columns = []
    for c in PEOPLE.columns:
        role = "target" if c.name == name else ("feature" if c.role == "target" else c.role)
        columns.append(Column(**{**c.__dict__, "role": role}))
    return TableSchema(tuple(columns))


def test_without_a_target_shares_are_audited_and_the_rest_is_said():
    plain = TableSchema(tuple(c for c in PEOPLE.columns if c.name != "hired"))
    report = audit(people(N, 3), schema=plain)
    assert rows(report, "share of a group")
    assert not rows(report, "equalised")
    assert any("target=<column>" in remark for remark in report.remarks)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"sensitive": ["sexx"]}, "did you mean 'sex'"),
        ({"sensitive": ["id"]}, "identifiers"),
        ({"target": "hird"}, "did you mean 'hired'"),
        ({"target": "sex"}, "both target and sensitive"),
        ({"settings": {"minimum": 100_000}}, "no two groups"),
        ({"edges": {"age": [30]}}, "not among sensitive"),
        ({"settings": {"minimum": 0}}, "at least 1"),
    ],
)
def test_mistakes_are_named(words, complaint):
    with pytest.raises(ValueError, match=complaint):
        audit(people(200, 3), **words)


def test_no_sensitive_column_says_how_to_name_one():
    plain = TableSchema(tuple(Column(c.name, c.kind, levels=c.levels) for c in PEOPLE.columns))
    with pytest.raises(ValueError, match=r"sensitive=\[sex,race\]"):
        audit(people(200, 3), schema=plain)


def ugly(n, seed):
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "<script>alert('x')</script>" + "x" * 200: np.where(rng.random(n) < 0.5, "🙂", '"'),
            "gap": pa.nulls(n, pa.float64()),
            "huge": rng.choice([1e300, -1e300, 0.0], n),
            "y": np.where(rng.random(n) < 0.5, "yes", "no"),
        }
    )


UGLY = TableSchema(
    (
        Column(ugly(1, 0).column_names[0], "categorical", role="sensitive", levels=("🙂", '"')),
        Column("gap", "continuous", nullable=True),
        Column("huge", "continuous"),
        Column("y", "categorical", role="target", levels=("no", "yes")),
    )
)


@pytest.mark.parametrize("target", ["y", "huge"])
def test_ugly_names_gaps_and_huge_numbers_work(target):
    positive = "yes" if target == "y" else None
    report = audit(ugly(90, 3), ugly(90, 1), ugly(80, 2), UGLY, target=target, positive=positive)
    assert rows(report, "share of a group")
    assert to_json(report)


def test_synthetic_rows_that_lack_labels_or_groups_work():
    made = people(40, 3)
    blank = replaced(made, "hired", pa.nulls(40, pa.string()))
    report = audit(blank)
    assert any("missing in all" in remark for remark in report.remarks)
    alone = replaced(replaced(made, "sex", ["male"] * 40), "hired", ["yes"] * 40)
    assert rows(audit(alone), "share of a group, sex")
    assert audit(made.slice(0, 1)).rows


def test_the_same_seed_gives_the_same_rows(fresh):
    assert audit(people(N, 3)).rows == fresh.rows
