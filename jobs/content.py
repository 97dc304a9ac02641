"""A raw line as a JSON object: decoded strictly, and its content as bytes that are the same however it is spelled. No Spark.

Content is the parsed object, unknown keys and all, with null as absent and numbers by value: two lines are the same
when their objects are.
"""

import json
from decimal import Decimal

import msgspec

_TEXT = {str}
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(order="sorted")


class Malformed(Exception):
    """A line that isn't what it should be; `reason` is one of REJECT_REASONS."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


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
    spaced = b" :" in raw or b"\t:" in raw or b"\r:" in raw
    if spaced or raw.count(b'":') != _count_keys(item):
        _refuse_equal_keys(raw)
    return item


def canonical(item: dict) -> bytes:
    """The same bytes for the same content: keys sorted, nulls left out, every number in one spelling."""
    try:
        if set(map(type, item.values())) <= _TEXT:
            return _encoder.encode(item)
        return _encoder.encode(_plain(item))
    except (RecursionError, ValueError, ArithmeticError):
        raise Malformed("not_json") from None


def _plain(value):
    if type(value) is dict:
        return {key: _plain(inner) for key, inner in value.items() if inner is not None}
    if type(value) is list:
        return [_plain(inner) for inner in value]
    if type(value) in (int, Decimal):
        return msgspec.Raw(number(value))
    return value


def number(value) -> bytes:
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


def _count_keys(value: dict | list) -> int:
    if type(value) is list:
        keys, inners = 0, value
    else:
        keys, inners = len(value), value.values()
    for inner in inners:
        if type(inner) is dict or type(inner) is list:
            keys += _count_keys(inner)
    return keys


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
