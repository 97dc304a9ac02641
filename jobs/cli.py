"""The command line: the only argument parsing. `nightjar COMMAND --help` says what each does."""

import os
import sys

if __name__ == "__main__":
    # spark-submit runs this file by its path and puts its folder first, where `profile` would hide Python's own.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

import json
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from jobs.errors import Exit, NightjarError

# Everything else is imported where it is used: a run that finds the lake taken must say so within two seconds.


class Day(click.ParamType):
    """An ISO date, exactly YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value, param, ctx):
        try:
            day = value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            day = None
        if day is None or str(day) != str(value):
            self.fail("is no date of the form YYYY-MM-DD", param, ctx)
        return day


class Age(click.ParamType):
    """A number of hours, days or minutes: 26h, 2d, 90m."""

    name = "26h"
    units = {"m": "minutes", "h": "hours", "d": "days"}

    def convert(self, value, param, ctx):
        if value[:-1].isdigit() and value[-1:] in self.units:
            return timedelta(**{self.units[value[-1]]: int(value[:-1])})
        self.fail("is no age such as 26h, 2d or 90m", param, ctx)


def _lake_options(command):
    command = click.option("--lake", envvar="NIGHTJAR_LAKE", required=True, help="Folder of the lake.")(command)
    return click.option(
        "--key-file", envvar="NIGHTJAR_KEY_FILE", help="The digest key; LAKE.key beside the lake by default."
    )(command)


def _landing_option(command):
    return click.option("--landing", envvar="NIGHTJAR_LANDING", required=True, help="The landing zone.")(command)


def _policy_option(command):
    return click.option("--policy", help="A folder of policy versions; the built-in one by default.")(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nightjar-profiles")
def nightjar():
    """Raw AI interactions in, interest profiles out, every line accounted for."""


@nightjar.command()
@click.option("--date", "day", type=Day(), required=True, help="The landing date.")
@_landing_option
@_lake_options
@_policy_option
def run(day, landing, lake, key_file, policy):
    """Run one night. Rerunning is always safe: with nothing new to do, nothing is written."""
    _nights([day], landing, lake, key_file, policy, kind="night")


@nightjar.command()
@click.option("--from", "first", type=Day(), required=True, help="First landing date.")
@click.option("--to", "last", type=Day(), required=True, help="Last landing date.")
@_landing_option
@_lake_options
@_policy_option
def backfill(first, last, landing, lake, key_file, policy):
    """Run every landing date of a range that is missing or stale, and say what was skipped and why."""
    if last < first:
        raise click.UsageError("--to is before --from")
    from jobs.landing import landing_dates

    present = [day for day in landing_dates(landing) if first <= day <= last]
    absent = [first + timedelta(n) for n in range((last - first).days + 1) if first + timedelta(n) not in set(present)]
    for day in absent:
        _say(f"{day}  skipped: not in the landing zone")
    if not present:
        raise NightjarError(Exit.INPUT, f"no landing date from {first} to {last}", fix="check --landing and the dates")
    _nights(present, landing, lake, key_file, policy, kind="backfill")


@nightjar.command()
@click.option("--out", required=True, help="Folder to make; it must not exist or be empty.")
@click.option("--from", "first", type=Day(), default="2025-12-15", show_default=True, help="First landing date.")
@click.option("--days", type=click.IntRange(1, 400), default=3, show_default=True)
@click.option("--lines", type=click.IntRange(1), default=4000, show_default=True, help="Interactions a landing date.")
@click.option("--people", type=click.IntRange(10), default=600, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--texts", type=click.Path(), help="Draw texts from these JSON lines (`text`, or `texts` by surface).")
def sample(out, first, days, lines, people, seed, texts):
    """Make a seeded landing zone, and beside it what each of its lines is (OUT.truth)."""
    from jobs.sample import Recipe, make

    made = make(Path(out), Recipe(first, days, lines, people, seed, Path(texts) if texts else None))
    _say(f"{made} interaction lines under {out}")


@nightjar.command()
@_policy_option
@click.option(
    "--date", "day", type=Day(), default=None, help="Judge by the policy of this date; the newest by default."
)
def score(policy, day):
    """What the scorer makes of JSON lines on stdin (`text`, `labels`): one JSON object a line. Writes nothing."""
    from jobs.batch import score_lines

    for answer in score_lines(sys.stdin.buffer, _policy(policy, day)):
        click.echo(json.dumps(answer))


@nightjar.command()
@_lake_options
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.option("--max-age", type=Age(), help="Fail when the last night is older.")
@click.option("--profiles", type=click.IntRange(1), help="Also the strongest interests of this many profiles.")
@_policy_option
def status(lake, key_file, as_json, max_age, profiles, policy):
    """Nights run, lines by outcome, table versions."""
    from jobs import report
    from jobs.marker import read_marker

    if read_marker(Path(lake)) is None:
        raise NightjarError(Exit.CONFIGURATION, "there is no lake yet", fix="nightjar run, or check --lake")
    from jobs.lake import Lake
    from jobs.session import start

    opened = Lake(start(), Path(lake))
    nights = report.nights(opened)
    click.echo(json.dumps({"nights": nights}) if as_json else report.status_table(nights))
    if profiles:
        click.echo(report.profiles_table(opened, _policy(policy, None), profiles))
    if max_age is not None and report.age(nights, datetime.now(UTC)) > max_age:
        raise NightjarError(Exit.INPUT, "the last night is too old", fix="nightjar run")


@nightjar.command()
@click.option("--lake", envvar="NIGHTJAR_LAKE", help="Folder of the lake.")
@click.option("--landing", envvar="NIGHTJAR_LANDING", help="The landing zone.")
@click.option("--key-file", envvar="NIGHTJAR_KEY_FILE")
@_policy_option
def doctor(lake, landing, key_file, policy):
    """Check Java, Python, versions, model, paths, permissions and key; say how to mend each failure."""
    from jobs.doctor import examine

    findings = list(examine(lake, landing, key_file, policy))
    for finding in findings:
        click.echo(
            f"{'ok  ' if finding.fix is None else 'FAIL'}  {finding.what}" + (f"; {finding.fix}" if finding.fix else "")
        )
    bad = [finding for finding in findings if finding.fix]
    if bad:
        raise NightjarError(Exit.CONFIGURATION, f"{len(bad)} checks failed", fix=bad[0].fix)


def _nights(days, landing, lake, key_file, policy, *, kind):
    """Run nights one after the other under one lock and one session; the lake is looked at only once it is held."""
    from jobs import report
    from jobs.key import new_key, read_key
    from jobs.landing import list_night
    from jobs.lock import hold
    from jobs.marker import read_marker
    from jobs.policy import policy_on, read_policies
    from jobs.scoring.model import DEFAULT

    lake = Path(lake)
    key_file = Path(key_file or f"{lake}.key")
    policies = read_policies(policy)
    for day in days:
        policy_on(policies, day)
        list_night(landing, day)
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
        from jobs.night import Setting, run_night
        from jobs.session import jvm_pid, start

        spark = start()
        lock.name_jvm(jvm_pid(spark))
        for day in days:
            setting = Setting(spark, lake, landing, policies, key, key_file, DEFAULT, is_new=read_marker(lake) is None)
            with _dated(day):
                finished = run_night(setting, day, kind=kind, progress=_progress)
            _finish(report.night(finished.run), finished.did_something)


def _finish(night: dict, did_something: bool) -> None:
    from jobs import report

    if not did_something:
        _say(f"{night['date']}  nothing to do: this landing date is up to date")
    elif sys.stdout.isatty():
        click.echo(report.outcome_table(night))
    if not sys.stdout.isatty():
        click.echo(json.dumps({**night, "did": "run" if did_something else "nothing"}))


def _progress(stage: str, seconds: float) -> None:
    _say(f"  {stage:<10} {seconds:7.1f} s")


def _say(line: str) -> None:
    click.echo(line)


def _policy(folder, day):
    from jobs.policy import policy_on, read_policies

    policies = read_policies(Path(folder) if folder else None)
    return policies[-1] if day is None else policy_on(policies, day)


@contextmanager
def _dated(day: date):
    """Errors of a night carry its date."""
    try:
        yield
    except NightjarError as error:
        error.date = error.date or day
        raise


def main() -> None:
    """Run a command; every end is an exit code, and every bad end one line on stderr."""
    try:
        nightjar.main(standalone_mode=False)
        code = Exit.DONE
    except NightjarError as error:
        code = _fail(error)
    except click.UsageError as error:
        code = _fail(NightjarError(Exit.USAGE, error.format_message(), fix="nightjar --help"))
    except (click.Abort, KeyboardInterrupt):
        code = _fail(NightjarError(Exit.INTERNAL, "interrupted", fix="rerun; nothing was published"))
    except Exception as error:
        code = _fail(_internal(error))
    sys.stdout.flush()
    sys.exit(int(code))


def _internal(error: Exception) -> NightjarError:
    """Type and place of what was not foreseen: a message may quote a row."""
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    return NightjarError(
        Exit.INTERNAL, f"unexpected {type(error).__name__} at {place}", fix="rerun; if it stays, report this line"
    )


def _fail(error: NightjarError) -> Exit:
    click.echo(error.line(), err=True)
    return error.code


if __name__ == "__main__":
    main()
