"""Segment and activate: who is in which audience, and what each placement of each app may personalise by."""

from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest

from jobs import decay
from jobs.activate import activations
from jobs.segment import members, remaining, segments
from schemas.profiles import PROFILES
from schemas.reference import ACCOUNT_LINKS, PROFILE_REGIONS
from schemas.segment_members import SEGMENT_MEMBERS
from schemas.words import PLACEMENTS

DAY, LONG_AGO = date(2025, 12, 20), datetime(2025, 1, 1, tzinfo=UTC)
MIDNIGHT = datetime(2025, 12, 21, tzinfo=UTC)
PEOPLE = [f"p{n}" for n in range(7)]
FLOOR = 800


@pytest.fixture
def by(policy):
    """A policy with one floor and small audiences."""
    return msgspec.structs.replace(policy, floors=dict.fromkeys(PLACEMENTS, FLOOR), minimum_audience=3, top_interests=2)


@pytest.fixture
def least(by):
    """The weight at which an interest just reaches the floor."""
    return FLOOR * 10_000 * decay.factor(DAY, by.landmark, by.half_life_days)


def interests(frame, *rows):
    days = {"signals": 1, "first_day": DAY, "last_day": DAY}
    return frame(PROFILES, *({"profile_id": who, "topic_id": t, "weight": Decimal(w), **days} for who, t, w in rows))


def live(frame, **countries):
    rows = [(who, "US") for who in PEOPLE if who not in countries] + [*countries.items()]
    return frame(
        PROFILE_REGIONS, *({"profile_id": who, "country": code, "valid_from": LONG_AGO} for who, code in rows if code)
    )


@pytest.fixture
def audiences(frame, by, least):
    """Sizes as published, by audience of the ads placement."""

    def sizes(rows, **countries):
        found = members(interests(frame, *rows), live(frame, **countries), newest=DAY, policy=by)
        published = segments(found, newest=DAY, policy=by).where("placement = 'ads'").collect()
        return {row["segment_id"]: row["size"] for row in published}

    return sizes


def test_an_audience_has_at_least_the_minimum_of_people_and_its_size_is_rounded_down(audiences, least):
    assert audiences([(who, "t", least) for who in PEOPLE[:2]]) == {}
    for people in (3, 4, 5):
        assert audiences([(who, "t", least) for who in PEOPLE[:people]]) == {"ads/t": 3, "ads/t/US": 3}
    assert audiences([(who, "t", least) for who in PEOPLE[:6]]) == {"ads/t": 6, "ads/t/US": 6}


def test_an_interest_counts_from_the_floor_of_its_placement_up_and_to_the_last_digit(audiences, least):
    rows = [(who, "t", least) for who in PEOPLE[:3]]
    assert audiences([*rows[:2], ("p2", "t", least - 1)]) == {} != audiences(rows)


def test_a_country_with_too_few_people_is_only_part_of_the_whole(audiences, least):
    rows = [(who, "t", least) for who in PEOPLE[:5]]
    assert audiences(rows, p0="BR", p1=" br ") == {"ads/t": 3, "ads/t/US": 3}
    assert audiences(rows, p0="BR", p1="BR", p2="br") == {"ads/t": 3, "ads/t/BR": 3}


def test_who_is_in_an_excluded_an_unknown_or_no_country_is_in_no_audience(audiences, least):
    rows = [(who, "t", least) for who in PEOPLE[:5]]
    for country in ("DE", "UK", "??", None):
        assert audiences(rows, p0=country, p1=country, p2=country) == {}


def test_an_audience_that_loses_evidence_loses_who_no_longer_reaches_the_floor(frame, by, least):
    rows = [(who, topic, least) for who in PEOPLE[:4] for topic in ("t", "u")]
    before = members(interests(frame, *rows), live(frame), newest=DAY, policy=by)
    left = interests(frame, *(row for row in rows if row[:2] not in {("p0", "t"), ("p0", "u"), ("p1", "u")}))

    after = remaining(before, left, newest=DAY, policy=by).collect()

    assert {row["segment_id"] for row in after if row["segment_id"].startswith("ads")} == {"ads/t", "ads/t/US"}
    assert {row["profile_id"] for row in after} == {"p1", "p2", "p3"}


def test_each_placement_of_each_app_linked_gets_the_strongest_interests_and_an_ai_product_nothing(frame, by, least):
    by = msgspec.structs.replace(by, floors={**by.floors, "ads": FLOOR + 1})
    rows = [("p0", "low", least - 1), ("p0", "b", least), ("p0", "a", least), ("p0", "top", 2 * least)]
    links = [
        {"profile_id": who, "app": app, "valid_from": LONG_AGO, "valid_to": until}
        for who, app, until in (
            *(
                ("p0", "facebook", None),
                ("p0", "facebook", None),
                ("p0", "instagram", MIDNIGHT),
                ("p0", "meta_ai", None),
            ),
            *(("p1", "facebook", None), ("p2", "facebook", None)),
        )
    ]
    rows += [("p1", "t", least), ("p2", "t", least - 1)]

    found = activations(
        interests(frame, *rows), frame(ACCOUNT_LINKS, *links), live(frame, p1="DE"), newest=DAY, policy=by
    ).collect()

    assert {(row["profile_id"], row["app"]) for row in found} == {("p0", "facebook")}
    assert {row["placement"]: row["topic_ids"] for row in found} == {
        "ads": ["top"],
        **dict.fromkeys(("feed", "groups", "reels"), ["top", "a"]),
    }


def test_members_say_nothing_but_who_is_where():
    assert SEGMENT_MEMBERS.names == ["segment_id", "profile_id"] and not SEGMENT_MEMBERS.history
