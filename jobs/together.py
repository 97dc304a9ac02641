"""Together: landing dates settled beside each other, in memory. None waits for another, and nothing is written."""

from collections.abc import Callable
from datetime import date
from functools import reduce

from pyspark.sql import DataFrame

from jobs import ledger
from jobs.lake import nothing
from jobs.night import Night, Setting
from jobs.stale import neighbours
from schemas.arrivals import ARRIVALS
from schemas.lines import RAW_LINES


def settled_nights(
    setting: Setting, dates: list[date], reference: dict[str, DataFrame], progress: Callable[[str, float], None]
) -> dict[date, Night]:
    """These landing dates, each with its lines settled."""
    none = nothing(setting.spark, ARRIVALS)

    def beside(day: date, frames: dict[date, DataFrame]) -> DataFrame:
        return all_of([none, *(frames[other] for other in neighbours(day, dates, setting.policies))])

    nights = {day: Night(setting, day, progress) for day in dates}
    for night in nights.values():
        night.read()
    ids = {day: ledger.ids(n.runner.frames[RAW_LINES.name], landing_date=day) for day, n in nights.items()}
    for day, night in nights.items():
        night.fly(reference, beside(day, ids))
    arrivals = {day: night.runner.transform(ledger.ARRIVALS_STAGE) for day, night in nights.items()}
    for day, night in nights.items():
        night.runner.frames["elsewhere"] = beside(day, arrivals)
        night.settle()
    return nights


def all_of(frames: list[DataFrame]) -> DataFrame:
    """The rows of every frame."""
    return reduce(DataFrame.unionByName, frames)
