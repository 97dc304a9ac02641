"""signals: what each used line says of its profile's interests."""

from schemas.contract import AMOUNT, DAY, DIGEST, INT, TEXT, Contract, Rule, column, one_of
from schemas.words import ENGAGEMENT_KINDS, SURFACES

SIGNALS = Contract(
    name="signals",
    row="an interest that one used line shows",
    columns=(
        column("signal_key", DIGEST, "keyed digest of the line and its topic"),
        column("landing_date", DAY, "the landing date whose night restates this row"),
        column("profile_id", TEXT, "whose interest it is"),
        column("topic_id", TEXT, "IAB Content Taxonomy 3.1 id of the interest"),
        column("source", TEXT, "the surface or the kind of engagement that it came from"),
        column("day", DAY, "the UTC day on which it happened"),
        column("score", INT, "how surely the line is about the topic, in 1/10,000"),
        column("weight", INT, "what the policy gives the source, in 1/1,000"),
        column("amount", AMOUNT, "score times weight times the day's factor: exact, forward-decayed"),
        column("account_digest", DIGEST, "keyed digest of app and account: whose link it stands by"),
    ),
    key=("landing_date", "signal_key"),
    rules=(
        Rule("score_in_range", "score between 1 and 10000", "a score is in (0, 1]"),
        Rule("weight_positive", "weight > 0", "a source without weight gives no signal"),
        Rule("amount_positive", "amount > 0", "a signal adds to an interest"),
        Rule("known_source", one_of("source", (*SURFACES, *ENGAGEMENT_KINDS)), "the source is one of ours"),
        Rule("happened_before_landing_ended", "day <= landing_date", "nothing from after its landing date"),
    ),
    write="replace",
    partition_by=("landing_date",),
    retention="the policy's retention after `day`",
    readers="the nightly job, `explain`, `verify`",
)
