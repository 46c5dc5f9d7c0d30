"""One thread per test process, and the longest files first."""

import os

import pytest

# Small tensors on shared cores wait for each other otherwise.
os.environ.setdefault("OMP_NUM_THREADS", "1")

_LONGEST = ("test_readme.py", "test_notebooks.py")
"""Minutes each, so that a process that starts one last would let all others wait."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in _LONGEST)
