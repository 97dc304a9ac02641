"""Stale: which landing dates have to be stated anew."""

from datetime import date, timedelta

import msgspec
import pytest

from jobs.landing import list_night
from jobs.stale import is_stale, neighbours, touched
from schemas.arrivals import ARRIVALS
from tests.conftest import arrived
from tests.zone import NIGHT

NEXT = NIGHT + timedelta(days=1)


@pytest.fixture
def reached(frame):
    """Which other dates have to be restated when this one's arrivals change."""

    def of(before, after, *elsewhere):
        return touched(frame(ARRIVALS, *before), frame(ARRIVALS, *after), frame(ARRIVALS, *elsewhere), NIGHT)

    return of


def test_what_did_not_change_reaches_no_other_date(reached):
    assert reached([arrived()], [arrived()], arrived(b"d", day=NEXT)) == []
    assert reached([], [arrived()], arrived(identity=b"j", day=NEXT)) == []


def test_a_new_line_reaches_dates_that_know_its_id_otherwise_or_had_it_later(reached):
    earlier = NIGHT - timedelta(days=1)
    assert reached([], [arrived()], arrived(b"d", day=earlier), arrived(b"d", day=NEXT)) == [earlier, NEXT]
    assert reached([], [arrived()], arrived(day=earlier), arrived(day=NEXT)) == [NEXT]
    assert reached([arrived()], [], arrived(day=earlier), arrived(day=NEXT)) == [NEXT]
    assert reached([], [arrived()], arrived(b"d", source="engagements", day=NEXT)) == []


def test_a_conversation_that_is_withheld_now_or_no_longer_reaches_the_dates_that_go_on_with_it(reached):
    c = b"c" * 16
    silent, loud = arrived(conversation_digest=c), arrived(conversation_digest=c, withholds=True)
    turn = arrived(identity=b"j", conversation_digest=c, day=NEXT)
    assert reached([silent], [loud], turn) == [NEXT]
    assert reached([loud], [silent], turn) == [NEXT]
    assert reached([loud], [loud, arrived(identity=b"k", conversation_digest=c, withholds=True)], turn) == []
    # What is stopped by itself stays so; a line without a conversation is nobody's turn.
    assert reached([silent], [loud], {**turn, "withholds": True}) == []
    assert reached([], [arrived(withholds=True)], arrived(identity=b"j", day=NEXT)) == []


def test_two_dates_share_a_window_that_the_later_ones_policy_sets(policy):
    narrow = msgspec.structs.replace(policy, valid_from=date(2025, 12, 20), lateness_days=2)
    policies = [msgspec.structs.replace(policy, valid_to=date(2025, 12, 20)), narrow]
    days = [date(2025, 12, day) for day in range(8, 24)]
    assert neighbours(date(2025, 12, 18), days, policies) == [date(2025, 12, day) for day in (*range(11, 18), 19, 20)]
    assert neighbours(date(2025, 12, 21), days, policies) == [date(2025, 12, day) for day in (19, 20, 22, 23)]


def test_a_landing_date_is_stale_when_its_files_say_something_else(zone):
    zone.say().write()
    files = list_night(str(zone.folder), NIGHT)
    inputs = [
        {
            "source": file.source,
            "landing_date": NIGHT,
            "name": file.name,
            "bytes": file.size,
            "modified_ns": file.modified_ns,
            "sha256": "of other bytes",
        }
        for file in files
    ]
    assert not is_stale({"inputs": inputs}, files, NIGHT), "a file that nobody touched is not read again"
    assert is_stale({"inputs": [{**inputs[0], "modified_ns": 1}]}, files, NIGHT)
    assert is_stale({"inputs": [{**inputs[0], "bytes": 1}]}, files, NIGHT)
    assert is_stale({"inputs": []}, files, NIGHT) and is_stale({"inputs": inputs}, [], NIGHT)
