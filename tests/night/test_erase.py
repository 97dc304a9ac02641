"""Erasure on real Delta: nothing of a person is left in any file, nothing brings them back, and nothing stops half-way."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest

from jobs.erase import erase, finish_unfinished, still_gone
from jobs.errors import Exit, NightjarError
from jobs.lake import Lake
from jobs.scoring.model import DEFAULT
from jobs.verify import replayed
from schemas.profiles import PROFILES
from schemas.signals import SIGNALS
from schemas.tables import PUBLISHED
from tests.night.scan import findings
from tests.zone import NIGHT

NEXT = NIGHT + timedelta(days=1)
ASKED = datetime(2026, 1, 5, 12, tzinfo=UTC)


def published(runs):
    return {contract.name: runs.lake.version(contract) for contract in PUBLISHED}


def rows_of(runs, *people):
    """Signals and profiles of some people, by table."""
    return {
        name: [row for row in runs.rows(name) if row[at] in people] for name, at in (("signals", 2), ("profiles", 0))
    }


def test_who_is_erased_is_in_no_file_and_does_not_come_back(zone, runs, monkeypatch):
    zone.person().person("ben").person("cleo")
    for who in ("ann", "ben", "cleo"):
        zone.say(who=who).like(who=who).say("play some jazz", who=who, day=NEXT)
    zone.write(NIGHT, NEXT)
    for day in (NIGHT, NEXT):
        runs.night(day)
    first, others = runs.lake.runs().orderBy("run_number").first(), rows_of(runs, "p-ben", "p-cleo")
    key = runs.setting().key
    held = findings(["p-ann"], runs.path)["p-ann"]
    kept = shutil.copy(next(file for file in held if "/profiles/" in file), runs.path.parent / "kept.parquet")

    # Killed before anything is purged, it is finished by the next command; no table goes back behind it.
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "purge", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            erase(runs.lake, key, DEFAULT, [("p-ann", ASKED)])
    assert rows_of(runs, "p-ann") == {"signals": [], "profiles": []}
    (receipt,) = finish_unfinished(runs.lake, key, DEFAULT)
    assert finish_unfinished(runs.lake, key, DEFAULT) == []
    assert (receipt.people, receipt.residue) == (1, 0) and receipt.searched_files > 3
    assert findings(["p-ann"], runs.path) == {}
    assert rows_of(runs, "p-ben", "p-cleo") == others
    with pytest.raises(Exception, match="FAILED_READ_FILE|DELTA|FileNotFound"):
        runs.lake.read(SIGNALS, first).collect()

    # The lake says nothing of it: no interest was removed, the deltas still replay to the profiles.
    assert {row[4] for row in runs.rows("profile_deltas")} <= {"added", "changed"}
    last = runs.lake.last_run()
    assert last["kind"] == "erasure"
    assert replayed(runs.lake, last).exceptAll(runs.lake.read(PROFILES, last)).isEmpty()

    before = published(runs)
    assert not runs.night(NEXT).did_something and published(runs) == before
    file = runs.lake.receipts() / f"{receipt.erasure_id}.json"
    assert still_gone(runs.lake, key, file).residue == 0
    back = shutil.copy(kept, runs.path / "profiles" / "part-back.parquet")
    with pytest.raises(NightjarError, match="1 files hold somebody") as caught:
        still_gone(runs.lake, key, file)
    assert caught.value.code == Exit.TABLE
    (runs.path / "profiles" / "part-back.parquet").unlink()
    assert back and findings(["p-ann"], runs.path) == {}

    # A late line of hers, and a request of Ben's that the landing zone brings; what he said since then stays.
    zone.say("how do i train for a marathon", at="2025-12-17T09:00:00Z").like("Rock Music", who="cleo")
    zone.erasures.append({"profile_id": "p-ben", "requested_at": f"{NIGHT}T23:00:00Z"})
    zone.write(NIGHT, NEXT)
    assert runs.night(NEXT).stated == [NIGHT]
    assert runs.outcomes()["erased"] == 3 and runs.outcomes("engagements")["erased"] == 2
    assert findings(["p-ann"], runs.path) == {}
    assert {row[5] for row in rows_of(runs, "p-ben")["signals"]} == {NEXT}
    assert [row[3:] for row in rows_of(runs, "p-ben")["profiles"]] == [(1, NEXT, NEXT)]
    assert "removed" not in {row[4] for row in runs.rows("profile_deltas")}
    assert len(list(runs.lake.receipts().glob("*.json"))) == 2
    # The second date was stated before her request: what it counted stays, until it is stated anew.
    assert set(runs.differences()) == {"table arrivals", "table outcomes"}
