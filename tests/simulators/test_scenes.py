"""Labels of scenes are exact; a row depends on (seed, row) alone."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from genmodels.simulators.scenes.air import through_air
from genmodels.simulators.scenes.camera import Camera, plane_of
from genmodels.simulators.scenes.record import depth_codes
from genmodels.simulators.scenes.render import render
from genmodels.simulators.scenes.sheet import FAR, Sheet
from genmodels.simulators.scenes.solids import Pose, Shape
from genmodels.simulators.scenes.words import CLASSES, STUFF, TIMES, WEATHERS, shares
from genmodels.types import join_images
from tests.simulators.road import drawn, road

CPU = torch.device("cpu")


def bounds(mask):
    rows, columns = np.nonzero(mask)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def redrawn(scene):
    rngs = [np.random.default_rng(k) for k in (0, 1)]
    return render(
        scene,
        camera=scene.camera,
        size=(128, 128),
        samples=3,
        least_pixels=1,
        least_visible=0.0,
        rngs=rngs,
    )


def test_boxes_are_the_tight_boxes_of_masks_which_part_the_picture():
    objects = 0
    for _, picture in drawn(200):
        numbers = range(1, len(picture.objects) + 1)
        assert set(np.unique(picture.instances)) <= {0, *numbers}
        for k, one in zip(numbers, picture.objects, strict=True):
            mask = picture.instances == k
            assert one.box == bounds(mask)
            assert one.visible == mask.sum() >= 12
            assert one.visible <= one.whole
            assert one.visible / one.whole >= 0.15 - 1e-9
            outer, inner = one.whole_box, one.box
            assert max(outer[0] - inner[0], outer[1] - inner[1]) <= 0
            assert min(outer[2] - inner[2], outer[3] - inner[3]) >= 0
            name = (*STUFF, *CLASSES)[int(np.unique(picture.semantics[mask]).item())]
            assert name == one.thing.name
            objects += 1
        assert (picture.semantics[picture.instances == 0] < len(STUFF)).all()
        assert (picture.depth > 0).all()
        assert ((picture.depth >= FAR) == (picture.semantics == STUFF.index("sky"))).all()
    assert objects > 500


def test_what_is_nearer_hides_what_is_farther():
    for _, picture in drawn(200):
        for k, one in enumerate(picture.objects, 1):
            reach = max(one.thing.length, one.thing.width)
            depth = picture.depth[picture.instances == k]
            assert depth.min() > one.thing.z - reach
            assert depth.max() < one.thing.z + reach


def test_hidden_objects_come_back_when_what_hides_them_is_gone():
    found = 0
    for scene, picture in drawn(200):
        for one in picture.objects:
            if one.visible == one.whole:
                continue
            (alone,) = redrawn(replace(scene, things=(one.thing,))).objects
            assert alone.whole == one.whole
            assert alone.whole_box == one.whole_box
            assert alone.visible >= one.visible
            found += 1
        if found > 20:
            break
    assert found > 20


def test_ground_lies_where_the_camera_says():
    for scene, picture in drawn(40):
        camera = scene.camera
        rows, columns = np.nonzero(picture.semantics == STUFF.index("road"))
        z = picture.depth[rows, columns].astype(np.float64)
        rows, z = rows[z < 300.0], z[z < 300.0]
        v = camera.horizon + camera.focal * camera.height / z
        assert np.abs(v - (rows + 0.5)).max() < 1e-2


def test_depth_of_a_face_is_that_of_its_points():
    camera = Camera(x=0.3, height=1.6, focal=90.0, cx=60.0, horizon=50.0)
    corners = [(-1.0, 0.0, 5.0), (2.0, 0.0, 9.0), (2.0, 3.0, 9.0), (-1.0, 3.0, 5.0)]
    points = [camera.project(*corner) for corner in corners]
    a, b, c, near, far = plane_of(points, [corner[2] for corner in corners])
    assert (near, far) == (5.0, 9.0)
    for share in (0.0, 0.25, 0.8, 1.0):
        x, z = -1.0 + 3.0 * share, 5.0 + 4.0 * share
        for y in (0.0, 1.0, 3.0):
            u, v = camera.project(x, y, z)
            assert 1.0 / (a * u + b * v + c) == pytest.approx(z)


def test_a_window_shows_the_same_larger():
    camera = Camera(x=0.3, height=1.6, focal=90.0, cx=60.0, horizon=50.0)
    u, v = camera.project(1.0, 0.5, 7.0)
    x, y = camera.window(30.0, 20.0, 2.5).project(1.0, 0.5, 7.0)
    assert (x, y) == pytest.approx(((u - 30.0) * 2.5, (v - 20.0) * 2.5))


def test_a_cube_shows_the_faces_that_look_at_the_camera():
    camera = Camera(x=0.0, height=3.0, focal=300.0, cx=60.0, horizon=50.0)
    box = (-1.0, 1.0, -1.0, 1.0)
    for x, seen in ((-6.0, "right"), (6.0, "left")):
        shape = Shape(camera=camera, pose=Pose.of(x, 10.0, 0.0), sun=(0.0, 0.0))
        assert set(shape.solid((*box, 0.0), (*box, 2.0), (9, 9, 9))) == {"rear", "top", seen}
    shape = Shape(camera=camera, pose=Pose.of(0.0, 10.0, np.pi), sun=(0.0, 0.0))
    assert set(shape.solid((*box, 0.0), (*box, 4.0), (9, 9, 9))) == {"front"}


def test_a_sheet_tells_the_depth_of_what_was_drawn_last():
    camera = Camera(x=0.0, height=1.5, focal=50.0, cx=32.0, horizon=24.0)
    sheet, box = Sheet(width=64, height=48, lit=False), (0, 0, 64, 48)
    for z in (20.0, 10.0):
        shape = Shape(camera=camera, pose=Pose.of(0.0, z, 0.0), sun=(0.0, 0.0))
        shape.ball((0.0, 1.5, 0.0), 2.0, (200, 0, 0))
        sheet.draw(shape.patches)
    numbers = sheet.numbers(box)
    depth = sheet.depth(numbers, box)
    assert set(np.unique(numbers)) == {0, 2}
    assert np.allclose(depth[numbers == 2], 10.0)
    assert (depth[numbers == 0] == FAR).all()


def test_fog_lets_two_hundredths_through_at_the_sight():
    share = through_air(np.array([0.0, 50.0, 1e6], np.float32), 50.0)
    assert share == pytest.approx([1.0, 0.02, 0.0], abs=1e-4)


def test_depth_is_kept_in_centimetres_and_none_is_nought():
    codes = depth_codes(np.array([0.012, 12.3456, 655.35, 655.36, FAR], np.float32))
    assert codes.tolist() == [1, 1235, 65535, 0, 0]


def test_the_same_seed_gives_the_same_bytes_in_any_order():
    simulator = road()
    blocks = [simulator.block(k, seed=5, device=CPU) for k in (1, 0)]
    again = [road().block(k, seed=5, device=CPU) for k in (0, 1)]
    one, two = join_images(blocks[::-1]), join_images(again)
    assert one.pixels.tobytes() == two.pixels.tobytes()
    assert one.truth.depth.tobytes() == two.truth.depth.tobytes()
    assert one.truth.instances.tobytes() == two.truth.instances.tobytes()
    assert (one.truth.objects, one.truth.scenes) == (two.truth.objects, two.truth.scenes)
    other = road().block(0, seed=6, device=CPU)
    assert all((a != b).any() for a, b in zip(other.pixels, blocks[1].pixels, strict=True))


def test_rows_of_images_keep_their_truth():
    images = road().block(0, seed=0, device=CPU)
    part = images.take(np.array([5, 2]))
    assert (part.truth.instances[1] == images.truth.instances[2]).all()
    assert part.truth.objects[0] == images.truth.objects[5]
    assert part.truth.scenes[1] == images.truth.scenes[2]


def test_things_stand_where_they_belong():
    counts = dict.fromkeys(CLASSES, 0)
    for scene, picture in drawn(200):
        street = scene.street
        for one in picture.objects:
            thing = one.thing
            x = thing.x - street.shift(thing.z)
            along = abs(np.sin(thing.yaw)) < 0.7
            if thing.name == "pedestrian":
                on_crossing = street.crossing is not None and (
                    0.0 <= thing.z - street.crossing <= 3.0
                )
                assert on_crossing or abs(x) >= street.half
            elif along:
                assert abs(x) + thing.width / 2 <= street.half + 0.3
                away = np.cos(thing.yaw) > 0
                assert (x > 0) == away  # traffic keeps to the right
            counts[thing.name] += 1
        for a, b in itertools.combinations(scene.things, 2):
            assert max(abs(a.x - b.x), abs(a.z - b.z)) > 0.5
    assert min(counts.values()) > 20


def test_all_pairs_of_levels_occur_in_one_cycle_of_few_scenes():
    simulator = road("road_pairwise")
    cycle = len(simulator.plan.combinations)
    assert cycle <= 26  # 5 classes x 4 weathers need 20
    seen = set()
    for row in range(cycle):
        scene, picture = simulator.drawn(row, seed=3)
        names = {one.thing.name for one in picture.objects}
        told = simulator.plan.combinations[row]
        assert (scene.weather, scene.time) == (told["weather"], told["time"])
        assert (scene.density, told["class"] in names) == (told["density"], True)
        seen |= set(itertools.combinations(told.items(), 2))
    factors = {"weather": WEATHERS, "time": TIMES, "class": CLASSES, "density": (2.0, 6.0, 12.0)}
    wanted = {
        ((a, x), (b, y))
        for a, b in itertools.combinations(factors, 2)
        for x, y in itertools.product(factors[a], factors[b])
    }
    assert seen == wanted


def test_rows_are_what_a_coverage_lacks():
    asked = [{"weather": "snow", "class": "bus"}, {"time": "night", "density": 3}]
    filled = road().covering(asked)
    for row in range(4):
        scene, picture = filled.drawn(row, seed=1)
        if row % 2 == 0:
            assert scene.weather == "snow"
            assert "bus" in {one.thing.name for one in picture.objects}
        else:
            assert (scene.time, scene.density) == ("night", 3.0)
    again, _ = road().covering(asked[:1]).drawn(0, seed=1)
    assert again.things == filled.drawn(0, seed=1)[0].things
    block = road(rows="crop").covering([{"label": "truck"}]).block(0, seed=0, device=CPU)
    assert {block.class_names[label] for label in block.labels} == {"truck"}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"wether": "fog"}, "did you mean weather"),
        ({"weather": "hail"}, "there is no 'hail'"),
        ({"density": "many"}, "density must be a number"),
    ],
)
def test_factors_that_scenes_do_not_have_are_refused(asked, message):
    with pytest.raises(ValueError, match=message):
        road().covering([asked])


def test_scenarios_show_what_they_are_about():
    rare = road("road_rare")
    for row in range(6):
        scene, picture = rare.drawn(row, seed=1)
        assert (scene.weather, scene.time) == ("fog", "night")
        assert "pedestrian" in {one.thing.name for one in picture.objects}
    adverse = [road("road_adverse").drawn(row, seed=1)[0] for row in range(12)]
    assert {scene.weather for scene in adverse} == {"rain", "fog", "snow"}
    assert "day" not in {scene.time for scene in adverse}


def test_the_dark_is_dark_and_fog_is_pale():
    means, spreads = {}, {}
    for weather, time in (("clear", "day"), ("clear", "night"), ("fog", "day")):
        images = road(weather=weather, time=time).block(0, seed=0, device=CPU)
        means[weather, time] = images.pixels.mean()
        spreads[weather, time] = images.pixels.std((2, 3)).mean()
    assert means["clear", "night"] < 0.5 * means["clear", "day"]
    assert spreads["fog", "day"] < 0.75 * spreads["clear", "day"]


def test_no_density_is_an_empty_street():
    images = road(density=0).block(0, seed=0, device=CPU)
    assert all(objects == () for objects in images.truth.objects)
    assert not images.truth.instances.any()


def test_a_crop_shows_one_object_of_its_class():
    images = road(rows="crop", classes="[bus,bicycle,bicycle]").block(0, seed=0, device=CPU)
    assert images.pixels.shape == (8, 3, 64, 64)
    assert images.truth is None
    assert {images.class_names[label] for label in images.labels} == {"bus", "bicycle"}
    assert (images.attributes["visibility"] >= 0.5).all()


def test_names_given_twice_come_twice_as_often():
    assert shares("weather", ["fog", "rain", "fog"], WEATHERS) == {"rain": 1 / 3, "fog": 2 / 3}
    assert shares("weather", {"fog": 3, "rain": 1, "snow": 0}, WEATHERS) == {
        "rain": 0.25, "fog": 0.75,
    }  # fmt: skip
    assert shares("weather", "snow", WEATHERS) == {"snow": 1.0}
