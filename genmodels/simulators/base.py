"""What a simulator is to the verb that writes its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from genmodels.schema import Schema
from genmodels.types import Raw

if TYPE_CHECKING:
    import torch

__all__ = ["Covering", "Formatted", "Interpreted", "Seeded", "Simulator"]


@runtime_checkable
class Simulator(Protocol):
    """Makes raw rows of known truth, block by block; row i depends on (seed, i) alone."""

    @property
    def name(self) -> str: ...

    @property
    def schema(self) -> Schema:
        """What the rows mean."""

    @property
    def block_rows(self) -> int:
        """Rows that are simulated together, always; part of what a row depends on."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user of these parameters should know, one line each."""

    def rows_of(self, n: int) -> int:
        """How many rows `n` simulated things are."""

    def block(self, number: int, *, seed: int, device: torch.device) -> Raw:
        """The rows number * block_rows ... (number + 1) * block_rows - 1."""

    def facts(self) -> dict[str, Any]:
        """The model and its parameters, plain JSON."""

    def fitted(self, observed: Any) -> tuple[Simulator, dict[str, Any], list[str]]:
        """The same with parameters estimated from real data, for the manifest and for people.

        Raises:
            ValueError: when the data do not allow it.
        """


@runtime_checkable
class Covering(Protocol):
    """A simulator that can be told what its things are: it fills what a coverage lacks."""

    def covering(self, combinations: Sequence[Mapping[str, Any]]) -> Simulator:
        """The same simulator, whose thing i is combination i, from the first again after the last.

        What a combination does not name is as without it. Thing i depends on (seed, i) and its
        combination alone.

        Args:
            combinations: {factor: value}, at least one; a value is a level as text, a number of a
                binned factor, or None for a missing value.

        Raises:
            ValueError: for a factor or a value that it does not have, naming the nearest.
        """


@runtime_checkable
class Formatted(Protocol):
    """A simulator whose rows other formats would keep less of."""

    @property
    def default_format(self) -> str:
        """The name of a writer."""


@runtime_checkable
class Interpreted(Protocol):
    """A simulator that works in Python rather than in tensors: threads of it wait for each other.

    Where there are many blocks, processes make them, to which it can be copied. They should not
    need torch, which takes them seconds to import.
    """

    def host_block(self, number: int, *, seed: int) -> Raw:
        """What `block` makes for any device."""


@runtime_checkable
class Seeded(Protocol):
    """A simulator that knows more once the seed is known, such as how many rows there are."""

    def seeded(self, seed: int) -> Simulator:
        """The same with facts, notes and `rows_of` of this seed."""
