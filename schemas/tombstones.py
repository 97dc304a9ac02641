"""tombstones: who was erased, by keyed digest, so that late lines can't bring them back. Visible at once."""

from schemas.contract import DIGEST, TEXT, TIME, Contract, Rule, column

TOMBSTONES = Contract(
    name="tombstones",
    row="a profile of one erasure",
    columns=(
        column("erasure_id", TEXT, "the run that erases it"),
        column("profile_digest", DIGEST, "keyed digest of the profile"),
        column("requested_at", TIME, "nothing that happened at or before this is ever used again"),
    ),
    key=("erasure_id", "profile_digest"),
    rules=(Rule("whole_digest", "length(profile_digest) = 16", "a digest is 128 bits"),),
    write="append",
    retention="kept: without it the erased would return",
    readers="the nightly job",
)
