"""A raw line on its way through the night: the contracts in flight, each the one before it and a little more.

None of them has a text column, and none is ever stored.
"""

from pyspark.sql import types as T

from schemas.contract import DIGEST, FLAG, INT, LONG, TEXT, TIME, Contract, Rule, column, one_of
from schemas.words import (
    ENGAGEMENT_KINDS,
    GATES,
    LINKABLE_APPS,
    OUTCOMES,
    REJECT_REASONS,
    SOURCES,
    SURFACES,
    UNKNOWN_SURFACE,
    VERDICTS,
)

TOPIC_SCORES = T.ArrayType(
    T.StructType([T.StructField("topic_id", TEXT, False), T.StructField("score", INT, False)]), containsNull=False
)
MANIFEST = T.StructType(
    [
        T.StructField("lines", LONG, False),
        T.StructField("sha256", TEXT, False),
        T.StructField("error", TEXT, True),
    ]
)

RAW_LINES = Contract(
    name="raw_lines",
    row="one raw line of a landing file, decoded and checked by itself; and, at position 0, the file's own manifest",
    columns=(
        column("source", TEXT, "interactions or engagements"),
        column("file", INT, "index of the landing file in the night's list of files"),
        column("position", LONG, "line number within the file, from 1; 0 is the file itself"),
        column("reason", TEXT, "why the line is malformed", nullable=True),
        column("misdated", FLAG, "whether it happened outside its landing date's lateness window"),
        column("id_digest", DIGEST, "keyed digest of the line's id", nullable=True),
        column("content_digest", DIGEST, "keyed digest of the line's canonical content", nullable=True),
        column("conversation_digest", DIGEST, "keyed digest of account and conversation", nullable=True),
        column("account_id", TEXT, "the account that acted; null when logged out", nullable=True),
        column("app", TEXT, "the app that the account belongs to", nullable=True),
        column("surface", TEXT, "surface of an interaction, kind of an engagement, or unknown"),
        column("occurred_at", TIME, "the instant it happened, UTC", nullable=True),
        column("dwell_milli", LONG, "milliseconds watched, where the line says so", nullable=True),
        column("manifest", MANIFEST, "of the file: lines, digest, what is wrong with it", nullable=True),
    ),
    key=("file", "position"),
    rules=(
        Rule("known_source", one_of("source", SOURCES), "the source is one of ours"),
        Rule("known_reason", f"reason is null or {one_of('reason', REJECT_REASONS)}", "the reason is one of ours"),
        Rule("a_line_or_a_manifest", "(manifest is null) = (position > 0)", "only position 0 is a file"),
        Rule(
            "well_formed_is_whole",
            "position = 0 or reason is not null or (id_digest is not null and content_digest is not null"
            " and occurred_at is not null and app is not null)",
            "a well-formed line has an id, a content, an app and a time",
        ),
    ),
)

REPEATED = Contract(
    name="repeated",
    row="an id that several lines have, one of this landing date and others of any date of its lateness window",
    columns=(column("id_hash", LONG, "hash of source and id digest"),),
    key=("id_hash",),
)

INGESTED = RAW_LINES.with_columns(
    "ingested",
    "one raw line, with the outcome that it has by itself or by its copies",
    column("outcome", TEXT, "malformed, misdated, conflicting, duplicate; null while nothing stops it", nullable=True),
    without=("manifest", "misdated"),
    rules=(
        Rule(
            "known_outcome",
            f"outcome is null or {one_of('outcome', GATES[:4])}",
            "only what lines and their copies can decide",
        ),
        Rule("malformed_has_reason", "(reason is not null) = (outcome <=> 'malformed')", "a malformed line says why"),
        Rule(
            "known_surface",
            one_of("surface", (*SURFACES, *ENGAGEMENT_KINDS, UNKNOWN_SURFACE)),
            "the surface is one of ours",
        ),
        Rule("known_app", f"app is null or {one_of('app', LINKABLE_APPS)}", "the app is one of ours"),
    ),
)

LINKED = INGESTED.with_columns(
    "linked",
    "one raw line, with the one profile that its account is linked to, or why there is none",
    column("profile_id", TEXT, "the profile, where there is exactly one at both instants", nullable=True),
    column("account_digest", DIGEST, "keyed digest of the linked account", nullable=True),
    column("link_outcome", TEXT, "unlinked or ambiguous_link; null where the profile is known", nullable=True),
    without=("app",),
    rules=(
        Rule("linked_has_digest", "profile_id is null or account_digest is not null", "a linked account has a digest"),
        Rule("linked_or_not", "(profile_id is null) = (link_outcome is not null)", "a profile or a reason, never both"),
        Rule(
            "known_link_outcome",
            f"link_outcome is null or {one_of('link_outcome', ('unlinked', 'ambiguous_link'))}",
            "the link's outcome is one of ours",
        ),
    ),
)

_ADMITTED_RULES = (
    Rule("known_gate", f"outcome is null or {one_of('outcome', GATES)}", "the outcome is a gate"),
    Rule("admitted_has_profile", "(outcome is null) = (profile_id is not null)", "whoever is stopped is forgotten"),
    Rule("withholding_is_stopped", "not withholds or outcome is not null", "a line that withholds is itself stopped"),
)

ADMITTED = LINKED.with_columns(
    "admitted",
    "one raw line, with the first gate that stops it by itself; null where none does",
    column("outcome", TEXT, "the first gate that stops it", nullable=True),
    column("withholds", FLAG, "whether this line by itself withholds its conversation"),
    column("profile_id", TEXT, "the profile, only where the line is admitted", nullable=True),
    without=("account_id", "link_outcome"),
    rules=_ADMITTED_RULES,
)

_CONVERSATION = column("conversation_digest", DIGEST, "keyed digest of account and conversation")

DIVIDED = Contract(
    name="divided",
    row="a conversation of which one line passes every gate and another withholds it",
    columns=(_CONVERSATION,),
    key=("conversation_digest",),
)

SCORED = ADMITTED.with_columns(
    "scored",
    "one raw line; if it and its whole conversation were admitted, with what the scorer makes of it",
    column("outcome", TEXT, "the first gate that stops it, or conversation", nullable=True),
    column("verdict", TEXT, "the scorer's verdict on an admitted line", nullable=True),
    column("topics", TOPIC_SCORES, "the interests it shows and their scores in 1/10,000; empty unless used"),
    column("categories", INT, "bit i set: a sign of sensitive category i; in memory only"),
    rules=(
        *_ADMITTED_RULES,
        Rule("only_admitted_is_scored", "(outcome is null) = (verdict is not null)", "nothing stopped is ever scored"),
        Rule("known_verdict", f"verdict is null or {one_of('verdict', VERDICTS)}", "the verdict is one of ours"),
        Rule("topics_only_when_used", "(size(topics) > 0) = (verdict <=> 'used')", "only a used line shows interests"),
        Rule(
            "scores_in_range",
            "forall(topics, t -> t.score between 1 and 10000)",
            "scores are positive ten-thousandths",
        ),
    ),
)

TAINTED = Contract(
    name="tainted",
    row="a conversation of which a line is sensitive or could not be screened",
    columns=(_CONVERSATION,),
    key=("conversation_digest",),
)

_OUTCOME_RULES = (
    Rule("known_outcome", one_of("outcome", OUTCOMES), "the outcome is one of ours"),
    Rule("used_has_profile", "(outcome = 'used') = (profile_id is not null)", "only a used line has a profile"),
    Rule("used_has_interests", "(outcome = 'used') = (size(topics) > 0)", "only a used line has interests"),
)

SCREENED = SCORED.with_columns(
    "screened",
    "one raw line with the outcome that its own landing date gives it; interests and profile only where it is used",
    column("outcome", TEXT, "the line's outcome, as far as its own date goes"),
    without=("verdict",),
    rules=_OUTCOME_RULES,
)

WITHHELD = Contract(
    name="withheld",
    row="a conversation that its own landing date lets go on and another withholds",
    columns=(_CONVERSATION,),
    key=("conversation_digest",),
)

SETTLED = SCREENED.with_columns(
    "settled",
    "one raw line with its one final outcome; interests and profile only where it is used",
    column("outcome", TEXT, "the line's one outcome"),
    rules=_OUTCOME_RULES,
)
