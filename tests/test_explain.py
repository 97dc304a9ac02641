"""Explain: which gate stops a person now, asked of the gates themselves."""

from datetime import UTC, datetime

import pytest

from jobs.explain import stopped_now
from jobs.people import people
from schemas.reference import ACCOUNT_LINKS, ERASURES, NOTICES, PROFILE_REGIONS

LONG_AGO, EVENING = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 12, 18, 18, tzinfo=UTC)
END, LATER = datetime(2025, 12, 21, tzinfo=UTC), datetime(2025, 12, 22, tzinfo=UTC)
TOLD = datetime(2025, 10, 8, tzinfo=UTC)


def a_link(account, app="meta_ai", profile="p1", since=LONG_AGO, until=None):
    return {"account_id": account, "app": app, "profile_id": profile, "valid_from": since, "valid_to": until}


LINKS = (a_link("m"), a_link("f", "facebook"))


@pytest.fixture
def gates(frame, spark, policy):
    def of(links=LINKS, country="US", told=TOLD, erased=None):
        reference = {
            "account_links": frame(ACCOUNT_LINKS, *links),
            "profile_regions": frame(PROFILE_REGIONS, {"profile_id": "p1", "country": country, "valid_from": LONG_AGO}),
            "notices": frame(NOTICES, *([{"profile_id": "p1", "notified_at": told}] if told else [])),
            "erasures": frame(ERASURES, *([{"profile_id": "p1", "requested_at": erased}] if erased else [])),
        }
        found = stopped_now(people(spark, ["p1"]), reference, as_of=END, policy=policy)
        return found["interactions"], found["engagements"]

    return of


def test_nothing_stops_an_eligible_person(gates):
    assert gates() == (None, None)


def test_the_gate_that_stops_a_person_is_named_by_source(gates):
    assert gates(country="FR") == ("region_excluded", "region_excluded")
    assert gates(country="??") == ("region_unknown", "region_unknown")
    assert gates(told=None) == ("not_notified", None)
    assert gates(erased=LATER) == ("erased", "erased")
    assert gates(erased=EVENING) == (None, None)


def test_accounts_that_are_gone_or_anothers_leave_a_person_unlinked(gates):
    face = a_link("f", "facebook")
    assert gates(links=()) == ("unlinked", "unlinked")
    assert gates(links=(a_link("m"),)) == ("no_app_account", "unlinked")
    assert gates(links=(a_link("m", until=EVENING), face)) == ("unlinked", None)
    # The account lets another person's lines through by now: that says nothing of this one.
    moved = (a_link("m", until=EVENING), a_link("m", profile="p2", since=EVENING), face)
    assert gates(links=(*moved, a_link("g", "facebook", "p2"))) == ("unlinked", None)
    # A second account that works is enough.
    assert gates(links=(a_link("m", until=EVENING), a_link("n", since=EVENING), face)) == (None, None)


def test_an_id_never_stands_in_the_plan_of_a_frame_that_asks_for_it(spark):
    asked = people(spark, ["p-secret"])
    for frame in (asked, spark.range(1).selectExpr("'x' as profile_id").join(asked, on="profile_id")):
        for plan in (frame._jdf.queryExecution().toString(), frame._jdf.queryExecution().logical().toJSON()):
            assert "secret" not in plan
