"""outcomes: the ledger. Every raw line of a night is counted here exactly once."""

from schemas.contract import DAY, LONG, TEXT, Contract, Rule, column, one_of
from schemas.words import ENGAGEMENT_KINDS, OUTCOMES, SOURCES, SURFACES, UNKNOWN_SURFACE

OUTCOME_COUNTS = Contract(
    name="outcomes",
    row="how many raw lines of a landing date, source and surface came to one outcome",
    columns=(
        column("landing_date", DAY, "the landing date"),
        column("source", TEXT, "interactions or engagements"),
        column("surface", TEXT, "surface, kind of engagement, or unknown where malformed"),
        column("outcome", TEXT, "the outcome"),
        column("lines", LONG, "how many lines"),
    ),
    key=("landing_date", "source", "surface", "outcome"),
    rules=(
        Rule("known_source", one_of("source", SOURCES), "the source is one of ours"),
        Rule("known_outcome", one_of("outcome", OUTCOMES), "the outcome is one of ours"),
        Rule(
            "known_surface",
            one_of("surface", (*SURFACES, *ENGAGEMENT_KINDS, UNKNOWN_SURFACE)),
            "the surface is one of ours",
        ),
        Rule("lines_positive", "lines > 0", "a count of nothing is no row"),
        Rule(
            "unknown_iff_malformed",
            f"(surface = '{UNKNOWN_SURFACE}') = (outcome = 'malformed')",
            "the surface is unknown exactly where the line is malformed",
        ),
    ),
    write="replace",
    partition_by=("landing_date",),
    retention="kept",
    readers="anyone: it says nothing of a person",
)
