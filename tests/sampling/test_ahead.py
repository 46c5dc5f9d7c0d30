"""Work ahead keeps the order, goes no further than it may, and passes errors on."""

import os
import signal
import subprocess
import sys
import threading
import time
from operator import neg
from pathlib import Path

import pytest

from genmodels.sampling.ahead import ahead


@pytest.mark.parametrize("workers", [1, 3])
def test_what_is_made_comes_in_order(workers):
    assert list(ahead(lambda x: x * x, range(20), workers=workers)) == [x * x for x in range(20)]
    assert list(ahead(str, [], workers=workers)) == []


def test_no_more_is_begun_than_workers_and_as_many_ahead():
    begun, lock = [], threading.Lock()

    def make(number):
        with lock:
            begun.append(number)
        return number

    stream = ahead(make, range(100), workers=2)
    assert next(stream) == 0
    stream.close()
    assert max(begun) <= 2


def test_an_error_comes_where_its_item_would():
    def make(number):
        if number == 2:
            raise ValueError("no third")
        return number

    stream = ahead(make, range(5), workers=2)
    assert [next(stream), next(stream)] == [0, 1]
    with pytest.raises(ValueError, match="no third"):
        next(stream)


def test_processes_make_the_same_elsewhere():
    assert list(ahead(neg, range(5), workers=2, processes=True)) == [0, -1, -2, -3, -4]
    apart = set(ahead(whose, range(8), workers=2, processes=True))
    assert os.getpid() not in apart


def whose(_):
    return os.getpid()


def test_a_process_computes_with_one_thread():
    assert list(ahead(threads, range(2), workers=2, processes=True)) == [1, 1]


def threads(_):
    import torch

    return torch.get_num_threads()


def third(number):
    if number == 2:
        raise ValueError("no third")
    return number


def test_an_error_of_a_process_comes_where_its_item_would():
    stream = ahead(third, range(5), workers=2, processes=True)
    assert [next(stream), next(stream)] == [0, 1]
    with pytest.raises(ValueError, match="no third"):
        next(stream)


KILLED = """
import os
from genmodels.sampling.ahead import ahead
from tests.sampling.test_ahead import whose

if __name__ == "__main__":
    for number in ahead(whose, range(100), workers=1, processes=True):
        print(number, flush=True)
        os.kill(os.getpid(), {number})
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
def test_processes_end_with_the_one_that_asked(tmp_path):
    script = tmp_path / "asks.py"
    script.write_text(KILLED.format(number=int(signal.SIGKILL)))
    path = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == -signal.SIGKILL
    worker = int(done.stdout)
    for _ in range(200):
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    raise AssertionError(f"process {worker} outlives the one that asked")
