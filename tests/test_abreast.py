"""Abreast: what doesn't need each other runs side by side; nothing is still running, and nothing swallowed, afterwards."""

import time
from datetime import date

import pytest

from jobs.abreast import THREADS, abreast
from jobs.runner import Runner


def test_results_come_in_the_order_of_the_calls(spark):
    def late():
        time.sleep(0.3)
        return "late"

    assert abreast(spark, late, lambda: "early") == ["late", "early"]
    assert abreast(spark) == []


def test_an_error_goes_on_only_when_all_have_ended_and_the_first_call_s_comes_first(spark):
    ended = []

    def fails():
        time.sleep(0.3)
        raise ValueError("first")

    def slow():
        time.sleep(1)
        ended.append("slow")
        raise KeyError("second")

    with pytest.raises(ValueError, match="first"):
        abreast(spark, fails, slow)
    assert ended == ["slow"]


def test_what_has_not_begun_when_one_fails_never_does(spark):
    begun = []

    def fails():
        raise ValueError("first")

    def slow():
        time.sleep(0.5)

    later = [lambda n=n: begun.append(n) for n in range(THREADS)]
    with pytest.raises(ValueError, match="first"):
        abreast(spark, *[slow] * (THREADS - 1), fails, slow, *later)
    assert not begun


def test_calls_really_run_side_by_side(spark):
    seen = []

    def meets():
        seen.append(1)
        until = time.monotonic() + 30
        while len(seen) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        return len(seen)

    assert abreast(spark, meets, meets) == [2, 2]


def test_jobs_of_a_step_carry_its_name_in_every_thread_and_lose_it_afterwards(spark):
    runner = Runner(spark, date(2025, 12, 17), lambda *_: None)

    def name():
        return spark.sparkContext.getLocalProperty("spark.job.description")

    def step(of):
        with runner.timed(of):
            time.sleep(0.1)
            return name()

    with runner.timed("outer"):
        assert name() == "outer"
        assert abreast(spark, name) == ["outer"]
    assert name() is None
    assert abreast(spark, lambda: step("one"), lambda: step("other")) == ["one", "other"]
