"""Data Docs: a static page per night and stage, and one that lists them. Value-free, without a script or a request.

GX's own pages load some fifteen scripts and images from other people's servers, and its renderer needs observed
values; these are made from the same results and are harmless to publish.
"""

from datetime import date
from html import escape
from pathlib import Path

from jobs.guard import Check

_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884; vertical-align: top }
.passed { color: #17803d } .failed { color: #c22; font-weight: 600 }
small { opacity: .7 }
"""


def write_night(docs: Path, landing_date: date, checks: list[Check]) -> None:
    """Write a page for each check of a night in place of the night's earlier ones, and the list of all pages."""
    folder = docs / landing_date.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    for page in folder.glob("*.html"):
        page.unlink()
    for check in checks:
        _write(folder / f"{check.contract}.html", f"{check.contract}, {landing_date}", _page(check))
    _write(docs / "index.html", "Nightjar Data Docs", _index(docs))


def _page(check: Check) -> str:
    rows = "".join(
        f"<tr><td>{escape(v.rule)}<br><small>{escape(v.meaning)}</small></td><td>{escape(v.expectation)}</td>"
        f"{_state(v.passed)}<td>{'' if v.broken is None else v.broken}</td></tr>"
        for v in check.verdicts
    )
    return (
        f"<p>{check.rows:,} rows, {len(check.verdicts)} expectations.</p>"
        f"<table><tr><th>Rule</th><th>Expectation</th><th>Result</th><th>Rows against it</th></tr>{rows}</table>"
    )


def _index(docs: Path) -> str:
    nights = sorted((folder for folder in docs.iterdir() if folder.is_dir()), reverse=True)
    items = "".join(
        f"<tr><td>{escape(night.name)}</td><td>"
        + " · ".join(
            f'<a class="{_state_of(page)}" href="{escape(night.name)}/{escape(page.name)}">{escape(page.stem)}</a>'
            for page in sorted(night.glob("*.html"))
        )
        + "</td></tr>"
        for night in nights
    )
    return f"<table><tr><th>Night</th><th>Stages</th></tr>{items}</table>"


def _state(passed: bool) -> str:
    word = "passed" if passed else "failed"
    return f'<td class="{word}">{word}</td>'


def _state_of(page: Path) -> str:
    return "failed" if 'class="failed"' in page.read_text() else "passed"


def _write(file: Path, title: str, body: str) -> None:
    file.write_text(
        f'<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{body}</html>\n"
    )
