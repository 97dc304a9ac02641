"""The reference data that the gates ask: links, regions, notices and erasures. Read every night, never stored."""

from schemas.contract import DIGEST, TEXT, TIME, Contract, Rule, column, one_of
from schemas.words import LINKABLE_APPS

ACCOUNT_LINKS = Contract(
    name="account_links",
    row="an account of an app that belongs to a profile during an interval",
    columns=(
        column("account_id", TEXT, "the account"),
        column("app", TEXT, "meta_ai, facebook or instagram"),
        column("profile_id", TEXT, "the profile it belongs to"),
        column("valid_from", TIME, "inclusive"),
        column("valid_to", TIME, "exclusive; null is open", nullable=True),
        column("account_digest", DIGEST, "keyed digest of app and account"),
        column("profile_digest", DIGEST, "keyed digest of the profile"),
    ),
    key=("account_id", "app", "profile_id", "valid_from"),
    rules=(Rule("known_app", one_of("app", LINKABLE_APPS), "the app is one of ours"),),
)

PROFILE_REGIONS = Contract(
    name="profile_regions",
    row="a country that a profile lives in during an interval",
    columns=(
        column("profile_id", TEXT, "the profile"),
        column("country", TEXT, "as it came: any spelling, any code, or nothing", nullable=True),
        column("valid_from", TIME, "inclusive"),
        column("valid_to", TIME, "exclusive; null is open", nullable=True),
    ),
    key=("profile_id", "country", "valid_from"),
)

NOTICES = Contract(
    name="notices",
    row="a notice of the policy that a profile was sent",
    columns=(column("profile_id", TEXT, "the profile"), column("notified_at", TIME, "when it was told")),
    key=("profile_id", "notified_at"),
)

ERASURES = Contract(
    name="erasures",
    row="a request of a profile to be erased",
    columns=(column("profile_id", TEXT, "the profile"), column("requested_at", TIME, "when it asked")),
    key=("profile_id", "requested_at"),
)

REFERENCE = (ACCOUNT_LINKS, PROFILE_REGIONS, NOTICES, ERASURES)
