"""Work ahead keeps the order, goes no further than it may, and passes errors on."""

import threading

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
