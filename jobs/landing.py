"""The landing zone: listing its files and streaming their lines, on any file system that Arrow opens. No Spark.

Files are listed and lines counted here and nowhere else: other readers skip what they don't like without a word.
"""

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from jobs.errors import Exit, NightjarError
from jobs.lines import LONGEST_DECODED_BYTES
from schemas.words import SOURCES

SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet")
_CHUNK = 1 << 20


def end_of(landing_date: date) -> datetime:
    """The instant as of which a night judges: the end of its landing date."""
    return datetime.combine(landing_date + timedelta(days=1), datetime.min.time(), UTC)


class LandingFile(NamedTuple):
    """A file as it was listed. `path` is a URI; `name` is what we call it in tables and messages."""

    index: int
    source: str
    name: str
    path: str
    size: int
    modified_ns: int


@dataclass
class Opened:
    """A file being read: `lines` yields (position from 1, raw line or object); the rest is right once it is drained."""

    lines: Iterator[tuple[int, bytes | dict]]
    count: int = 0
    sha256: str = ""
    error: str | None = None
    hasher: "hashlib._Hash" = field(default_factory=hashlib.sha256)


def list_night(landing: str, day: date) -> list[LandingFile]:
    """The interaction and engagement files of one landing date, in order of source and name."""
    _require_folder(landing, "landing folder", day)
    files = []
    for source in SOURCES:
        folder = f"{landing.rstrip('/')}/{source}/date={day}"
        _require_folder(folder, f"{source}/date={day}", day)
        files += _list(folder, source, start=len(files), day=day)
    return files


def list_reference(landing: str, table: str, *, optional: bool = False) -> list[LandingFile]:
    """The files of one reference table; of an optional one there may be no folder."""
    folder = f"{landing.rstrip('/')}/{table}"
    if optional and not _is_folder(folder):
        return []
    _require_folder(folder, f"reference table {table}", None)
    return _list(folder, table.rpartition("/")[2], start=0, day=None)


def landing_dates(landing: str) -> list[date]:
    """The dates that have a folder for interactions, in order."""
    _require_folder(landing, "landing folder", None)
    filesystem, path = _resolve(f"{landing.rstrip('/')}/interactions")
    if filesystem.get_file_info(path).type != fs.FileType.Directory:
        return []
    names = [info.base_name for info in filesystem.get_file_info(fs.FileSelector(path))]
    return sorted(date.fromisoformat(name[5:]) for name in names if name.startswith("date=") and _is_date(name[5:]))


def file_sha256(file: LandingFile) -> str:
    """Digest of a file's bytes as they lie there."""
    filesystem, path = _resolve(file.path)
    hasher = hashlib.sha256()
    with filesystem.open_input_stream(path, compression=None) as stream:
        while chunk := stream.read(_CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()


def inputs_changed(landing_date: date | None, what: str) -> NightjarError:
    """What a run says when what it read is no longer what lies there; reference tables have no date."""
    return NightjarError(
        Exit.INPUT, f"{what} changed while it was read", date=landing_date, fix="rerun when the delivery is complete"
    )


def open_lines(file: LandingFile) -> Opened:
    """A file's lines, streamed. A corrupt or truncated file ends the lines early and sets `error`; nothing is raised."""
    opened = Opened(lines=iter(()))
    opened.lines = _drain(file, opened)
    return opened


def _drain(file: LandingFile, opened: Opened):
    try:
        for item in (_parquet_rows if file.name.endswith(".parquet") else _text_lines)(file, opened):
            opened.count += 1
            yield opened.count, item
    except (EOFError, OSError, zlib.error, pa.ArrowException) as error:
        opened.error = "truncated" if isinstance(error, EOFError) else "corrupt"
    opened.sha256 = opened.hasher.hexdigest()


class _Hashing(io.RawIOBase):
    """A raw stream that digests what passes."""

    def __init__(self, stream, hasher):
        self.stream, self.hasher = stream, hasher

    def readable(self):
        return True

    def readinto(self, buffer):
        chunk = self.stream.read(len(buffer))
        self.hasher.update(chunk)
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _text_lines(file: LandingFile, opened: Opened):
    filesystem, path = _resolve(file.path)
    with filesystem.open_input_stream(path, compression=None) as stream:
        raw = io.BufferedReader(_Hashing(stream, opened.hasher), _CHUNK)
        if file.name.endswith(".gz"):
            if not raw.peek(1):
                raise EOFError("an empty file is no gzip")
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield from _split(io.BufferedReader(unpacked, _CHUNK))
        else:
            yield from _split(raw)
        while raw.read(_CHUNK):
            pass


def _split(stream: io.BufferedReader):
    """Lines without their newline. One beyond every limit is cut one byte past it: enough to be oversize."""
    longest = LONGEST_DECODED_BYTES + 1
    while line := stream.readline(longest):
        if not line.endswith(b"\n") and len(line) == longest:
            while (rest := stream.readline(_CHUNK)) and not rest.endswith(b"\n"):
                pass
        yield line.removesuffix(b"\n")


def _parquet_rows(file: LandingFile, opened: Opened):
    opened.hasher.update(b"")
    filesystem, path = _resolve(file.path)
    with filesystem.open_input_stream(path, compression=None) as stream:
        while chunk := stream.read(_CHUNK):
            opened.hasher.update(chunk)
    with filesystem.open_input_file(path) as handle:
        for batch in pq.ParquetFile(handle).iter_batches(batch_size=4096):
            for row in batch.to_pylist():
                yield _as_json(row)


def _as_json(value):
    """A Parquet value as the JSON object that says the same."""
    if isinstance(value, dict):
        return {key: _as_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_json(inner) for inner in value]
    if isinstance(value, float):
        return Decimal(repr(value))
    if hasattr(value, "isoformat"):
        zoned = getattr(value, "tzinfo", None) is not None
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if zoned else value.isoformat()
    return value


def _list(folder: str, source: str, *, start: int, day) -> list[LandingFile]:
    filesystem, path = _resolve(folder)
    found = sorted(filesystem.get_file_info(fs.FileSelector(path)), key=lambda info: info.base_name)
    files = []
    for info in found:
        name = info.base_name
        if name == "_SUCCESS" or (name.startswith(".") and name.endswith(".crc")):
            continue
        if info.type != fs.FileType.File or name[0] in "._" or not name.endswith(SUFFIXES):
            raise NightjarError(
                Exit.INPUT,
                f"{source}: unexpected name {name!r}",
                date=day,
                fix=f"keep only {', '.join(SUFFIXES)} files",
            )
        # Absolute: whoever reads it may work in another folder.
        where = folder if "://" in folder else path
        files.append(LandingFile(start + len(files), source, name, f"{where}/{name}", info.size, info.mtime_ns or 0))
    return files


def _resolve(path: str):
    if "://" in path:
        return fs.FileSystem.from_uri(path)
    return fs.LocalFileSystem(), os.path.abspath(path)


def _is_folder(path: str) -> bool:
    filesystem, inner = _resolve(path)
    return filesystem.get_file_info(inner).type == fs.FileType.Directory


def _require_folder(path: str, what: str, day) -> None:
    try:
        found = _is_folder(path)
    except (OSError, pa.ArrowException) as error:
        raise NightjarError(
            Exit.INPUT, f"{what} can't be read ({type(error).__name__})", date=day, fix="check --landing"
        ) from None
    if not found:
        raise NightjarError(Exit.INPUT, f"{what} is missing", date=day, fix="check --landing, or wait for the delivery")


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
