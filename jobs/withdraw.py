"""Withdraw: stored signals whose person, link, notice or age no longer allows them, by the end of this night's date.

A signal of landing date D stands while it also holds at the end of every later landing date that is run. So a night
judges the signals of earlier dates by its own end, and its own signals by the ends of later dates that were run before
it: whatever the order of nights, the same signals are left.
"""

from datetime import date
from functools import reduce
from itertools import groupby
from operator import itemgetter, or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.admit import histories
from jobs.landing import end_of
from jobs.link import histories_of, valid_at
from jobs.policy import Policy
from jobs.stage import Stage
from schemas.reference import ACCOUNT_LINKS, ERASURES, NOTICES, PROFILE_REGIONS
from schemas.signals import SIGNALS
from schemas.words import SURFACES


def withdrawn(
    accrued: DataFrame,
    account_links: DataFrame,
    profile_regions: DataFrame,
    notices: DataFrame,
    erasures: DataFrame,
    *,
    landing_date: date,
    restated: list[date],
    nights: list[tuple[date, Policy]],
) -> DataFrame:
    """One row (landing_date, signal_key) per stored signal that falls.

    `accrued` are all signals as they are stored now. `nights` are the landing dates that may judge them, in order, each
    with its policy: `landing_date` judges whatever is of an earlier date, another night only what is `restated`, for
    it has judged the others already. An erasure takes the whole day of its request, of the night's own date too: of an
    instant only the day is kept.
    """
    links = histories_of(account_links, "account_digest")
    forgotten = F.coalesce(F.to_date("erased_until") >= F.col("day"), F.lit(False))

    def falling(by: Policy, judges: list[date]) -> DataFrame:
        people = histories(account_links, profile_regions, notices, erasures, policy=by)
        known = accrued.join(links, on="account_digest", how="left").join(people, on="profile_id", how="left")
        return known.where(reduce(or_, (judged(night) & ~holds(night, by) for night in judges)) | forgotten)

    def judged(night: date) -> Column:
        earlier = F.col("landing_date") < F.lit(night)
        return earlier if night == landing_date else earlier & F.col("landing_date").isin(*restated)

    def holds(night: date, by: Policy) -> Column:
        return F.coalesce(stands(night, by), F.lit(False))

    # Of each policy's nights in one pass: a year of later dates is one join, not hundreds.
    found = [falling(by, [night for night, _ in judges]) for by, judges in groupby(nights, key=itemgetter(1))]
    return reduce(DataFrame.unionByName, found).select("landing_date", "signal_key").distinct()


def stands(night: date, policy: Policy) -> Column:
    """Whether a signal, beside its account's links and its profile's histories, holds at the end of a landing date."""
    end = F.lit(end_of(night))
    ai = F.col("source").isin(*SURFACES)
    region = valid_at("regions", "country", end)
    eligible = (F.size(region) == 1) & ~F.get(region, F.lit(0)).isin("", *sorted(policy.regions.excluded))
    told = F.col("notified_at") < F.date_add("day", 1).cast("timestamp")
    return (
        (F.date_add("day", policy.retention_days) > F.lit(night))
        & (valid_at("links", "profile_id", end) == F.array("profile_id"))
        & eligible
        & (~ai | ((F.size(valid_at("apps", "app", end)) > 0) & told))
    )


STAGE = Stage(
    "withdraw",
    reads=(SIGNALS, ACCOUNT_LINKS, PROFILE_REGIONS, NOTICES, ERASURES),
    transform=withdrawn,
    gives=SIGNALS,
)
