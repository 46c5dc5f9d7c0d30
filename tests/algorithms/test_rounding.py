"""Products are rounded where that was chosen, and nowhere else."""

import pytest
import torch

from genmodels.algorithms.rounding import native_bfloat16, rounded

CPU = torch.device("cpu")


@pytest.mark.parametrize(("rounding", "found"), [("float32", False), ("bfloat16", True)])
def test_products_are_of_the_chosen_kind(rounding, found):
    x = torch.ones(2, 2)
    with rounded(CPU, rounding):
        assert ((x @ x).dtype == torch.bfloat16) is found
    assert (x @ x).dtype == torch.float32


@pytest.mark.parametrize("native", [True, False])
def test_auto_rounds_where_that_is_native(monkeypatch, native):
    monkeypatch.setattr("genmodels.algorithms.rounding.native_bfloat16", lambda kind: native)
    with rounded(CPU, "auto"):
        assert torch.is_autocast_enabled("cpu") is native


def test_a_device_without_numbers_rounds_nothing_by_itself():
    assert native_bfloat16("meta") is False
    with rounded(torch.device("meta"), "auto"):
        assert not torch.is_autocast_enabled("cpu")


def test_another_word_is_refused():
    with pytest.raises(ValueError, match=r"model\.rounding"), rounded(CPU, "float16"):
        pass
