"""Every recipe for images, told attributes: yes or no three times, or a class and a number."""

import pytest
import torch

from genmodels.data.images import check_images, infer_image_schema
from genmodels.data.open import open_source
from genmodels.layout import ImageLayout
from genmodels.tasks.build import build_model
from genmodels.tasks.compose import compose
from genmodels.tasks.sample import sample
from genmodels.tasks.train import train
from genmodels.types import Batch
from genmodels.writers.npz import NPZWriter
from tests.attributes import barred, tagged
from tests.contracts.test_image_recipes import QUICK, SMALL, config, drawn, update
from tests.writers.whole import write_whole

DATA = {"three yes or no": tagged, "class and number": barred}
WISHES = {
    "three yes or no": ("condition.a=yes", "condition.c=no"),
    "class and number": ("condition.label=lying", "condition.position=4.25"),
}


@pytest.mark.parametrize("told", DATA)
@pytest.mark.parametrize("recipe", SMALL)
def test_a_recipe_is_trained_and_sampled_with_attributes(recipe, told, tmp_path):
    images = DATA[told](60)
    (file,) = write_whole(NPZWriter(), iter([images]), tmp_path)
    words = [f"model={recipe}", "data=npz", f"data.path={file}", "data.attributes=all"]
    run = train(compose("train", [*words, f"run={tmp_path / 'run'}", *SMALL[recipe], *QUICK])).path
    asked = ("format=npz", "n=20", *WISHES[told])
    out = sample(compose("sample", [f"run={run}", f"out={tmp_path / 'out'}", *asked]))
    made = open_source(out).load()
    assert made.pixels.shape == (20, *images.pixels.shape[1:])
    assert set(made.attributes) == set(images.attributes)
    if told == "class and number":
        assert set(made.attributes["position"]) == {4.25}
        assert {made.class_names[k] for k in made.labels} == {"lying"}
    else:
        assert made.attributes["a"].all()
        assert not made.attributes["c"].any()
        assert len(set(made.attributes["b"].tolist())) == 2
    assert len(check_images(made, infer_image_schema(images, attributes="all"))) == 20


@pytest.mark.parametrize("recipe", SMALL)
def test_an_update_with_attributes_needs_no_host(recipe):
    """Any transfer to or from the host raises on this device."""
    images = barred(8)
    schema = infer_image_schema(images, attributes="all")
    from genmodels.codecs.image import ImageCodec

    condition = ImageCodec.fit(check_images(images, schema), schema, seed=0).condition
    assert condition.width == 2 + (3 + 2) + 2
    model = build_model(config(recipe), ImageLayout(2, 17, 31), condition, None).to("meta")
    x = torch.zeros(4, 2, 17, 31, device="meta")
    c = torch.zeros(4, condition.width, device="meta")
    assert update(model, Batch(x, c)).device.type == "meta"
    drawn(model, c)
