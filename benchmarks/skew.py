"""A landing zone like another, but every other interaction is of one account: one that says something that is used."""

import gzip
import json
import shutil
from pathlib import Path

from benchmarks.setting import anew


def half_of_one(landing: Path) -> Path:
    """The skewed twin of a landing zone; made if there is none."""
    skewed, made = landing.with_name(landing.name + "-skewed"), landing.with_name(landing.name + "-skewed.made")
    if not made.exists():
        shutil.copytree(landing, anew(skewed))
        account = _account_of_a_used_line(landing)
        for file in (skewed / "interactions").rglob("*.jsonl*"):
            lines = [_of(line, account) if at % 2 else line for at, line in enumerate(_lines(file))]
            with (gzip.open if file.suffix == ".gz" else open)(file, "wb") as out:
                out.write(b"".join(line + b"\n" for line in lines))
        made.touch()
    return skewed


def _account_of_a_used_line(landing: Path) -> str:
    """By the sample's own truth, which names each line's file and position."""
    truth = landing.with_name(landing.name + ".truth") / "interactions"
    file = min(truth.rglob("*.jsonl*"))
    used = next(line["position"] for line in map(json.loads, _lines(file)) if line["outcome"] == "used")
    return json.loads(_lines(landing / "interactions" / file.relative_to(truth))[used - 1])["account_id"]


def _of(line: bytes, account: str) -> bytes:
    """A line as another account's; one that is no JSON object stays what it is."""
    try:
        item = json.loads(line)
    except ValueError:
        return line
    return json.dumps({**item, "account_id": account}).encode() if isinstance(item, dict) else line


def _lines(file: Path) -> list[bytes]:
    with (gzip.open if file.suffix == ".gz" else open)(file, "rb") as stream:
        return stream.read().removesuffix(b"\n").split(b"\n")
