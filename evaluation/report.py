"""`make eval`: a table per set on the terminal, and the same with plots as one HTML page. Figures only, never a text."""

import base64
import html
import io
import sys
from pathlib import Path

import click
from matplotlib.figure import Figure

from evaluation.measure import Row, calibration, chosen, flags_by_set, look, measure, sweep
from evaluation.sets import all_sets
from jobs.batch import settings_of
from jobs.policy import read_policies
from jobs.scoring.scorer import Scorer, Settings
from schemas.words import SENSITIVE_CATEGORIES

CATEGORY_COLUMNS = ("category", "texts", "flagged %", "used %")
COLUMNS = ("set", "label", "texts", "flagged %", "used %", "right %", "goal")


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of public sets; our own are always read.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/evaluation.html"), show_default=True)
@click.option("--policy", type=click.Path(path_type=Path), help="Policy folder; the newest version is evaluated.")
def main(data: Path | None, out: Path, policy: Path | None):
    """Evaluate the scorer: choose thresholds on one part of every set, report the policy's on the other."""
    settings = settings_of(read_policies(policy)[-1])
    scorer = Scorer.cached(settings)
    sets = [look(scorer, labelled) for labelled in all_sets(data)]
    tuned, held = [seen.part(0) for seen in sets], [seen.part(1) for seen in sets]
    rows = [measure(scorer, seen, settings) for seen in held]
    lines = [
        f"model {scorer.model.digest[:12]}, {sum(row.count for row in rows)} texts of the reported part",
        f"policy:                    {_said(settings)}",
    ]
    if any(seen.labelled.texts for seen in tuned):
        lines.append(f"chosen on the other part:  {_said(chosen(scorer, tuned, settings))}")
    table = [_cells(row) for row in rows if row.count]
    summary = [(name, f"{share:.1%}") for name, share in flags_by_set(rows).items()]
    categories = [_category(name, rows) for name in SENSITIVE_CATEGORIES]
    sys.stdout.write(
        "\n".join(
            [
                *lines,
                "",
                *_aligned([COLUMNS, *table]),
                "",
                "flagged by set:",
                *_aligned(summary),
                "",
                *_aligned([CATEGORY_COLUMNS, *categories]),
            ]
        )
        + "\n"
    )
    pictures = [
        _picture(lambda axes: _leak_plot(axes, scorer, held, settings)),
        _picture(lambda axes: _calibration_plot(axes, calibration(scorer, held, settings))),
        _picture(lambda axes: _worst_plot(axes, rows)),
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(_page(lines, [(COLUMNS, table), (CATEGORY_COLUMNS, categories)], pictures), encoding="utf-8")
    sys.stdout.write(f"report: {out}\n")


def _said(settings: Settings) -> str:
    thresholds = ", ".join(str(of) for of in settings.thresholds)
    return (
        f"sensitive_thresholds {thresholds}; few words {settings.few_words_threshold}; most_sensitive "
        f"{settings.most_sensitive}, in few words {settings.most_sensitive_few_words}; "
        f"interest threshold {settings.interest_threshold}"
    )


def _cells(row: Row) -> tuple[str, ...]:
    labelled = row.labelled
    right = f"{row.right / row.used:.1%}" if labelled.tiers and row.used else ""
    goal = ""
    if labelled.category:
        goal = "LEAKS" if row.leaks_too_much else "missed" if row.flagged < 0.95 * row.count else "met"
    return (
        labelled.name,
        labelled.label,
        str(row.count),
        f"{row.share(row.flagged):.1%}",
        f"{row.share(row.used):.2%}",
        right,
        goal,
    )


def _category(name: str, rows: list[Row]) -> tuple[str, ...]:
    """Recall and leak of a category over all its sets."""
    own = [row for row in rows if row.labelled.category == name]
    count = sum(row.count for row in own)
    return name, str(count), f"{sum(r.flagged for r in own) / count:.1%}", f"{sum(r.used for r in own) / count:.2%}"


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _leak_plot(axes, scorer: Scorer, held, settings: Settings):
    for category, points in sweep(scorer, held, settings).items():
        axes.plot(
            [100 * x for x, _ in points], [100 * y for _, y in points], marker=".", label=category.replace("_", " ")
        )
    axes.set(
        xlabel="everyday texts flagged (%)", ylabel="sensitive texts used (%)", title="Leak against drop, by threshold"
    )
    axes.legend(fontsize="small")


def _calibration_plot(axes, points):
    axes.plot([0, 1], [0, 1], color="lightgrey")
    axes.scatter([x for x, _, _ in points], [y for _, y, _ in points], s=[10 + n**0.5 for *_, n in points])
    axes.set(
        xlabel="score of the best topic",
        ylabel="share with a right tier 1",
        title="Calibration",
        xlim=(0, 1),
        ylim=(0, 1.02),
    )


def _worst_plot(axes, rows: list[Row]):
    sensitive = sorted(
        (row for row in rows if row.labelled.category and row.count), key=lambda row: row.share(row.flagged)
    )
    names = [f"{row.labelled.name} {row.labelled.label}" for row in sensitive]
    axes.barh(
        names, [100 * (1 - row.share(row.flagged)) for row in sensitive], color="lightsteelblue", label="not flagged"
    )
    axes.barh(names, [100 * row.share(row.used) for row in sensitive], color="firebrick", label="used")
    axes.set(xlabel="% of the set's sensitive texts", title="Worst sets")
    axes.tick_params(axis="y", labelsize="small")
    axes.legend()


def _picture(draw) -> str:
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    draw(figure.subplots())
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return base64.b64encode(buffer.getvalue()).decode()


def _page(lines: list[str], tables, pictures: list[str]) -> str:
    shown = "".join(_table(*table) for table in tables)
    images = "".join(f'<p><img alt="" src="data:image/png;base64,{picture}"></p>' for picture in pictures)
    style = "body{font:15px sans-serif;margin:2em}td,th{padding:.15em .8em;text-align:left}tr:nth-child(even){background:#f3f3f3}"
    said = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Scoring, evaluated</title><style>{style}</style>'
        f"<h1>Scoring, evaluated</h1>{said}{shown}{images}</html>\n"
    )


def _table(columns: tuple[str, ...], rows) -> str:
    lines = ["".join(f"<th>{html.escape(name)}</th>" for name in columns)]
    lines += ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


if __name__ == "__main__":
    main()
