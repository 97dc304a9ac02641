"""Withdraw: stored signals whose person, link, notice or age no longer allows them, by the end of this night's date.

A signal of landing date D stands while it also holds at the end of every later landing date that is run. So a night
judges the signals of earlier dates by its own end, and its own signals by the ends of later dates that were run before
it: whatever the order of nights, the same signals are left.

What a night costs follows what changed: which profiles have to be judged is asked of `signal_accounts`, `profiles` and
what was stated now, and of the others no signal is read but what is old enough to expire.
"""

from datetime import date, timedelta
from functools import reduce
from itertools import groupby
from operator import itemgetter, or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.admit import histories
from jobs.attribute import accounts_of, of_ai
from jobs.landing import end_of
from jobs.link import histories_of
from jobs.periods import any_at, only, valid_at
from jobs.policy import Policy, policy_on
from jobs.stage import Stage
from schemas.profiles import PROFILES
from schemas.reference import ACCOUNT_LINKS, ERASURES, NOTICES, PROFILE_REGIONS
from schemas.signal_accounts import SIGNAL_ACCOUNTS
from schemas.signals import SIGNALS


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
    reference = account_links, profile_regions, notices, erasures

    def falling(by: Policy, judges: list[date]) -> DataFrame:
        known = _known(accrued, *reference, policy=by)
        return known.where(reduce(or_, (judged(night) & ~holds(night, by) for night in judges)) | forgotten())

    def judged(night: date) -> Column:
        earlier = F.col("landing_date") < F.lit(night)
        return earlier if night == landing_date else earlier & F.col("landing_date").isin(*restated)

    def holds(night: date, by: Policy) -> Column:
        unexpired = F.date_add("day", by.retention_days) > F.lit(night)
        return unexpired & F.coalesce(allowed(night, by, ai=of_ai()), F.lit(False))

    # Of each policy's nights in one pass: a year of later dates is one join, not hundreds.
    found = [falling(by, [night for night, _ in judges]) for by, judges in groupby(nights, key=itemgetter(1))]
    return reduce(DataFrame.unionByName, found).select("landing_date", "signal_key").distinct()


def suspects(
    signal_accounts: DataFrame,
    profiles: DataFrame,
    judged: DataFrame,
    account_links: DataFrame,
    profile_regions: DataFrame,
    notices: DataFrame,
    erasures: DataFrame,
    *,
    landing_date: date,
    policy: Policy,
) -> DataFrame:
    """One row (profile_id) per profile of which something may fall at the end of this landing date, but for its age.

    `signal_accounts` and `profiles` are those that readers see, `judged` the signals that this run stated of dates that a
    later one judges. An account is judged as if it had given the profile's first signal: a notice or a request that allows
    that one allows all. So of whoever is not named here nothing falls, and of whoever is, perhaps nothing.
    """
    account = ["profile_id", "account_digest", "ai"]
    days = profiles.select("profile_id", F.col("first_day").alias("day")).unionByName(
        judged.select("profile_id", "day")
    )
    first = days.groupBy("profile_id").agg(F.min("day").alias("day"))
    accounts = signal_accounts.select(account).unionByName(accounts_of(judged).select(account)).distinct()
    accounts = accounts.join(first, on="profile_id", how="left")
    known = _known(accounts, account_links, profile_regions, notices, erasures, policy=policy)
    stays = F.coalesce(allowed(landing_date, policy, ai=F.col("ai")) & ~forgotten(), F.lit(False))
    return known.where(~stays).select("profile_id").distinct()


def asked_again(stated: DataFrame, erasures: DataFrame) -> DataFrame:
    """One row (profile_id) per profile with a signal stated now of a day on or before that of its request for erasure.

    The gates have judged them by their own date's end, so that nothing else of theirs may fall at it.
    """
    asked = erasures.groupBy("profile_id").agg(F.max("requested_at").alias("erased_until"))
    return stated.join(asked, on="profile_id").where(forgotten()).select("profile_id").distinct()


def last_to_expire(night: date, policies: list[Policy]) -> date:
    """The last landing date of which a signal may be old enough to expire at the end of this one."""
    # A line lands this much after its day at the latest.
    late = max(policy.lateness_days for policy in policies)
    return night - timedelta(days=policy_on(policies, night).retention_days - late)


def due(night: date, judges: list[date], restated: list[date], policies: list[Policy]) -> Column:
    """Of which landing dates every signal is judged, whoever it is of: those old enough, and what later nights judge too."""
    expiring = F.col("landing_date") <= F.lit(last_to_expire(night, policies))
    return expiring if judges == [night] else expiring | F.col("landing_date").isin(*restated)


def _known(
    rows: DataFrame,
    account_links: DataFrame,
    profile_regions: DataFrame,
    notices: DataFrame,
    erasures: DataFrame,
    *,
    policy: Policy,
) -> DataFrame:
    """The rows, each beside the links of its account and the histories of its profile."""
    links = histories_of(account_links, "account_digest")
    people = histories(account_links, profile_regions, notices, erasures, policy=policy)
    return rows.join(links, on="account_digest", how="left").join(people, on="profile_id", how="left")


def forgotten() -> Column:
    """Whether the profile asked for erasure on or after the row's day."""
    return F.coalesce(F.to_date("erased_until") >= F.col("day"), F.lit(False))


def allowed(night: date, policy: Policy, *, ai: Column) -> Column:
    """Whether what an account gave on a day is still allowed at the end of a landing date: link, region, app, notice.

    Null is not allowed.
    """
    end = F.lit(end_of(night))
    # Where there is not one country, or no app account at all, this is null.
    eligible = ~only(valid_at("regions", "country", end)).isin("", *sorted(policy.regions.excluded))
    told = F.col("notified_at") < F.date_add("day", 1).cast("timestamp")
    return (
        (valid_at("links", "profile_id", end) == F.array("profile_id"))
        & eligible
        & (~ai | (any_at("apps", end) & told))
    )


REFERENCE = (ACCOUNT_LINKS, PROFILE_REGIONS, NOTICES, ERASURES)
SUSPECTS_STAGE = Stage(
    "suspects", reads=(SIGNAL_ACCOUNTS, PROFILES, SIGNALS, *REFERENCE), transform=suspects, gives=PROFILES
)
ASKED_AGAIN_STAGE = Stage("asked_again", reads=(SIGNALS, ERASURES), transform=asked_again, gives=PROFILES)
STAGE = Stage("withdraw", reads=(SIGNALS, *REFERENCE), transform=withdrawn, gives=SIGNALS)
