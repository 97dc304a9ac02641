"""Verify: what readers see beside what the landing zone says, row for row, and each run beside what it claims."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.errors import Exit, NightjarError
from jobs.key import key_id
from jobs.lake import Lake
from jobs.landing import file_sha256, list_night
from jobs.night import Setting
from jobs.policy import policy_on
from jobs.rebuild import rebuild
from jobs.reference import list_all
from jobs.scoring.model import model_digest
from schemas.profile_deltas import PROFILE_DELTAS
from schemas.profiles import PROFILES
from schemas.tables import PUBLISHED, TABLES


class Finding(NamedTuple):
    """What was compared; `difference` says how it differs, None where it doesn't. Never a value of a row."""

    what: str
    difference: str | None = None


def verify(setting: Setting, lake: Lake, run: dict, progress) -> Iterator[Finding]:
    """Every comparison in turn: the run's manifests, the tables rebuilt from landing, and the deltas replayed."""
    history = lake.log.history()
    if any(one["kind"] == "erasure" and one["run_number"] > run["run_number"] for one in history.runs):
        raise NightjarError(Exit.INPUT, "an erasure since has purged what this run showed", fix="verify a later run")
    newest = history.upto(run).newest(history.dates)
    for day, of in sorted(newest.items()):
        yield Finding(f"manifest of {day} (run {of['run_number']})", _manifest(setting, lake, day, of))
    yield Finding(f"reference of run {run['run_number']}", _reference(setting, run))
    rebuilt = rebuild(setting, sorted(newest), progress, lake.tombstones())
    is_last = run["run_number"] == history.last["run_number"]
    for name, rows in sorted(rebuilt.items()):
        if TABLES[name].history or is_last:
            yield Finding(f"table {name}", _difference(lake.read(TABLES[name], run), rows))
        else:
            yield Finding(f"table {name}: not compared, of the last run only")
    yield Finding("profile_deltas replayed", _difference(lake.read(PROFILES, run), replayed(lake, run)))


def replayed(lake: Lake, run: dict) -> DataFrame:
    """One row per interest, as the last of its deltas left it."""
    order = lake.runs().select("run_id", "run_number")
    after = F.struct(*(F.col(f"{name}_after").alias(name) for name in ("weight", "signals", "first_day", "last_day")))
    last = (
        lake.read(PROFILE_DELTAS, run)
        .join(order, on="run_id")
        .groupBy("profile_id", "topic_id")
        .agg(F.max_by(after, "run_number").alias("after"))
    )
    return last.where("after.weight is not null").select("profile_id", "topic_id", "after.*").select(PROFILES.names)


def _manifest(setting: Setting, lake: Lake, day: date, run: dict) -> str | None:
    """The first thing in which a run's row and the world disagree about a landing date."""
    policy = policy_on(setting.policies, day)
    judged = {of["landing_date"]: of["digest"] for of in run["policies"]}
    read = {(f["source"], f["name"], f["bytes"], f["sha256"]) for f in run["inputs"] if f["landing_date"] == day}
    if read != {(f.source, f.name, f.size, file_sha256(f)) for f in list_night(setting.landing, day)}:
        return "the landing files are others than those it read"
    if judged[day] != policy.digest:
        return "the policy is another than the one that it judged by"
    if run["model_digest"] != model_digest(setting.model):
        return "the scoring model is another than the one that it asked"
    if run["key_id"] != key_id(setting.key):
        return "the digest key is another"
    if any(run["tables"].get(contract.name, -1) > lake.log.version(contract) for contract in PUBLISHED):
        return "it names a version that a table doesn't have"
    unchecked = {contract.name for contract in PUBLISHED} - {check["contract"] for check in run["checks"]}
    if unchecked:
        return f"no check of {', '.join(sorted(unchecked))} is on record"
    return None


def _reference(setting: Setting, run: dict) -> str | None:
    """The reference tables whose files aren't those that the run asked. An erasure asks none."""
    if run["kind"] == "erasure":
        return None
    read = {tuple(file.values()) for file in run["reference"]}
    found = {(f.source, f.name, f.size, file_sha256(f)) for files in list_all(setting.landing).values() for f in files}
    others = sorted({table for table, *_ in read ^ found})
    return f"{', '.join(others)}: the files are others than those it read" if others else None


def _difference(stored: DataFrame, rebuilt: DataFrame) -> str | None:
    rebuilt = rebuilt.select(stored.columns)
    extra, missing = _counted(stored.exceptAll(rebuilt)), _counted(rebuilt.exceptAll(stored))
    found = [f"{rows} {how}" for rows, how in ((extra, "too many"), (missing, "missing")) if rows]
    return " and ".join(found) or None


def _counted(rows: DataFrame) -> str | None:
    """How many rows, and of which landing date the first is; None for none."""
    first = F.min("landing_date") if "landing_date" in rows.columns else F.lit(None)
    count, day = rows.agg(F.count(F.lit(1)), first).collect()[0]
    return f"{count} rows" + (f" (the first of {day})" if day else "") if count else None
