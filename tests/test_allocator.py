"""A command keeps freed memory, unless the user or the system wants it otherwise."""

import platform
import subprocess
import sys

import pytest

from genmodels import cli
from genmodels.allocator import keep_freed_memory

REPEATS, BLOCK, PAGE = 10, 100 * 2**20, 4096
COUNTING = f"""
import resource, sys
from genmodels.allocator import keep_freed_memory

if sys.argv[1] == "keep":
    assert keep_freed_memory({{}})
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({REPEATS}):
    b"1" * {BLOCK}
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")


def faults(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", COUNTING, how], check=True, capture_output=True, text=True
    )
    return int(done.stdout)


@glibc
def test_blocks_of_a_size_are_fetched_from_the_system_once():
    assert faults("keep") < 2 * BLOCK / PAGE
    assert faults("default") > REPEATS / 2 * BLOCK / PAGE


@pytest.mark.parametrize("name", ["MALLOC_ARENA_MAX", "GLIBC_TUNABLES"])
def test_what_the_user_has_set_stays(name):
    assert not keep_freed_memory({name: "1"})


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory({})


def test_each_command_keeps_freed_memory(monkeypatch):
    calls = []
    monkeypatch.setattr(cli, "keep_freed_memory", lambda: calls.append(1))
    assert cli.main(["train", "data.path=none.csv"]) == 2
    assert calls
