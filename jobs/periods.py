"""Periods: what held when. Histories are intervals that may overlap; periods, the stretches in which none begins or ends.

What holds in a period is settled once; of a line it is only asked in which one it happened: a comparison, not a walk
through the intervals of whom it is of.
"""

from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def by_period(histories: DataFrame, *intervals: str) -> DataFrame:
    """One row per row of `histories` and period, from `since` (inclusive, null: ever) to `until` (exclusive, null: open).

    `intervals` are its columns of intervals. Periods of a row leave no instant out, and share none.
    """
    instants = F.concat(*(F.col(f"{name}.{end}") for name in intervals for end in ("valid_from", "valid_to")))
    changes = F.array_sort(F.array_compact(F.array_distinct(instants)))
    ever = F.array(F.lit(None).cast("timestamp"))
    periods = F.zip_with(F.concat(ever, changes), changes, lambda since, until: F.struct(since, until))
    return histories.select("*", F.inline(periods).alias("since", "until"))


def met(lines: DataFrame, periods: DataFrame, on: list[str]) -> DataFrame:
    """Every line, beside what was so of its own (`on`) in the period in which it happened; null where nothing is known."""
    theirs = periods.withColumnsRenamed({name: f"whose_{name}" for name in on})
    whose = [F.col(name) == F.col(f"whose_{name}") for name in on]
    within = (F.isnull("since") | (F.col("since") <= F.col("occurred_at"))) & (
        F.isnull("until") | (F.col("occurred_at") < F.col("until"))
    )
    joined = lines.join(theirs, on=reduce(and_, [*whose, within]), how="left")
    return joined.drop(*(f"whose_{name}" for name in on), "since", "until")


def holds(valid_from: Column, valid_to: Column, moment: Column) -> Column:
    """Whether an interval holds at a moment: from inclusive, to exclusive, null open."""
    return (valid_from <= moment) & (valid_to.isNull() | (moment < valid_to))


def valid_at(history: str, value: str, moment: Column) -> Column:
    """The distinct values of a history's intervals that hold at a moment."""

    def of_interval(interval: Column) -> Column:
        return holds(interval["valid_from"], interval["valid_to"], moment)

    valid = F.filter(F.coalesce(F.col(history), F.array()), of_interval)
    # Before anything began, nothing holds.
    return F.when(moment.isNotNull(), F.array_distinct(F.transform(valid, lambda i: i[value]))).otherwise(
        F.array().cast("array<string>")
    )


def any_at(history: str, moment: Column) -> Column:
    """Whether any interval of a history holds at a moment; null where there is no history."""
    return F.exists(history, lambda interval: holds(interval["valid_from"], interval["valid_to"], moment))


def only(values: Column) -> Column:
    """The one value of an array; null where there are none or several."""
    return F.when(F.size(values) == 1, F.get(values, F.lit(0)))
