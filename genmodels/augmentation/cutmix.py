"""CutMix: pictures with a rectangle of another picture in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genmodels.augmentation.amounts import Plan
from genmodels.augmentation.base import Fitted, Kind
from genmodels.augmentation.pairs import check_alpha, mixed_images, pasted
from genmodels.schema import Schema
from genmodels.types import Images, Raw

__all__ = ["CutMix"]


class CutMix:
    """A rectangle of one picture in another, which shows at least half of itself.

    The label is that of the larger share; attributes say which label the other has and how large
    the share is.

    Args:
        alpha: shares are drawn from Beta(alpha, alpha).
    """

    name = "cutmix"
    kinds: tuple[Kind, ...] = ("images",)
    needs_classes = False
    meaning = "Each new picture is a given one with a rectangle of another in it (cutmix)."

    def __init__(self, *, alpha: float) -> None:
        self.alpha = check_alpha(alpha)

    def parameters(self) -> Mapping[str, Any]:
        return {"alpha": self.alpha}

    def schema(self, schema: Schema, fixed: tuple[str, ...]) -> Schema:
        return schema

    def fit(self, real: Raw, schema: Schema, plan: Plan, fixed: tuple[str, ...]) -> Fitted:
        assert isinstance(real, Images)
        return mixed_images(real, plan, self.alpha, pasted)
