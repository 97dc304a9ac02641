"""Requests: who asked to be erased and isn't yet, as the lake's log and the landing zone's files say. No Spark."""

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from jobs.digests import profile_digest
from jobs.errors import Exit, NightjarError
from jobs.lake_log import LakeLog
from jobs.landing import LandingFile
from jobs.requests import due, unfinished
from schemas.tombstones import TOMBSTONES
from tests.conftest import KEY

NOON = datetime(2025, 12, 17, 12, tzinfo=UTC)
LATER = NOON + timedelta(microseconds=1)


@pytest.fixture
def log(tmp_path):
    """A lake's log in which an erasure answered Ann at noon, and Ben at noon and a moment later."""
    answered = [("ann", NOON), ("ben", NOON), ("ben", LATER)]
    columns = {
        "erasure_id": pa.array(["e1", "e1", "e2"]),
        "profile_digest": pa.array([profile_digest(KEY, name) for name, _ in answered]),
        "requested_at": pa.array([at for _, at in answered], pa.timestamp("us", "UTC")),
    }
    write_deltalake(tmp_path / "lake" / TOMBSTONES.name, pa.table(columns))
    return LakeLog(tmp_path / "lake")


def asked(folder, *requests, raw=""):
    """The file of some requests (profile, instant), as it is listed."""
    file = folder / "part-0.jsonl"
    rows = (json.dumps({"profile_id": who, "requested_at": at.isoformat()}) for who, at in requests)
    file.write_text("".join(f"{row}\n" for row in rows) + raw)
    return [LandingFile(0, "erasures", file.name, str(file), file.stat().st_size, 0)]


def test_a_request_is_due_until_a_tombstone_is_as_late_as_it(log, tmp_path):
    requests = ("ann", NOON), ("ben", LATER), ("cleo", NOON)
    assert due(log, KEY, asked(tmp_path, *requests)) == [("cleo", NOON)]
    assert due(log, KEY, asked(tmp_path, ("ann", NOON), ("ann", LATER))) == [("ann", LATER)]
    assert due(log, KEY, asked(tmp_path)) == due(log, KEY, []) == []


def test_another_key_knows_no_answer(log, tmp_path):
    assert due(log, bytes(32), asked(tmp_path, ("ann", NOON))) == [("ann", NOON)]


def test_a_request_that_is_none_stops_and_names_the_row_alone(log, tmp_path):
    with pytest.raises(NightjarError, match=r"erasures/part-0.jsonl is missing_field at row 2") as caught:
        due(log, KEY, asked(tmp_path, ("ann", NOON), raw='{"profile_id": "secret"}\n'))
    assert caught.value.code == Exit.INPUT and "secret" not in caught.value.line()


def test_an_erasure_without_a_receipt_is_unfinished(log):
    assert unfinished(log) == ["e1", "e2"]
    log.receipts().mkdir()
    (log.receipts() / "e1.json").touch()
    assert unfinished(log) == ["e2"]
