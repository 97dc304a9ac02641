"""Audiences and activations on real Delta: they follow the profiles, and who leaves is gone at once and without history."""

from datetime import timedelta

import msgspec
import pytest

from schemas.segment_members import SEGMENT_MEMBERS
from tests.night.scan import findings
from tests.zone import NIGHT

NEXT = NIGHT + timedelta(days=1)


def test_who_leaves_an_audience_is_in_none_of_its_files(zone, runs, monkeypatch):
    runs.policies = [msgspec.structs.replace(*runs.policies, minimum_audience=2)]
    people = ("ann", "ben", "cleo", "dora", "eva")
    for who in people:
        zone.person(who).say(who=who)
    zone.like(who="cleo", day=NEXT).write(NIGHT, NEXT)
    runs.night()
    before = runs.rows("segments", "as_of")
    assert {row[1] for row in runs.rows("segment_members")} == {f"p-{who}" for who in people}
    # Of five people, four are told.
    assert before and {size for *_, size, minimum in before} == {4}
    first = runs.lake.log.history().last

    # Ben moves away. Killed before anything is purged, the run stands all the same, and the next command purges.
    ben = next(region for region in zone.regions if region["profile_id"] == "p-ben")
    zone.regions.append({**ben, "country": "DE", "valid_from": f"{NEXT}T12:00:00Z"})
    ben["valid_to"] = f"{NEXT}T12:00:00Z"
    zone.write(NIGHT, NEXT)
    with monkeypatch.context() as patch:
        patch.setattr("jobs.lake_log._remove", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            runs.night(NEXT)
    visible = runs.lake.log.history().last
    assert visible["landing_dates"] == [NEXT]
    assert {row[1] for row in runs.rows("segment_members")} == {f"p-{who}" for who in people if who != "ben"}
    # Nobody can tell from the sizes that one person left.
    assert runs.rows("segments", "as_of") == before
    folders = [runs.path / name for name in ("segment_members", "activations")]
    assert findings(["p-ben"], *folders)
    versions = runs.versions()
    assert not runs.night(NEXT).did_something and runs.lake.log.history().last == visible
    assert findings(["p-ben"], *folders) == {} and findings(["p-ann"], *folders)
    with pytest.raises(Exception, match=r"table segment_members can't be opened \(PATH_NOT_FOUND\)"):
        runs.lake.read(SEGMENT_MEMBERS, first).collect()
    assert runs.versions() == versions
    assert runs.differences() == {}
