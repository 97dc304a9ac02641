"""Nothing that a line says, and nobody who said it, is found anywhere after a night; and the search would find it."""

import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from pyspark.sql import functions as F

from jobs import cli
from jobs import night as night_module
from jobs import score as score_module
from jobs.errors import Exit, NightjarError
from tests.conftest import ROOT
from tests.night.scan import findings
from tests.night.test_night import failing
from tests.zone import HARMLESS, NIGHT

CLOCK = "13:37:42.424242"
PLANTED = [
    "zqtextcanary",
    "zqlabelcanary",
    "zqinteractioncanary",
    "zqconversationcanary",
    "zqaccountcanary",
    "zqkeycanary",
    "zqmalformedcanary",
    "zqlikecanary",
    CLOCK,
]


def planted(zone):
    """A zone whose lines carry a unique string wherever a line can; most of them are used."""
    zone.person("ann").link("zqaccountcanary", "meta_ai", "p-zoe").link("f-zoe", "facebook", "p-zoe")
    zone.regions.append(
        {"profile_id": "p-zoe", "country": "US", "valid_from": "2025-01-01T00:00:00Z", "valid_to": None}
    )
    zone.notices.append({"profile_id": "p-zoe", "notified_at": "2025-10-08T09:00:00Z"})
    zone.say(f"{HARMLESS} zqtextcanary").say("zqtextcanary church mass on sunday")
    zone.say(None, surface="glasses_photo", labels=[{"name": "golden retriever zqlabelcanary", "confidence": 1}])
    zone.say(identity="zqinteractioncanary").say(conversation="zqconversationcanary", zqkeycanary=1)
    zone.say(account_id="zqaccountcanary").say(at=f"{NIGHT}T{CLOCK}Z").raw('{"zqmalformedcanary')
    return zone.like("Baseball zqlikecanary").write()


def test_after_a_night_by_spark_submit_nothing_is_found(zone, runs, tmp_path):
    planted(zone)
    work, temporary, output = (tmp_path / name for name in ("work", "temporary", "output"))
    for folder in (work, temporary, output):
        folder.mkdir()
    command = [
        ROOT / ".venv" / "bin" / "spark-submit",
        "--properties-file",
        ROOT / "conf" / "spark-defaults.conf",
        ROOT / "jobs" / "cli.py",
        *("run", "--date", str(NIGHT), "--landing", zone.folder, "--lake", runs.path),
    ]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYSPARK", "SPARK"))},
        "PYSPARK_PYTHON": sys.executable,
        "TMPDIR": str(temporary),
        "SPARK_LOCAL_DIRS": str(temporary),
        "JAVA_TOOL_OPTIONS": f"-Djava.io.tmpdir={temporary}",
    }
    while_running: dict[str, list[str]] = {}
    with open(output / "stdout", "wb") as stdout, open(output / "stderr", "wb") as stderr:
        process = subprocess.Popen(list(map(str, command)), cwd=work, env=environment, stdout=stdout, stderr=stderr)
        while process.poll() is None:
            while_running |= findings(PLANTED, temporary, work)
            time.sleep(0.5)
    assert process.returncode == 0, (output / "stderr").read_text()[-2_000:]
    assert while_running == {}
    assert findings(PLANTED, runs.path, work, temporary, output) == {}
    assert runs.outcomes()["used"] >= 5 and runs.outcomes()["sensitive"] == 1
    assert (output / "stdout").read_text().splitlines()[-1].startswith("{")


def test_after_a_failing_guard_nothing_is_found(zone, runs, monkeypatch, capfd):
    planted(zone)
    failing(monkeypatch, "score < 0")
    with pytest.raises(NightjarError) as caught:
        runs.night()
    assert caught.value.code == Exit.GUARD_FAILED
    assert (runs.lake.docs() / str(NIGHT) / "signals.html").exists()
    assert findings(PLANTED, runs.path) == {}
    assert not [string for string in PLANTED if string in caught.value.line() + "".join(capfd.readouterr())]


def test_the_search_finds_them_when_the_drop_is_taken_out(zone, runs, spark, monkeypatch):
    planted(zone)

    def leaking(admitted, divided, *, files, digests, settings):
        """The scorer, but every used line shows each raw line of the night as an interest."""
        lines = spark.read.text([file.path for file in files])
        shown = F.struct(F.col("value").alias("topic_id"), F.lit(9_000).alias("score"))
        scored = score_module.score(admitted, divided, files=files, digests=digests, settings=settings)
        leaked = scored.crossJoin(lines.agg(F.collect_list(shown).alias("everything")))
        used = F.col("verdict") == "used"
        return leaked.withColumn("topics", F.when(used, F.col("everything")).otherwise(F.col("topics")))

    stages = tuple(replace(s, transform=leaking) if s.name == "score" else s for s in night_module.IN_FLIGHT)
    monkeypatch.setattr(night_module, "IN_FLIGHT", stages)
    runs.night()
    assert set(findings(PLANTED, runs.path)) == set(PLANTED)


def test_an_error_that_quotes_a_row_is_not_passed_on(zone, runs, monkeypatch, capfd, caplog):
    planted(zone)

    def quoting(ingested, account_links, *, as_of):
        return night_module.link.link(ingested, account_links, as_of=as_of).withColumn(
            "profile_id", F.col("account_id").cast("int").cast("string")
        )

    stages = tuple(replace(s, transform=quoting) if s.name == "link" else s for s in night_module.IN_FLIGHT)
    monkeypatch.setattr(night_module, "IN_FLIGHT", stages)
    with pytest.raises(Exception, match="CAST_INVALID_INPUT"):
        runs.night()
    arguments = ["run", "--date", str(NIGHT), "--landing", str(zone.folder), "--lake", str(runs.path)]
    monkeypatch.setattr(sys, "argv", ["nightjar", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == Exit.INTERNAL
    said = capfd.readouterr()
    assert said.err.startswith("error[70]") and said.err.count("\n") == 1
    for string in [*PLANTED, "m-ann"]:
        assert string not in said.out + said.err + caplog.text
