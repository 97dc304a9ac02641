"""A raw line by itself: decoded strictly, checked against its contract, and given its keyed digests. No Spark.

Content is the parsed object, unknown keys and all, with null as absent and numbers by value: two lines are the same
when their objects are, however they are spelled.
"""

import hmac
import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import msgspec

from schemas.words import AI_APP, ENGAGEMENT_KINDS, PERSONALISED_APPS, SURFACES, UNKNOWN_SURFACE

# No line of any kind is decoded beyond this, so a line without an end can't exhaust a worker.
LONGEST_DECODED_BYTES = 16 * 1024 * 1024
DIGEST_BYTES = 16

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d+))?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_SPACED_COLON = (b" :", b"\t:", b"\r:")
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(order="sorted")


class Malformed(Exception):
    """A line that isn't what it should be; `reason` is one of REJECT_REASONS."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


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

    @property
    def window(self) -> tuple[int, int]:
        """First instant (inclusive) and last (exclusive) at which a line of this landing date may have happened."""
        midnight = datetime.combine(self.landing_date, datetime.min.time(), UTC)
        return _micros(midnight - timedelta(days=self.lateness_days)), _micros(midnight + timedelta(days=1))


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


def decode(raw: bytes) -> dict:
    """The one JSON object that a line is; Malformed otherwise. Floats come as Decimal, so that no value is rounded."""
    if not raw.strip():
        raise Malformed("blank")
    try:
        item = _decoder.decode(raw)
    except UnicodeDecodeError:
        raise Malformed("not_utf8") from None
    except (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError):
        raise Malformed("not_json" if _is_utf8(raw) else "not_utf8") from None
    if not isinstance(item, dict):
        raise Malformed("not_an_object")
    # Equal keys vanish in decoding. As many `":` as keys and no room before a colon: none did. Else look closely.
    if any(spaced in raw for spaced in _SPACED_COLON) or raw.count(b'":') != _count_keys(item):
        _refuse_equal_keys(raw)
    return item


def canonical(item: dict) -> bytes:
    """The same bytes for the same content: keys sorted, nulls left out, every number in one spelling."""
    try:
        if all(type(value) is str for value in item.values()):
            return _encoder.encode(item)
        return _encoder.encode(_plain(item))
    except (RecursionError, ValueError, ArithmeticError):
        raise Malformed("not_json") from None


def digest(key: bytes, domain: str, message: bytes) -> bytes:
    """HMAC-SHA-256 under the lake's key, truncated to 128 bits; domains never collide."""
    return hmac.digest(key, domain.encode() + b"\0" + message, "sha256")[:DIGEST_BYTES]


def account_digest(key: bytes, app: str, account: str) -> bytes:
    """The digest by which a stored signal knows the account that it came from."""
    return digest(key, "account", _encoder.encode([app, account]))


def profile_digest(key: bytes, profile: str) -> bytes:
    """The digest by which the lake remembers a profile that it must not name."""
    return digest(key, "profile", profile.encode())


def instant(value) -> int:
    """Microseconds since 1970 of an RFC 3339 timestamp with zone; further digits are cut, never rounded up."""
    if type(value) is not str:
        raise Malformed("wrong_type")
    match = _RFC_3339.fullmatch(value)
    if not match:
        raise Malformed("bad_timestamp")
    day, clock, fraction, zone = match.groups()
    try:
        return _micros(datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0')[:6].ljust(6, '0')}{zone.upper()}"))
    except (ValueError, OverflowError):
        raise Malformed("bad_timestamp") from None


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


def labels_of(item: dict) -> list[str]:
    """Names of what a vision model saw."""
    names = []
    for label in optional(item, "labels", list) or ():
        if type(label) is not dict:
            raise Malformed("wrong_type")
        name = optional(label, "name", str)
        if name is None or label.get("confidence") is None:
            raise Malformed("missing_field")
        _number(label["confidence"])
        names.append(name)
    return names


def _interaction(item: dict, content: bytes, rules: LineRules) -> Facts:
    surface = required(item, "surface")
    if surface not in SURFACES:
        raise Malformed("unknown_surface")
    for field in ("locale", "text"):
        optional(item, field, str)
    labels_of(item)
    account = optional(item, "account_id", str) or None
    conversation = optional(item, "conversation_id", str) or None
    dwell = item.get("dwell_seconds")
    return Facts(
        account_id=account,
        app=AI_APP,
        surface=surface,
        dwell_milli=None if dwell is None else _milli(dwell),
        conversation_digest=_conversation_digest(rules.key, account, conversation),
        **_common("interactions", required(item, "interaction_id"), item, content, rules),
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
    return Facts(
        account_id=required(item, "account_id"),
        app=app,
        surface=kind,
        **_common("engagements", required(item, "engagement_id"), item, content, rules),
    )


_CHECKS = {"interactions": _interaction, "engagements": _engagement}


def _common(source: str, identity: str, item: dict, content: bytes, rules: LineRules) -> dict:
    if item.get("occurred_at") is None:
        raise Malformed("missing_field")
    occurred_at = instant(item["occurred_at"])
    first, end = rules.window
    return {
        "id_digest": digest(rules.key, f"{source}/id", identity.encode()),
        "content_digest": content_digest(rules.key, source, content),
        "occurred_at": occurred_at,
        "misdated": not first <= occurred_at < end,
    }


def content_digest(key: bytes, source: str, content: bytes) -> bytes:
    return digest(key, f"{source}/content", content)


def _oversize(source: str, raw: bytes, key: bytes) -> Facts:
    """A line too long to be used; where its conversation can be read, that is known, for it is withheld with it."""
    conversation = None
    if source == "interactions" and len(raw) <= LONGEST_DECODED_BYTES:
        try:
            item = decode(raw)
            conversation = _conversation_digest(
                key, optional(item, "account_id", str), optional(item, "conversation_id", str)
            )
        except Malformed:
            conversation = None
    return Facts(reason="oversize", conversation_digest=conversation)


def _conversation_digest(key: bytes, account: str | None, conversation: str | None) -> bytes | None:
    if not account or not conversation:
        return None
    return digest(key, "conversation", _encoder.encode([account, conversation]))


def _plain(value):
    if type(value) is dict:
        return {key: _plain(inner) for key, inner in value.items() if inner is not None}
    if type(value) is list:
        return [_plain(inner) for inner in value]
    if type(value) in (int, Decimal):
        return msgspec.Raw(_number(value))
    return value


def _number(value) -> bytes:
    """One spelling for every spelling of a number: its digits without trailing zeros, and an exponent."""
    if type(value) not in (int, Decimal):
        raise Malformed("wrong_type")
    exact = Decimal(value)
    if not exact.is_finite():
        raise Malformed("not_json")
    sign, digits, exponent = exact.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    stripped = text.rstrip("0")
    if not stripped:
        return b"0"
    return f"{'-' if sign else ''}{stripped}e{exponent + len(text) - len(stripped)}".encode()


def _milli(value) -> int:
    """Whole thousandths of a number of seconds, between none and a day."""
    _number(value)
    return int(max(Decimal(0), min(Decimal(value), Decimal(86_400))) * 1_000)


def _count_keys(value) -> int:
    if type(value) is dict:
        return len(value) + sum(_count_keys(inner) for inner in value.values() if type(inner) in (dict, list))
    return sum(_count_keys(inner) for inner in value if type(inner) in (dict, list))


def _refuse_equal_keys(raw: bytes) -> None:
    def unique(pairs):
        if len({key for key, _ in pairs}) < len(pairs):
            raise Malformed("key_twice")
        return None

    try:
        json.loads(raw, object_pairs_hook=unique, parse_int=len, parse_float=len)
    except (ValueError, RecursionError):
        raise Malformed("not_json") from None


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
