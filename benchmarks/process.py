"""A command as a whole process, start to exit: seconds, peak memory of it and all its children, bytes written to disk."""

import subprocess
import threading
import time
from pathlib import Path
from typing import NamedTuple

import psutil

SAMPLE_SECONDS = 0.25


class Measured(NamedTuple):
    """What one run of a command took. Memory is the proportional set size: what processes share is counted once."""

    seconds: float
    peak_mib: float
    written_mib: float
    output: str


def measure(command: list[str], environment: dict[str, str] | None = None) -> Measured:
    """Run a command to its end; CalledProcessError, with what it said, if it fails."""
    started = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    watch = _Watch(process.pid)
    output, _ = process.communicate()
    seconds = time.monotonic() - started
    watch.stop()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output)
    return Measured(seconds, watch.peak / 2**20, sum(watch.written.values()) / 2**20, output)


class _Watch(threading.Thread):
    """Looks at a process and its children several times a second."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.pid, self.peak, self.written = pid, 0, {}
        self._over = threading.Event()
        self.start()

    def run(self):
        while not self._over.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, sum(map(self._look, self._processes())))

    def stop(self) -> None:
        self._over.set()
        self.join()

    def _processes(self) -> list[int]:
        try:
            root = psutil.Process(self.pid)
            return [root.pid, *(child.pid for child in root.children(recursive=True))]
        except psutil.NoSuchProcess:
            return []

    def _look(self, pid: int) -> int:
        """Bytes of memory that a process accounts for now; what it has written so far is kept."""
        try:
            self.written[pid] = _field(Path(f"/proc/{pid}/io"), "write_bytes:")
            return _field(Path(f"/proc/{pid}/smaps_rollup"), "Pss:") * 1024
        except OSError:
            # It has ended between the two looks.
            return 0


def _field(file: Path, name: str) -> int:
    for line in file.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0
