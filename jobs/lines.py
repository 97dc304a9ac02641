"""A raw line by itself: checked against its contract, and given its keyed digests. No Spark."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from jobs.content import Malformed, canonical, decode, number
from jobs.digests import content_digest, conversation_digest, id_digest
from schemas.words import AI_APP, ENGAGEMENT_KINDS, PERSONALISED_APPS, SURFACES, UNKNOWN_SURFACE

# No line of any kind is decoded beyond this, so a line without an end can't exhaust a worker.
LONGEST_DECODED_BYTES = 16 * 1024 * 1024

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# RFC 3339 in two parts: up to the minute, of which a night has few that differ, and from its seconds on.
_MINUTE = re.compile(r"(\d{4}-\d\d-\d\d)[Tt]([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_MINUTE_CHARACTERS = len("2025-12-16T12:00")
_REST = re.compile(r":([0-5]\d)(?:\.(\d+))?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII)


class Facts(NamedTuple):
    """What the gates may know of a line: never its text or labels. Times in microseconds since 1970, UTC."""

    reason: str | None = None
    misdated: bool = False
    id_digest: bytes | None = None
    content_digest: bytes | None = None
    conversation_digest: bytes | None = None
    account_id: str | None = None
    app: str | None = None
    surface: str = UNKNOWN_SURFACE
    occurred_at: int | None = None
    dwell_milli: int | None = None


class LineRules(NamedTuple):
    """What deciding about a line takes: its landing date, two figures of the policy, and the digest key."""

    landing_date: date
    lateness_days: int
    max_line_bytes: int
    key: bytes


@lru_cache(maxsize=100)
def window(landing_date: date, lateness_days: int) -> tuple[int, int]:
    """First instant (inclusive) and last (exclusive) at which a line of a landing date may have happened."""
    midnight = datetime.combine(landing_date, datetime.min.time(), UTC)
    return _micros(midnight - timedelta(days=lateness_days)), _micros(midnight + timedelta(days=1))


def facts_of(source: str, raw: bytes | dict, rules: LineRules) -> Facts:
    """Everything that one line tells by itself: its facts, or why it is malformed."""
    if isinstance(raw, bytes) and len(raw) > rules.max_line_bytes:
        return _oversize(source, raw, rules.key)
    try:
        item = decode(raw) if isinstance(raw, bytes) else raw
        content = canonical(item)
        if len(content) > rules.max_line_bytes and not isinstance(raw, bytes):
            return _oversize(source, content, rules.key)
        return _CHECKS[source](item, content, rules)
    except Malformed as error:
        return Facts(reason=error.reason)


def instant(value) -> int:
    """Microseconds since 1970 of an RFC 3339 timestamp with zone; further digits are cut, never rounded up."""
    if type(value) is not str:
        raise Malformed("wrong_type")
    return _minute(value[:_MINUTE_CHARACTERS]) + _rest(value[_MINUTE_CHARACTERS:])


def moment(micros: int) -> datetime:
    """The instant so many microseconds after 1970 began, in UTC: what `instant` counts."""
    return _EPOCH + micros * _MICROSECOND


@lru_cache(maxsize=20_000)
def _minute(written: str) -> int:
    """Microseconds since 1970 at the beginning of a minute, its zone aside."""
    day, hour, minute = _parts(_MINUTE, written)
    try:
        midnight = _micros(datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC))
    except ValueError:
        raise Malformed("bad_timestamp") from None
    return midnight + (int(hour) * 60 + int(minute)) * 60_000_000


@lru_cache(maxsize=20_000)
def _rest(written: str) -> int:
    """Microseconds from a minute's beginning, less those that its zone is ahead of UTC."""
    second, fraction, zone = _parts(_REST, written)
    return (int(second) - _offset(zone)) * 1_000_000 + (int(fraction[:6].ljust(6, "0")) if fraction else 0)


def _parts(pattern: re.Pattern, written: str) -> tuple:
    match = pattern.fullmatch(written)
    if not match:
        raise Malformed("bad_timestamp")
    return match.groups()


def _offset(zone: str) -> int:
    """Seconds that a zone is ahead of UTC."""
    if zone in "Zz":
        return 0
    seconds = (int(zone[1:3]) * 60 + int(zone[4:6])) * 60
    return -seconds if zone[0] == "-" else seconds


def optional(item: dict, field: str, kind: type):
    """A field's value, None where it is absent or null; Malformed if it is of another type."""
    value = item.get(field)
    if value is not None and type(value) is not kind:
        raise Malformed("wrong_type")
    return value


def required(item: dict, field: str) -> str:
    value = optional(item, field, str)
    if not value:
        raise Malformed("missing_field")
    return value


def required_instant(item: dict, field: str) -> int:
    value = item.get(field)
    if value is None:
        raise Malformed("missing_field")
    return instant(value)


def labels_of(item: dict) -> list[str]:
    """Names of what a vision model saw."""
    names = []
    for label in optional(item, "labels", list) or ():
        if type(label) is not dict:
            raise Malformed("wrong_type")
        name = optional(label, "name", str)
        if name is None or label.get("confidence") is None:
            raise Malformed("missing_field")
        number(label["confidence"])
        names.append(name)
    return names


def _interaction(item: dict, content: bytes, rules: LineRules) -> Facts:
    surface = required(item, "surface")
    if surface not in SURFACES:
        raise Malformed("unknown_surface")
    optional(item, "locale", str)
    optional(item, "text", str)
    labels_of(item)
    account = optional(item, "account_id", str) or None
    conversation = optional(item, "conversation_id", str)
    dwell = item.get("dwell_seconds")
    milli = None if dwell is None else _milli(dwell)
    identity, occurred_at = required(item, "interaction_id"), required_instant(item, "occurred_at")
    return Facts(
        None,
        _misdated(occurred_at, rules),
        id_digest(rules.key, "interactions", identity),
        content_digest(rules.key, "interactions", content),
        conversation_digest(rules.key, account, conversation),
        account,
        AI_APP,
        surface,
        occurred_at,
        milli,
    )


def _engagement(item: dict, content: bytes, rules: LineRules) -> Facts:
    kind, app = required(item, "kind"), required(item, "app")
    if kind not in ENGAGEMENT_KINDS:
        raise Malformed("unknown_kind")
    if app not in PERSONALISED_APPS:
        raise Malformed("unknown_app")
    required(item, "target_id")
    if optional(item, "target_text", str) is None:
        raise Malformed("missing_field")
    account, identity = required(item, "account_id"), required(item, "engagement_id")
    occurred_at = required_instant(item, "occurred_at")
    return Facts(
        None,
        _misdated(occurred_at, rules),
        id_digest(rules.key, "engagements", identity),
        content_digest(rules.key, "engagements", content),
        None,
        account,
        app,
        kind,
        occurred_at,
    )


_CHECKS = {"interactions": _interaction, "engagements": _engagement}


def _misdated(occurred_at: int, rules: LineRules) -> bool:
    first, end = window(rules.landing_date, rules.lateness_days)
    return not first <= occurred_at < end


def _oversize(source: str, raw: bytes, key: bytes) -> Facts:
    """A line too long to be used; where its conversation can be read, that is known, for it is withheld with it."""
    conversation = None
    if source == "interactions" and len(raw) <= LONGEST_DECODED_BYTES:
        try:
            item = decode(raw)
            conversation = conversation_digest(
                key, optional(item, "account_id", str), optional(item, "conversation_id", str)
            )
        except Malformed:
            conversation = None
    return Facts(reason="oversize", conversation_digest=conversation)


def _milli(value) -> int:
    """Whole thousandths of a number of seconds, between none and a day."""
    number(value)
    return int(max(Decimal(0), min(Decimal(value), Decimal(86_400))) * 1_000)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
