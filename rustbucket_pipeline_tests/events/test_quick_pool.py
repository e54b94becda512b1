"""Values told in any order stand where they belong."""

import numpy as np
import pyarrow as pa

from rustbucket_pipeline.events.quick_pool import Pool
from rustbucket_pipeline.events.quick_spans import or_null


def pool() -> Pool:
    pool = Pool(5)
    pool.put(np.array([3, 1]), [b"three", b"one"])
    pool.put(np.array([4]), [b"four"])
    return pool


def test_values_are_told_by_place_whatever_the_order_they_came_in():
    assert pool().between(0, 5) == [None, b"one", None, b"three", b"four"]
    assert pool().between(1, 2) == [b"one"]


def test_a_column_has_nulls_where_nothing_was_told():
    values = pa.array(pool().values, pa.string())
    assert or_null(values, pool().numbers(np.array([0, 1, 4]))).to_pylist() == [None, "one", "four"]
    assert or_null(values[:0], Pool(2).numbers(np.array([0, 1]))).to_pylist() == [None, None]
