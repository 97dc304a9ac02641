"""Landing zones for tests: people and lines with everything filled in that a test is not about."""

import gzip
import json
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path

NIGHT = date(2025, 12, 17)
NOON = "2025-12-17T12:00:00Z"
SINCE = "2025-01-01T00:00:00Z"
HARMLESS = "what is the best recipe for roast chicken and mashed potatoes"
SENSITIVE = "which church holds a catholic mass on sunday"

_numbers = count(1)


class Zone:
    """A landing zone being made; `write` puts it on disk."""

    def __init__(self, folder: Path):
        self.folder, self.lines, self.links, self.regions, self.notices, self.erasures = folder, {}, [], [], [], []

    def person(self, name="ann", country="US", told="2025-10-08T09:00:00Z", *, app="facebook", ai=True):
        """An eligible person: AI account m-NAME, app account f-NAME, profile p-NAME."""
        profile = f"p-{name}"
        if ai:
            self.link(f"m-{name}", "meta_ai", profile)
        if app:
            self.link(f"f-{name}", app, profile)
        if country is not None:
            self.regions.append({"profile_id": profile, "country": country, "valid_from": SINCE, "valid_to": None})
        if told:
            self.notices.append({"profile_id": profile, "notified_at": told})
        return self

    def link(self, account, app, profile, since=SINCE, until=None):
        self.links.append(
            {"account_id": account, "app": app, "profile_id": profile, "valid_from": since, "valid_to": until}
        )
        return self

    def say(self, text=HARMLESS, *, who="ann", day=NIGHT, at=None, conversation=None, identity=None, **more):
        """One interaction, of 12:00 on its landing date unless told otherwise."""
        item = {
            "interaction_id": identity or f"i{next(_numbers)}",
            "account_id": who and f"m-{who}",
            "conversation_id": conversation,
            "surface": "chat",
            "occurred_at": at or f"{day}T12:00:00Z",
            "text": text,
            **more,
        }
        return self.raw(json.dumps(item), day=day)

    def like(self, text="Rock Music", *, who="ann", day=NIGHT, app="facebook", kind="like", **more):
        item = {
            "engagement_id": f"e{next(_numbers)}",
            "account_id": f"f-{who}",
            "app": app,
            "kind": kind,
            "target_id": "t1",
            "target_text": text,
            "occurred_at": f"{day}T12:00:00Z",
            **more,
        }
        return self.raw(json.dumps(item), day=day, source="engagements")

    def raw(self, line, *, day=NIGHT, source="interactions"):
        self.lines.setdefault((source, day), []).append(line.encode() if isinstance(line, str) else line)
        return self

    def write(self, *days: date, files: int = 1, order=None) -> "Zone":
        """Write it all, each landing date's lines in some files, in an order if one is given (a key function)."""
        for day in days or (NIGHT,):
            for source in ("interactions", "engagements"):
                lines = list(self.lines.get((source, day), []))
                lines.sort(key=order) if order else None
                folder = self.folder / source / f"date={day}"
                folder.mkdir(parents=True, exist_ok=True)
                for part in range(files if lines else 0):
                    _gzip(folder / f"part-{part}.jsonl.gz", lines[part::files])
        for name, rows in (
            ("reference/account_links", self.links),
            ("reference/profile_regions", self.regions),
            ("reference/notices", self.notices),
            ("erasures", self.erasures),
        ):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
            _gzip(self.folder / name / "part-0.jsonl.gz", [json.dumps(row).encode() for row in rows])
        return self


def _gzip(file: Path, lines: list[bytes]) -> None:
    file.write_bytes(gzip.compress(b"".join(line + b"\n" for line in lines), mtime=0))


def later(stamp: str, **delta) -> str:
    """A timestamp moved by some time."""
    moved = datetime.fromisoformat(stamp) + timedelta(**delta)
    return moved.isoformat().replace("+00:00", "Z")
