"""Ingest, screen, accrue and profile on tiny frames."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from jobs import decay
from jobs.accrue import accrue
from jobs.attribute import accounts_of, attributed
from jobs.ingest import id_hash, ingest, repeated
from jobs.lake import nothing
from jobs.profile import changes, deltas
from jobs.screen import line_weight, screen, tainted
from jobs.settle import settle, withheld
from schemas.arrivals import ARRIVALS
from schemas.lines import DIVIDED, RAW_LINES, REPEATED, SCORED, SCREENED, SETTLED, TAINTED, WITHHELD
from schemas.signals import SIGNALS
from schemas.tables import TABLES
from tests.conftest import arrived

NOON = datetime(2025, 12, 17, 12, tzinfo=UTC)
DAY = date(2025, 12, 17)
BEFORE, AFTER = date(2025, 12, 16), date(2025, 12, 18)
ONE = [("216", 9_000)]


def outcomes(frame):
    return [row["outcome"] for row in frame.orderBy("position").collect()]


def ingested(frame, lines, *elsewhere):
    arrivals = frame(ARRIVALS, *elsewhere)
    return ingest(lines, arrivals, repeated(lines, arrivals), landing_date=DAY)


def screened(scored, policy):
    return screen(scored, tainted(scored), policy=policy)


def raw(content=b"c", identity=b"i", **more):
    return {
        "source": "interactions",
        "id_digest": identity * 16,
        "content_digest": content * 16,
        "app": "meta_ai",
        "surface": "chat",
        "occurred_at": NOON,
        **more,
    }


def test_equal_lines_are_duplicates_but_for_one_and_other_content_conflicts(frame):
    lines = frame(RAW_LINES, raw(), raw(), raw(identity=b"j"), raw(b"d", b"j"), raw(identity=b"k"))
    assert outcomes(ingested(frame, lines)) == [None, "duplicate", "conflicting", "conflicting", None]


def test_a_misdated_line_is_that_first_and_conflicts_with_others_all_the_same(frame):
    lines = frame(RAW_LINES, raw(), raw(b"d", misdated=True))
    assert outcomes(ingested(frame, lines)) == ["conflicting", "misdated"]


def test_other_content_under_another_landing_date_conflicts_and_the_same_is_a_copy_of_the_earlier_one(frame):
    lines = frame(RAW_LINES, *(raw(identity=identity) for identity in (b"i", b"j", b"k", b"l")), raw(identity=b"l"))
    elsewhere = [arrived(day=BEFORE), arrived(identity=b"j", day=AFTER), arrived(b"d", b"k", AFTER)]
    elsewhere += [arrived(source="engagements", identity=b"l", day=BEFORE)]
    assert outcomes(ingested(frame, lines, *elsewhere)) == ["duplicate", None, "conflicting", None, "duplicate"]


def test_a_conversation_that_another_landing_date_withholds_is_not_used(frame):
    c, d = b"c" * 16, b"d" * 16
    turns = [
        ("used", c),
        ("no_interest", c),
        ("empty", c),
        ("sensitive", c),
        ("duplicate", c),
        ("used", d),
        ("used", None),
    ]
    lines = frame(
        SCREENED,
        *(
            {
                "source": "interactions",
                "outcome": outcome,
                "conversation_digest": where,
                "topics": ONE if outcome == "used" else [],
                "profile_id": "p1" if outcome == "used" else None,
            }
            for outcome, where in turns
        ),
    )
    elsewhere = frame(
        ARRIVALS,
        arrived(conversation_digest=c),
        arrived(conversation_digest=c, identity=b"j", withholds=True),
        arrived(conversation_digest=d),
        arrived(identity=b"k", withholds=True),
    )
    settled = settle(lines, withheld(lines, elsewhere))
    stopped = ["conversation"] * 3
    assert outcomes(settled) == [*stopped, "sensitive", "duplicate", "used", "used"]
    kept = [row["profile_id"] for row in settled.orderBy("position").collect()]
    assert kept == [None] * 5 + ["p1", "p1"]


def test_interactions_and_engagements_may_share_an_id(frame):
    lines = frame(RAW_LINES, raw(), raw(b"d", source="engagements", app="facebook"))
    assert outcomes(ingested(frame, lines)) == [None, None]


def test_malformed_lines_and_manifests_are_no_copies_of_each_other(frame):
    broken = {"source": "interactions", "reason": "blank", "surface": "unknown"}
    lines = frame(RAW_LINES, broken, broken, {**broken, "reason": None, "position": 0, "manifest": (2, "x", None)})
    assert outcomes(ingested(frame, lines)) == ["malformed", "malformed"]


def scored(verdict, conversation=None, **more):
    return {
        "source": "interactions",
        "surface": "chat",
        "verdict": verdict,
        "profile_id": "p1",
        "occurred_at": NOON,
        "topics": ONE if verdict == "used" else [],
        "conversation_digest": conversation,
        **more,
    }


def test_one_sensitive_line_drops_its_conversation(frame, policy):
    c = b"c" * 16
    lines = frame(
        SCORED, scored("used", c), scored("sensitive", c, categories=8), scored("no_interest", c), scored("used")
    )
    assert outcomes(screened(lines, policy)) == ["sensitive", "sensitive", "sensitive", "used"]


def test_what_could_not_be_screened_counts_as_sensitive_for_the_rest_and_an_empty_line_does_not(frame, policy):
    c, d = b"c" * 16, b"d" * 16
    lines = frame(SCORED, scored("used", c), scored("unsupported_language", c), scored("used", d), scored("empty", d))
    assert outcomes(screened(lines, policy)) == ["sensitive", "unsupported_language", "used", "empty"]


def test_only_used_lines_keep_profile_and_interests(frame, policy):
    rows = screened(frame(SCORED, scored("used", b"c" * 16), scored("sensitive", b"c" * 16), scored("used")), policy)
    assert [(row["profile_id"], len(row["topics"])) for row in rows.orderBy("position").collect()] == [
        (None, 0),
        (None, 0),
        ("p1", 1),
    ]


@pytest.mark.parametrize(("dwell", "weight"), [(None, 0), (0, 0), (15_000, 200), (30_000, 400), (90_000, 400), (74, 0)])
def test_a_video_weighs_by_how_long_it_was_watched(frame, policy, dwell, weight):
    line = frame(SCORED, scored("used", surface="vibes", dwell_milli=dwell))
    assert line.select(line_weight(policy)).first()[0] == weight
    assert outcomes(screened(line, policy)) == ["used" if weight else "no_interest"]


def test_a_signal_is_the_exact_product(frame, policy):
    line = {
        "source": "interactions",
        "surface": "voice",
        "outcome": "used",
        "profile_id": "p1",
        "occurred_at": NOON,
        "id_digest": b"i" * 16,
        "content_digest": b"c" * 16,
        "topics": [("216", 9_001), ("217", 1)],
    }
    rows = accrue(frame(SETTLED, line), landing_date=DAY, policy=policy).orderBy("topic_id").collect()
    factor = decay.factor(DAY, policy.landmark, policy.half_life_days)
    assert [(r["score"], r["weight"], int(r["amount"]), r["day"]) for r in rows] == [
        (9_001, 1_000, 9_001 * 1_000 * factor, DAY),
        (1, 1_000, 1_000 * factor, DAY),
    ]
    assert rows[0]["signal_key"] != rows[1]["signal_key"] and len(rows[0]["signal_key"]) == 16


def test_the_days_factor_is_rounded_once_from_sixty_digits():
    landmark = date(2025, 10, 7)
    assert decay.factor(landmark, landmark, 30) == 10**9
    assert decay.factor(date(2025, 11, 6), landmark, 30) == 2 * 10**9
    assert decay.factor(date(2025, 10, 8), landmark, 30) == 1_023_373_892
    assert decay.factor(date(2025, 9, 7), landmark, 30) == 5 * 10**8
    assert decay.strength(10_000 * 1_000 * 10**9, date(2025, 11, 6), landmark, 30) == Decimal("0.5")


def signal(key, amount, day=DAY, topic="216"):
    return {
        "signal_key": key * 16,
        "landing_date": DAY,
        "profile_id": "p1",
        "topic_id": topic,
        "source": "chat",
        "day": day,
        "score": 1,
        "weight": 1,
        "amount": Decimal(amount),
    }


def net(frame, restated, visible, standing=None):
    frames = [frame(SIGNALS, *rows) for rows in (restated, visible, restated if standing is None else standing)]
    return [tuple(row)[1:] for row in changes(*frames, some_go=True).orderBy("topic_id").collect()]


def test_what_is_restated_unchanged_cancels_out(frame):
    assert net(frame, [signal(b"a", 5)], [signal(b"a", 5)]) == []


def test_a_new_signal_adds_and_a_gone_one_takes_away(frame):
    earlier = date(2025, 12, 12)
    assert net(frame, [signal(b"a", 5), signal(b"b", 7)], [signal(b"a", 5)]) == [
        ("216", Decimal(7), 1, DAY, DAY, False)
    ]
    assert net(frame, [], [signal(b"a", 5)]) == [("216", Decimal(-5), -1, None, None, True)]
    kept = [signal(b"x", 2, earlier)]
    assert net(frame, [], [signal(b"a", 5)], kept) == [("216", Decimal(-5), -1, earlier, earlier, True)]


def test_where_no_signal_can_go_what_is_new_is_all_that_changes(frame):
    earlier = date(2025, 12, 12)
    rows = [signal(b"a", 5), signal(b"b", 7, earlier), signal(b"c", 1, topic="217")]
    none = frame(SIGNALS)
    found = changes(frame(SIGNALS, *rows), none, none, some_go=False).orderBy("topic_id").collect()
    assert [tuple(row)[1:] for row in found] == net(frame, rows, [])


def test_a_changed_amount_is_one_gone_and_one_new(frame):
    assert net(frame, [signal(b"a", 9)], [signal(b"a", 5)]) == [("216", Decimal(4), 0, DAY, DAY, True)]


def test_accounts_gain_what_is_restated_lose_what_was_visible_and_go_with_their_last_signal(frame):
    def by(account, key, **more):
        return {**signal(key, 1), "account_digest": account * 16, **more}

    like = {"source": "like"}
    before = [by(b"a", b"1"), by(b"a", b"2"), by(b"b", b"3"), by(b"c", b"4", **like)]
    after = [by(b"a", b"2"), by(b"a", b"5"), by(b"a", b"6"), by(b"c", b"7", profile_id="p2", **like)]
    before, after = frame(SIGNALS, *before), frame(SIGNALS, *after)
    accounts = attributed(accounts_of(before), restated=after, visible=before)
    assert sorted(map(tuple, accounts.collect())) == [("p1", b"a" * 16, True, 3), ("p2", b"c" * 16, False, 1)]


def test_deltas_say_what_a_commit_did_and_leave_out_what_it_left_alone(spark):
    columns = "profile_id string, topic_id string, weight decimal(38,0), signals long, first_day date, last_day date, _change_type string"
    value = (Decimal(5), 1, DAY, DAY)
    feed = [
        ("p1", "1", *value, "insert"),
        ("p1", "2", *value, "delete"),
        ("p1", "3", *value, "update_preimage"),
        ("p1", "3", Decimal(6), 1, DAY, DAY, "update_postimage"),
        ("p1", "4", *value, "update_preimage"),
        ("p1", "4", *value, "update_postimage"),
    ]
    rows = deltas(spark.createDataFrame(feed, columns), run_id="r", landing_date=DAY).orderBy("topic_id").collect()
    assert [(r["topic_id"], r["change"], r["weight_before"], r["weight_after"]) for r in rows] == [
        ("1", "added", None, Decimal(5)),
        ("2", "removed", Decimal(5), None),
        ("3", "changed", Decimal(5), Decimal(6)),
    ]


def test_only_ids_that_several_lines_share_are_looked_at_more_closely(frame):
    lines = frame(RAW_LINES, raw(), raw(b"d"), raw(identity=b"j"), raw(identity=b"k"), {"position": 0, "source": "x"})
    elsewhere = frame(ARRIVALS, arrived(identity=b"k"), arrived(identity=b"l"), arrived(b"d", b"l", AFTER))
    shared = repeated(lines, elsewhere)
    hashes = lines.select("position", id_hash()).join(shared, on="id_hash").select("position")
    assert sorted(row["position"] for row in hashes.collect()) == [1, 2, 4]
    assert shared.count() == 2


@pytest.mark.parametrize("contract", [*TABLES.values(), REPEATED, DIVIDED, TAINTED, WITHHELD], ids=lambda one: one.name)
def test_nothing_of_a_contract_has_its_columns_and_no_row(spark, contract):
    none = nothing(spark, contract)
    assert none.schema == contract.schema and none.collect() == []
