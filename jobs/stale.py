"""Stale: which landing dates have to be stated anew, and which landing dates see each other's ids and conversations."""

from collections.abc import Iterable
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.history import History
from jobs.landing import LandingFile, file_sha256, landing_dates, list_night
from jobs.policy import Policy, policy_on
from jobs.whole import named


def to_state(
    history: History, landing: str, policies: list[Policy], landing_date: date, *, again: bool = False
) -> set[date]:
    """A landing date where it is new, stale or asked for `again`, and the stale ones of its window.

    A date of the window that has no folder any more is past: its files were taken away, not changed.
    """
    present = set(landing_dates(landing))
    window = [day for day in neighbours(landing_date, history.dates, policies) if day in present]
    newest = history.newest([landing_date, *window])
    stale = {day for day, run in newest.items() if is_stale(run, list_night(landing, day), day)}
    return stale | ({landing_date} if again or landing_date not in newest else set())


def is_stale(run: dict, files: list[LandingFile], landing_date: date) -> bool:
    """Whether a landing date's files are others than a run read.

    Names and sizes come first. Where these agree a file that was written since is digested; one that was not touched
    is the same.
    """
    read = {(f["source"], f["name"]): f for f in run["inputs"] if f["landing_date"] == landing_date}
    if {(f.source, f.name): f.size for f in files} != {name: f["bytes"] for name, f in read.items()}:
        return True
    touched = [file for file in files if file.modified_ns != read[file.source, file.name]["modified_ns"]]
    return any(file_sha256(file) != read[file.source, file.name]["sha256"] for file in touched)


def neighbours(landing_date: date, dates: Iterable[date], policies: list[Policy]) -> list[date]:
    """Those of other dates that lie in one lateness window with this one: the window of the later of the two."""

    def share_window(other: date) -> bool:
        later = max(landing_date, other)
        return 0 < abs((landing_date - other).days) <= policy_on(policies, later).lateness_days

    return sorted(filter(share_window, dates))


def touched(before: DataFrame, after: DataFrame, elsewhere: DataFrame, landing_date: date) -> list[date]:
    """Landing dates some line of which may come to another outcome, now that this date's arrivals are others.

    A line is decided by an id that another date has with other content, or had first, and by a conversation that
    another date withholds. `before` and `after` are this date's arrivals, `elsewhere` those of its neighbours.
    """
    ids = _difference(before, after, "source", "id_digest", "content_digest").withColumnRenamed("content_digest", "new")
    by_id = elsewhere.join(ids, on=["source", "id_digest"]).where(
        (F.col("new") != F.col("content_digest")) | (F.col("landing_date") > F.lit(landing_date))
    )
    withheld = _difference(withholding(before), withholding(after), "conversation_digest")
    by_conversation = elsewhere.where(~F.col("withholds")).join(withheld, on="conversation_digest")
    found = by_id.select("landing_date").unionByName(by_conversation.select("landing_date")).distinct()
    return sorted(row["landing_date"] for row in found.collect())


def withholding(arrivals: DataFrame) -> DataFrame:
    """One row per conversation that some line of these withholds."""
    return named(arrivals, "withholds")


def _difference(one: DataFrame, other: DataFrame, *columns: str) -> DataFrame:
    """Distinct rows that only one of two frames has; a row with a null is in no join, and stays out."""
    both = one.select(*columns).distinct().unionByName(other.select(*columns).distinct())
    return both.na.drop().groupBy(*columns).count().where("count = 1").drop("count")
