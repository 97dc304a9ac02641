"""arrivals: keyed digests that let a later night recognise an id, a content or a conversation it has seen."""

from schemas.contract import DAY, DIGEST, FLAG, LONG, TEXT, Contract, Rule, column, one_of
from schemas.words import SOURCES

ARRIVALS = Contract(
    name="arrivals",
    row="the lines of a landing date that share id and content, or an oversize line whose conversation can be read",
    columns=(
        column("landing_date", DAY, "the landing date they arrived under"),
        column("source", TEXT, "interactions or engagements"),
        column("id_digest", DIGEST, "keyed digest of the id; null for an oversize line", nullable=True),
        column("content_digest", DIGEST, "keyed digest of the content; null for an oversize line", nullable=True),
        column("conversation_digest", DIGEST, "keyed digest of account and conversation, if any", nullable=True),
        column("lines", LONG, "how many lines"),
        column("withholds", FLAG, "whether they by themselves withhold their conversation"),
    ),
    key=("landing_date", "source", "id_digest", "content_digest", "conversation_digest"),
    rules=(
        Rule("known_source", one_of("source", SOURCES), "the source is one of ours"),
        Rule("lines_positive", "lines > 0", "a count of nothing is no row"),
        Rule("id_with_content", "(id_digest is null) = (content_digest is null)", "an id comes with a content"),
        Rule(
            "something_to_recognise",
            "id_digest is not null or (conversation_digest is not null and withholds)",
            "a row without an id is an oversize line that withholds its conversation",
        ),
    ),
    write="replace",
    partition_by=("landing_date",),
    retention="the policy's lateness window",
    readers="the nightly job",
)
