"""Abreast: calls that don't need each other, in threads. A small night is one thread that plans and waits; two do better."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from pyspark import inheritable_thread_target
from pyspark.sql import SparkSession

THREADS = max(2, os.cpu_count() or 1)


def abreast(spark: SparkSession, *calls: Callable[[], object]) -> list:
    """What each call gives, in their order. All have ended when this does; the first error, in that order, goes on."""
    with ThreadPoolExecutor(min(THREADS, len(calls) or 1)) as pool:
        # What the caller's thread has set of its jobs goes for theirs. A copy for each: they set what they like of it.
        running = [pool.submit(inheritable_thread_target(spark)(call)) for call in calls]
        wait(running)
    return [one.result() for one in running]
