"""segment_members: who is in each published audience. Who leaves, leaves without history."""

from schemas.contract import TEXT, Contract, column

SEGMENT_MEMBERS = Contract(
    name="segment_members",
    row="a person in a published audience",
    columns=(
        column("segment_id", TEXT, "the audience"),
        column("profile_id", TEXT, "who is in it"),
    ),
    key=("segment_id", "profile_id"),
    write="overwrite",
    history=False,
    retention="until the next run",
    readers="activation",
)
