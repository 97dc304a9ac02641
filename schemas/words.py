"""The closed vocabularies of the domain: surfaces, kinds of engagement, placements, outcomes, sensitive categories."""

SURFACES = ("chat", "voice", "glasses_voice", "glasses_photo", "glasses_video", "vibes", "imagine")
ENGAGEMENT_KINDS = ("like", "follow", "join")
SOURCES = ("interactions", "engagements")
UNKNOWN_SURFACE = "unknown"

AI_APP = "meta_ai"
PERSONALISED_APPS = ("facebook", "instagram")
LINKABLE_APPS = (AI_APP, *PERSONALISED_APPS)
PLACEMENTS = ("ads", "feed", "groups", "reels")

SENSITIVE_CATEGORIES = (
    "religion",
    "sexual_orientation",
    "political_views",
    "health",
    "racial_or_ethnic_origin",
    "philosophical_beliefs",
    "trade_union_membership",
)

# In the order in which they apply: a line's outcome is the first of these.
OUTCOMES = (
    "malformed",
    "misdated",
    "conflicting",
    "duplicate",
    "before_effective",
    "logged_out",
    "unlinked",
    "ambiguous_link",
    "erased",
    "no_app_account",
    "region_unknown",
    "region_excluded",
    "not_notified",
    "conversation",
    "unsupported_language",
    "empty",
    "sensitive",
    "no_interest",
    "used",
)
# What the scorer may say of a line; each is an outcome too.
VERDICTS = ("unsupported_language", "empty", "sensitive", "no_interest", "used")
GATES = OUTCOMES[: OUTCOMES.index("conversation") + 1]

REJECT_REASONS = (
    "blank",
    "oversize",
    "not_utf8",
    "not_json",
    "not_an_object",
    "key_twice",
    "missing_field",
    "wrong_type",
    "unknown_surface",
    "unknown_kind",
    "unknown_app",
    "bad_timestamp",
)
