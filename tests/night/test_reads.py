"""What a night reads of the past follows what changed, never how long the past is."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from jobs import attribute
from jobs.errors import Exit, NightjarError
from schemas.signals import SIGNALS
from schemas.tables import PUBLISHED
from tests.zone import NIGHT

RETENTION = 40
UNREADABLE = (Py4JError, PySparkException)
QUIET, MOVED, OLD = (NIGHT + timedelta(days=days) for days in (20, 21, RETENTION))


@contextmanager
def out_of_reach(runs, day):
    """The stored signals of a landing date can't be read: whoever asks for them fails."""
    files = list((runs.path / "signals" / f"landing_date={day}").glob("*.parquet"))
    kept = {file: file.read_bytes() for file in files}
    assert files
    for file, content in kept.items():
        file.write_bytes(bytes(len(content)))
    yield
    for file, content in kept.items():
        file.write_bytes(content)


def test_a_night_reads_the_signals_of_another_date_only_where_somebody_changed_or_they_are_old_enough_to_expire(
    zone, runs, policy
):
    runs.policies = [structs.replace(policy, retention_days=RETENTION)]
    zone.person("ann").person("ben")
    for day in (NIGHT, QUIET, MOVED, OLD):
        zone.say(who="ann", day=day).say("play some jazz", who="ben", day=day)
    zone.write(NIGHT, QUIET, MOVED, OLD)
    runs.night(NIGHT)
    with out_of_reach(runs, NIGHT):
        runs.night(QUIET)
    assert len({row[1:3] for row in runs.rows("signals")}) == 4

    zone.regions[-1]["valid_to"] = f"{MOVED}T06:00:00Z"
    zone.regions.append({"profile_id": "p-ben", "country": "DE", "valid_from": f"{MOVED}T06:00:00Z"})
    zone.write(MOVED, OLD)
    with out_of_reach(runs, NIGHT), pytest.raises(UNREADABLE, match=r"FAILED_READ_FILE\.NO_HINT"):
        runs.night(MOVED)
    runs.night(MOVED)
    assert {row[1:3] for row in runs.rows("signals")} == {(day, "p-ann") for day in (NIGHT, QUIET, MOVED)}

    with out_of_reach(runs, NIGHT), pytest.raises(UNREADABLE, match=r"FAILED_READ_FILE\.NO_HINT"):
        runs.night(OLD)
    runs.night(OLD)
    assert {row[1:3] for row in runs.rows("signals")} == {(day, "p-ann") for day in (QUIET, MOVED, OLD)}


def test_a_table_reads_the_same_whether_its_files_are_listed_or_delta_finds_them(zone, runs, monkeypatch):
    zone.person("ann").person("ben").say().like().say("play some jazz", who="ben").write(NIGHT)
    runs.night(NIGHT)
    zone.say("play some jazz").say(day=NIGHT + timedelta(days=1)).write(NIGHT, NIGHT + timedelta(days=1))
    runs.night(NIGHT)
    runs.night(NIGHT + timedelta(days=1))
    names = [*(contract.name for contract in PUBLISHED), "runs"]

    def of_one_date():
        return sorted(map(tuple, runs.lake.read_written(SIGNALS, [NIGHT]).collect()), key=repr)

    listed, one_date = {name: runs.rows(name) for name in names}, of_one_date()
    monkeypatch.setattr("jobs.lake.MOST_FILES_LISTED", -1)
    assert {name: runs.rows(name) for name in names} == listed and of_one_date() == one_date
    assert len(listed["signals"]) > len(one_date) > 1 and len(listed["runs"]) == 3
    assert one_date == [row for row in listed["signals"] if row[1] == NIGHT]


def test_signals_that_no_account_is_known_for_stop_the_night(zone, runs, monkeypatch):
    zone.person().say().like().write()

    def forgetting(signal_accounts, restated, visible):
        return attribute.attributed(signal_accounts, restated, visible).where("ai")

    monkeypatch.setattr(attribute, "STAGE", replace(attribute.STAGE, transform=forgetting))
    with pytest.raises(NightjarError, match="accounts are known for 1") as caught:
        runs.night()
    assert caught.value.code == Exit.GUARD_FAILED and runs.lake.log.history().last is None
