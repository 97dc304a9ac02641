"""The command line: the only argument parsing. `nightjar COMMAND --help` says what each does."""

import os
import sys

if __name__ == "__main__":
    # spark-submit runs this file by its path and puts its folder first, where `profile` would hide Python's own.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

import json
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from jobs.arguments import Age, Day, json_option, lake_options, landing_option, policy_option, range_options
from jobs.ending import run_to_end
from jobs.errors import Exit, NightjarError
from jobs.nights import present_dates, run_nights, say_progress
from jobs.opening import key_of, marker_of, policies_in, policy_in

# Everything else is imported where it is used: a run that finds the lake taken must say so within two seconds.


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nightjar-profiles")
def nightjar():
    """Raw AI interactions in, interest profiles out, every line accounted for."""


@nightjar.command()
@click.option("--date", "day", type=Day(), required=True, help="The landing date.")
@landing_option
@lake_options
@policy_option
def run(day, landing, lake, key_file, policy):
    """Run one night. Rerunning is always safe: with nothing new to do, nothing is written."""
    run_nights([day], landing, lake, key_file, policy, kind="night")


@nightjar.command()
@range_options
@click.option("--all", "again", is_flag=True, help="State every date anew, up to date or not.")
@landing_option
@lake_options
@policy_option
def backfill(first, last, again, landing, lake, key_file, policy):
    """Run every landing date of a range that is missing or stale, and say what was skipped and why.

    Each date is a run of its own: stopped half-way, the same command goes on where it was.
    """
    present = present_dates(first, last, landing)
    run_nights(present, landing, lake, key_file, policy, kind="backfill", again=again)


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
    click.echo(f"{made} interaction lines under {out}")


@nightjar.command()
@policy_option
@click.option(
    "--date", "day", type=Day(), default=None, help="Judge by the policy of this date; the newest by default."
)
def score(policy, day):
    """What the scorer makes of JSON lines on stdin (`text`, `labels`): one JSON object a line. Writes nothing."""
    from jobs.batch import score_lines

    for answer in score_lines(sys.stdin.buffer, policy_in(policy, day)):
        click.echo(json.dumps(answer))


@nightjar.command()
@lake_options
@json_option
@click.option("--max-age", type=Age(), help="Fail when the last night is older.")
@click.option("--profiles", type=click.IntRange(1), help="Also the strongest interests of this many profiles.")
@policy_option
def status(lake, key_file, as_json, max_age, profiles, policy):
    """Nights run, lines by outcome, table versions."""
    from jobs import report

    marker_of(lake)
    from jobs.lake_log import LakeLog

    nights = report.nights(LakeLog(Path(lake)))
    click.echo(json.dumps({"nights": nights}) if as_json else report.status_table(nights))
    if profiles:
        from jobs.lake import Lake
        from jobs.session import start

        click.echo(report.profiles_table(Lake(start(), Path(lake)), policy_in(policy, None), profiles))
    if max_age is not None and report.age(nights, datetime.now(UTC)) > max_age:
        raise NightjarError(Exit.INPUT, "the last night is too old", fix="nightjar run")


@nightjar.command()
@click.argument("profile")
@landing_option
@lake_options
@policy_option
@json_option
def explain(profile, landing, lake, key_file, policy, as_json):
    """Why each interest of a PROFILE is there, and the gate that stops the person now, if any. Who asked is kept.

    A table on a terminal, JSON elsewhere.
    """
    from jobs.policy import policy_on

    key = key_of(lake, key_file)
    policies = policies_in(policy)
    from jobs.explain import explain as explained
    from jobs.explain import table
    from jobs.lake import Lake
    from jobs.people import record_access
    from jobs.reference import read_all
    from jobs.session import start

    opened = Lake(start(), Path(lake))
    as_of = max(opened.log.history().dates, default=None)
    if as_of is None:
        raise NightjarError(Exit.CONFIGURATION, "no night has been run yet", fix="nightjar run")
    record_access(opened, "explain", [profile], key)
    reference = read_all(opened.spark, landing, key, opened.tombstones()).frames
    found = explained(opened, reference, profile, as_of=as_of, policy=policy_on(policies, as_of))
    click.echo(table(found) if sys.stdout.isatty() and not as_json else msgspec.json.encode(found).decode())


@nightjar.command()
@lake_options
@click.option("--from", "file", type=click.Path(), help="File of profile ids, one a line; stdin by default.")
@click.option(
    "--check", "receipt", type=click.Path(), help="Search again for the people of this receipt; erase nobody."
)
@policy_option
def erase(lake, key_file, file, receipt, policy):
    """Erase the profiles whose ids are read: out of every table, older version and file, for good. Who did is kept.

    Ends with a receipt; `--check` proves it again later. Late lines can't bring the erased back.
    """
    from jobs.erasing import check_receipt, erase_people

    key = key_of(lake, key_file)
    found = check_receipt(lake, key, receipt) if receipt else erase_people(lake, key, policies_in(policy), file)
    click.echo(msgspec.json.encode(found).decode())


@nightjar.command()
@click.argument("run", type=int, required=False)
@landing_option
@lake_options
@policy_option
def verify(run, landing, lake, key_file, policy):
    """Rebuild every landing date from the landing zone alone and compare, row for row, with what readers see.

    RUN is the number of an earlier run to compare with; the last by default. Writes nothing.
    """
    key = key_of(lake, key_file)
    policies = policies_in(policy)
    from jobs import verify as verification
    from jobs.lake import Lake
    from jobs.night import Setting
    from jobs.scoring.model import DEFAULT
    from jobs.session import start

    spark = start()
    opened = Lake(spark, Path(lake))
    history = opened.log.history()
    chosen = history.last if run is None else history.numbered(run)
    if chosen is None:
        raise NightjarError(Exit.CONFIGURATION, "there is no such run", fix="nightjar status")
    bad = []
    for finding in verification.verify(Setting(spark, landing, policies, key, DEFAULT), opened, chosen, say_progress):
        click.echo(
            f"{'ok  ' if finding.difference is None else 'FAIL'}  {finding.what}  {finding.difference or ''}".rstrip()
        )
        bad += [finding] if finding.difference else []
    if bad:
        raise NightjarError(
            Exit.TABLE,
            f"{bad[0].what}: {bad[0].difference}",
            fix="nightjar backfill --all restates the dates; if reference data changed since, that alone explains it",
        )


@nightjar.group("policy")
def policy_group():
    """What a policy says, and whether it may be used."""


@policy_group.command()
@policy_option
def check(policy):
    """Read every version of a policy folder; what is wrong is named by file and key (exit 3)."""
    for version in policies_in(policy):
        click.echo(f"{version.version}  from {version.valid_from} to {version.valid_to or 'now'}  {version.digest}")


@policy_group.command()
@policy_option
@click.option("--date", "day", type=Day(), default=None, help="The version of this date; the newest by default.")
@json_option
def show(policy, day, as_json):
    """Every rule of one version."""
    from jobs.describe import describe

    version = policy_in(policy, day)
    click.echo(msgspec.json.encode(version).decode() if as_json else describe(version))


@policy_group.command()
@click.argument("before")
@click.argument("after")
@range_options
@landing_option
@json_option
def diff(before, after, first, last, landing, as_json):
    """What judging some landing dates by the policy folder AFTER instead of BEFORE would change. Writes nothing."""
    days = present_dates(first, last, landing)
    policies = policies_in(before), policies_in(after)
    from jobs.contrast import contrast, table
    from jobs.key import new_key
    from jobs.night import Setting
    from jobs.scoring.model import DEFAULT
    from jobs.session import start

    # Digests only have to agree with each other here, so any key will do.
    setting = Setting(start(), landing, policies[0], new_key(), DEFAULT)
    found = contrast(setting, *policies, days, lambda *_: None)
    click.echo(msgspec.json.encode(found).decode() if as_json else table(found))


@nightjar.command()
@click.option("--lake", envvar="NIGHTJAR_LAKE", help="Folder of the lake.")
@click.option("--landing", envvar="NIGHTJAR_LANDING", help="The landing zone.")
@click.option("--key-file", envvar="NIGHTJAR_KEY_FILE")
@policy_option
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


def main() -> None:
    """Run the command that was given; every end is an exit code."""
    run_to_end(nightjar)


if __name__ == "__main__":
    main()
