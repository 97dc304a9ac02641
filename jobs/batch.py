"""Scoring from the command line: JSON lines in, verdicts out, in order. No Spark, no lake, nothing written."""

from collections.abc import Iterator
from itertools import islice

import pyarrow as pa

from jobs.content import Malformed, decode
from jobs.errors import Exit, NightjarError
from jobs.lines import labels_of, optional
from jobs.policy import Policy
from jobs.scoring import taxonomy
from jobs.scoring.model import DEFAULT
from jobs.scoring.scorer import SCORE_UNIT, Scorer, Settings
from schemas.words import SENSITIVE_CATEGORIES, SURFACES

LINES_AT_ONCE = 1_000


def settings_of(policy: Policy, model=DEFAULT) -> Settings:
    """What the scorer needs to know of a policy."""
    return Settings(
        model=model,
        thresholds=tuple(policy.sensitive_thresholds[name] for name in SENSITIVE_CATEGORIES),
        few_words_threshold=policy.few_words_threshold,
        interest_threshold=policy.interest.threshold,
        most_sensitive=policy.interest.most_sensitive,
        most_sensitive_few_words=policy.interest.most_sensitive_few_words,
        most_topics=policy.interest.most_topics,
    )


def score_lines(stream, policy: Policy) -> Iterator[dict]:
    """`{"outcome", "topics": [{"id", "path", "score"}]}` for each line: best first, path from tier 1, score in [0, 1]."""
    scorer, read = Scorer.cached(settings_of(policy)), 0
    while lines := list(islice(stream, LINES_AT_ONCE)):
        items = [_item(line, read + at) for at, line in enumerate(lines, 1)]
        read += len(lines)
        verdicts = scorer.judge(pa.array([text for text, _ in items], pa.string()), [names for _, names in items])
        for verdict, topics in zip(verdicts.verdict.to_pylist(), verdicts.topics.to_pylist(), strict=True):
            yield {
                "outcome": verdict,
                "topics": [
                    {"id": t["topic_id"], "path": taxonomy.path(t["topic_id"]), "score": t["score"] / SCORE_UNIT}
                    for t in topics
                ],
            }


def _item(line: bytes, position: int) -> tuple[str | None, list[str]]:
    try:
        item = decode(line.removesuffix(b"\n"))
        if optional(item, "surface", str) not in (None, *SURFACES):
            raise Malformed("unknown_surface")
        return optional(item, "text", str), labels_of(item)
    except Malformed as error:
        raise NightjarError(
            Exit.INPUT, f"line {position} of stdin is malformed ({error.reason})", fix="one JSON object a line"
        ) from None
