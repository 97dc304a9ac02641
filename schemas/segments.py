"""segments: the audiences, by interest and by interest and country, of at least the policy's minimum of people."""

from schemas.contract import DAY, LONG, TEXT, Contract, Rule, column, one_of
from schemas.words import PLACEMENTS

SEGMENTS = Contract(
    name="segments",
    row="an audience",
    columns=(
        column("segment_id", TEXT, "placement/topic_id, or placement/topic_id/country"),
        column("placement", TEXT, "what it is an audience for; whose floor every member's interest reaches"),
        column("topic_id", TEXT, "IAB Content Taxonomy 3.1 id of the interest"),
        column("country", TEXT, "ISO 3166-1 alpha-2; null: people of every eligible country", nullable=True),
        column("size", LONG, "how many people are in it, rounded down to a multiple of the minimum"),
        column("minimum", LONG, "the least number of people of an audience, by the policy"),
        column("as_of", DAY, "the landing date at whose end this holds"),
    ),
    key=("segment_id",),
    rules=(
        Rule("known_placement", one_of("placement", PLACEMENTS), "the placement is one of ours"),
        Rule("large_enough", "size >= minimum and minimum > 1", "nobody is alone in an audience"),
        Rule("rounded", "size % minimum = 0", "no two nights' sizes tell one person apart"),
        Rule("country_code", "country is null or length(country) = 2", "a country is a code"),
    ),
    write="overwrite",
    retention="until the next run",
    readers="activation, analysts",
)
