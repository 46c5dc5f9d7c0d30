"""Which codec a saved state belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genmodels.codecs.image import ImageCodec
    from genmodels.codecs.table import TableCodec

__all__ = ["codec_from_state"]


def codec_from_state(state: dict[str, Any]) -> TableCodec | ImageCodec:
    """Rebuild a fitted codec from its JSON form.

    Raises:
        ValueError: when `state["codec"]` names no codec.
    """
    match state.get("codec"):
        case "table":
            from genmodels.codecs.table import TableCodec

            return TableCodec.from_state(state)
        case "image":
            from genmodels.codecs.image import ImageCodec

            return ImageCodec.from_state(state)
    raise ValueError(f"codec must be 'table' or 'image', got {state.get('codec')!r}")
