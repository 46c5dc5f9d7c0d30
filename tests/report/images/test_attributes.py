"""Agreement of synthetic images with the attributes that they were told."""

from dataclasses import replace

import numpy as np
import pytest

from genmodels.data.images import check_images, infer_image_schema
from genmodels.metrics.images.encoders import random_encoder
from genmodels.report.images.album import Album
from genmodels.report.images.attributes import agreement
from genmodels.report.page.meaning import meaning
from tests.attributes import barred
from tests.report.images.test_suite import QUICK

SCHEMA = infer_image_schema(barred(50), attributes="all")
SIDES = [check_images(barred(n, seed), SCHEMA) for seed, n in enumerate((500, 200, 200))]


def section(synthetic, remarks=None):
    train, holdout, _ = SIDES
    album = Album.prepare(train, holdout, synthetic, most=300, components=None, seed=0)
    told = [] if remarks is None else remarks
    return agreement(album, random_encoder(1, side=32), SCHEMA.attributes, told)


def rows(synthetic):
    return {row.metric.removeprefix("agreement on "): row for row in section(synthetic).rows}


def test_real_images_agree_as_held_out_ones_do_and_shuffled_ones_less():
    found = rows(SIDES[2])
    assert found["dark"].value > 0.95
    assert found["position"].value > 0.8
    for row in found.values():
        low, high = row.interval
        assert low <= row.value <= high
        assert row.value == pytest.approx(row.ceiling, abs=0.1)
    assert abs(found["position"].floor) < 0.3


def test_what_was_told_but_is_not_shown_is_seen():
    wrong = dict(SIDES[2].attributes)
    wrong["dark"] = ~wrong["dark"]
    wrong["position"] = np.random.default_rng(0).permutation(wrong["position"])
    found = rows(replace(SIDES[2], attributes=wrong))
    assert found["dark"].value < 0.05
    assert abs(found["position"].value) < 0.25
    assert "told" in meaning(found["position"])


def test_what_cannot_be_compared_is_remarked():
    remarks = []
    same = {"position": SIDES[2].attributes["position"], "dark": np.ones(200, bool)}
    assert len(section(replace(SIDES[2], attributes=same), remarks).rows) == 1
    assert remarks == [
        "Agreement on dark was skipped: the synthetic images all have the same dark."
    ]
    assert section(replace(SIDES[2], attributes={}), remarks) is None
    assert "the synthetic images do not say position" in remarks[1]


def test_a_level_beyond_the_images_that_are_read_is_remarked(monkeypatch):
    """What is compared is what is read: here the first 60 of each data set."""
    monkeypatch.setattr("genmodels.report.images.attributes.MOST", 60)
    train, holdout, synthetic = SIDES
    order = np.random.default_rng([0, 11, 0]).permutation(len(train))
    rare = np.ones(len(train), bool)
    rare[order[-1]] = False
    album = Album.prepare(
        replace(train, attributes={"dark": rare}), holdout, synthetic,
        most=300, components=None, seed=0,
    )  # fmt: skip
    assert 0 < (~album.lessons.attributes["dark"]).sum() < 5
    remarks = []
    assert agreement(album, random_encoder(1, side=32), SCHEMA.attributes[1:], remarks) is None
    assert remarks == ["Agreement on dark was skipped: the real images all have the same dark."]


def test_images_are_taken_once_for_all_attributes(monkeypatch):
    taken = []
    lessons = Album.lessons.fget
    monkeypatch.setattr(Album, "lessons", property(lambda a: taken.append(0) or lessons(a)))
    assert len(section(SIDES[2]).rows) == 2
    assert len(taken) == 1


def test_the_report_has_the_section():
    report = QUICK(*SIDES, SCHEMA, target=None, seed=0, progress=lambda _: None)
    assert [s.title for s in report.sections].count("Attributes as they were told") == 1
    plain = QUICK(
        *SIDES, replace(SCHEMA, attributes=()), target=None, seed=0, progress=lambda _: None
    )
    assert "Attributes as they were told" not in [s.title for s in plain.sections]
