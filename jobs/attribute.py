"""Attribute: by which accounts each profile has its signals, so that a night knows whose to judge without reading them all."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.stage import Stage
from schemas.signal_accounts import SIGNAL_ACCOUNTS
from schemas.signals import SIGNALS
from schemas.words import SURFACES


def attributed(signal_accounts: DataFrame, restated: DataFrame, visible: DataFrame) -> DataFrame:
    """One row per account by which a profile has signals: as it was, and restated signals minus visible ones."""
    gone = accounts_of(visible).withColumn("signals", -F.col("signals"))
    return _summed(signal_accounts.unionByName(accounts_of(restated)).unionByName(gone), F.sum("signals"))


def accounts_of(signals: DataFrame) -> DataFrame:
    """One row per account by which a profile has some of these signals."""
    return _summed(signals.withColumn("ai", of_ai()), F.count(F.lit(1)))


def of_ai() -> Column:
    """Whether a signal came from an AI product."""
    return F.col("source").isin(*SURFACES)


def _summed(rows: DataFrame, signals: Column) -> DataFrame:
    summed = rows.groupBy("profile_id", "account_digest", "ai").agg(signals.alias("signals"))
    return summed.where("signals <> 0").select(SIGNAL_ACCOUNTS.names)


STAGE = Stage("attribute", reads=(SIGNAL_ACCOUNTS, SIGNALS), transform=attributed, gives=SIGNAL_ACCOUNTS)
