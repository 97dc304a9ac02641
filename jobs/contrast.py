"""Contrast: what a change of policy would do to some landing dates. Both are judged in memory; nothing is written."""

from dataclasses import replace
from datetime import date

import msgspec
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.night import Setting
from jobs.policy import Policy
from jobs.rebuild import rebuild
from schemas.contract import Contract
from schemas.outcomes import OUTCOME_COUNTS
from schemas.profiles import PROFILES
from schemas.segments import SEGMENTS
from schemas.words import OUTCOMES


class Contrast(msgspec.Struct, frozen=True):
    """Counts before and after. `outcomes` by source and outcome, in lines; `interests` in rows of `profiles`; `segments` of
    those published, `changed` in size."""

    outcomes: dict[str, dict[str, tuple[int, int]]]
    interests: dict[str, int]
    people: tuple[int, int]
    segments: dict[str, int]


def contrast(setting: Setting, before: list[Policy], after: list[Policy], dates: list[date], progress) -> Contrast:
    """What these landing dates come to under one policy and under another."""
    tables = [rebuild(replace(setting, policies=policies), dates, progress) for policies in (before, after)]
    one, other = (found[PROFILES.name].persist() for found in tables)
    return Contrast(
        _outcomes(*(found[OUTCOME_COUNTS.name] for found in tables)),
        _changes(one, other, PROFILES, "weight"),
        tuple(rows.select("profile_id").distinct().count() for rows in (one, other)),
        _changes(*(found[SEGMENTS.name] for found in tables), SEGMENTS, "size"),
    )


def table(found: Contrast) -> str:
    """A contrast for a terminal: only what differs, and the totals."""
    lines = []
    for source, outcomes in found.outcomes.items():
        lines += [f"{source:<24}{'before':>12}{'after':>12}{'change':>12}"]
        lines += [f"  {name:<22}{a:>12,}{b:>12,}{b - a:>+12,}" for name, (a, b) in outcomes.items() if a != b]
        lines += [f"  {'lines read':<22}{sum(a for a, _ in outcomes.values()):>12,}", ""]
    lines += [f"  {f'interests {how}':<22}{rows:>12,}" for how, rows in found.interests.items()]
    lines += [f"  {'people with interests':<22}{found.people[0]:>12,}{found.people[1]:>12,}"]
    lines += [f"  {f'segments {how}':<22}{rows:>12,}" for how, rows in found.segments.items()]
    return "\n".join(lines) + "\n"


def _outcomes(before: DataFrame, after: DataFrame) -> dict[str, dict[str, tuple[int, int]]]:
    counted = (
        before.withColumn("side", F.lit(0))
        .unionByName(after.withColumn("side", F.lit(1)))
        .groupBy("source", "outcome", "side")
        .agg(F.sum("lines").alias("lines"))
        .collect()
    )
    lines = {(row["source"], row["outcome"], row["side"]): row["lines"] for row in counted}
    sources = sorted({row["source"] for row in counted}, reverse=True)
    return {
        source: {
            name: (lines.get((source, name, 0), 0), lines.get((source, name, 1), 0))
            for name in OUTCOMES
            if (source, name, 0) in lines or (source, name, 1) in lines
        }
        for source in sources
    }


def _changes(before: DataFrame, after: DataFrame, contract: Contract, value: str) -> dict[str, int]:
    """Rows by what becomes of them, by key."""
    key = list(contract.key)
    sides = before.select(*key, F.col(value).alias("a")).join(
        after.select(*key, F.col(value).alias("b")), on=key, how="full_outer"
    )
    change = (
        F.when(F.col("a").isNull(), "gained")
        .when(F.col("b").isNull(), "lost")
        .when(F.col("a") == F.col("b"), "unchanged")
        .otherwise("changed")
    )
    counted = {row["change"]: row["count"] for row in sides.groupBy(change.alias("change")).count().collect()}
    return {how: counted.get(how, 0) for how in ("unchanged", "changed", "gained", "lost")}
