"""Link and admit: who may be used, by which gate not, and whose conversation goes with them."""

from datetime import UTC, datetime

import pytest
from pyspark.sql import functions as F

from jobs.admit import admit, country_code
from jobs.link import link
from jobs.whole import divided, keep_whole
from schemas.lines import ADMITTED, INGESTED, LINKED
from schemas.reference import ACCOUNT_LINKS, ERASURES, NOTICES, PROFILE_REGIONS

NOW = datetime(2025, 12, 18, tzinfo=UTC)
NOON = datetime(2025, 12, 17, 12, tzinfo=UTC)
EVENING = datetime(2025, 12, 17, 18, tzinfo=UTC)
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
TOLD = datetime(2025, 10, 8, tzinfo=UTC)


def a_link(account="m1", app="meta_ai", profile="p1", since=LONG_AGO, until=None):
    return {"account_id": account, "app": app, "profile_id": profile, "valid_from": since, "valid_to": until}


@pytest.fixture
def linked_to(frame):
    def outcome(*links, at=NOON):
        lines = frame(
            INGESTED,
            {"source": "interactions", "account_id": "m1", "app": "meta_ai", "occurred_at": at, "surface": "chat"},
        )
        row = link(lines, frame(ACCOUNT_LINKS, *links), as_of=NOW).first()
        return row["link_outcome"] or row["profile_id"]

    return outcome


def test_an_account_without_a_link_then_is_unlinked(linked_to):
    assert linked_to(a_link(account="m2")) == "unlinked"
    assert linked_to(a_link(app="facebook")) == "unlinked"
    assert linked_to(a_link(since=EVENING)) == "unlinked"


def test_one_profile_then_and_now_is_linked_and_the_same_fact_twice_is_one(linked_to):
    assert linked_to(a_link()) == "p1"
    assert linked_to(a_link(), a_link()) == "p1"
    assert linked_to(a_link(until=EVENING), a_link(since=EVENING)) == "p1"


def test_intervals_include_their_start_and_exclude_their_end(linked_to):
    assert linked_to(a_link(since=NOON)) == "p1"
    assert linked_to(a_link(until=NOON), a_link(profile="p2", since=NOON)) == "p2"
    assert linked_to(a_link(until=NOW)) == "unlinked"


def test_two_profiles_at_either_instant_are_ambiguous(linked_to):
    assert linked_to(a_link(), a_link(profile="p2")) == "ambiguous_link"
    assert linked_to(a_link(), a_link(profile="p2", until=EVENING)) == "ambiguous_link"
    assert linked_to(a_link(), a_link(profile="p2", since=EVENING)) == "ambiguous_link"


def test_another_profile_or_none_at_the_days_end_is_unlinked(linked_to):
    assert linked_to(a_link(until=EVENING), a_link(profile="p2", since=EVENING)) == "unlinked"
    assert linked_to(a_link(until=EVENING)) == "unlinked"


@pytest.fixture
def admitted(frame, policy):
    """Outcomes of lines of one eligible person, some of the person's facts replaced."""

    def outcomes(*lines, links=None, regions=None, notices=None, erasures=()):
        base = {
            "source": "interactions",
            "surface": "chat",
            "occurred_at": NOON,
            "account_id": "m1",
            "profile_id": "p1",
        }
        rows = admit(
            frame(LINKED, *({**base, **line} for line in lines or [{}])),
            frame(ACCOUNT_LINKS, *([a_link(), a_link("f1", "facebook")] if links is None else links)),
            frame(PROFILE_REGIONS, *([region("US")] if regions is None else regions)),
            frame(NOTICES, *([{"profile_id": "p1", "notified_at": TOLD}] if notices is None else notices)),
            frame(ERASURES, *({"profile_id": "p1", "requested_at": at} for at in erasures)),
            policy=policy,
            as_of=NOW,
        )
        assert rows.columns == ADMITTED.names
        whole = keep_whole(rows, divided(rows))
        return [row["outcome"] for row in whole.orderBy("position").collect()]

    return outcomes


def region(country, since=LONG_AGO, until=None):
    return {"profile_id": "p1", "country": country, "valid_from": since, "valid_to": until}


def test_an_eligible_line_is_admitted(admitted):
    assert admitted() == [None]


def test_what_happened_before_the_effective_instant_is_never_used(admitted):
    effective = datetime(2025, 12, 16, 12, tzinfo=UTC)
    assert admitted({"occurred_at": effective.replace(hour=11, minute=59)}) == ["before_effective"]
    assert admitted({"occurred_at": effective}) == [None]


def test_gates_apply_in_order(admitted):
    early = {
        "occurred_at": datetime(2025, 12, 1, tzinfo=UTC),
        "account_id": None,
        "profile_id": None,
        "link_outcome": "unlinked",
    }
    assert admitted({**early, "outcome": "misdated"}) == ["misdated"]
    assert admitted(early) == ["before_effective"]
    assert admitted({**early, "occurred_at": NOON}) == ["logged_out"]
    assert admitted({**early, "occurred_at": NOON, "account_id": "m1"}) == ["unlinked"]
    assert admitted(links=[a_link()], regions=[], notices=[], erasures=[NOON]) == ["erased"]
    assert admitted(links=[a_link()], regions=[], notices=[]) == ["no_app_account"]
    assert admitted(regions=[], notices=[]) == ["region_unknown"]
    assert admitted(regions=[region("DE")], notices=[]) == ["region_excluded"]
    assert admitted(notices=[]) == ["not_notified"]


def test_erasure_covers_what_happened_until_it_was_asked_for(admitted):
    assert admitted({"occurred_at": EVENING}, erasures=[NOON]) == [None]
    assert admitted({"occurred_at": NOON}, erasures=[LONG_AGO, NOON]) == ["erased"]


def test_an_app_account_is_needed_at_both_instants_though_not_the_same_one(admitted):
    facebook, instagram = a_link("f1", "facebook", until=EVENING), a_link("g1", "instagram", since=EVENING)
    assert admitted(links=[a_link(), facebook]) == ["no_app_account"]
    assert admitted(links=[a_link(), instagram]) == ["no_app_account"]
    assert admitted(links=[a_link(), facebook, instagram]) == [None]


def test_a_person_who_moved_into_the_eu_is_not_used(admitted):
    assert admitted(regions=[region("US", until=EVENING), region("DE", since=EVENING)]) == ["region_excluded"]
    assert admitted(regions=[region("DE", until=EVENING), region("US", since=EVENING)]) == ["region_excluded"]


def test_a_region_must_be_known_and_single_at_both_instants(admitted):
    assert admitted(regions=[region("US", until=EVENING)]) == ["region_unknown"]
    assert admitted(regions=[region("US"), region("CA", since=EVENING)]) == ["region_unknown"]
    assert admitted(regions=[region("XX")]) == ["region_unknown"]
    assert admitted(regions=[region("DE"), region("XX", since=EVENING)]) == ["region_unknown"]
    assert admitted(regions=[region("GB"), region("uk ")]) == ["region_excluded"]


@pytest.mark.parametrize(
    ("spelled", "code"),
    [
        ("us ", "US"),
        ("UK", "GB"),
        ("el", "GR"),
        ("NA", "NA"),
        ("", ""),
        (None, ""),
        ("EU", ""),
        ("Germany", ""),
        ("\tkr", "KR"),
    ],
)
def test_a_country_is_trimmed_raised_and_resolved(spark, policy, spelled, code):
    frame = spark.createDataFrame([(spelled,)], "country string").select(country_code("country", policy).alias("code"))
    assert frame.first()["code"] == code


def test_a_notice_counts_from_the_day_people_are_told_and_must_come_before(admitted):
    void = {"profile_id": "p1", "notified_at": datetime(2025, 10, 6, 23, 59, tzinfo=UTC)}
    late = {"profile_id": "p1", "notified_at": NOON}
    assert admitted(notices=[void]) == ["not_notified"]
    assert admitted(notices=[late]) == ["not_notified"]
    assert admitted(notices=[void, late, {"profile_id": "p1", "notified_at": TOLD}]) == [None]


def test_engagements_need_neither_notice_nor_effective_date(admitted):
    old = datetime(2025, 12, 11, tzinfo=UTC)
    like = {"source": "engagements", "surface": "like", "occurred_at": old}
    assert admitted(like, links=[a_link("f1", "facebook")], notices=[]) == [None]
    assert admitted(like, regions=[region("KR")]) == ["region_excluded"]


def test_a_conversation_is_admitted_whole_or_not_at_all(admitted):
    talk = {"conversation_digest": b"c" * 16}
    early = {"occurred_at": datetime(2025, 12, 16, tzinfo=UTC)}
    assert admitted(talk, {**talk, **early}, {}) == ["conversation", "before_effective", None]
    assert admitted(talk, {**talk, "outcome": "duplicate"}) == [None, "duplicate"]
    assert admitted(talk, {**talk, "outcome": "conflicting"}) == ["conversation", "conflicting"]
    assert admitted(talk, {**talk, "outcome": "malformed", "reason": "oversize"}) == ["conversation", "malformed"]


def test_only_an_admitted_line_keeps_its_profile(frame, policy):
    lines = frame(LINKED, {"source": "interactions", "profile_id": "p1", "account_id": "m1", "occurred_at": NOON})
    rows = admit(
        lines, *(frame(c) for c in (ACCOUNT_LINKS, PROFILE_REGIONS, NOTICES, ERASURES)), policy=policy, as_of=NOW
    )
    assert rows.where(F.col("profile_id").isNotNull()).count() == 0
