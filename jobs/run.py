"""Run: one landing date stated, and every other that has to be restated with it: all of it visible at once, or nothing."""

import re
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from jobs import docs, guard
from jobs.abreast import abreast
from jobs.guard import check_rows, require
from jobs.history import History
from jobs.key import key_id, write_key
from jobs.lake import Lake, nothing, now
from jobs.landing import LandingFile, inputs_changed, list_night
from jobs.marker import read_marker, write_marker
from jobs.merge import Merge
from jobs.night import Night, Setting
from jobs.record import run_row
from jobs.reference import Reference, list_all, read_all
from jobs.runner import Runner
from jobs.scoring.model import model_digest
from jobs.session import fit_to
from jobs.stale import neighbours, to_state, touched
from jobs.taking_up import answer_requests, take_up
from jobs.workers import INPUT_CHANGED
from schemas.arrivals import ARRIVALS
from schemas.runs import RUNS


@dataclass(frozen=True)
class Finished:
    """What running a landing date came to: the lake's last run, and the landing dates that were stated now, if any."""

    run: dict
    stated: list[date]

    @property
    def did_something(self) -> bool:
        return bool(self.stated)


def run_night(
    setting: Setting,
    lake: Lake,
    landing_date: date,
    *,
    key_file: Path,
    kind: str = "night",
    again: bool = False,
    progress: Callable[[str, float], None] = lambda *_: None,
) -> Finished:
    """Run one landing date, whole or not at all. The lake is held by the caller.

    Dates of its lateness window whose files have changed since they were run are restated with it, and so is every date
    that shares an id or a conversation in a way that decides otherwise now. `again` states an unchanged date anew.
    Whatever fails, every table is taken back to what readers see before the error goes on. A lake that doesn't exist yet
    is made when there is something in it, and its key kept in `key_file`.
    """
    history, todo = History(()), {landing_date}
    if read_marker(lake.path) is not None:
        lake.log.create()
        take_up(lake, setting)
        answer_requests(lake, setting)
        history = lake.log.history()
        todo = to_state(history, setting.landing, setting.policies, landing_date, again=again)
        if not todo:
            return Finished(history.last, [])
    run = _Run(setting, lake, history, landing_date, todo, key_file, kind, progress)
    try:
        row = run.row()
    except Exception:
        _forget_caches(setting.spark)
        if (lake.path / "runs").exists():
            lake.restore(history.last)
        raise
    finally:
        if lake.path.exists():
            for day, checks in run.checks().items():
                docs.write_night(lake.docs(), day, checks)
    _forget_caches(setting.spark)
    lake.log.forget_history()
    return Finished(row, sorted(run.nights))


class _Run:
    """One attempt: states landing dates until none decides another any more, merges them, and shows it all."""

    def __init__(
        self,
        setting: Setting,
        lake: Lake,
        history: History,
        landing_date: date,
        todo: set[date],
        key_file,
        kind,
        progress,
    ):
        self.setting, self.lake, self.last, self.landing_date = setting, lake, history.last, landing_date
        self.todo, self.key_file, self.kind, self.progress = todo, key_file, kind, progress
        self.run_id, self.started_at = str(uuid.uuid4()), now()
        self.nights: dict[date, Night] = {}
        # Of every pass, also of a date that was stated twice.
        self.seconds: Counter[str] = Counter()
        self.dates_before = frozenset(history.dates)
        self.dates = set(self.dates_before)
        self.runner = Runner(setting.spark, landing_date, progress)
        self.runner.values["run_id"] = self.run_id

    def checks(self) -> dict[date, list]:
        """The checks made so far, by landing date; those of what all of them are merged into stand with each."""
        found = {day: [*night.runner.checks, *self.runner.checks] for day, night in self.nights.items()}
        return {day: checks for day, checks in found.items() if checks}

    def row(self) -> dict:
        digest = model_digest(self.setting.model)
        fit_to(self.setting.spark, self._bytes_to_read())
        reference, _ = abreast(self.setting.spark, self._reference, guard.load)
        while self.todo:
            night = Night(self.setting, day := min(self.todo), self.progress)
            self.todo.discard(day)
            self.nights[day] = night
            try:
                night.read()
                self._state(night, reference.frames)
            except PySparkException as error:
                raise _understood(error, night.files, day) from None
        Merge(
            *(self.setting, self.lake, self.runner, reference.frames, self.last),
            landing_date=self.landing_date,
            restated=sorted(self.nights),
            before=self.dates_before,
        ).publish()
        with self.runner.timed("runs"):
            for night in self.nights.values():
                night.require_unchanged_inputs()
            reference.require_unchanged(self.setting.landing)
            return self._make_visible(digest, reference)

    def _bytes_to_read(self) -> int:
        """Bytes of the landing dates to do, and of the reference tables."""
        landing, days = self.setting.landing, self.todo
        nights = [file for day in days for file in list_night(landing, day)]
        return sum(file.size for files in (nights, *list_all(landing).values()) for file in files)

    def _reference(self) -> Reference:
        """Links, regions, notices and erasures, read once a run."""
        with self.runner.timed("reference"):
            stones = None if self.last is None else self.lake.tombstones()
            return read_all(self.setting.spark, self.setting.landing, self.setting.key, stones)

    def _state(self, night: Night, reference: dict[str, DataFrame]) -> None:
        """State one landing date beside its neighbours; those that it decides otherwise now are still to do."""
        day, lake = night.landing_date, self.lake
        beside = neighbours(day, self.dates, self.setting.policies)
        night.fly(reference, self._arrivals(beside))
        self._found()
        before = self._arrivals([day])
        night.publish(lake)
        self.dates.add(day)
        if beside:
            with night.runner.timed("stale"):
                self.todo |= set(touched(before, self._arrivals([day]), self._arrivals(beside), day))
        self.seconds.update(night.runner.seconds)
        night.forget()

    def _arrivals(self, days: list[date]) -> DataFrame:
        """What arrived under these landing dates, as it is written now."""
        # Before the first night there is no lake to read.
        return self.lake.read_written(ARRIVALS, days) if days else nothing(self.setting.spark, ARRIVALS)

    def _found(self) -> None:
        """Make the lake, if this is its first night."""
        if self.last is None and not (self.lake.path / "runs").exists():
            if not self.key_file.exists():
                write_key(self.key_file, self.setting.key)
            write_marker(self.lake.path, key_id(self.setting.key))
            self.lake.log.create()

    def _make_visible(self, model: str, reference: Reference) -> dict:
        """Check the run's own row, then append it: from that commit on all that it did is visible."""
        self.seconds.update(self.runner.seconds)
        nights = [self.nights[day] for day in sorted(self.nights)]
        checks = [check for runner in (*(night.runner for night in nights), self.runner) for check in runner.checks]
        frame = run_row(
            self.lake,
            self.setting,
            self.last,
            checks,
            run_id=self.run_id,
            kind=self.kind,
            landing_dates=[night.landing_date for night in nights],
            inputs=[file for night in nights for file in night.inputs()],
            reference=reference.files,
            policies=[(night.landing_date, night.policy.version, night.policy.digest) for night in nights],
            model_digest=model,
            counts=dict(sum((night.counts for night in nights), Counter())),
            sensitive=self._sensitive(nights),
            seconds={name: round(seconds, 3) for name, seconds in self.seconds.items()},
            started_at=self.started_at,
        )
        check = check_rows(RUNS, frame, 1)
        self.runner.checks.append(check)
        require(check)
        self.lake.append(RUNS, frame.coalesce(1))
        return self.lake.log.history().last

    @staticmethod
    def _sensitive(nights: list[Night]) -> dict[str, int]:
        """Lines by sensitive category over all that was stated, from the policy's minimum count up."""
        minimum = max(night.policy.minimum_category_count for night in nights)
        totals = sum((Counter(night.sensitive) for night in nights), Counter())
        return {name: lines for name, lines in totals.items() if lines >= minimum}


def _forget_caches(spark: SparkSession) -> None:
    try:
        spark.catalog.clearCache()
    except (Py4JError, PySparkException):
        # The JVM is gone, and its memory with it.
        return


def _understood(error: PySparkException, files: list[LandingFile], landing_date: date) -> Exception:
    """A worker's word that an input changed, as the error it is; anything else as it came."""
    found = re.search(rf"{INPUT_CHANGED}:(\d+)", str(error))
    if found:
        file = files[int(found.group(1))]
        return inputs_changed(landing_date, f"{file.source}/{file.name}")
    return error
