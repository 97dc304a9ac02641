"""The report of `make bench`, as text and as a page: the same tables, and each target beside what was reached."""

import os
import platform
import statistics
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from benchmarks.events import Work
from benchmarks.process import Measured

_STYLE = """
:root { color-scheme: light dark } body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .2rem .8rem; border-bottom: 1px solid #8884 }
td { text-align: right } td:first-child, th:first-child { text-align: left } .missed { color: #c22 }
"""


@dataclass
class Size:
    """One size of night: raw lines read, rows of all tables, medians by contender, stages, Spark's work, the lake."""

    raw_lines: int
    rows: int
    contenders: dict[str, Measured]
    seconds: dict[str, float]
    work: dict[str, Work]
    lake_mib: float


@dataclass
class Fixed:
    """A night of few lines, and the same again with nothing to do."""

    lines: int
    first: Measured
    again: Measured


@dataclass
class Found:
    """All that was measured; sizes by interactions."""

    rounds: int
    fixed: Fixed
    sizes: dict[int, Size]
    largest: tuple[int, Measured] | None


@dataclass
class Table:
    """A heading, the names of its columns, and rows whose first entry names them."""

    title: str
    columns: list[str]
    rows: list[list[str]]


def middle(runs: list[Measured]) -> Measured:
    """The median of each figure."""
    figures = (statistics.median(getattr(run, name) for run in runs) for name in ("seconds", "peak_mib", "written_mib"))
    return Measured(*figures, output="")


def text(found: Found) -> str:
    parts = [where(found.rounds), *(_plain(table) for table in _tables(found))]
    return "\n\n".join(parts) + "\n"


def html(found: Found) -> str:
    """A page by itself: no script, no request."""
    body = "".join(_page(table) for table in _tables(found))
    return (
        f'<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><title>Nightjar: a night, timed</title>'
        f"<style>{_STYLE}</style><h1>A night, timed</h1><p>{escape(where(found.rounds))}</p>{body}</html>\n"
    )


def _tables(found: Found) -> Iterable[Table]:
    yield _targets(found)
    yield _side_by_side(found)
    for lines, size in found.sizes.items():
        yield _stages(lines, size)


def _targets(found: Found) -> Table:
    rows = [
        _target(f"a night of {found.fixed.lines:,} interactions, seconds", found.fixed.first.seconds, 25),
        _target("a rerun with nothing to do, seconds", found.fixed.again.seconds, 15),
    ]
    if found.sizes:
        lines, size = max(found.sizes.items())
        ours, peer, bound = (size.contenders[name] for name in ("nightjar", "peer", "bound"))
        guards = next(seconds for name, seconds in size.seconds.items() if name.startswith("guards"))
        rows += [
            _target(f"{lines:,}: times the peer", ours.seconds / peer.seconds, 1.0),
            _target(f"{lines:,}: times the bound", ours.seconds / bound.seconds, 1.5),
            _target(f"{lines:,}: guards, percent of the night", 100 * guards / ours.seconds, 10),
            _target(f"{lines:,}: peak memory of all processes, MiB", ours.peak_mib, 6 * 1024),
        ]
        if found.largest:
            more, largest = found.largest
            rows.append(_target(f"{more:,}: times the peak memory of {lines:,}", largest.peak_mib / ours.peak_mib, 1.2))
        smaller = [one for one in found.sizes if one < lines]
        if smaller:
            fewer = max(smaller)
            before = found.sizes[fewer].contenders["nightjar"].seconds
            slope = (ours.seconds / before) / (lines / fewer)
            rows.append(_target(f"{fewer:,} to {lines:,}: seconds grow by times the lines", slope, 1.0))
    return Table("Targets", ["", "reached", "at most", ""], rows)


def _target(what: str, reached: float, most: float) -> list[str]:
    shown = f"{reached:,.2f}" if most < 10 else f"{reached:,.1f}"
    return [what, shown, f"{most:,}", "met" if reached <= most else "missed"]


def _side_by_side(found: Found) -> Table:
    columns = ["interactions", "", "seconds", "times nightjar", "lines/s/core", "peak MiB", "written MiB"]
    rows = []
    for lines, size in found.sizes.items():
        ours = size.contenders["nightjar"].seconds
        for name, one in size.contenders.items():
            rate = size.raw_lines / one.seconds / (os.cpu_count() or 1)
            rows.append(
                [f"{lines:,}", name, f"{one.seconds:.1f}", f"{one.seconds / ours:.2f}", f"{rate:,.0f}"]
                + [f"{one.peak_mib:,.0f}", f"{one.written_mib:,.0f}"]
            )
    if found.largest:
        lines, one = found.largest
        rows.append(
            [f"{lines:,}", "nightjar", f"{one.seconds:.1f}", "", "", f"{one.peak_mib:,.0f}", f"{one.written_mib:,.0f}"]
        )
    return Table("Whole processes, side by side; the same tables row for row", columns, rows)


def _stages(lines: int, size: Size) -> Table:
    columns = ["", "seconds", "jobs", "tasks", "busy s", "shuffled MiB", "spilled MiB"]
    rows = []
    for name in [*size.seconds, *(name for name in size.work if name not in size.seconds)]:
        work = size.work.get(name)
        figures = [""] * 5 if work is None else _work(work)
        rows.append([name, f"{size.seconds[name]:.1f}" if name in size.seconds else "", *figures])
    title = f"{lines:,} interactions: {size.raw_lines:,} raw lines to {size.rows:,} rows, a lake of {size.lake_mib:,.0f} MiB"
    return Table(title, columns, rows)


def _work(work: Work) -> list[str]:
    return [
        str(work.jobs),
        str(work.tasks),
        f"{work.busy_seconds:.1f}",
        f"{work.shuffled_mib:,.1f}",
        f"{work.spilled_mib:,.1f}",
    ]


def where(rounds: int) -> str:
    """The machine, the versions and the commit that figures are of."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"median of {rounds}; {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB; "
        f"Python {platform.python_version()}; commit {commit.stdout.strip()}"
    )


def _plain(table: Table) -> str:
    cells = [table.columns, *table.rows]
    width = [max(len(row[at]) for row in cells) for at in range(len(table.columns))]
    lines = ["  ".join(_padded(row, width)).rstrip() for row in cells]
    return "\n".join([table.title, *lines])


def _padded(row: list[str], width: list[int]) -> list[str]:
    return [cell.ljust(width[at]) if at == 0 else cell.rjust(width[at]) for at, cell in enumerate(row)]


def _page(table: Table) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in table.columns)
    rows = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in table.rows)
    return f"<h2>{escape(table.title)}</h2><table><tr>{head}</tr>{rows}</table>"


def _cell(cell: str) -> str:
    return f"<td{' class=missed' if cell == 'missed' else ''}>{escape(cell)}</td>"
