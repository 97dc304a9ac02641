"""Opening: what a command needs of a lake and a policy before it starts Spark."""

from datetime import date
from pathlib import Path

from jobs.errors import Exit, NightjarError
from jobs.key import read_key
from jobs.marker import read_marker
from jobs.policy import Policy, policy_on, read_policies


def marker_of(lake: str) -> dict:
    """What the lake says of itself; an error where there is none yet."""
    marker = read_marker(Path(lake))
    if marker is None:
        raise NightjarError(Exit.CONFIGURATION, "there is no lake yet", fix="nightjar run, or check --lake")
    return marker


def key_of(lake: str, key_file: str | None) -> bytes:
    """The key of a lake that there is."""
    return read_key(key_file_of(lake, key_file), expected_id=marker_of(lake)["key_id"])


def key_file_of(lake: str | Path, key_file: str | None) -> Path:
    return Path(key_file or f"{lake}.key")


def policies_in(folder: str | None) -> list[Policy]:
    return read_policies(Path(folder) if folder else None)


def policy_in(folder: str | None, day: date | None) -> Policy:
    """The version of a date, or the newest."""
    policies = policies_in(folder)
    return policies[-1] if day is None else policy_on(policies, day)
