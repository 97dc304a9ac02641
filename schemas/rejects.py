"""rejects: where the malformed lines are, and why; never what they say."""

from schemas.contract import DAY, LONG, TEXT, Contract, Rule, column, one_of
from schemas.words import REJECT_REASONS, SOURCES

REJECTS = Contract(
    name="rejects",
    row="a malformed raw line",
    columns=(
        column("landing_date", DAY, "the landing date"),
        column("source", TEXT, "interactions or engagements"),
        column("file", TEXT, "name of the landing file, within its date folder"),
        column("position", LONG, "line number within the file, from 1"),
        column("reason", TEXT, "why it is malformed"),
    ),
    key=("landing_date", "source", "file", "position"),
    rules=(
        Rule("known_source", one_of("source", SOURCES), "the source is one of ours"),
        Rule("known_reason", one_of("reason", REJECT_REASONS), "the reason is one of ours"),
        Rule("position_positive", "position > 0", "lines are counted from 1"),
    ),
    write="replace",
    partition_by=("landing_date",),
    retention="30 days",
    readers="data engineers",
)
