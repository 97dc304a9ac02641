"""Describe: what a policy version says, in words for a terminal."""

from collections.abc import Iterator

from jobs.policy import Policy


def describe(policy: Policy) -> str:
    """Every rule of a version, a line each, with its digest."""
    width = max(len(name) for name, _ in _lines(policy)) + 2
    return "\n".join(f"  {name:<{width}}{said}".rstrip() for name, said in _lines(policy)) + "\n"


def _lines(policy: Policy) -> Iterator[tuple[str, str]]:
    until = f"up to and without {policy.valid_to}" if policy.valid_to else "still open"
    interest = policy.interest
    yield "version", f"{policy.version}, landing dates from {policy.valid_from}, {until}"
    yield "digest", policy.digest
    yield "effective from", f"{policy.effective_from.isoformat()}; whatever happened before is never used"
    yield "notice", f"from {policy.notice_from.isoformat()} on, and before the interaction"
    yield "lateness", f"{policy.lateness_days} days"
    yield "longest line", f"{policy.max_line_bytes:,} bytes"
    yield "excluded as announced", " ".join(policy.regions.announced)
    yield "excluded to be cautious", " ".join(policy.regions.cautious)
    yield "other spellings", ", ".join(f"{alias} = {code}" for alias, code in sorted(policy.regions.aliases.items()))
    yield "sensitive from", ", ".join(f"{name} {_share(of)}" for name, of in policy.sensitive_thresholds.items())
    yield "", f"any of them {_share(policy.few_words_threshold)} in a few words"
    yield "an interest from", f"{_share(interest.threshold)}, at most {interest.most_topics} a line"
    yield (
        "used below",
        f"{_share(interest.most_sensitive)} of all sensitive categories together, {_share(interest.most_sensitive_few_words)} "
        "in few words",
    )
    yield "weights", ", ".join(f"{name} {value / 1000:g}" for name, value in policy.weights.items())
    yield "a video in full", f"from {policy.full_dwell_seconds} s on"
    yield "half-life", f"{policy.half_life_days} days, counted from {policy.landmark}"
    yield "retention", f"{policy.retention_days} days after the day it happened"
    yield "floors", ", ".join(f"{name} {value / 1000:g}" for name, value in policy.floors.items())
    yield "interests activated", f"{policy.top_interests} at most, by app and placement"
    yield "smallest audience", f"{policy.minimum_audience:,} people"
    yield "smallest count kept", f"{policy.minimum_category_count} lines of a sensitive category"


def _share(of: int) -> str:
    return f"{of / 100:g} %"
