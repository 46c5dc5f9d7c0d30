"""Scenes on disk: COCO, YOLO, masks, depth and metadata say the same, however they were written."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from genmodels.masks import run_lengths
from genmodels.types import Images
from genmodels.writers.base import Writer
from genmodels.writers.scenes import ScenesWriter
from tests.simulators.road import road
from tests.writers.whole import write_whole

SIZE = (48, 64)


@pytest.fixture(scope="module")
def blocks():
    simulator = road(height=SIZE[0], width=SIZE[1], density=8)
    return [simulator.block(k, seed=2, device=torch.device("cpu")) for k in range(3)]


@pytest.fixture(scope="module")
def folder(blocks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    write_whole(ScenesWriter(workers=1), blocks, folder)
    return folder


def opened(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def coco(folder):
    return json.loads((folder / "annotations" / "instances.json").read_text())


def mask_of(segmentation):
    """Runs down the columns, of zeros first: pycocotools' own reading."""
    height, width = segmentation["size"]
    counts = segmentation["counts"]
    flat = np.repeat(np.arange(len(counts)) % 2, counts)
    return flat.reshape(width, height).T.astype(bool)


def test_run_lengths_are_down_columns_zeros_first():
    mask = np.array([[0, 1, 1], [0, 0, 1]], bool)
    assert run_lengths(mask)["counts"] == [2, 1, 1, 2]
    assert run_lengths(~mask)["counts"] == [0, 2, 1, 1, 2]
    assert run_lengths(np.zeros((2, 2), bool))["counts"] == [4]


def test_coco_boxes_masks_and_areas_are_those_of_the_instance_masks(folder, blocks):
    told = coco(folder)
    assert [c["name"] for c in told["categories"]] == list(blocks[0].truth.class_names)
    assert [c["id"] for c in told["categories"]] == [1, 2, 3, 4, 5]
    assert [i["id"] for i in told["images"]] == list(range(24))
    ids = [a["id"] for a in told["annotations"]]
    assert len(set(ids)) == len(ids) > 40
    by_image = {i["id"]: [] for i in told["images"]}
    for one in told["annotations"]:
        by_image[one["image_id"]].append(one)
    for image in told["images"]:
        name, total = image["file_name"], np.zeros(SIZE, int)
        instances = opened(folder / "masks" / "instance" / name)
        semantics = opened(folder / "masks" / "semantic" / name)
        for k, one in enumerate(by_image[image["id"]], 1):
            mask = mask_of(one["segmentation"])
            assert (mask == (instances == k)).all()
            rows, columns = np.nonzero(mask)
            left, top = columns.min(), rows.min()
            assert one["bbox"] == [left, top, columns.max() + 1 - left, rows.max() + 1 - top]
            assert one["area"] == mask.sum()
            assert 0.0 < one["visibility"] <= 1.0
            assert 0.0 <= one["truncation"] <= 1.0
            assert (semantics[mask] == 7 + one["category_id"] - 1).all()
            total += mask
        assert (total == (instances > 0)).all()


def test_yolo_labels_are_the_boxes_as_shares(folder):
    told = coco(folder)
    height, width = SIZE
    for image in told["images"]:
        boxes = [a for a in told["annotations"] if a["image_id"] == image["id"]]
        label = folder / "labels" / image["file_name"].replace(".png", ".txt")
        lines = label.read_text().splitlines()
        assert len(lines) == len(boxes)
        for line, one in zip(lines, boxes, strict=True):
            number, *shares = line.split()
            x, y, w, h = map(float, shares)
            assert int(number) == one["category_id"] - 1
            box = [(x - w / 2) * width, (y - h / 2) * height, w * width, h * height]
            assert box == pytest.approx(one["bbox"], abs=1e-3)
    names = (folder / "classes.txt").read_text().split()
    assert names == ["car", "truck", "bus", "bicycle", "pedestrian"]
    assert '  4: "pedestrian"' in (folder / "data.yaml").read_text()


def test_pictures_depth_and_metadata_are_what_was_drawn(folder, blocks):
    lines = (folder / "images" / "metadata.jsonl").read_text().splitlines()
    for number, line in enumerate(map(json.loads, lines)):
        images, row = blocks[number // 8], number % 8
        name = f"{number:06d}.png"
        assert (line["file_name"], line["index"]) == (name, number)
        assert line["scene"] == images.truth.scenes[row]
        assert line["objects"] == list(images.truth.objects[row])
        assert line["weather"] == line["class_name"] == line["scene"]["weather"]
        pixels = opened(folder / "images" / name).transpose(2, 0, 1)
        assert (pixels == images.pixels[row]).all()
        depth = opened(folder / "depth" / name)
        assert depth.dtype == np.uint16
        assert (depth == images.truth.depth[row]).all()
    told = json.loads((folder / "classes.json").read_text())
    assert told["depth_unit_m"] == 0.01
    assert told["semantic"][:2] == ["sky", "road"]


def test_shards_change_no_byte_of_the_lists(folder, blocks, tmp_path):
    files = write_whole(ScenesWriter(images_per_shard=7, workers=2), blocks, tmp_path)
    assert len(files) == 24 * 5 + 5
    for file in files:
        name = file.relative_to(tmp_path)
        assert file.read_bytes() == (folder / name).read_bytes(), name
    assert sorted(p for p in tmp_path.rglob("*") if p.is_file()) == sorted(files)


def test_lists_are_finished_again_after_an_interruption(folder, blocks, tmp_path):
    writer = ScenesWriter(workers=1)
    files = write_whole(writer, blocks, tmp_path)
    (tmp_path / "data.yaml").unlink()  # as if it was killed here
    assert writer.finish(tmp_path, 1) == files[-5:]
    for file in files:
        assert file.read_bytes() == (folder / file.relative_to(tmp_path)).read_bytes()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_pycocotools_and_torchvision_read_it(folder):
    pytest.importorskip("pycocotools")
    from torchvision.datasets import CocoDetection

    data = CocoDetection(str(folder / "images"), str(folder / "annotations" / "instances.json"))
    assert len(data) == 24
    for number in range(24):
        picture, annotations = data[number]
        assert picture.size == SIZE[::-1]
        instances = opened(folder / "masks" / "instance" / f"{number:06d}.png")
        for k, one in enumerate(annotations, 1):
            assert (data.coco.annToMask(one).astype(bool) == (instances == k)).all()


def test_pictures_without_labels_are_refused_in_words(tmp_path, blocks):
    plain = Images(blocks[0].pixels)
    with pytest.raises(ValueError, match=r"use format=imagefolder, or simulator.rows=scene"):
        write_whole(ScenesWriter(), iter([plain]), tmp_path)
    assert isinstance(ScenesWriter(), Writer)
