"""Marker: the small file that makes a folder a lake, readable without Spark."""

import json
from pathlib import Path

from jobs.errors import Exit, NightjarError

MARKER = "nightjar.json"
FORMAT = 1


def read_marker(path: Path) -> dict | None:
    """What a lake says of itself without Spark: format and key id. None for a place where a lake may be made."""
    if not path.exists():
        return None
    if not path.is_dir():
        raise _not_a_lake(path, "is a file")
    if not (path / MARKER).exists():
        if any(path.iterdir()):
            raise _not_a_lake(path, "holds something else")
        return None
    try:
        marker = json.loads((path / MARKER).read_text())
        return {"format": int(marker["format"]), "key_id": str(marker["key_id"])}
    except (OSError, ValueError, KeyError, TypeError):
        raise _not_a_lake(path, f"has a damaged {MARKER}") from None


def write_marker(path: Path, key_id: str) -> None:
    """Make a folder a lake. The first thing written, so that a killed beginning is known as ours."""
    path.mkdir(parents=True, exist_ok=True)
    part = path / f".{MARKER}.part"
    part.write_text(json.dumps({"format": FORMAT, "key_id": key_id}))
    part.replace(path / MARKER)


def _not_a_lake(path: Path, how: str) -> NightjarError:
    return NightjarError(
        Exit.CONFIGURATION, f"the lake path {path.name} {how}", fix="give --lake a lake or a new folder"
    )
