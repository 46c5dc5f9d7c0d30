"""Boxes and masks of COCO folders stay true to what is augmented."""

import json

import numpy as np
import pytest
from PIL import Image

from genmodels.cli import main
from genmodels.masks import each_mask, mask_of, run_lengths, tight_box
from genmodels.tasks.augment import augment
from genmodels.tasks.compose import compose
from genmodels.tasks.verify import verify

STILL = [
    f"recipe.geometry.{key}=0" for key in ("rotate", "shift", "scale", "shear", "vertical_flip")
]


def scenes(folder, count=4, height=40, width=60):
    """White rectangles on black, as polygon, run lengths or a box alone."""
    (folder / "images").mkdir(parents=True)
    images, objects = [], []
    rng = np.random.default_rng(0)
    for i in range(count):
        pixels = np.zeros((height, width, 3), np.uint8)
        x, y = int(rng.integers(2, width - 25)), int(rng.integers(2, height - 16))
        mask = np.zeros((height, width), np.uint8)
        mask[y : y + 12, x : x + 20] = 1
        pixels[mask > 0] = 255
        Image.fromarray(pixels).save(folder / "images" / f"{i}.png")
        images.append({"id": 7 + i, "file_name": f"{i}.png", "height": height, "width": width})
        corners = [x, y, x + 19, y, x + 19, y + 11, x, y + 11]
        told = {0: run_lengths(mask), 1: [corners]}.get(i % 3)
        one = {"id": i + 1, "image_id": 7 + i, "category_id": 3, "bbox": [x, y, 20, 12]}
        objects.append({**one, **({} if told is None else {"segmentation": told})})
    told = {"images": images, "annotations": objects, "categories": [{"id": 3, "name": "box"}]}
    (folder / "annotations.json").write_text(json.dumps(told))
    return folder


def made(tmp_path, *words, out="out"):
    road = tmp_path / "road"
    if not road.exists():
        scenes(road)
    return augment(compose("augment", [
        "data=imagefolder", f"data.path={road}", f"out={tmp_path / out}", "recipe=geometry", *words,
    ]))  # fmt: skip


def read(out):
    told = json.loads((out / "annotations" / "instances.json").read_text())
    pixels = [np.asarray(Image.open(out / "images" / i["file_name"])) for i in told["images"]]
    return told, pixels


def test_run_lengths_and_polygons_are_masks():
    mask = np.zeros((4, 5), np.uint8)
    mask[1:3, 2:4] = 1
    told = run_lengths(mask)
    assert told == {"counts": [9, 2, 2, 2, 5], "size": [4, 5]}
    assert (mask_of({"segmentation": told}, 4, 5) == mask).all()
    assert (mask_of({"segmentation": [[2, 1, 3, 1, 3, 2, 2, 2]]}, 4, 5) == mask).all()
    assert (mask_of({"bbox": [2, 1, 2, 2]}, 4, 5) == mask).all()
    assert tight_box(mask) == [2, 1, 2, 2]
    assert tight_box(mask * 0) is None
    assert run_lengths(np.ones((2, 2), np.uint8))["counts"] == [0, 4]


def test_a_mirror_image_has_mirrored_boxes(tmp_path):
    out = made(tmp_path, "recipe.geometry.flip=1", *STILL)
    told, pixels = read(out)
    assert verify(compose("verify", [f"dataset={out}"])) == []
    assert [i["provenance"] for i in told["images"]] == ["real"] * 4 + ["augmented"] * 4
    for i in range(4):
        name = told["images"][i]["file_name"]
        before = (tmp_path / "road" / "images" / f"{i}.png").read_bytes()
        assert (out / "images" / name).read_bytes() == before
    mirrored = {(60 - o["bbox"][0] - 20, *o["bbox"][1:]) for o in told["annotations"][:4]}
    assert {tuple(o["bbox"]) for o in told["annotations"][4:]} == mirrored
    real = {p.tobytes() for p in pixels[:4]}
    assert all(p[:, ::-1].tobytes() in real for p in pixels[4:])
    assert len({o["id"] for o in told["annotations"]}) == 8


def test_boxes_are_tight_around_what_is_seen_and_lost_objects_are_dropped(tmp_path):
    out = made(tmp_path, "ratio=10", "recipe.geometry.shift=0.9")
    told, pixels = read(out)
    objects = {o["image_id"]: o for o in told["annotations"]}
    lost = 0
    for entry, picture in zip(told["images"][4:], pixels[4:], strict=True):
        seen, one = picture[..., 0] > 127, objects.get(entry["id"])
        if one is None:
            lost += 1
            assert seen.sum() <= 12
            continue
        if seen.sum() > 20:
            np.testing.assert_allclose(one["bbox"], tight_box(seen), atol=2)
        mask = np.asarray(Image.open(out / "masks/instance" / f"{entry['id']:06d}.png"))
        assert tight_box(mask) == one["bbox"]
        assert one["category_id"] == 3
    assert lost > 0


def test_it_can_be_augmented_again_and_only_by_what_moves_boxes(tmp_path, capsys):
    out = made(tmp_path, "ratio=0.5")
    words = ["augment", "data=imagefolder", f"data.path={out}", f"out={tmp_path / 'more'}"]
    assert main([*words, "recipe=weather"]) == 0
    assert len(read(tmp_path / "more")[0]["images"]) == 12
    capsys.readouterr()
    for word, message in (
        ("recipe=mixup", "does not move boxes"), ("recipe=trivial", "does not move boxes"),
        ("per_class=3", "give ratio"),
    ):  # fmt: skip
        more = [] if word.startswith("recipe") else ["recipe=light"]
        assert main([*words, word, *more, "overwrite=true"]) == 2
        assert message in capsys.readouterr().err


def test_what_is_not_as_coco_has_it_is_named(tmp_path):
    road = scenes(tmp_path / "road")
    (road / "annotations.json").write_text('{"images": []}')
    with pytest.raises(ValueError, match="needs the lists images, annotations, categories"):
        made(tmp_path)


def test_simulated_scenes_are_augmented_with_their_boxes(tmp_path):
    road, out = tmp_path / "road", tmp_path / "more"
    assert main(["simulate", "simulator=road", "n=4", f"out={road}"]) == 0
    words = ["augment", "data=imagefolder", f"data.path={road}", "recipe=geometry"]
    assert main([*words, f"out={out}"]) == 0
    told, _ = read(out)
    assert [image["provenance"] for image in told["images"]] == ["simulated"] * 4 + [
        "augmented"
    ] * 4
    assert main(["verify", str(out)]) == 0
    given = json.loads((road / "annotations" / "instances.json").read_text())
    first = [one for one in told["annotations"] if one["image_id"] == 0]
    assert [image.get("scene") for image in told["images"][:4]] == [
        image["scene"] for image in given["images"]
    ]
    boxes = [one["bbox"] for one in given["annotations"] if one["image_id"] == 0]
    assert [one["bbox"] for one in first] == boxes


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"segmentation": {"counts": [2**62] * 4 + [2400], "size": [40, 60]}}, "do not cover"),
        ({"segmentation": {"counts": [2399.5, 0.5], "size": [40, 60]}}, "do not cover"),
        ({"segmentation": {"counts": "PPYo", "size": [40, 60]}}, "compressed"),
        ({"segmentation": [[1, 2, 3]]}, "polygon"),
        ({"segmentation": [[1, 2]]}, "polygon"),
        ({"segmentation": ["abcdef"]}, "polygon"),
        ({"segmentation": [[1e400, 2, 3, 4, 5, 6]]}, "polygon"),
        ({"segmentation": None, "bbox": [1, 2]}, "four numbers"),
        ({"segmentation": None, "bbox": [9, 9, -5, 5]}, "four numbers"),
    ],
)
def test_objects_of_a_stranger_that_make_no_sense_are_one_clear_line(told, words):
    with pytest.raises(ValueError, match=f"0.png: object 2: .*{words}"):
        list(each_mask([{"bbox": [0, 0, 1, 1]}, told], 40, 60, of="0.png"))


def test_a_box_outside_the_picture_has_no_pixels():
    assert not mask_of({"bbox": [-5, -5, 2, 2]}, 10, 10).any()
    assert not mask_of({"bbox": [50, 50, 2, 2]}, 10, 10).any()


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("images", {"height": 41}), ("images", {"height": -40}), ("images", {"width": 10**9}),
        ("images", {"height": "40"}), ("images", {"file_name": 3}), ("images", {"file_name": "\0"}),
        ("images", {"id": [1]}), ("images", {"file_name": "../../0.png"}),
        ("annotations", {"image_id": {}}), ("annotations", {"bbox": None}),
    ],
)  # fmt: skip
def test_a_list_of_a_stranger_that_makes_no_sense_is_refused_before_writing(tmp_path, key, told):
    place = scenes(tmp_path / "road") / "annotations.json"
    whole = json.loads(place.read_text())
    whole[key][0] |= told
    place.write_text(json.dumps(whole))
    with pytest.raises(ValueError, match=r"annotations|pixels"):
        made(tmp_path)
    assert not list(tmp_path.glob("*out*"))


def test_what_is_told_of_an_object_is_left_out_where_moving_makes_it_false(tmp_path):
    place = scenes(tmp_path / "road") / "annotations.json"
    whole = json.loads(place.read_text())
    for one in whole["annotations"]:
        one |= {"keypoints": [1, 2, 2], "visibility": 1.0, "iscrowd": 0}
    place.write_text(json.dumps(whole))
    told, _ = read(made(tmp_path))
    assert all(one["keypoints"] == [1, 2, 2] for one in told["annotations"][:4])
    known = {"id", "image_id", "category_id", "bbox", "area", "iscrowd", "segmentation"}
    assert all(set(one) <= known for one in told["annotations"][4:])
    told, _ = read(made(tmp_path, "recipe=colour", out="colour"))
    assert all(one["keypoints"] == [1, 2, 2] for one in told["annotations"])


@pytest.mark.parametrize("name", ["id", "file_name", "objects", "index"])
def test_provenance_has_no_name_that_entries_use_otherwise(tmp_path, name):
    with pytest.raises(ValueError, match=name):
        made(tmp_path, f"provenance={name}")


def test_pictures_of_16_bits_are_refused_as_they_would_be_cut_off(tmp_path):
    deep = np.linspace(0, 65_535, 2400).reshape(40, 60).astype(np.uint16)
    Image.fromarray(deep).save(scenes(tmp_path / "road") / "images" / "1.png")
    with pytest.raises(ValueError, match=r"1\.png has more than 8 bits"):
        made(tmp_path)
