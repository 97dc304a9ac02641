"""profile_deltas: what each run changed in profiles, derived from that table's change data feed."""

from schemas.contract import AMOUNT, DAY, LONG, TEXT, Contract, Rule, column, one_of

CHANGES = ("added", "changed", "removed")

PROFILE_DELTAS = Contract(
    name="profile_deltas",
    row="one change to profiles made by one run",
    columns=(
        column("run_id", TEXT, "the run that made the change"),
        column("landing_date", DAY, "the landing date that it restated"),
        column("profile_id", TEXT, "whose interest changed"),
        column("topic_id", TEXT, "which interest"),
        column("change", TEXT, "added, changed or removed"),
        column("weight_before", AMOUNT, "null when added", nullable=True),
        column("weight_after", AMOUNT, "null when removed", nullable=True),
        column("signals_before", LONG, "null when added", nullable=True),
        column("signals_after", LONG, "null when removed", nullable=True),
        column("first_day_before", DAY, "null when added", nullable=True),
        column("first_day_after", DAY, "null when removed", nullable=True),
        column("last_day_before", DAY, "null when added", nullable=True),
        column("last_day_after", DAY, "null when removed", nullable=True),
    ),
    key=("run_id", "profile_id", "topic_id"),
    rules=(
        Rule("known_change", one_of("change", CHANGES), "the change is one of ours"),
        Rule("added_had_nothing", "(change = 'added') = (weight_before is null)", "before is null only when added"),
        Rule("removed_has_nothing", "(change = 'removed') = (weight_after is null)", "after is null only when removed"),
        Rule(
            "something_changed",
            "change <> 'changed' or not (weight_before <=> weight_after and signals_before <=> signals_after"
            " and first_day_before <=> first_day_after and last_day_before <=> last_day_after)",
            "a change changes something",
        ),
    ),
    write="append",
    partition_by=("landing_date",),
    retention="as profiles",
    readers="whoever keeps a copy of profiles up to date",
)
