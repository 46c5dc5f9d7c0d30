"""Train generative models on tables and images, and write synthetic datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genmodels.evaluation import evaluate
    from genmodels.resample import SyntheticSampler
    from genmodels.synthesizer import Synthesizer
    from genmodels.synthetic_images import SyntheticImages

__all__ = ["Synthesizer", "SyntheticImages", "SyntheticSampler", "__version__", "evaluate"]
__version__ = "0.1.0"


def __dir__() -> list[str]:
    """The names that are imported when they are asked for, too."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    """Import the heavy parts when they are asked for, not with the package."""
    if name == "Synthesizer":
        from genmodels.synthesizer import Synthesizer

        return Synthesizer
    if name == "SyntheticImages":
        from genmodels.synthetic_images import SyntheticImages

        return SyntheticImages
    if name == "SyntheticSampler":
        from genmodels.resample import SyntheticSampler

        return SyntheticSampler
    if name == "evaluate":
        from genmodels.evaluation import evaluate

        return evaluate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
