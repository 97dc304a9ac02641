"""What Spark itself says of a run, from its event log: jobs, tasks, busy seconds and shuffled bytes by stage of the night."""

import json
import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

ELSEWHERE = "between"


@dataclass
class Work:
    """What Spark did for one stage of the night."""

    jobs: int = 0
    tasks: int = 0
    busy_seconds: float = 0
    shuffled_mib: float = 0
    spilled_mib: float = 0


def environment(folder: Path) -> dict[str, str]:
    """The variables that make the JVM keep an event log; only ever for invented data, for plans stand in it."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {"enabled": "true", "dir": folder.absolute().as_uri(), "compress": "false"}
    return {"JDK_JAVA_OPTIONS": " ".join(f"-Dspark.eventLog.{name}={value}" for name, value in options.items())}


def read(folder: Path, stages: Collection[str]) -> dict[str, Work]:
    """Work by stage of the night, in the order in which they began; what is none's stands as work between them."""
    found: dict[str, Work] = defaultdict(Work)
    stage_of: dict[int, str] = {}
    for event in _events(folder):
        if event["Event"] == "SparkListenerJobStart":
            # Delta writes what it does before or after the stage's name.
            said = re.split(r"[:\s]+", event["Properties"].get("spark.job.description") or "")
            name = next((word for word in said if word in stages), ELSEWHERE)
            found[name].jobs += 1
            stage_of |= {stage: name for stage in event["Stage IDs"] if stage not in stage_of}
        elif event["Event"] == "SparkListenerTaskEnd" and (metrics := event.get("Task Metrics")):
            work = found[stage_of.get(event["Stage ID"], ELSEWHERE)]
            work.tasks += 1
            work.busy_seconds += metrics["Executor Run Time"] / 1_000
            work.shuffled_mib += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"] / 2**20
            work.spilled_mib += metrics["Disk Bytes Spilled"] / 2**20
    return dict(found)


def _events(folder: Path):
    """Every event of the one application whose log lies there, rolled or not."""
    for file in sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith(".")):
        with open(file, encoding="utf-8") as lines:
            yield from (json.loads(line) for line in lines if line.startswith("{"))
