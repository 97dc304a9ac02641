"""Link: find the one profile that a line's account belongs to, or say why there is none."""

from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.periods import by_period, met, valid_at
from jobs.stage import Stage
from schemas.lines import INGESTED, LINKED
from schemas.reference import ACCOUNT_LINKS


def link(ingested: DataFrame, account_links: DataFrame, *, as_of: datetime) -> DataFrame:
    """One row per raw line, with `profile_id` if exactly one profile is linked then and the same one now.

    The account is looked up under the line's own app. "Then" is when the line happened, "now" the end of its landing
    date (`as_of`).
    """
    # Who an account belongs to, now and in each period, is settled once an account.
    accounts = (
        by_period(histories_of(account_links, "account_id", "app", "account_digest"), "links")
        .withColumn("then", valid_at("links", "profile_id", F.col("since")))
        .withColumn("now", valid_at("links", "profile_id", F.lit(as_of)))
        .withColumn(
            "link_outcome",
            F.when(F.size("then") == 0, "unlinked")
            .when((F.size("then") > 1) | (F.size("now") > 1), "ambiguous_link")
            .when((F.size("now") == 0) | (F.get("now", F.lit(0)) != F.get("then", F.lit(0))), "unlinked"),
        )
        .withColumn("profile_id", F.when(F.col("link_outcome").isNull(), F.get("then", F.lit(0))))
        .drop("links", "then", "now")
    )
    unlinked = F.when(F.col("profile_id").isNull(), F.coalesce("link_outcome", F.lit("unlinked")))
    lines = met(ingested, accounts, ["account_id", "app"])
    return lines.withColumn("link_outcome", unlinked).select(LINKED.names)


def histories_of(account_links: DataFrame, *account: str) -> DataFrame:
    """One row per account, named by these columns, with the intervals of its profiles as `links`."""
    return account_links.groupBy(*account).agg(
        F.collect_set(F.struct("profile_id", "valid_from", "valid_to")).alias("links")
    )


STAGE = Stage("link", reads=(INGESTED, ACCOUNT_LINKS), transform=link, gives=LINKED)
