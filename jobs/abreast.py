"""Abreast: calls that don't need each other, in threads. A small night is one thread that plans and waits; two do better."""

import os
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from pyspark import inheritable_thread_target
from pyspark.sql import SparkSession

THREADS = max(2, os.cpu_count() or 1)


def abreast(spark: SparkSession, *calls: Callable[[], object]) -> list:
    """What each call gives, in their order.

    Once one fails, those that haven't begun never do. The error goes on when all that had begun have ended.
    """
    pool = ThreadPoolExecutor(min(THREADS, len(calls) or 1))
    try:
        # What the caller's thread has set of its jobs goes for theirs. A copy for each: they set what they like of it.
        running = [pool.submit(inheritable_thread_target(spark)(call)) for call in calls]
        wait(running, return_when=FIRST_EXCEPTION)
    finally:
        # Whether one failed or somebody interrupts.
        pool.shutdown(wait=True, cancel_futures=True)
    return [one.result() for one in running if not one.cancelled()]
