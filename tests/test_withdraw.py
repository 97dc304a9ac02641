"""Withdraw: which stored signals fall, one reason at a time, and only by the ends of later nights."""

from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest
from pyspark.sql import functions as F

from jobs.attribute import accounts_of
from jobs.rebuild import profiles
from jobs.withdraw import asked_again, due, suspects, withdrawn
from schemas.reference import ACCOUNT_LINKS, ERASURES, NOTICES, PROFILE_REGIONS
from schemas.signals import SIGNALS

DAY, NIGHT = date(2025, 12, 17), date(2025, 12, 20)
LONG_AGO, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 12, 21, tzinfo=UTC)
TOLD, EVENING = datetime(2025, 10, 8, tzinfo=UTC), datetime(2025, 12, 18, 18, tzinfo=UTC)
AI, FACEBOOK = b"a" * 16, b"f" * 16


def a_signal(**more):
    return {
        "signal_key": b"k" * 16,
        "landing_date": DAY,
        "profile_id": "p1",
        "source": "chat",
        "day": DAY,
        "score": 1,
        "weight": 1,
        "amount": Decimal(1),
        "account_digest": AI,
        **more,
    }


def a_link(digest=AI, app="meta_ai", profile="p1", since=LONG_AGO, until=None):
    return {"account_digest": digest, "app": app, "profile_id": profile, "valid_from": since, "valid_to": until}


def lives_in(country="US", since=LONG_AGO, until=None):
    return {"profile_id": "p1", "country": country, "valid_from": since, "valid_to": until}


LIKE = a_signal(source="like", account_digest=FACEBOOK)
LINKS, REGIONS = (a_link(), a_link(FACEBOOK, "facebook")), (lives_in(),)


@pytest.fixture
def falls(frame, policy):
    """How many signals fall, of one that stands unless the test says otherwise."""

    def count(
        *signals,
        links=LINKS,
        regions=REGIONS,
        told=TOLD,
        erased=None,
        night=NIGHT,
        later=(),
        by=policy,
    ):
        stored = frame(SIGNALS, *(signals or (a_signal(),)))
        reference = (
            frame(ACCOUNT_LINKS, *links),
            frame(PROFILE_REGIONS, *regions),
            frame(NOTICES, *([{"profile_id": "p1", "notified_at": told}] if told else [])),
            frame(ERASURES, *([{"profile_id": "p1", "requested_at": erased}] if erased else [])),
        )
        nights = [(day, by) for day in (night, *later)]
        gone = withdrawn(stored, *reference, landing_date=night, restated=[night], nights=nights)
        own = F.col("landing_date") == F.lit(night)
        seen, stated = stored.where(~own), stored.where(own)
        judged = stated if later else frame(SIGNALS)
        asked = suspects(accounts_of(seen), profiles(seen), judged, *reference, landing_date=night, policy=by)
        asked = asked.unionByName(asked_again(stated, reference[-1]))
        unread = stored.where(~due(night, [night, *later], [night], [by])).join(asked, on="profile_id", how="left_anti")
        gone = {tuple(row) for row in gone.collect()}
        # What a night doesn't look at never falls.
        assert not gone & {tuple(row) for row in unread.select(*SIGNALS.key).collect()}
        return len(gone)

    return count


def test_what_still_holds_stands(falls):
    assert falls() == 0
    assert falls(LIKE, told=None) == 0


def test_of_whom_nothing_changed_no_signal_is_looked_at(frame, policy):
    stored = frame(SIGNALS, a_signal(), LIKE, a_signal(profile_id="p2", account_digest=b"b" * 16))
    asked = suspects(
        accounts_of(stored),
        profiles(stored),
        frame(SIGNALS),
        frame(ACCOUNT_LINKS, *LINKS, a_link(b"b" * 16, profile="p2"), a_link(b"g" * 16, "facebook", "p2")),
        frame(PROFILE_REGIONS, lives_in(), {**lives_in("DE"), "profile_id": "p2"}),
        frame(NOTICES, {"profile_id": "p1", "notified_at": TOLD}, {"profile_id": "p2", "notified_at": TOLD}),
        frame(ERASURES),
        landing_date=NIGHT,
        policy=policy,
    )
    assert [tuple(row) for row in asked.collect()] == [("p2",)]


def test_whoever_moves_out_of_reach_is_withdrawn(falls):
    moved = (lives_in(until=EVENING), lives_in("DE", since=EVENING))
    assert falls(regions=moved) == 1
    assert falls(LIKE, regions=moved) == 1
    assert falls(regions=(lives_in(until=EVENING), lives_in("CA", since=EVENING))) == 0


@pytest.mark.parametrize("regions", [(), (lives_in(until=END),), (lives_in(), lives_in("CA")), (lives_in("XX"),)])
def test_a_region_that_is_not_known_and_single_is_withdrawn(falls, regions):
    assert falls(regions=regions) == 1


def test_a_link_that_ends_or_becomes_anothers_is_withdrawn(falls):
    face = a_link(FACEBOOK, "facebook")
    assert falls(links=(a_link(until=EVENING), face)) == 1
    assert falls(links=(a_link(until=EVENING), a_link(profile="p2", since=EVENING), face)) == 1
    assert falls(links=(a_link(), a_link(profile="p2", since=EVENING), face)) == 1
    assert falls(links=(a_link(until=END), face)) == 1
    # A new account of the same person is no link of the old one.
    assert falls(links=(a_link(until=EVENING), a_link(b"b" * 16, since=EVENING), face)) == 1


def test_without_an_app_account_ai_signals_fall_and_a_like_with_its_own(falls):
    assert falls(links=(a_link(), a_link(FACEBOOK, "facebook", until=EVENING))) == 1
    assert falls(LIKE, links=(a_link(), a_link(FACEBOOK, "facebook", until=EVENING))) == 1
    assert falls(LIKE, links=(a_link(until=EVENING), a_link(FACEBOOK, "facebook"))) == 0


def test_a_notice_that_is_gone_withdraws_what_ai_showed_alone(falls):
    assert falls(told=None) == 1
    assert falls(told=datetime(2025, 12, 18, tzinfo=UTC)) == 1
    assert falls(LIKE, told=None) == 0


def test_a_request_for_erasure_withdraws_what_was_before_it(falls):
    assert falls(erased=EVENING) == 1
    assert falls(LIKE, erased=EVENING) == 1
    assert falls(erased=datetime(2025, 12, 16, 23, tzinfo=UTC)) == 0


def test_a_request_takes_the_whole_of_its_day_of_the_nights_own_date_too(falls):
    own = {"landing_date": NIGHT, "day": NIGHT}
    assert falls(a_signal(**own), erased=datetime(2025, 12, 20, 9, tzinfo=UTC)) == 1
    assert falls(a_signal(**own), erased=datetime(2025, 12, 19, 23, tzinfo=UTC)) == 0


def test_evidence_expires_after_the_retention_exactly(falls, policy):
    three = msgspec.structs.replace(policy, retention_days=3)
    four = msgspec.structs.replace(policy, retention_days=4)
    assert falls(by=three) == 1
    assert falls(by=four) == 0


def test_a_tightened_policy_withdraws_what_it_forbids(falls, policy):
    regions = msgspec.structs.replace(policy.regions, announced=[*policy.regions.announced, "US"])
    assert falls(by=msgspec.structs.replace(policy, regions=regions)) == 1


def test_a_night_is_judged_by_the_ends_of_later_nights_run_already_and_never_by_earlier_ones(falls):
    moved = (lives_in(until=EVENING), lives_in("DE", since=EVENING))
    back = (*moved[:1], lives_in("DE", since=EVENING, until=END), lives_in("US", since=END))
    assert falls(regions=moved, night=DAY) == 0
    assert falls(regions=moved, night=DAY, later=(date(2025, 12, 18),)) == 1
    assert falls(regions=back, night=DAY, later=(NIGHT,)) == 0
    assert falls(regions=back, night=DAY, later=(date(2025, 12, 19), NIGHT)) == 1
    assert falls(regions=moved, night=date(2025, 12, 16)) == 0
