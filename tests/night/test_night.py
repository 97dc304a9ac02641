"""Whole nights on real Delta: every line counted once, the same tables however a night came about."""

import gzip
import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from delta.tables import DeltaTable
from msgspec import structs
from pyspark.sql import functions as F

from jobs import night as night_module
from jobs.accrue import accrue
from jobs.contrast import contrast
from jobs.contrast import table as contrast_table
from jobs.errors import Exit, NightjarError
from jobs.explain import explain
from jobs.lake import Lake
from jobs.lake_log import LakeLog
from jobs.reference import list_all, read_all
from jobs.requests import due
from jobs.sample import Recipe, make
from jobs.taking_up import up_to_date
from schemas.contract import Rule
from schemas.outcomes import OUTCOME_COUNTS
from schemas.profile_deltas import PROFILE_DELTAS
from schemas.profiles import PROFILES
from schemas.reference import ERASURES
from schemas.signals import SIGNALS
from schemas.tables import TABLES
from schemas.words import SURFACES
from tests.conftest import KEY, SHARED, Runs
from tests.model import counts
from tests.model import sums as model_sums
from tests.zone import NIGHT, SENSITIVE, Zone

NEXT = NIGHT + timedelta(days=1)
BEFORE_SCORING = {"empty", "unsupported_language", "sensitive", "no_interest", "used"}


def gates(outcomes: dict) -> dict:
    """Outcomes with everything after the gates in one count, as the model has it."""
    found = {name: lines for name, lines in outcomes.items() if name not in BEFORE_SCORING}
    return {**found, None: sum(lines for name, lines in outcomes.items() if name in BEFORE_SCORING)}


def a_mixed_zone(zone):
    """Some of everything that a night must tell apart."""
    zone.person().person("ben", country="DE").person("cleo", told=None).person("dora")
    zone.say().say("how do i train for a marathon", at="2025-12-12T00:00:00Z")
    zone.say(identity="same", at="2025-12-17T08:00:00Z").say(identity="same", at="2025-12-17T08:00:00Z")
    zone.say(identity="twice").say(identity="twice", locale="en-US")
    zone.say(conversation="c1").say(SENSITIVE, conversation="c1").say("fine, thanks", conversation="c1")
    zone.say(conversation="c2").say(conversation="c2", at="2025-12-16T11:00:00Z")
    zone.say(who="ben").say(who="cleo").say(who="nobody").say(who=None).say("").say("hello there")
    zone.say("wo kann ich ein fahrrad für mein kind kaufen", who="dora", conversation="c3")
    zone.say(who="dora", conversation="c3")
    zone.say(surface="vibes", dwell_seconds=20).say(surface="vibes", dwell_seconds=0).say(surface="telepathy")
    zone.say(None, surface="glasses_photo", labels=[{"name": "golden retriever", "confidence": 0.9}])
    zone.raw("[]").raw("").raw(b"\xff")
    zone.like().like(who="dora", kind="join").like(SENSITIVE).like(who="ben").like(app="instagram").raw(
        "{", source="engagements"
    )
    return zone


@pytest.fixture(scope="module")
def mixed(spark, policy, tmp_path_factory):
    """A lake after one night of some of everything; tests only read it."""
    folder = tmp_path_factory.mktemp("mixed")
    runs = Runs(spark, folder / "lake", folder / "landing", [policy])
    a_mixed_zone(Zone(runs.landing)).write()
    assert runs.night().did_something
    return runs


def test_every_line_ends_in_exactly_one_counted_outcome(mixed):
    model = counts(mixed.landing, NIGHT)
    for source in ("interactions", "engagements"):
        assert gates(mixed.outcomes(source)) == dict(model[source])
        assert sum(mixed.outcomes(source).values()) == sum(model[source].values())
    assert set(mixed.outcomes()) >= BEFORE_SCORING | {"malformed", "conversation", "not_notified", "logged_out"}
    assert len(mixed.rows("rejects")) == mixed.outcomes()["malformed"] + mixed.outcomes("engagements")["malformed"]


def test_a_second_run_of_the_same_night_makes_no_commit_in_any_table(mixed):
    before, tables = mixed.versions(), mixed.tables()
    assert not mixed.night().did_something
    assert mixed.versions() == before and mixed.tables() == tables


def test_a_run_is_needed_for_a_new_line_a_request_and_whatever_a_killed_run_left(zone, runs, monkeypatch):
    zone.person().person("ben").say().say(who="ben").write(NIGHT)
    log = LakeLog(runs.path)

    def needed():
        return not up_to_date(log, str(runs.landing), runs.policies, runs.setting().key, NIGHT)

    assert needed()
    runs.night()
    assert not needed()
    zone.say().write(NIGHT)
    assert needed() and runs.night().did_something and not needed()
    # A table that a killed run left behind is taken back, though no date has to be stated.
    runs.lake.append(OUTCOME_COUNTS, runs.lake.read_written(OUTCOME_COUNTS))
    assert needed() and not runs.night().did_something and not needed()
    # A request is answered; killed before its receipt, it is still to be finished.
    zone.erasures.append({"profile_id": "p-ben", "requested_at": f"{NIGHT}T12:00:00Z"})
    zone.write(NIGHT)
    assert needed()
    with monkeypatch.context() as patch:
        patch.setattr("jobs.erase.residue", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            runs.night()
    assert due(log, runs.setting().key, list_all(str(runs.landing))[ERASURES]) == [] and needed()
    assert not runs.night().did_something and not needed()


def test_split_shuffled_and_packed_otherwise_a_night_gives_identical_tables(zone, runs):
    a_mixed_zone(zone).write(files=1)
    runs.night()
    once = runs.tables()
    zone.write(files=3, order=lambda line: line[::-1])
    for file in (zone.folder / "interactions" / f"date={NIGHT}").iterdir():
        if file.name.startswith("part-1"):
            (file.parent / "plain.jsonl").write_bytes(gzip.decompress(file.read_bytes()).removesuffix(b"\n"))
            file.unlink()
    assert runs.night().did_something
    assert runs.tables() == once


def test_a_restated_night_takes_back_what_its_lines_no_longer_say_and_the_deltas_replay_to_the_profiles(zone, runs):
    zone.person().person("ben").say(identity="a").say("play some jazz", who="ben").write()
    runs.night()
    zone.say("another content", identity="a").say("play jazz again", who="ben").write()
    runs.night()
    changed = {(row[3], row[4]) for row in runs.rows("profile_deltas")}
    assert ("216", "added") in changed and ("216", "removed") in changed
    assert "216" not in {row[1] for row in runs.rows("profiles")}
    order = {row["run_id"]: row["run_number"] for row in runs.lake.runs().collect()}
    replayed = {}
    names = runs.lake.read(PROFILE_DELTAS, runs.lake.log.history().last).columns
    for row in sorted(runs.rows("profile_deltas"), key=lambda row: order[row[0]]):
        delta = dict(zip(names, row, strict=True))
        key = delta["profile_id"], delta["topic_id"]
        before = tuple(delta[f"{name}_before"] for name in ("weight", "signals", "first_day", "last_day"))
        assert replayed.get(key, (None,) * 4) == before
        replayed[key] = tuple(delta[f"{name}_after"] for name in ("weight", "signals", "first_day", "last_day"))
    standing = sorted((*key, *value) for key, value in replayed.items() if value[0] is not None)
    assert standing == [tuple(row) for row in runs.rows("profiles")]


def test_an_explanation_names_every_signal_of_a_profile_and_they_sum_to_its_weights(mixed, spark):
    def explained(profile):
        reference = read_all(spark, str(mixed.landing), KEY).frames
        return explain(mixed.lake, reference, profile, as_of=NIGHT, policy=mixed.policies[0])

    found = explained("p-ann")
    stored = {row[1]: row[2] for row in mixed.rows("profiles") if row[0] == "p-ann"}
    assert {one.topic_id: int(one.weight) for one in found.interests} == stored
    assert [int(one.weight) for one in found.interests] == sorted(stored.values(), reverse=True)
    for one in found.interests:
        assert sum(int(evidence.amount) for evidence in one.evidence) == stored[one.topic_id]
    signals = [row for row in mixed.rows("signals") if row[2] == "p-ann"]
    assert sum(len(one.evidence) for one in found.interests) == len(signals)
    assert {e.source for one in found.interests for e in one.evidence} == {"interactions", "engagements"}
    assert found.stopped_now == {"interactions": None, "engagements": None}
    # Of who has nothing: the gate now, and not a word of what was withheld.
    assert explained("p-ben") == replace_of(found, [], "region_excluded")
    assert explained("p-nobody") == replace_of(found, [], "unlinked")


def replace_of(found, interests, gate):
    return structs.replace(found, interests=interests, stopped_now=dict.fromkeys(found.stopped_now, gate))


def test_a_policy_is_contrasted_with_another_without_a_trace(mixed, policy):
    before = mixed.versions()
    regions = structs.replace(policy.regions, announced=[*policy.regions.announced, "US"])
    tighter = structs.replace(policy, regions=regions)
    found = contrast(mixed.setting(), [policy], [tighter], [NIGHT], lambda *_: None)
    stored = mixed.outcomes()
    for outcome, (one, other) in found.outcomes["interactions"].items():
        assert one == stored.get(outcome, 0)
        assert other == (0 if outcome in BEFORE_SCORING | {"conversation"} else other)
    assert found.outcomes["interactions"]["region_excluded"] > (1, stored["used"])
    assert found.interests == {"unchanged": 0, "changed": 0, "gained": 0, "lost": len(mixed.rows("profiles"))}
    # Nobody's interests are an audience's, with so few people.
    assert set(found.segments.values()) == {0}
    assert found.people == (len({row[0] for row in mixed.rows("profiles")}), 0)
    assert "region_excluded" in contrast_table(found) and mixed.versions() == before


def test_profiles_are_the_exact_sums_of_their_signals(mixed):
    sums = model_sums((row[2], row[3], row[5], row[8]) for row in mixed.rows("signals"))
    assert {(row[0], row[1]): tuple(row[2:]) for row in mixed.rows("profiles")} == sums
    assert sums


def test_every_surface_weighs_as_the_policy_says_and_who_never_used_ai_has_no_ai_derived_row(zone, runs, policy):
    zone.person().person("bea", ai=False).like("Baseball", who="bea")
    for surface in SURFACES:
        zone.say(surface=surface, dwell_seconds=60)
    zone.like("Baseball").like("Baseball", kind="follow").like("Baseball", kind="join").write()
    runs.night()
    assert {row[4]: row[7] for row in runs.rows("signals")} == policy.weights
    assert {row[4] for row in runs.rows("signals") if row[2] == "p-bea"} == {"like"}


def test_a_night_is_the_same_whether_spark_interprets_its_queries_or_generates_code(
    zone, runs, another_lake, spark, monkeypatch
):
    zone.person().person("ben", country="DE").say().say("", conversation="c").say(conversation="c").say(who="ben")
    zone.say(SENSITIVE).like().raw("[]").write()
    runs.night()
    assert spark.conf.get("spark.sql.codegen.factoryMode") == "NO_CODEGEN"
    monkeypatch.setattr("jobs.session.INTERPRETED_BYTES", 0)
    another_lake.night()
    assert spark.conf.get("spark.sql.codegen.factoryMode") == "FALLBACK"
    assert spark.conf.get("spark.sql.codegen.wholeStage") == "true"
    assert another_lake.tables() == runs.tables() and runs.rows("signals")


def test_a_night_is_the_same_whether_small_sets_come_to_the_lines_or_the_lines_to_them(
    zone, runs, another_lake, spark, monkeypatch
):
    a_mixed_zone(zone).write()
    runs.night()
    threshold = spark.conf.get("spark.sql.autoBroadcastJoinThreshold")
    monkeypatch.setattr("jobs.runner.MOST_ROWS_TO_BROADCAST", -1)
    spark.conf.set("spark.sql.autoBroadcastJoinThreshold", "-1")
    try:
        another_lake.night()
    finally:
        spark.conf.set("spark.sql.autoBroadcastJoinThreshold", threshold)
    assert another_lake.tables() == runs.tables() and runs.rows("signals")


def test_a_quiet_day_is_a_night_too(zone, runs):
    zone.person().write()
    assert runs.night().did_something
    assert runs.tables() == {name: [] for name in runs.tables()}
    assert not runs.night().did_something


def test_categories_are_counted_from_a_minimum_up_and_an_oversize_line_withholds_its_conversation(zone, runs, policy):
    zone.person()
    for n in range(policy.minimum_category_count):
        zone.say(SENSITIVE, at=f"2025-12-17T12:00:{n:02}Z")
    zone.say("i joined the teachers union and will go on strike")
    zone.say(conversation="c1").say("x" * 70_000, conversation="c1").say(conversation="c2").write()
    assert dict(runs.night().run["sensitive"]) == {"religion": policy.minimum_category_count}
    assert runs.outcomes() == {
        "malformed": 1,
        "conversation": 1,
        "used": 1,
        "sensitive": policy.minimum_category_count + 1,
    }
    assert len([row for row in runs.rows("arrivals") if row[2] is None]) == 1


def failing(monkeypatch, condition):
    """Break the contract of signals: one more rule that no row, or no engine, can keep."""
    contract = replace(SIGNALS, rules=(*SIGNALS.rules, Rule("impossible", condition, "never true")))
    stages = tuple(replace(s, gives=contract) if s.gives is SIGNALS else s for s in night_module.STORED)
    monkeypatch.setattr(night_module, "STORED", stages)


def test_a_guard_that_fails_or_cannot_run_leaves_the_previous_night_readable(zone, runs, monkeypatch):
    zone.person().say().write()
    runs.night()
    before = runs.tables()
    zone.say("play some jazz", day=NEXT).write(NEXT)
    for condition, code in (("score / 0 > 1", Exit.GUARD_COULD_NOT_RUN), ("score < 0", Exit.GUARD_FAILED)):
        with monkeypatch.context() as patch:
            failing(patch, condition)
            with pytest.raises(NightjarError) as caught:
                runs.night(NEXT)
        assert caught.value.code == code
        assert runs.tables() == before
        # For those who read the tables without us, too: the newest commit is what was visible.
        assert runs.lake.read_written(SIGNALS).where(F.col("landing_date") == F.lit(NEXT)).count() == 0
    page = runs.lake.docs() / str(NEXT) / "signals.html"
    assert "impossible" in page.read_text() and 'class="failed"' in page.read_text()
    assert runs.night(NEXT).did_something
    assert 'class="failed"' not in page.read_text()


def losing_all_but_one(linked, account_links, profile_regions, notices, erasures, *, policy, as_of):
    reference = account_links, profile_regions, notices, erasures
    return night_module.admit.admit(linked, *reference, policy=policy, as_of=as_of).limit(1)


def test_lines_that_vanish_on_the_way_stop_the_night(zone, runs, monkeypatch):
    zone.person().say().say("play some jazz").write()
    losing = [
        replace(stage, transform=losing_all_but_one) if stage is night_module.admit.STAGE else stage
        for stage in night_module.IN_FLIGHT
    ]
    monkeypatch.setattr(night_module, "IN_FLIGHT", losing)
    with pytest.raises(NightjarError) as caught:
        runs.night()
    assert caught.value.code == Exit.GUARD_FAILED
    assert not (runs.path / "runs").exists()


def test_a_signal_for_a_line_that_is_not_used_stops_the_night(zone, runs, monkeypatch):
    zone.person().say().write()

    def doubled(settled, *, landing_date, policy):
        one = accrue(settled, landing_date=landing_date, policy=policy)
        return one.unionByName(one)

    stages = tuple(replace(s, transform=doubled) if s.gives is SIGNALS else s for s in night_module.STORED)
    monkeypatch.setattr(night_module, "STORED", stages)
    with pytest.raises(NightjarError, match="unique_key"):
        runs.night()


@pytest.mark.parametrize("damage", ["truncate", "flip"])
def test_a_broken_file_stops_the_night_names_the_file_and_writes_nothing(zone, runs, damage):
    for n in range(200):
        zone.say(f"line {n} about cooking")
    zone.person().write()
    file = zone.folder / "interactions" / f"date={NIGHT}" / "part-0.jsonl.gz"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF if damage == "flip" else 0
    file.write_bytes(data[:-20] if damage == "truncate" else data)
    with pytest.raises(NightjarError, match="part-0.jsonl.gz") as caught:
        runs.night()
    assert caught.value.code == Exit.INPUT
    assert not runs.path.exists()


def test_a_broken_reference_row_stops_the_night(zone, runs):
    zone.person().say().write()
    file = zone.folder / "reference" / "account_links" / "part-0.jsonl.gz"
    file.write_bytes(file.read_bytes() + gzip.compress(b'{"account_id": "secret", "app": "meta_ai"}\n'))
    with pytest.raises(NightjarError, match="account_links/part-0.jsonl.gz is missing_field at row 3") as caught:
        runs.night()
    assert "secret" not in caught.value.line()


def test_a_file_that_changes_between_its_two_readings_stops_the_night(zone, runs, monkeypatch):
    zone.person().say().write()
    file = zone.folder / "interactions" / f"date={NIGHT}" / "part-0.jsonl.gz"
    original = night_module.Night.fly

    def changing(self, reference, elsewhere):
        file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()).replace(b"chicken", b"lobster")))
        return original(self, reference, elsewhere)

    monkeypatch.setattr(night_module.Night, "fly", changing)
    with pytest.raises(NightjarError, match="changed while it was read") as caught:
        runs.night()
    assert caught.value.code == Exit.INPUT


def test_reference_that_changes_during_a_night_stops_it_but_a_new_request_for_erasure_does_not(zone, runs, monkeypatch):
    zone.person().say().write()
    original = night_module.Night.publish

    def meanwhile(file):
        def publish(self, lake):
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(gzip.compress(b""))
            original(self, lake)

        monkeypatch.setattr(night_module.Night, "publish", publish)
        return runs.night

    with pytest.raises(NightjarError, match="reference table notices changed while it was read") as caught:
        meanwhile(zone.folder / "reference" / "notices" / "part-1.jsonl.gz")()
    assert caught.value.code == Exit.INPUT and runs.lake.log.history().last is None
    assert meanwhile(zone.folder / "erasures" / "part-1.jsonl.gz")().did_something
    read = {(file["table"], file["name"]) for file in runs.lake.log.history().last["reference"]}
    assert read == {
        (name, "part-0.jsonl.gz") for name in ("account_links", "profile_regions", "notices", "erasures")
    } | {("notices", "part-1.jsonl.gz")}


def test_what_was_said_later_on_the_day_of_a_request_for_erasure_is_withdrawn_by_its_own_night(zone, runs):
    zone.person().person("ben").say(at=f"{NIGHT}T13:00:00Z").say(who="ben")
    zone.erasures.append({"profile_id": "p-ann", "requested_at": f"{NIGHT}T10:00:00Z"})
    zone.write()
    runs.night()
    assert runs.outcomes() == {"used": 2}
    of = {
        name: {row["profile_id"] for row in runs.lake.read(TABLES[name], runs.lake.log.history().last).collect()}
        for name in ("signals", "profiles", "signal_accounts")
    }
    assert of == dict.fromkeys(of, {"p-ben"})


def test_tables_made_without_spark_are_to_spark_what_their_contracts_say(runs, spark):
    runs.lake.log.create()
    logs = spark._jvm.org.apache.spark.sql.delta.DeltaLog
    for contract in TABLES.values():
        folder = str(runs.lake.log.folder(contract))
        found = spark.read.format("delta").load(folder)
        assert [(f.name, f.dataType) for f in found.schema] == [(f.name, f.dataType) for f in contract.schema]
        assert found.isEmpty()
        detail = DeltaTable.forPath(spark, folder).detail().first()
        assert detail["partitionColumns"] == list(contract.partition_by) and detail["description"] == contract.row
        carried = detail["properties"].get("delta.dataSkippingStatsColumns", "")
        assert carried == ",".join(contract.statistics)
        assert carried or detail["properties"]["delta.dataSkippingNumIndexedCols"] == "0"
        assert detail["properties"]["delta.enableChangeDataFeed"] == str(contract.change_feed).lower()
        state = logs.forTable(spark._jsparkSession, folder).unsafeVolatileSnapshot()
        assert state.checksumOpt().get().numFiles() == 0 and state.validateChecksum(
            spark._jvm.PythonUtils.toScalaMap({})
        )


def test_a_table_whose_making_was_cut_short_is_made(runs):
    (runs.path / PROFILES.name / "_delta_log").mkdir(parents=True)
    runs.lake.log.create()
    assert not runs.lake.log.missing() and runs.lake.read_written(PROFILES).isEmpty()


def test_a_folder_of_something_else_where_a_table_should_be_is_refused(runs):
    (runs.path / PROFILES.name).mkdir(parents=True)
    (runs.path / PROFILES.name / "notes.txt").touch()
    with pytest.raises(NightjarError, match="table profiles is a folder without a Delta log"):
        runs.lake.log.create()


def test_a_lake_that_is_not_what_it_should_be_is_refused(runs, spark):
    runs.lake.log.create()
    spark.range(3).write.format("delta").mode("overwrite").option("overwriteSchema", "true").save(
        str(runs.path / "profiles")
    )
    with pytest.raises(NightjarError) as caught:
        runs.lake.read_written(PROFILES)
    assert caught.value.code == Exit.TABLE


def test_the_log_holds_no_statistics_of_people(mixed):
    for log in mixed.path.glob("*/_delta_log/*.json"):
        for line in log.read_text().splitlines():
            stats = json.loads(line).get("add", {}).get("stats")
            if stats:
                assert set(json.loads(stats).get("minValues", {})) <= {"run_number"}, log


def test_the_samples_truth_is_what_the_night_says(runs):
    recipe = Recipe(first=date(2025, 12, 16), days=1, lines=600, people=120, seed=7)
    make(runs.landing, recipe)
    runs.night(recipe.first)
    truth = {}
    for file in sorted((runs.landing.parent / "landing.truth").glob("interactions/*/*.gz")):
        for line in gzip.open(file):
            outcome = json.loads(line)["outcome"]
            truth[outcome] = truth.get(outcome, 0) + 1
    assert gates(runs.outcomes()) == gates(truth)
    for outcome in ("malformed", "duplicate", "before_effective", "region_excluded", "conversation"):
        assert truth[outcome] > 0


@pytest.mark.skipif(not (SHARED / "landing").exists(), reason="the shared landing zone is not here")
@pytest.mark.parametrize("day", [date(2025, 12, 16), date(2025, 12, 17)])
def test_the_gates_on_the_shared_landing_zone_are_the_models(runs, day):
    runs.night(day, landing=SHARED / "landing")
    model = counts(SHARED / "landing", day)
    for source in ("interactions", "engagements"):
        assert gates(runs.outcomes(source)) == dict(model[source])


def movers(zone):
    """Ann moves into the EU after the first night; Ben's account becomes another's; Cleo stays."""
    zone.person("cleo")
    zone.person("ann").person("ben")
    evening = f"{NEXT}T18:00:00Z"
    zone.regions[1]["valid_to"] = evening
    zone.regions.append({"profile_id": "p-ann", "country": "FR", "valid_from": evening, "valid_to": None})
    ben = next(link for link in zone.links if link["account_id"] == "m-ben")
    ben["valid_to"] = evening
    zone.link("m-ben", "meta_ai", "p-dora", since=evening)
    for who in ("ann", "ben", "cleo"):
        zone.say(who=who).say("play some jazz", who=who).say(who=who, at=f"{NEXT}T09:00:00Z", day=NEXT)
        zone.like(who=who)
    return zone


def test_who_moves_or_unlinks_is_withdrawn_that_night_whatever_the_order_of_nights(
    zone, runs, another_lake, monkeypatch
):
    days = [NIGHT, NEXT, NEXT + timedelta(days=1)]
    movers(zone)
    # Ann comes back: what she said before stays withdrawn, new evidence counts.
    morning = f"{days[2]}T06:00:00Z"
    zone.regions[-1]["valid_to"] = morning
    zone.regions.append({"profile_id": "p-ann", "country": "US", "valid_from": morning, "valid_to": None})
    zone.say(day=days[2]).write(*days)
    runs.night(days[0])
    told = runs.outcomes()
    assert {row[0] for row in runs.rows("profiles")} == {"p-ann", "p-ben", "p-cleo"}
    # Signals that should fall and were not all deleted stop the night; what was visible stays.
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "withdraw", lambda lake, gone: 0)
        with pytest.raises(NightjarError) as caught:
            runs.night(days[1])
    assert caught.value.code == Exit.GUARD_FAILED and runs.outcomes() == told
    runs.night(days[1])
    assert {row[0] for row in runs.rows("profiles")} == {"p-ben", "p-cleo"}
    # Ben's likes came through his Facebook account, which is still his.
    assert {row[4] for row in runs.rows("signals") if row[2] == "p-ben"} == {"like"}
    removed = {row[2] for row in runs.rows("profile_deltas") if row[4] == "removed" and row[1] == NEXT}
    assert removed == {"p-ann", "p-ben"}
    # What a night counted is of that night alone: nothing is counted anew.
    first = [row for row in runs.rows("outcomes") if row[0] == NIGHT and row[1] == "interactions"]
    assert {row[3]: row[4] for row in first} == told
    runs.night(days[2])
    cooking = [row[3:] for row in runs.rows("profiles") if row[:2] == ("p-ann", "216")]
    assert cooking == [(1, days[2], days[2])]
    # What an earlier run showed is still there to be verified, but for the tables that keep no history.
    assert runs.differences(run=1) == {}
    for day in (days[1], days[2], days[0]):
        another_lake.night(day)
    assert another_lake.tables() == runs.tables()


def test_ids_and_conversations_are_judged_over_the_window_whenever_a_file_comes(zone, runs):
    days, morning = [NIGHT, NEXT], f"{NIGHT}T08:00:00Z"
    zone.person().person("ben")
    for at, day in enumerate(days):
        zone.say(identity="again", at=morning, day=day)
        zone.say(f"play some jazz on {day}", identity="otherwise", who="ben", day=day)
        zone.say(SENSITIVE if at else "how do i train for a marathon", conversation="c1", day=day)
        zone.say("play some jazz", conversation="c2", day=day, who="ben").say("", conversation="c2", day=day, who="ben")
        zone.say("play jazz", conversation="c3", day=day, who="ben").like(day=day)
    zone.say(conversation="c2", day=NEXT, at="2025-11-01T00:00:00Z", who="ben").write(*days)

    def outcomes(day):
        return {row[3]: row[4] for row in runs.rows("outcomes") if row[0] == day and row[1] == "interactions"}

    assert runs.night(NIGHT).stated == [NIGHT]
    assert outcomes(NIGHT) == {"used": 5, "empty": 1}
    # The next night's lines decide otherwise of some that were used.
    assert runs.night(NEXT).stated == days
    assert outcomes(NIGHT) == {"used": 2, "conflicting": 1, "conversation": 3}
    assert outcomes(NEXT) == {
        "used": 1,
        "duplicate": 1,
        "conflicting": 1,
        "sensitive": 1,
        "conversation": 2,
        "misdated": 1,
    }
    cooking, jazz = ([row for row in runs.rows("profiles") if row[0] == who] for who in ("p-ann", "p-ben"))
    assert ("216", 1, NIGHT, NIGHT) in [(row[1], *row[3:]) for row in cooking]
    assert [row[3:] for row in jazz if row[3] == 2] == [(2, NIGHT, NEXT)]

    # A file that comes later makes its date stale: the next night restates it, and what it decides otherwise.
    zone.say("something else", identity="again", at=morning).say(day=NIGHT).write(*days)
    assert runs.night(NEXT).stated == days
    assert outcomes(NIGHT) == {"used": 2, "conflicting": 3, "conversation": 3}
    assert outcomes(NEXT) == {"used": 1, "conflicting": 2, "sensitive": 1, "conversation": 2, "misdated": 1}
    versions = runs.versions()
    assert runs.night(NEXT).stated == [] and runs.versions() == versions
    # Rebuilt another way, from the landing zone alone, the tables are the same.
    assert runs.differences() == {}


def test_verify_finds_a_wrong_row_and_a_changed_input_and_names_them_without_a_value(
    zone, runs, another_lake, monkeypatch
):
    zone.person().person("ben").say().say("play some jazz", who="ben").write()

    def shifted(settled, *, landing_date, policy):
        ben = F.when(F.col("profile_id") == "p-ben", F.lit("p-ann")).otherwise(F.col("profile_id"))
        return accrue(settled, landing_date=landing_date, policy=policy).withColumn("profile_id", ben)

    stages = tuple(replace(s, transform=shifted) if s.gives is SIGNALS else s for s in night_module.STORED)
    with monkeypatch.context() as patch:
        patch.setattr(night_module, "STORED", stages)
        runs.night()
    wrong = f"1 rows (the first of {NIGHT})"
    # How many placements jazz is strong enough for is the scorer's to say, and then a right night's: hers, where they should
    # be his.
    another_lake.night()
    shown, right = (Counter(map(repr, of.rows("activations"))) for of in (runs, another_lake))
    extra, missing = (shown - right).total(), (right - shown).total()
    assert extra and missing
    assert runs.differences() == {
        "table signals": f"{wrong} too many and {wrong} missing",
        "table profiles": "1 rows too many and 1 rows missing",
        "table signal_accounts": "1 rows too many and 1 rows missing",
        "table activations": f"{extra} rows too many and {missing} rows missing",
    }
    zone.like().write()
    found = runs.differences()
    assert found[f"manifest of {NIGHT} (run 1)"] == "the landing files are others than those it read"
    assert found["table outcomes"] == f"1 rows (the first of {NIGHT}) missing"
    assert "reference of run 1" not in found
    zone.person("eve").write()
    others = "account_links, notices, profile_regions: the files are others than those it read"
    assert runs.differences()["reference of run 1"] == others
