"""Erasure on real Delta: nothing of a person is left in any file, nothing brings them back, and nothing stops half-way."""

import shutil
from datetime import UTC, datetime, timedelta

import msgspec
import pyarrow.parquet as pq
import pytest

from jobs.erase import erase, finish_unfinished, still_gone
from jobs.errors import Exit, NightjarError
from jobs.lake import Lake
from jobs.verify import replayed
from schemas.profiles import PROFILES
from schemas.signals import SIGNALS
from schemas.tables import PUBLISHED
from tests.night.scan import findings
from tests.zone import NIGHT

NEXT = NIGHT + timedelta(days=1)
ASKED = datetime(2026, 1, 5, 12, tzinfo=UTC)
# Longer than the 32 characters that Delta keeps of a text in statistics.
ANN = f"ann-{'x' * 40}"
PREFIX = f"p-{ANN}"[:32]


def published(runs):
    return {contract.name: runs.lake.log.version(contract) for contract in PUBLISHED}


def rows_of(runs, *people):
    """What is stored of some people, by table."""
    tables = ("signals", 2), ("profiles", 0), ("signal_accounts", 0), ("segment_members", 1), ("activations", 0)
    return {name: [row for row in runs.rows(name) if row[at] in people] for name, at in tables}


def interests_in_files(runs):
    """Every topic that a Parquet file of the lake names, whether a table knows the file or not."""
    found = set()
    for file in runs.path.rglob("*.parquet"):
        columns = [name for name in ("topic_id", "topic_ids") if name in pq.read_schema(file).names]
        for row in pq.read_table(file, columns=columns).to_pylist() if columns else ():
            found.update([row["topic_id"]] if "topic_id" in row else row["topic_ids"])
    return found


def test_who_is_erased_is_in_no_file_and_does_not_come_back(zone, runs, monkeypatch):
    runs.policies = [msgspec.structs.replace(*runs.policies, minimum_audience=2)]
    zone.person(ANN).person("ben").person("cleo").like("Baseball", who=ANN)
    for who in (ANN, "ben", "cleo"):
        zone.say(who=who).like(who=who).say("play some jazz", who=who, day=NEXT)
    zone.write(NIGHT, NEXT)
    for day in (NIGHT, NEXT):
        runs.night(day)
    first, others = runs.lake.runs().orderBy("run_number").first(), rows_of(runs, "p-ben", "p-cleo")
    key = runs.setting().key
    held = findings([PREFIX], runs.path)[PREFIX]
    # What nobody else likes, whatever the scorer calls baseball.
    liked = {her: {row[1] for row in runs.rows("profiles") if (row[0] == f"p-{ANN}") is her} for her in (True, False)}
    hers = liked[True] - liked[False]
    assert hers and hers <= interests_in_files(runs)
    kept = shutil.copy(next(file for file in held if "/profiles/" in file), runs.path.parent / "kept.parquet")

    # Killed before anything is purged, it is finished by the next command; no table goes back behind it.
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "purge", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            erase(runs.lake, runs.setting(), [(f"p-{ANN}", ASKED)])
    assert not any(rows_of(runs, f"p-{ANN}").values())
    (receipt,) = finish_unfinished(runs.lake, runs.setting())
    assert finish_unfinished(runs.lake, runs.setting()) == []
    assert (receipt.people, receipt.residue) == (1, 0) and receipt.searched_files > 3
    assert findings([PREFIX], runs.path) == {} and not hers & interests_in_files(runs)
    assert rows_of(runs, "p-ben", "p-cleo") == others and all(others.values())
    with pytest.raises(Exception, match=r"table signals can't be opened \(PATH_NOT_FOUND\)"):
        runs.lake.read(SIGNALS, first).collect()

    # The lake says nothing of it: no interest was removed, the deltas still replay to the profiles.
    assert {row[4] for row in runs.rows("profile_deltas")} <= {"added", "changed"}
    last = runs.lake.log.history().last
    assert last["kind"] == "erasure"
    assert replayed(runs.lake, last).exceptAll(runs.lake.read(PROFILES, last)).isEmpty()

    before = published(runs)
    assert not runs.night(NEXT).did_something and published(runs) == before
    file = runs.lake.log.receipts() / f"{receipt.erasure_id}.json"
    assert still_gone(runs.lake, key, file).residue == 0
    back = shutil.copy(kept, runs.path / "profiles" / "part-back.parquet")
    with pytest.raises(NightjarError, match="1 files hold somebody") as caught:
        still_gone(runs.lake, key, file)
    assert caught.value.code == Exit.TABLE
    (runs.path / "profiles" / "part-back.parquet").unlink()
    assert back and findings([PREFIX], runs.path) == {}

    # A late line of hers, and a request of Ben's that the landing zone brings; what he said since then stays.
    zone.say("how do i train for a marathon", who=ANN, at="2025-12-17T09:00:00Z").like("Rock Music", who="cleo")
    zone.erasures.append({"profile_id": "p-ben", "requested_at": f"{NIGHT}T23:00:00Z"})
    zone.write(NIGHT, NEXT)
    assert runs.night(NEXT).stated == [NIGHT]
    assert runs.outcomes()["erased"] == 3 and runs.outcomes("engagements")["erased"] == 3
    assert findings([PREFIX], runs.path) == {}
    assert {row[5] for row in rows_of(runs, "p-ben")["signals"]} == {NEXT}
    assert [row[3:] for row in rows_of(runs, "p-ben")["profiles"]] == [(1, NEXT, NEXT)]
    assert "removed" not in {row[4] for row in runs.rows("profile_deltas")}
    assert len(list(runs.lake.log.receipts().glob("*.json"))) == 2
    # The second date was stated before her request: what it counted stays, until it is stated anew.
    assert set(runs.differences()) == {"table arrivals", "table outcomes"}
