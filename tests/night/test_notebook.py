"""The notebook runs from top to bottom on a lake made by real nights, and shows nobody."""

import jupytext
from nbclient import NotebookClient

from tests.conftest import ROOT


def test_the_notebook_runs_from_top_to_bottom_and_shows_plots_and_nobody(zone, runs, monkeypatch):
    for n in range(6):
        zone.person(f"p{n}").say(who=f"p{n}").like("Baseball", who=f"p{n}")
    zone.say("", who="p1").say("hello there", who="p2", surface="voice").write()
    runs.night()
    monkeypatch.setenv("NIGHTJAR_LAKE", str(runs.path))
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    notebook = jupytext.read(ROOT / "notebooks" / "explore.py")
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(ROOT)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
    assert not [output for output in outputs if output.output_type == "error"]
    assert "p-p1" not in str(outputs) and "m-p1" not in str(outputs)
