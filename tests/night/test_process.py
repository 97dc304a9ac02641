"""The product as its users start it: processes, exit codes, one line on stderr, kill -9, cron."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from jobs.key import key_id, write_key
from jobs.lock import hold
from jobs.marker import write_marker
from jobs.policy import BUILT_IN
from tests.conftest import ROOT, Runs
from tests.zone import HARMLESS, NIGHT

NEXT = NIGHT + timedelta(days=1)
NIGHTJAR = [sys.executable, "-m", "jobs.cli"]


def nightjar(*arguments, **more):
    """Run a command that must end before any JVM starts: there is none to be found."""
    environment = {**os.environ, "PATH": "/nowhere", "JAVA_HOME": "/nowhere", **more}
    return subprocess.run(
        [*NIGHTJAR, *map(str, arguments)], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.fixture
def arguments(zone, tmp_path):
    zone.person().say().write()
    return {"--date": NIGHT, "--landing": zone.folder, "--lake": tmp_path / "lake"}


def flat(arguments):
    return [item for pair in arguments.items() for item in pair]


def policy_folder(tmp_path, change):
    version = yaml.safe_load((BUILT_IN / "2025-10-07.yaml").read_text())
    change(version)
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "mine.yaml").write_text(yaml.safe_dump(version))
    return tmp_path / "policy"


def bad_date(arguments, tmp_path):
    return {**arguments, "--date": "2025-13-01"}, 2, "--date"


def no_landing(arguments, tmp_path):
    return {**arguments, "--landing": tmp_path / "nowhere"}, 4, "landing folder is missing"


def no_date_folder(arguments, tmp_path):
    return {**arguments, "--date": NEXT}, 4, f"interactions/date={NEXT} is missing"


def no_reference_table(arguments, tmp_path):
    shutil.rmtree(tmp_path / "landing" / "reference" / "notices")
    return arguments, 4, "reference/notices is missing"


def a_stray_name(arguments, tmp_path):
    (tmp_path / "landing" / "interactions" / f"date={NIGHT}" / "notes.txt").touch()
    return arguments, 4, "notes.txt"


def an_unknown_key(arguments, tmp_path):
    return {**arguments, "--policy": policy_folder(tmp_path, lambda p: p.update(surprise=1))}, 3, "surprise"


def a_missing_category(arguments, tmp_path):
    return (
        {
            **arguments,
            "--policy": policy_folder(tmp_path, lambda p: p["sensitive_thresholds"].pop("religion")),
        },
        3,
        "sensitive_thresholds.religion",
    )


def a_lake_that_is_something_else(arguments, tmp_path):
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "holiday.jpg").touch()
    return arguments, 3, "holds something else"


def a_lake_that_is_a_file(arguments, tmp_path):
    (tmp_path / "lake").touch()
    return arguments, 3, "is a file"


def a_key_that_others_can_read(arguments, tmp_path):
    (tmp_path / "lake.key").write_bytes(b"k" * 32)
    (tmp_path / "lake.key").chmod(0o644)
    return arguments, 3, "others can read"


def a_lost_key(arguments, tmp_path):
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "nightjar.json").write_text('{"format": 1, "key_id": "0123456789abcdef"}')
    return arguments, 3, "is missing"


@pytest.mark.parametrize(
    "mistake",
    [
        bad_date,
        no_landing,
        no_date_folder,
        no_reference_table,
        a_stray_name,
        an_unknown_key,
        a_missing_category,
        a_lake_that_is_something_else,
        a_lake_that_is_a_file,
        a_key_that_others_can_read,
        a_lost_key,
    ],
)
def test_bad_input_is_one_line_the_right_code_and_nothing_written(arguments, tmp_path, mistake):
    given, code, said = mistake(arguments, tmp_path)
    before = {path for path in tmp_path.rglob("*") if path.suffix != ".lock"}
    done = nightjar("run", *flat(given))
    assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
    assert done.stderr.startswith(f"error[{code}] ") and said in done.stderr and "; fix: " in done.stderr
    assert {path for path in tmp_path.rglob("*") if path.suffix != ".lock"} == before


def test_a_policy_is_checked_and_shown_and_a_bad_one_is_named_by_file_and_key(tmp_path):
    good = nightjar("policy", "check")
    assert (good.returncode, good.stderr) == (0, "") and "2025-10-07" in good.stdout
    shown = json.loads(nightjar("policy", "show", "--json").stdout)
    assert shown == json.loads(json.dumps(yaml.safe_load((BUILT_IN / "2025-10-07.yaml").read_text()), default=str)) | {
        name: shown[name] for name in ("effective_from", "notice_from")
    }
    assert "excluded as announced" in nightjar("policy", "show").stdout
    bad = nightjar("policy", "check", "--policy", policy_folder(tmp_path, lambda p: p.update(lateness_days="7")))
    assert (bad.returncode, bad.stderr.count("\n")) == (3, 1)
    assert "mine.yaml" in bad.stderr and "lateness_days" in bad.stderr


def test_commands_on_people_want_a_lake_its_key_and_ids(tmp_path):
    lake, landing = tmp_path / "lake", ("--landing", tmp_path)
    for command in (("erase",), ("explain", "p-secret", *landing), ("verify", *landing)):
        done = nightjar(*command, "--lake", lake)
        assert (done.returncode, done.stderr.count("\n")) == (3, 1) and "there is no lake yet" in done.stderr
    key = bytes(range(32))
    write_key(tmp_path / "lake.key", key)
    write_marker(lake, key_id(key))
    (tmp_path / "ids").write_text("\n \n")
    for given, said in (("ids", "no profile id was given"), ("nowhere", "can't be read")):
        done = nightjar("erase", "--lake", lake, "--from", tmp_path / given)
        assert (done.returncode, done.stderr.count("\n")) == (4, 1) and said in done.stderr


def test_a_second_run_finds_the_lake_taken_before_any_jvm_starts(arguments, tmp_path):
    with hold(tmp_path / "lake"):
        done = nightjar("run", *flat(arguments))
    assert (done.returncode, done.stderr.count("\n")) == (75, 1)
    assert not (tmp_path / "lake").exists()


def test_a_lake_stays_taken_while_a_killed_runs_jvm_lives(arguments, tmp_path):
    jvm = subprocess.Popen(["sleep", "60"])
    code = (
        "import os, signal, sys; from pathlib import Path; from jobs.lock import hold\n"
        "with hold(Path(sys.argv[1])) as lock:\n"
        "    lock.name_jvm(int(sys.argv[2])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "lake"), str(jvm.pid)], cwd=ROOT, check=False)
    assert nightjar("run", *flat(arguments)).returncode == 75
    jvm.kill()
    jvm.wait()
    with hold(tmp_path / "lake"):
        pass


def test_with_nothing_to_do_a_run_starts_no_jvm_and_neither_does_status(zone, runs):
    zone.person().say().write()
    runs.night()
    night = ["run", "--date", NIGHT, "--landing", zone.folder, "--lake", runs.path]
    done = nightjar(*night)
    assert done.returncode == 0 and json.loads(done.stdout.splitlines()[-1])["did"] == "nothing"
    said = nightjar("status", "--json", "--lake", runs.path)
    assert said.returncode == 0 and json.loads(said.stdout)["nights"][0]["outcomes"] == runs.outcomes()
    # Once there is something to do, it is missed.
    zone.say().write()
    done = nightjar(*night)
    assert done.returncode == 3 and "Spark's JVM did not start" in done.stderr


def test_killed_in_the_middle_of_the_profile_stage_the_next_run_ends_as_if_it_never_was(zone, runs, spark, tmp_path):
    zone.person().person("ben").say().like().say("play some jazz", who="ben").write()
    zone.say("how do i train for a marathon", day=NEXT).say(day=NEXT, who="ben").like(day=NEXT).write(NEXT)
    runs.night(NIGHT)
    calm = Runs(spark, tmp_path / "calm" / "lake", runs.landing, runs.policies)
    shutil.copytree(runs.path, calm.path)
    shutil.copy(tmp_path / "lake.key", tmp_path / "calm" / "lake.key")
    visible = runs.tables()

    process = subprocess.Popen(
        [*NIGHTJAR, "run", "--date", str(NEXT), "--landing", str(zone.folder), "--lake", str(runs.path)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={name: value for name, value in os.environ.items() if name != "PYSPARK_GATEWAY_PORT"},
    )
    merged = runs.path / "profiles" / "_delta_log" / f"{2:020d}.json"
    while not merged.exists() and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it must be killed in the middle, not end by itself"

    assert merged.exists() and runs.tables() == visible
    assert runs.night(NEXT).did_something
    calm.night(NEXT)
    assert runs.tables() == calm.tables()
    assert runs.rows("profile_deltas", "run_id") == calm.rows("profile_deltas", "run_id")


def test_the_crontab_line_runs_yesterdays_night_with_crons_bare_environment(zone, tmp_path):
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    zone.person().say(HARMLESS, day=yesterday).write(yesterday)
    lake = tmp_path / "lake"
    made = subprocess.run(
        ["make", "--silent", "--no-print-directory", "cron", f"LANDING={zone.folder}", f"LAKE={lake}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    schedule, command = made.split(" ")[:5], made.split(" ", 5)[5]
    assert schedule == ["15", "2", "*", "*", "*"]
    bare = {"HOME": os.environ["HOME"], "LOGNAME": "nightjar", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    # cron turns an escaped percent sign into a plain one, and starts in the home folder.
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace("\\%", "%")], env=bare, cwd=bare["HOME"], capture_output=True, check=False
    )
    log = (tmp_path / "lake.log").read_text()
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), log
    summary = json.loads(log.splitlines()[-1])
    assert (summary["date"], summary["outcomes"]) == (str(yesterday), {"used": 1})

    status = subprocess.run(
        [*shlex.split(command)[0:1], "status", "--lake", lake, "--json", "--max-age", "1h"],
        env=bare,
        capture_output=True,
        text=True,
        check=True,
    )
    (night,) = json.loads(status.stdout)["nights"]
    assert night["date"] == str(yesterday) and night["outcomes"] == {"used": 1} and night["engagements"] == {}
    assert set(night) >= {"date", "outcomes", "engagements", "policy", "tables", "seconds"}
