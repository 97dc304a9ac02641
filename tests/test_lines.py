"""What one raw line tells by itself."""

import hmac
import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.content import Malformed, canonical, decode
from jobs.digests import digest
from jobs.lines import LineRules, facts_of, instant
from tests.model import content, parse

RULES = LineRules(date(2025, 12, 17), lateness_days=7, max_line_bytes=65_536, key=b"k" * 32)
LINE = {"interaction_id": "i1", "surface": "chat", "occurred_at": "2025-12-17T12:00:00Z"}


def reason(raw, source="interactions"):
    return facts_of(source, raw.encode() if isinstance(raw, str) else raw, RULES).reason


def line(**changes):
    return json.dumps({**LINE, **changes})


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (line(), None),
        (line(unknown={"a": [1, None]}), None),
        (line(text=None, account_id=None), None),
        (line() + "\r", None),
        ("", "blank"),
        (" \t", "blank"),
        ("[]", "not_an_object"),
        ("null", "not_an_object"),
        (line()[:-1], "not_json"),
        (line() + line(), "not_json"),
        ("\ufeff" + line(), "not_json"),
        (line(x=float("nan")), "not_json"),
        (b'{"interaction_id": "\xff"}', "not_utf8"),
        (line()[:-1] + ', "text": "\\ud800"}', "not_json"),
        (line()[:-1] + ', "surface": "chat"}', "key_twice"),
        (line()[:-1] + ', "surfac\\u0065": "chat"}', "key_twice"),
        (line()[:-1] + ', "x" :1, "x": 2}', "key_twice"),
        (line()[:-1] + ', "x": {"y": 1, "y": 1}}', "key_twice"),
        (line(text='she said "x": y'), None),
        (line(interaction_id=None), "missing_field"),
        (line(interaction_id=7), "wrong_type"),
        (line(surface="telepathy"), "unknown_surface"),
        (line(occurred_at=None), "missing_field"),
        (line(occurred_at="2025-12-17T12:00:00"), "bad_timestamp"),
        (line(occurred_at="2025-12-17 12:00:00Z"), "bad_timestamp"),
        (line(occurred_at=1765972800), "wrong_type"),
        (line(account_id=5), "wrong_type"),
        (line(locale=5), "wrong_type"),
        (line(text=["a"]), "wrong_type"),
        (line(labels="dog"), "wrong_type"),
        (line(labels=[{"name": "dog", "confidence": 1}]), None),
        (line(labels=[{"name": "dog", "confidence": True}]), "wrong_type"),
        (line(labels=[{"name": "dog"}]), "missing_field"),
        (line(dwell_seconds="3"), "wrong_type"),
        (line(text="x" * 65_536), "oversize"),
        ("[" * 5_000 + "]" * 5_000, "not_json"),
    ],
)
def test_a_line_is_well_formed_or_says_why_not(raw, expected):
    assert reason(raw) == expected


@pytest.mark.parametrize("field", ["engagement_id", "account_id", "app", "kind", "target_id", "target_text"])
def test_an_engagement_needs_each_of_its_fields(field):
    item = {
        **{name: "x" for name in ("engagement_id", "account_id", "target_id", "target_text")},
        **{"app": "facebook", "kind": "like", "occurred_at": LINE["occurred_at"]},
    }
    assert reason(json.dumps(item), "engagements") is None
    del item[field]
    assert reason(json.dumps(item), "engagements") == "missing_field"


@pytest.mark.parametrize(
    ("at", "misdated"),
    [
        ("2025-12-17T23:59:59.9999999Z", False),
        ("2025-12-18T00:00:00Z", True),
        ("2025-12-18T00:30:00+01:00", False),
        ("2025-12-10T00:00:00Z", False),
        ("2025-12-09T23:59:59.9999999Z", True),
    ],
)
def test_a_line_belongs_to_its_landing_date_or_the_week_before(at, misdated):
    assert facts_of("interactions", line(occurred_at=at).encode(), RULES).misdated is misdated


def test_digits_beyond_microseconds_are_cut_never_rounded_into_the_future():
    assert instant("2025-12-16T11:59:59.9999999Z") < instant("2025-12-16T12:00:00Z")


def test_facts_hold_no_text_and_digests_need_the_key():
    facts = facts_of(
        "interactions", line(text="a secret", labels=[{"name": "a secret", "confidence": 1}]).encode(), RULES
    )
    assert "secret" not in repr(facts)
    other = facts_of("interactions", line(text="a secret").encode(), RULES._replace(key=b"z" * 32))
    assert facts.id_digest != other.id_digest


def test_an_oversize_line_gives_away_only_its_conversation():
    long = line(account_id="a", conversation_id="c", text="x" * 70_000).encode()
    short = facts_of("interactions", line(account_id="a", conversation_id="c").encode(), RULES)
    assert facts_of("interactions", long, RULES).conversation_digest == short.conversation_digest
    assert facts_of("interactions", long, RULES).id_digest is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def spelled(value, draw) -> str:
    """A JSON text of a value: keys in any order, numbers and characters in any spelling."""
    if isinstance(value, dict):
        items = draw(st.permutations(list(value.items())))
        return (
            "{"
            + ",".join(f"{json.dumps(k)}{draw(st.sampled_from(['', ' ']))}:{spelled(v, draw)}" for k, v in items)
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(spelled(item, draw) for item in value) + "]"
    if isinstance(value, Decimal):
        return draw(st.sampled_from([format(value, "e"), str(value)]))
    if isinstance(value, int) and not isinstance(value, bool):
        return draw(st.sampled_from([str(value), f"{value}.0", f"{value}e0"]))
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


@given(st.dictionaries(st.text(), JSON, max_size=4), st.data())
def test_the_same_content_has_the_same_bytes_however_it_is_spelled(item, data):
    one, other = (spelled(item, data.draw) for _ in range(2))
    try:
        assert canonical(decode(one.encode())) == canonical(decode(other.encode()))
    except Malformed as error:
        # A lone surrogate is no text; nothing else that we generate is malformed.
        assert error.reason in ("not_json", "not_utf8")
    except UnicodeEncodeError:
        pass


@given(st.dictionaries(st.text("ab"), JSON, max_size=3), st.dictionaries(st.text("ab"), JSON, max_size=3))
def test_other_content_has_other_bytes(one, other):
    try:
        digests = [canonical(decode(json.dumps(item, default=str).encode())) for item in (one, other)]
    except (Malformed, UnicodeEncodeError):
        return
    same = content(json.loads(json.dumps(one, default=str))) == content(json.loads(json.dumps(other, default=str)))
    assert (digests[0] == digests[1]) is same


@given(
    st.fixed_dictionaries(
        {
            "interaction_id": st.text(max_size=2) | st.integers(),
            "surface": st.sampled_from(["chat", "vibes", "x", None]),
        },
        optional={
            "occurred_at": st.sampled_from(
                ["2025-12-17T12:00:00Z", "2025-12-17T12:00:00", "2025-12-17t12:00:00.5+02:00", 3]
            ),
            "account_id": st.none() | st.text(max_size=2) | st.booleans(),
            "text": st.none() | st.text(max_size=3) | st.lists(st.integers(), max_size=1),
            "labels": st.none() | st.just([{"name": "a", "confidence": 1}]) | st.just([{"name": "a"}]) | st.just([3]),
            "dwell_seconds": st.none() | st.floats(allow_nan=False) | st.booleans(),
        },
    )
)
def test_what_is_malformed_is_so_for_the_model_too(item):
    raw = json.dumps(item).encode()
    assert (facts_of("interactions", raw, RULES).reason is None) is (parse("interactions", raw) is not None)


@given(st.binary(min_size=32, max_size=100), st.sampled_from(["account", "interactions/id"]), st.binary(max_size=200))
def test_a_digest_is_the_first_half_of_an_hmac(key, domain, message):
    whole = hmac.digest(key, domain.encode() + b"\0" + message, "sha256")
    assert digest(key, domain, message) == whole[:16]


@given(
    st.datetimes(timezones=st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23)))),
    st.sampled_from(["T", "t"]),
)
def test_an_instant_is_what_python_makes_of_the_timestamp(at, between):
    at = at.replace(tzinfo=timezone(timedelta(minutes=at.utcoffset() // timedelta(minutes=1))))
    written = at.isoformat(sep=between)
    assert instant(written) == (at.replace(tzinfo=None) - datetime(1970, 1, 1)) // timedelta(microseconds=1) - (
        at.utcoffset() // timedelta(microseconds=1)
    )


@pytest.mark.parametrize("written", ["2025-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "2025-12-17T24:00:00Z"])
def test_a_day_or_hour_that_no_calendar_has_is_no_instant(written):
    with pytest.raises(Malformed):
        instant(written)
