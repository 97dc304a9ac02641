"""Admit: keep the lines that the policy allows; name the first rule that stops each of the others."""

import json
from collections.abc import Iterable
from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.periods import any_at, by_period, met, only, valid_at
from jobs.policy import ISO_3166_1, Policy
from jobs.stage import Stage
from jobs.whole import forget_stopped
from schemas.contract import one_of
from schemas.lines import ADMITTED, LINKED
from schemas.reference import ACCOUNT_LINKS, ERASURES, NOTICES, PROFILE_REGIONS
from schemas.words import PERSONALISED_APPS


def admit(
    linked: DataFrame,
    account_links: DataFrame,
    profile_regions: DataFrame,
    notices: DataFrame,
    erasures: DataFrame,
    *,
    policy: Policy,
    as_of: datetime,
) -> DataFrame:
    """One row per raw line, with the first gate that stops it by itself; `outcome` is null where none does."""
    # What holds of a person, now and in each period, is settled once; of a line only the period is asked.
    known = histories(account_links, profile_regions, notices, erasures, policy=policy)
    people = by_period(known, "apps", "regions").select(
        *("profile_id", "since", "until", "notified_at", "erased_until"),
        (any_at("apps", F.col("since")) & any_at("apps", F.lit(as_of))).alias("on_an_app"),
        only(valid_at("regions", "country", F.col("since"))).alias("region_then"),
        only(valid_at("regions", "country", F.lit(as_of))).alias("region_now"),
    )
    lines = met(linked, people, ["profile_id"])
    ai = F.col("source") == "interactions"
    stopped = lines.withColumn(
        "outcome",
        first_that_applies(
            F.col("outcome"),
            ("before_effective", ai & (F.col("occurred_at") < F.lit(policy.effective_from))),
            ("logged_out", F.col("account_id").isNull()),
            ("unlinked", F.col("link_outcome") == "unlinked"),
            ("ambiguous_link", F.col("link_outcome") == "ambiguous_link"),
            ("erased", F.col("occurred_at") <= F.col("erased_until")),
            ("no_app_account", ai & ~F.coalesce("on_an_app", F.lit(False))),
            ("region_unknown", F.expr("coalesce(region_then, '') = '' or coalesce(region_now, '') = ''")),
            ("region_excluded", among("region_then", policy.regions.excluded)),
            ("region_excluded", among("region_now", policy.regions.excluded)),
            ("not_notified", ai & ~F.coalesce(F.col("notified_at") < F.col("occurred_at"), F.lit(False))),
        ),
    )
    # A copy says nothing that its first did not, and a malformed line nothing that we understood: neither withholds its
    # conversation, but for an oversize line whose conversation could be read.
    own = F.col("outcome").isNotNull() & ~F.col("outcome").isin("duplicate", "malformed")
    oversize = F.coalesce(F.col("reason") == "oversize", F.lit(False)) & F.col("conversation_digest").isNotNull()
    return forget_stopped(stopped.withColumn("withholds", own | oversize)).select(ADMITTED.names)


def histories(
    account_links: DataFrame, profile_regions: DataFrame, notices: DataFrame, erasures: DataFrame, *, policy: Policy
) -> DataFrame:
    """One row per profile: intervals of its app accounts and countries, its earliest valid notice, its last erasure."""
    facts = (
        account_links.where(F.col("app").isin(*PERSONALISED_APPS))
        .select("profile_id", F.struct("app", "valid_from", "valid_to").alias("apps"))
        .unionByName(
            profile_regions.select(
                "profile_id",
                F.struct(country_code("country", policy).alias("country"), "valid_from", "valid_to").alias("regions"),
            ),
            allowMissingColumns=True,
        )
        .unionByName(
            notices.where(F.col("notified_at") >= F.lit(policy.notice_from)).select("profile_id", "notified_at"),
            allowMissingColumns=True,
        )
        .unionByName(
            erasures.select("profile_id", F.col("requested_at").alias("erased_until")), allowMissingColumns=True
        )
    )
    return facts.groupBy("profile_id").agg(
        F.collect_set("apps").alias("apps"),
        F.collect_set("regions").alias("regions"),
        F.min("notified_at").alias("notified_at"),
        F.max("erased_until").alias("erased_until"),
    )


def country_code(country: str, policy: Policy) -> Column:
    """A country as ISO 3166-1 alpha-2, trimmed, upper-cased, aliases resolved; '' where that is unknown."""
    code = F.upper(F.regexp_replace(F.coalesce(F.col(country), F.lit("")), r"^\s+|\s+$", ""))
    known = {code: code for code in sorted(ISO_3166_1)} | policy.regions.aliases
    # As one literal: a call of the JVM for each code takes longer than the countries of a small night.
    meant = F.from_json(F.lit(json.dumps(known)), "map<string, string>")
    return F.coalesce(F.try_element_at(meant, code), F.lit(""))


def among(column: str, values: Iterable[str]) -> Column:
    """Whether a column holds one of some codes of ours."""
    return F.expr(one_of(column, sorted(values)))


def first_that_applies(already: Column, *rules: tuple[str, Column]) -> Column:
    """What is decided already, else the name of the first condition that is true; null is not true."""
    chosen = F.when(already.isNotNull(), already)
    for name, condition in rules:
        chosen = chosen.when(condition, name)
    return chosen


STAGE = Stage(
    "admit",
    reads=(LINKED, ACCOUNT_LINKS, PROFILE_REGIONS, NOTICES, ERASURES),
    transform=admit,
    gives=ADMITTED,
    kept=True,
    counted=True,
)
