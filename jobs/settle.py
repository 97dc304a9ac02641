"""Settle: a conversation is used whole or not at all over all landing dates of the window, so other dates have a say."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.screen import forget_unless_used
from jobs.stage import Stage
from jobs.whole import both, marked
from schemas.arrivals import ARRIVALS
from schemas.contract import one_of
from schemas.lines import SCREENED, SETTLED, WITHHELD

# A line that its own date stops keeps that outcome: it is stopped without the other date.
STANDING = ("used", "no_interest", "empty")


def withheld(screened: DataFrame, elsewhere: DataFrame) -> DataFrame:
    """One row (conversation_digest) per conversation that goes on by its own date and is withheld by a neighbour.

    `elsewhere` are the arrivals of the neighbouring landing dates.
    """
    return both(screened, elsewhere, going_on=one_of("outcome", STANDING), stopping="withholds")


def settle(screened: DataFrame, withheld: DataFrame) -> DataFrame:
    """One row per raw line with its final outcome."""
    stopped = F.col("withheld_elsewhere") & F.col("outcome").isin(*STANDING)
    lines = marked(screened, withheld, "withheld_elsewhere").withColumn(
        "outcome", F.when(stopped, "conversation").otherwise(F.col("outcome"))
    )
    return forget_unless_used(lines).select(SETTLED.names)


WITHHELD_STAGE = Stage("withheld", reads=(SCREENED, ARRIVALS), transform=withheld, gives=WITHHELD, counted=True)
STAGE = Stage("settle", reads=(SCREENED, WITHHELD), transform=settle, gives=SETTLED, kept=WITHHELD)
