"""What a benchmark of single nights needs: a landing zone of a size, made once and kept; a key; a night as a process."""

import shutil
import sys
from datetime import date
from pathlib import Path

from benchmarks.process import Measured, measure
from jobs.key import new_key, write_key
from jobs.sample import Recipe, make

DAY, SEED = date(2025, 12, 17), 6
LINES_A_PERSON = 10


def landing_of(work: Path, lines: int) -> Path:
    """A landing zone of one date and so many interactions; made if there is none."""
    landing, made = work / f"landing-{lines}", work / f"landing-{lines}.made"
    if not made.exists():
        anew(landing), anew(work / f"landing-{lines}.truth")
        make(landing, Recipe(DAY, 1, lines, max(10, lines // LINES_A_PERSON), SEED))
        made.touch()
        say(f"made {lines:,} interactions")
    return landing


def key_in(work: Path) -> Path:
    """The key of all lakes there; made if there is none."""
    work.mkdir(parents=True, exist_ok=True)
    if not (work / "key").exists():
        write_key(work / "key", new_key())
    return work / "key"


def night_of(landing: Path) -> list[str]:
    """The arguments that name a night."""
    return ["--landing", str(landing), "--date", DAY.isoformat()]


def nightjar(landing: Path, lake: Path, key: Path, environment: dict[str, str] | None = None) -> Measured:
    """A night by the command line, start to exit."""
    return measure([str(Path(sys.executable).with_name("nightjar")), *run_of(landing, lake, key)], environment)


def run_of(landing: Path, lake: Path, key: Path) -> list[str]:
    """The command that runs a night, whatever starts it."""
    return ["run", *night_of(landing), "--lake", str(lake), "--key-file", str(key)]


def anew(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def say(what: str) -> None:
    sys.stderr.write(what + "\n")
