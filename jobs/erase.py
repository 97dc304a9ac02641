"""Erase: take people out of every table, every older version and every file, for good, and keep what proves it.

An erasure goes only forward. Its tombstones come first; from then on it is due, and whatever command writes next finishes
it, however often it is killed. It knows people by the digests of their tombstones alone: no id stands in a plan or a log.
"""

import json
import uuid
from datetime import datetime
from functools import reduce
from pathlib import Path

import msgspec
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs import activate, segment
from jobs.attribute import accounts_of
from jobs.errors import Exit, NightjarError
from jobs.guard import check_rows, require
from jobs.key import key_id
from jobs.lake import Lake, now
from jobs.night import Setting
from jobs.people import digested
from jobs.policy import policy_on
from jobs.rebuild import profiles
from jobs.record import run_row
from jobs.requests import unfinished
from jobs.residue import residue
from jobs.scoring.model import model_digest
from schemas.activations import ACTIVATIONS
from schemas.contract import Contract
from schemas.profile_deltas import PROFILE_DELTAS
from schemas.profiles import PROFILES
from schemas.runs import RUNS
from schemas.segment_members import SEGMENT_MEMBERS
from schemas.segments import SEGMENTS
from schemas.signal_accounts import SIGNAL_ACCOUNTS
from schemas.signals import SIGNALS
from schemas.tombstones import TOMBSTONES

OF_PEOPLE = (SIGNALS, PROFILES, PROFILE_DELTAS, SIGNAL_ACCOUNTS, SEGMENT_MEMBERS, ACTIVATIONS)


class Receipt(msgspec.Struct, frozen=True):
    """What an erasure did: how many people, the versions since which they are gone, and what a search for them found.

    Who has said something since is not searched for: that stands, and nothing from before does.
    """

    erasure_id: str
    people: int
    tables: dict[str, int]
    searched_files: int
    residue: int
    key_id: str
    finished_at: datetime


def erase(lake: Lake, setting: Setting, requests: list[tuple[str, datetime]]) -> Receipt:
    """Erase these profiles, each with when it asked. The lake is held by the caller, and restored."""
    erasure_id = str(uuid.uuid4())
    asked = lake.spark.createDataFrame(
        lake.spark.sparkContext.parallelize(requests, 1), "profile_id string, requested_at timestamp"
    )
    stones = (
        digested(asked, setting.key)
        .groupBy("profile_digest")
        .agg(F.max("requested_at").alias("requested_at"))
        .withColumn("erasure_id", F.lit(erasure_id))
        .select(TOMBSTONES.names)
        .persist()
    )
    require(check_rows(TOMBSTONES, stones, len({profile for profile, _ in requests})))
    lake.append(TOMBSTONES, stones.coalesce(1))
    return finish(lake, setting, erasure_id)


def finish_unfinished(lake: Lake, setting: Setting) -> list[Receipt]:
    """Finish what a killed erasure left. Before anything is restored: behind an erasure nothing may go back."""
    return [finish(lake, setting, erasure_id) for erasure_id in unfinished(lake.log)]


def finish(lake: Lake, setting: Setting, erasure_id: str) -> Receipt:
    """Delete, check, make visible, purge, search, and write the receipt; each of them again is harmless."""
    key, stones = setting.key, lake.tombstones().where(F.col("erasure_id") == erasure_id).persist()
    run = lake.log.history().of(erasure_id)
    if run is None:
        _delete(lake, key, stones, erasure_id)
        _deliver_less(lake, setting)
        run = _make_visible(lake, setting, erasure_id)
    for contract in OF_PEOPLE:
        lake.purge(contract)
    files, left = residue(lake, key, _without_trace(lake, key, stones))
    if left:
        raise NightjarError(
            Exit.TABLE, f"{left} files still hold somebody who was erased", fix="rerun; if it stays, report this line"
        )
    receipt = Receipt(erasure_id, stones.count(), dict(run["tables"]), files, left, key_id(key), run["finished_at"])
    file = lake.log.receipts() / f"{erasure_id}.json"
    file.parent.mkdir(exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(msgspec.to_builtins(receipt)))
    part.replace(file)
    return receipt


def still_gone(lake: Lake, key: bytes, receipt: Path) -> Receipt:
    """Search again for the people of a receipt; TABLE if any is found."""
    try:
        kept = msgspec.json.decode(receipt.read_bytes(), type=Receipt)
    except (OSError, msgspec.DecodeError):
        raise NightjarError(Exit.INPUT, f"{receipt.name} is no receipt", fix="give the file that erase wrote") from None
    stones = lake.tombstones().where(F.col("erasure_id") == kept.erasure_id).persist()
    if stones.count() != kept.people:
        raise NightjarError(
            Exit.TABLE, "table tombstones lacks people of this receipt", fix="restore it from its backup"
        )
    files, left = residue(lake, key, _without_trace(lake, key, stones))
    if left:
        raise NightjarError(Exit.TABLE, f"{left} files hold somebody who was erased", fix="erase them again")
    return msgspec.structs.replace(kept, searched_files=files)


def _delete(lake: Lake, key: bytes, stones: DataFrame, erasure_id: str) -> None:
    """Out of the newest version of each table. Of who said something since the request, that stays."""
    signals = lake.read_written(SIGNALS)
    gone = _known(signals.select("profile_id"), key, stones)
    # Of an instant only the day is kept, so the whole day of a request goes.
    fall = signals.join(gone, on="profile_id").where(F.col("day") <= F.to_date("requested_at"))
    lake.withdraw(fall.select(*SIGNALS.key).persist())
    everywhere = reduce(DataFrame.union, (lake.read_written(contract).select("profile_id") for contract in OF_PEOPLE))
    people = _known(everywhere, key, stones).select("profile_id").persist()
    signals = lake.read_written(SIGNALS).join(people, on="profile_id", how="left_semi")
    left = profiles(signals).persist()
    lake.replace_people(PROFILES, people, left)
    lake.replace_people(SIGNAL_ACCOUNTS, people, accounts_of(signals))
    lake.replace_people(PROFILE_DELTAS, people, _as_added(left, erasure_id))


def _deliver_less(lake: Lake, setting: Setting) -> None:
    """Audiences and activations without the evidence that is gone. It adds nobody, so it needs nothing but what is there."""
    newest = max(lake.log.history().dates, default=None)
    if newest is None:
        return
    given = {"newest": newest, "policy": policy_on(setting.policies, newest)}
    interests = lake.read_written(PROFILES)
    reach = lake.read_written(ACTIVATIONS).select("profile_id", "app").distinct()
    lake.overwrite(SEGMENT_MEMBERS, segment.remaining(lake.read_written(SEGMENT_MEMBERS), interests, **given))
    lake.overwrite(SEGMENTS, segment.segments(lake.read_written(SEGMENT_MEMBERS), **given))
    lake.overwrite(ACTIVATIONS, activate.activated(interests, reach, **given))


def _known(ids: DataFrame, key: bytes, stones: DataFrame) -> DataFrame:
    """One row (profile_id, requested_at) per id that has a tombstone."""
    return digested(ids.distinct(), key).join(stones, on="profile_digest").select("profile_id", "requested_at")


def _without_trace(lake: Lake, key: bytes, stones: DataFrame) -> DataFrame:
    """The tombstones of who must be in no file: of all but those who have said something since they asked."""
    ids = digested(lake.read_written(SIGNALS).select("profile_id", "day"), key)
    since = ids.join(stones, on="profile_digest").persist()
    if since.where(F.col("day") <= F.to_date("requested_at")).count():
        raise NightjarError(
            Exit.TABLE, "table signals still holds what was erased", fix="rerun; if it stays, report this line"
        )
    return stones.join(since.select("profile_digest").distinct(), on="profile_digest", how="left_anti")


def _as_added(interests: DataFrame, run_id: str) -> DataFrame:
    """The deltas of interests that begin anew: nothing of what was before is said."""
    values = [column for column in PROFILES.columns if column.name not in PROFILES.key]
    return interests.select(
        F.lit(run_id).alias("run_id"),
        F.col("last_day").alias("landing_date"),
        "profile_id",
        "topic_id",
        F.lit("added").alias("change"),
        *(F.lit(None).cast(column.type).alias(f"{column.name}_before") for column in values),
        *(F.col(column.name).alias(f"{column.name}_after") for column in values),
    ).select(PROFILE_DELTAS.names)


def _make_visible(lake: Lake, setting: Setting, erasure_id: str) -> dict:
    """Guard what is left, then append the run's row: from that commit on nobody sees the erased."""
    started = now()
    checks = [_checked(lake, contract) for contract in (*OF_PEOPLE, SEGMENTS)]
    said = {"run_id": erasure_id, "kind": "erasure", "model_digest": model_digest(setting.model), "started_at": started}
    frame = run_row(lake, setting, lake.log.history().last, checks, **said)
    require(check_rows(RUNS, frame, 1))
    lake.append(RUNS, frame.coalesce(1))
    return lake.log.history().last


def _checked(lake: Lake, contract: Contract):
    rows = lake.read_written(contract)
    check = check_rows(contract, rows, rows.count())
    require(check)
    return check
