"""Nights: landing dates run one after the other under one lock and one session, and what is said of them on the way."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import click

from jobs.errors import Exit, NightjarError
from jobs.opening import key_file_of, policies_in

# Everything else is imported where it is used: a run that finds the lake taken must say so within two seconds.


def present_dates(first, last, landing) -> list[date]:
    """The landing dates of a range that have a folder; those that have none are said to be skipped."""
    if last < first:
        raise click.UsageError("--to is before --from")
    from jobs.landing import landing_dates

    present = [day for day in landing_dates(landing) if first <= day <= last]
    absent = [first + timedelta(n) for n in range((last - first).days + 1) if first + timedelta(n) not in set(present)]
    for day in absent:
        click.echo(f"{day}  skipped: not in the landing zone")
    if not present:
        raise NightjarError(Exit.INPUT, f"no landing date from {first} to {last}", fix="check --landing and the dates")
    return present


def run_nights(days, landing, lake, key_file, policy, *, kind, again=False):
    """Run nights one after the other under one lock and one session; the lake is looked at only once it is held."""
    from jobs import report
    from jobs.key import new_key, read_key
    from jobs.landing import list_night
    from jobs.lock import hold
    from jobs.marker import read_marker
    from jobs.night import Setting
    from jobs.policy import policy_on
    from jobs.scoring.model import DEFAULT

    lake = Path(lake)
    key_file = key_file_of(lake, key_file)
    policies = policies_in(policy)
    for day in days:
        policy_on(policies, day)
    to_read = [file for day in days for file in list_night(landing, day)]
    read_marker(lake)
    with hold(lake) as lock:
        marker = read_marker(lake)
        if marker is None and not key_file.exists():
            key = new_key()
        else:
            key = read_key(key_file, expected_id=marker and marker["key_id"])
        from jobs.reference import list_all
        from jobs.scoring.model import read_model

        list_all(landing)
        read_model(DEFAULT)
        from jobs.lake_log import LakeLog
        from jobs.run import run_night
        from jobs.taking_up import up_to_date

        log, opened = LakeLog(lake), None
        for at, day in enumerate(days, start=1):
            if len(days) > 1:
                click.echo(f"{day}  {at} of {len(days)}")
            with _dated(day):
                stated = []
                if again or not up_to_date(log, landing, policies, key, day):
                    opened = opened or _open(lake, lock, sum(file.size for file in to_read))
                    setting = Setting(opened.spark, landing, policies, key, DEFAULT)
                    finished = run_night(
                        setting, opened, day, key_file=key_file, kind=kind, again=again, progress=say_progress
                    )
                    stated = finished.stated
                _finish(report.nights(log, [day])[0], stated)


def _open(lake: Path, lock, bytes_to_read: int):
    """The lake, with Spark: only once there is something to do."""
    from jobs import guard
    from jobs.lake import Lake
    from jobs.session import jvm_pid, start

    # While the JVM starts, this process would only wait. What it raises is raised again where guards are needed.
    ThreadPoolExecutor(1).submit(guard.load)
    spark = start(bytes_to_read)
    lock.name_jvm(jvm_pid(spark))
    return Lake(spark, lake)


def _finish(night: dict, stated: list[date]) -> None:
    from jobs import report

    also = [str(day) for day in stated if str(day) != night["date"]]
    if not stated:
        click.echo(f"{night['date']}  nothing to do: this landing date is up to date")
    elif also:
        click.echo(f"{night['date']}  restated with it: {', '.join(also)}")
    if sys.stdout.isatty() and stated:
        click.echo(report.outcome_table(night))
    if not sys.stdout.isatty():
        click.echo(json.dumps({**night, "did": "run" if stated else "nothing", "restated": also}))


def say_progress(stage: str, seconds: float) -> None:
    click.echo(f"  {stage:<10} {seconds:7.1f} s")


@contextmanager
def _dated(day: date):
    """Errors of a night carry its date."""
    try:
        yield
    except NightjarError as error:
        error.date = error.date or day
        raise
