"""Settle: a conversation is used whole or not at all over all landing dates of the window, so other dates have a say."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.screen import forget_unless_used
from jobs.stage import Stage
from jobs.stale import withholding
from schemas.arrivals import ARRIVALS
from schemas.lines import SCREENED, SETTLED

# A line that its own date stops keeps that outcome: it is stopped without the other date.
STANDING = ("used", "no_interest", "empty")


def settle(screened: DataFrame, elsewhere: DataFrame) -> DataFrame:
    """One row per raw line with its final outcome. `elsewhere` are the arrivals of the neighbouring landing dates."""
    withheld = withholding(elsewhere).withColumn("withheld_elsewhere", F.lit(True))
    stopped = F.col("withheld_elsewhere") & F.col("outcome").isin(*STANDING)
    lines = screened.join(withheld, on="conversation_digest", how="left").withColumn(
        "outcome", F.when(stopped, "conversation").otherwise(F.col("outcome"))
    )
    return forget_unless_used(lines).select(SETTLED.names)


STAGE = Stage("settle", reads=(SCREENED, ARRIVALS), transform=settle, gives=SETTLED)
