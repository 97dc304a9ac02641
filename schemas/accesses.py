"""accesses: who asked about a person. Kept beside the runs, visible at once."""

from schemas.contract import DIGEST, TEXT, TIME, Contract, Rule, column, one_of

ACCESSES = Contract(
    name="accesses",
    row="a command that somebody ran on one profile",
    columns=(
        column("access_id", TEXT, "a UUID of its own"),
        column("at", TIME, "wall clock"),
        column("who", TEXT, "the operating system's name of the user who ran it"),
        column("command", TEXT, "explain or erase"),
        column("profile_digest", DIGEST, "keyed digest of the profile"),
    ),
    key=("access_id",),
    rules=(
        Rule("known_command", one_of("command", ("explain", "erase")), "the command is one of ours"),
        Rule("somebody", "length(who) > 0", "an access has a name"),
    ),
    write="append",
    retention="kept",
    readers="privacy engineers",
)
