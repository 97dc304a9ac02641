"""profiles: the interests of each profile, one row each."""

from schemas.contract import AMOUNT, DAY, LONG, TEXT, Contract, Rule, column

PROFILES = Contract(
    name="profiles",
    row="an interest of one profile",
    columns=(
        column("profile_id", TEXT, "whose interest it is"),
        column("topic_id", TEXT, "IAB Content Taxonomy 3.1 id of the interest"),
        column("weight", AMOUNT, "sum of its signals' amounts; strength as of a day is computed on reading"),
        column("signals", LONG, "how many signals it rests on"),
        column("first_day", DAY, "UTC day of its first signal"),
        column("last_day", DAY, "UTC day of its last signal"),
    ),
    key=("profile_id", "topic_id"),
    rules=(
        Rule("weight_positive", "weight > 0", "an interest without evidence is removed"),
        Rule("signals_positive", "signals > 0", "an interest rests on at least one signal"),
        Rule("days_in_order", "first_day <= last_day", "the first day is not after the last"),
    ),
    write="merge",
    change_feed=True,
    retention="as long as its signals stand",
    readers="segments, activation, analysts",
)
