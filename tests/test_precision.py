"""Products are rounded where that was chosen, and nowhere else."""

import pytest
import torch

from genmodels.precision import Rounded, full_precision, native_bfloat16, product_type

CPU = torch.device("cpu")


@pytest.mark.parametrize(("rounding", "found"), [("float32", False), ("bfloat16", True)])
def test_products_are_of_the_chosen_kind(rounding, found):
    x = torch.ones(2, 2)
    with Rounded(rounding)(CPU):
        assert ((x @ x).dtype == torch.bfloat16) is found
        assert product_type(x) == (x @ x).dtype
    assert (x @ x).dtype == product_type(x) == torch.float32


@pytest.mark.parametrize("native", [True, False])
def test_auto_rounds_where_that_is_native_and_asks_the_device_once(monkeypatch, native):
    asked = []
    monkeypatch.setattr(
        "genmodels.precision.native_bfloat16", lambda kind: bool(asked.append(kind)) or native
    )
    rounded = Rounded("auto")
    for _ in range(3):
        with rounded(CPU):
            assert torch.is_autocast_enabled("cpu") is native
    assert asked == ["cpu"]


def test_a_device_without_numbers_rounds_nothing_by_itself():
    assert native_bfloat16("meta") is False
    with Rounded("auto")(torch.device("meta")):
        assert not torch.is_autocast_enabled("cpu")
    assert product_type(torch.ones(1, device="meta")) == torch.float32


def test_full_precision_holds_inside_a_rounded_region_and_ends_with_it():
    x = torch.full((2, 2), 1.0 + 2.0**-20)
    with Rounded("bfloat16")(CPU):
        with full_precision(x):
            assert torch.equal(x @ torch.eye(2), x)
        assert (x @ torch.eye(2)).dtype == torch.bfloat16


def test_another_word_is_refused():
    with pytest.raises(ValueError, match=r"model\.rounding"):
        Rounded("float16")
