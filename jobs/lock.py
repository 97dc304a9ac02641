"""One writer: the lock of a lake.

The kernel's lock falls with the Python that holds it, but that Python's JVM can live on for seconds and still commit.
So the file also names the JVM, and as long as that process lives the lake is taken.
"""

import fcntl
import json
import os
from contextlib import contextmanager
from pathlib import Path

from jobs.errors import Exit, NightjarError


class LakeLock:
    """A held lock; `name_jvm` adds the process that will write."""

    def __init__(self, descriptor: int):
        self._descriptor = descriptor

    def name_jvm(self, pid: int) -> None:
        _write(self._descriptor, {"holder": _process(os.getpid()), "jvm": _process(pid)})


@contextmanager
def hold(lake: Path):
    """Hold the lake; NightjarError(BUSY) at once if another run does. The lock file lies beside the lake."""
    lake.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lake.with_name(lake.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    held = False
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _busy() from None
        if _lives(_read(descriptor).get("jvm")):
            raise _busy()
        held = True
        _write(descriptor, {"holder": _process(os.getpid())})
        yield LakeLock(descriptor)
        _write(descriptor, {})
    except Exception:
        # An orderly end: everything is restored, so the JVM's last seconds are nobody's concern.
        if held:
            _write(descriptor, {})
        raise
    finally:
        os.close(descriptor)


def _busy() -> NightjarError:
    return NightjarError(Exit.BUSY, "another run holds the lake", fix="wait for it to end")


def _process(pid: int) -> dict:
    return {"pid": pid, "started": _started(pid)}


def _started(pid: int) -> str | None:
    """When a process started, in clock ticks since boot; None if there is none, or it is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def _lives(process: dict | None) -> bool:
    if not process or process["pid"] == os.getpid() or process["started"] is None:
        return False
    return _started(process["pid"]) == process["started"]


def _read(descriptor: int) -> dict:
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        return json.loads(os.read(descriptor, 4096) or b"{}")
    except ValueError:
        return {}


def _write(descriptor: int, content: dict) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, json.dumps(content).encode())
    os.fsync(descriptor)
