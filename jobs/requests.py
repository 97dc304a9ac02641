"""Requests: what is still owed to those who asked to be erased, read without Spark."""

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from jobs.digests import profile_digest
from jobs.lake_log import LakeLog
from jobs.landing import LandingFile
from jobs.lines import moment
from jobs.reference import rows_here
from schemas.reference import ERASURES
from schemas.tombstones import TOMBSTONES


def due(log: LakeLog, key: bytes, files: list[LandingFile]) -> list[tuple[str, datetime]]:
    """The requests (profile_id, requested_at), out of a landing zone's, that no tombstone answers yet."""
    asked: dict[str, datetime] = {}
    for profile, micros in rows_here(ERASURES, files, key):
        at = moment(micros)
        asked[profile] = max(at, asked.get(profile, at))
    if not asked:
        return []
    by_digest = {profile_digest(key, profile): profile for profile in asked}
    stones = log.rows(TOMBSTONES, ["profile_digest", "requested_at"])
    theirs = stones.filter(pc.is_in(stones["profile_digest"], pa.array(list(by_digest), stones["profile_digest"].type)))
    for digest, answered in zip(*(column.to_pylist() for column in theirs.columns), strict=True):
        profile = by_digest[digest]
        if profile in asked and asked[profile] <= answered:
            del asked[profile]
    return list(asked.items())


def unfinished(log: LakeLog) -> list[str]:
    """The ids of erasures that were begun and have no receipt, in order."""
    begun = set(log.rows(TOMBSTONES, ["erasure_id"])["erasure_id"].to_pylist())
    return sorted(begun - {file.stem for file in log.receipts().glob("*.json")})
