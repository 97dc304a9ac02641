"""Link: find the one profile that a line's account belongs to, or say why there is none."""

from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.stage import Stage
from schemas.lines import INGESTED, LINKED
from schemas.reference import ACCOUNT_LINKS


def link(ingested: DataFrame, account_links: DataFrame, *, as_of: datetime) -> DataFrame:
    """One row per raw line, with `profile_id` if exactly one profile is linked then and the same one now.

    The account is looked up under the line's own app. "Then" is when the line happened, "now" the end of its landing
    date (`as_of`).
    """
    # Who an account belongs to now is settled once an account; only what was then is asked line by line.
    now = valid_at("links", "profile_id", F.lit(as_of))
    accounts = histories_of(account_links, "account_id", "app", "account_digest").withColumn("now", now)
    return (
        ingested.join(accounts, on=["account_id", "app"], how="left")
        .withColumn("then", valid_at("links", "profile_id", F.col("occurred_at")))
        .withColumn(
            "link_outcome",
            F.when(F.size("then") == 0, "unlinked")
            .when((F.size("then") > 1) | (F.size("now") > 1), "ambiguous_link")
            .when((F.size("now") == 0) | (F.get("now", F.lit(0)) != F.get("then", F.lit(0))), "unlinked"),
        )
        .withColumn("profile_id", F.when(F.col("link_outcome").isNull(), F.get("then", F.lit(0))))
        .select(LINKED.names)
    )


def histories_of(account_links: DataFrame, *account: str) -> DataFrame:
    """One row per account, named by these columns, with the intervals of its profiles as `links`."""
    return account_links.groupBy(*account).agg(
        F.collect_set(F.struct("profile_id", "valid_from", "valid_to")).alias("links")
    )


def holds(valid_from: Column, valid_to: Column, moment: Column) -> Column:
    """Whether an interval holds at a moment: from inclusive, to exclusive, null open."""
    return (valid_from <= moment) & (valid_to.isNull() | (moment < valid_to))


def valid_at(history: str, value: str, moment: Column) -> Column:
    """The distinct values of a history's intervals that hold at a moment."""

    def of_interval(interval: Column) -> Column:
        return holds(interval["valid_from"], interval["valid_to"], moment)

    valid = F.filter(F.coalesce(F.col(history), F.array()), of_interval)
    # Before anything is known of the moment (a malformed line has none), nothing holds.
    return F.when(moment.isNotNull(), F.array_distinct(F.transform(valid, lambda i: i[value]))).otherwise(
        F.array().cast("array<string>")
    )


STAGE = Stage("link", reads=(INGESTED, ACCOUNT_LINKS), transform=link, gives=LINKED)
